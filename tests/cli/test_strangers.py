"""What answers is no mock, or is not there, or stops in the middle: exit code 3 and one line, whatever it does."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mock_server.commands import client

from .command import Ran, check_wrong_use, inside, mockbill, named
from .fakes import Fake, Hostile, Reply, example, hanging, http, replied, resetting, saying

COMMANDS = [
    ("worlds", "list"),
    ("worlds", "create", "blue"),
    ("worlds", "delete", "blue"),
    ("worlds", "save", "demo", "-o", "-"),
    ("worlds", "watch"),
    ("worlds", "settings", "demo", "checkout=hosted"),
    ("clock", "advance", "P1D"),
    ("requests", "why"),
    ("requests", "wait", "--timeout", "0"),
    ("requests", "export", "--format", "curl"),
    ("requests", "export", "--format", "har"),
    ("faults", "clear"),
]
PAGE = b"<html>It works!</html>"
STRANGERS: dict[str, Callable[[socket.socket], None]] = {
    "a page": saying(http(PAGE, "200 OK", b"Content-Type: text/html")),
    "a page with the type of a program": saying(http(PAGE, "404 Not Found", b"Content-Type: text/x-shellscript")),
    "a page of an error": saying(http(PAGE, "500 Internal Server Error")),
    "a redirect": saying(http(b"", "302 Found", b"Location: http://127.0.0.1:9/")),
    "nothing": saying(http(b"")),
    "an empty list": saying(http(b"[]")),
    "an empty object": saying(http(b"{}")),
    "null": saying(http(b"null")),
    "no UTF-8": saying(http(b"\xff\xfe")),
    "no UTF-8 in an error": saying(http(b'{"message": "\xff", "error_code": "x"}', "400 Bad Request")),
    "a message that is none": saying(http(b'{"message": 5}', "400 Bad Request")),
    "brackets without end": saying(http(b"[" * 200_000)),
    "brackets without end in an object": saying(http(b'{"a":' * 100_000, "400 Bad Request")),
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.7\r\n"),
    "bytes": saying(bytes(range(256)) * 10),
    "a head and no body": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "headers without end": saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000),
    "a length that is none": saying(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "chunks that are none": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "compressed rubbish": saying(http(b"rubbish", "200 OK", b"Content-Encoding: gzip")),
    "a status that is none": saying(http(b"{}", "999 What")),
    "a closed connection": saying(b""),
    "a reset": resetting,
}


def check_unreachable(ran: Ran) -> None:
    assert ran.code == 3, ran
    assert ran.out == "", ran
    assert ran.errors.startswith("mockbill: "), ran
    assert ran.errors.count("\n") == 1, ran
    assert "mockbill serve" in ran.errors
    assert ran.errors[:-1].isprintable()


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_is_3(stranger: str) -> None:
    with Hostile(STRANGERS[stranger]) as other:
        for command in COMMANDS:
            check_unreachable(inside(*command, "--url", other.url))


def test_a_stranger_is_3_in_a_process_too() -> None:
    with Hostile(STRANGERS["brackets without end"]) as other:
        check_unreachable(mockbill("worlds", "list", "--url", other.url))


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_one_that_says_nothing_is_given_up(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    given = client.Mock.__init__
    monkeypatch.setattr(
        client.Mock, "__init__", lambda self, url, token=None, patience=None: given(self, url, token, 0.2)
    )
    with Hostile(hanging) as other:
        ran = inside(*command, "--url", other.url)
    check_unreachable(ran)
    assert "timed out" in ran.errors


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9",
        "http://nowhere.invalid",
        "https://127.0.0.1:9",
        "http://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:many",
        "http://a b",
        "http://" + "a" * 70_000,
        "http://\x1b[31m",
    ],
    ids=lambda url: url[:30],
)
def test_an_address_that_leads_nowhere_is_3(url: str) -> None:
    check_unreachable(inside("worlds", "list", "--url", url))


@pytest.mark.parametrize("url", ["nonsense", "", "http://", "ftp://x", "127.0.0.1:4010"])
def test_what_is_no_address_is_wrong_use(url: str) -> None:
    check_wrong_use(inside("worlds", "list", "--url", url), "give http://HOST:PORT")


def test_tls_with_a_server_that_speaks_none() -> None:
    with Fake() as fake:
        check_unreachable(inside("worlds", "list", "--url", fake.url.replace("http:", "https:")))


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 100_000)

    def flooding(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")

    with Hostile(flooding) as other:
        check_unreachable(inside("worlds", "list", "--url", other.url))


def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 100_000)
    packed = gzip.compress(b" " * 1_000_000)
    with Hostile(saying(http(packed, "200 OK", b"Content-Encoding: gzip"))) as other:
        check_unreachable(inside("worlds", "list", "--url", other.url))


def test_deleting_is_only_done_when_the_mock_says_so() -> None:
    with Fake({"DELETE /worlds/blue": [replied({}, 200)]}) as fake:
        check_unreachable(inside("worlds", "delete", "blue", "--url", fake.url))


def test_a_mock_that_is_stopping_is_as_good_as_gone() -> None:
    stopping = replied({"message": "The server is stopping.", "error_code": "stopping"}, 503)
    with Fake({"GET /worlds": [stopping]}) as fake:
        check_unreachable(inside("worlds", "list", "--url", fake.url))


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/x-python", ""])
def test_a_program_of_another_type_is_none(kind: str) -> None:
    with Fake({"GET /worlds/demo/requests/export": [Reply(200, b"rm -rf /\n", kind)]}) as fake:
        check_unreachable(inside("requests", "export", "--format", "curl", "--url", fake.url))


def test_an_answer_that_says_more_than_is_known_is_taken() -> None:
    """A mock of a later version."""
    world = {**json.loads(example("GET", "/worlds/demo").body), "new": {"deep": [1]}}
    with Fake({"GET /worlds/demo": [replied(world)]}) as fake:
        ran = inside("worlds", "show", "demo", "--json", "--url", fake.url)
    assert (ran.code, json.loads(ran.out)) == (0, world)


def test_json_is_passed_on_as_it_came() -> None:
    """Numbers keep their form, members their order; only the space between them goes."""
    settings = b'{\n "settings": {"b": 1.50, "a": 12345678901234567890123, "c": 1E2},\t"api": "openapp"\r\n}'
    with Fake({"GET /worlds/demo/settings": [Reply(200, settings)]}) as fake:
        ran = inside("worlds", "settings", "demo", "--json", "--url", fake.url)
    assert ran.out == '{"settings":{"b":1.50,"a":12345678901234567890123,"c":1E2},"api":"openapp"}\n'


def test_files_are_not_touched_by_what_a_stranger_says(tmp_path: Path) -> None:
    kept = tmp_path / "demo.json"
    kept.write_text("before")
    with Hostile(STRANGERS["a page"]) as other:
        check_unreachable(inside("worlds", "save", "demo", "-o", str(kept), "--url", other.url))
    assert kept.read_text() == "before"
    assert list(tmp_path.iterdir()) == [kept]
