"""The shell script asks exactly the same again, and nothing in it comes to life that was only text."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.control.exports.curl import script
from mock_server.control.exports.slices import Slice
from mock_server.store.journal import Entry

from .entries import JSON, NOW, OWNER, entry, hostile_parts, part, sent_requests
from .receiver import Received, Receiver

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
OF_CURL = (b"host", b"user-agent", b"content-length")


def run(text: str, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh"],
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "BASE": url, **variables},
        timeout=60,
        check=False,
    )


def received(*entries: Entry, **keys: str) -> list[Received]:
    """What comes in when the script for these entries is run, without what curl says for itself."""
    with Receiver() as receiver:
        done = run(script(part(*entries)), receiver.url, **keys)
    assert done.returncode == 0, done.stderr
    return [
        each._replace(headers=[pair for pair in each.headers if pair[0].lower() not in OF_CURL])
        for each in receiver.received
    ]


@given(hostile_parts)
@settings(max_examples=60)
def test_the_shell_can_read_the_script_for_any_entries(any_part: Slice) -> None:
    text = script(any_part).encode()
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), text.decode()


@needs_curl
@given(st.lists(sent_requests(), min_size=1, max_size=4))
@settings(max_examples=25)
def test_what_is_sent_is_what_was_sent(
    requests: list[tuple[Entry, str, list[tuple[bytes, bytes]]]],
) -> None:
    came = received(*(made for made, _, _ in requests), KEY_1="k3y")
    for (made, target, headers), request in zip(requests, came, strict=True):
        assert request.method == made.method
        assert request.target == f"/w/blue{target}"
        assert request.headers == [(name, value.replace(b"KEY", b"k3y")) for name, value in headers]
        assert request.body == made.body


@needs_curl
@pytest.mark.parametrize(
    "body",
    [
        b"@/etc/passwd",
        b"a\nb\n",
        b"\r\n",
        b"'\"`id`$(id)\\",
        b"\x00",
        b"\xff\xfe",
        b"\n\n",
        "Büro \u2028".encode(),
        b"<x",
    ],
)
def test_bodies_that_curl_or_the_shell_would_spoil(body: bytes) -> None:
    (request,) = received(entry(method="POST", body=body, headers=[JSON]))
    assert request.body == body


@needs_curl
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/w/blue/api/v1/zones", "/w/blue/api/v1/zones"),
        ("/w/blue/openapp/api/v1/zones", "/w/blue/openapp/api/v1/zones"),
        ("/w/blue", "/w/blue"),
        ("/w/blue/", "/w/blue/"),
        ("/w", "/w/blue/w"),
        ("/zones/../a/./b//c", "/w/blue/zones/../a/./b//c"),
        ("//a", "/w/blue//a"),
        ("/a[1-3]{x,y}", "/w/blue/a[1-3]{x,y}"),
        ("/a%2F%2f%zz%", "/w/blue/a%2F%2f%zz%"),
        ("/caf\xc3\xa9\xff", "/w/blue/caf%C3%A9%FF"),
    ],
)
def test_paths_go_out_as_they_came_in(path: str, target: str) -> None:
    (request,) = received(entry(path=path), KEY_1="k")
    assert request.target == target


@needs_curl
def test_headers_that_curl_has_opinions_on() -> None:
    sent = [
        (b"x-empty", b""),
        (b"X-Two", b"1"),
        (b"X-Two", b"2"),
        (b"x-end", b"a;"),
        (b"x-latin", b"caf\xe9\t%s\\"),
        (b"x-q", b"'\""),
    ]
    (request,) = received(entry(method="POST", body=b"x", headers=sent, caller="anonymous"))
    assert request.headers == [(b"accept", b"*/*"), *sent]


def test_each_caller_has_a_variable_of_its_own() -> None:
    text = script(
        part(
            entry(1),
            entry(2, headers=[(b"authorization", b"Bearer http://h_openapp_***@blue")], caller="reader"),
            entry(3),
            entry(4, caller="rejected"),
            entry(5, caller="anonymous"),
            entry(6, caller=OWNER, headers=[]),
        )
    )
    assert "KEY_1=${KEY_1:?'the key of owner of Acme Doors (openapp)'}\n" in text
    assert "KEY_2=${KEY_2:?'the key of reader (openapp)'}\n" in text
    assert "KEY_3" not in text
    sent = [block.partition("ask ")[2] for block in text.split("# Request ")[1:]]
    keys = [
        [line.strip(" \\") for line in block.splitlines() if "api-key" in line or "Bearer" in line] for block in sent
    ]
    assert keys == [
        ['-H "x-api-key: $KEY_1"'],
        ['-H "authorization: Bearer $KEY_2"'],
        ['-H "x-api-key: $KEY_1"'],
        ['-H "x-api-key: not-a-key"'],
        [],
        [],
    ]


def test_without_the_key_it_says_whose_is_missing_and_asks_nothing() -> None:
    with Receiver() as receiver:
        done = run(script(part(entry(caller="o'Neil $(id) `id` }"))), receiver.url)
    assert done.returncode != 0
    assert "KEY_1: the key of o'Neil $(id) `id` } (openapp)" in done.stderr
    assert receiver.received == []


@needs_curl
def test_another_world_can_be_asked() -> None:
    with Receiver() as receiver:
        done = run(
            script(part(entry(path="/w/blue/x", headers=[(b"x-mock-world", b"blue")]))), receiver.url, WORLD="red"
        )
    assert "\n= 1: 200\n" in done.stdout
    (request,) = receiver.received
    assert request.target == "/w/red/x"
    assert not any(name.lower() == b"x-mock-world" for name, _ in request.headers)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"body": b"a" * 65_536, "body_size": 70_000}, "only the first 65536 of its 70000 bytes were kept"),
        ({"status": 413}, "its body was too large to be read"),
        ({"delivery": "replaced", "faults": ("out",), "worked": 0}, "the fault out kept it from the API"),
        ({"delivery": "client_gone", "status": 0}, "the client was gone before it had any effect"),
        ({"headers": [(b"transfer-encoding", b"gzip")]}, "no usual client can send its Transfer-Encoding"),
    ],
)
def test_what_cannot_be_sent_again_is_a_comment(members: dict[str, Any], reason: str) -> None:
    text = script(part(entry(3, "POST", **members)))
    assert f"# It is not sent again, because {reason}.\n" in text
    assert "ask 3" not in text


def test_the_script_says_what_was_asked_when_and_what_came_of_it() -> None:
    text = script(part(entry(9, at=NOW + 1, status=429, problem="quota_exceeded", operation="create_zone")))
    assert "# Request 9 at 2026-03-01T00:00:00.000001Z: create_zone by owner of Acme Doors\n" in text
    assert "# It was answered 429 quota_exceeded.\n" in text
    lost = script(part(entry(delivery="lost", faults=("lost-reply",), status=0, worked=201)))
    assert "# It was answered 201 (the fault lost-reply spoilt it).\n" in lost
