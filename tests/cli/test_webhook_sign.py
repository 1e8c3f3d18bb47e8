"""`mockbill webhook sign` and `schemes`: what is signed verifies, and a curl command sends the very bytes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from mock_server.webhooks.captures import read_capture
from mock_server.webhooks.schemes import schemes

from .command import Ran, check_wrong_use, inside

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "http://127.0.0.1:8000/hooks?a=1"
BODY = b'{"id":"evt_1","name":"it\'s"}\n'


def sign(*arguments: str, stdin: bytes | None = BODY) -> Ran:
    return inside("webhook", "sign", *arguments, stdin=stdin)


@pytest.mark.parametrize(
    ("provider", "body"), [*((name, BODY) for name in sorted(schemes())), ("svix", b""), ("paddle", bytes(range(256)))]
)
def test_what_is_signed_verifies(tmp_path: Path, provider: str, body: bytes) -> None:
    ran = sign("--provider", provider, "--secret", SECRET, "--to", URL, "--format", "capture", stdin=body)
    assert ran.code == 0, ran
    capture = read_capture(ran.out.encode(), "out")
    assert capture.body == body
    assert capture.path == "/hooks?a=1"
    file = tmp_path / "capture.json"
    file.write_text(ran.out)
    ran = inside("webhook", "verify", str(file), "--secret", SECRET)
    assert ran.code == 0, ran


def test_the_headers_are_printed_as_they_are_sent() -> None:
    ran = sign("--provider", "stripe", "--secret", "whsec_test", "--at", "1700000000", stdin=b'{"id":"evt_1"}')
    name, value = ran.out.strip().split(": ")
    assert name == "Stripe-Signature"
    assert value.startswith("t=1700000000,v1=")
    other = ("--secret", "whsec_test", "--at", "2023-11-14T22:13:20Z")
    assert sign("--provider", "stripe", *other, stdin=b'{"id":"evt_1"}').out == ran.out


def test_the_id_is_the_events_own_or_is_always_the_same_for_the_same_body() -> None:
    arguments = ("--provider", "svix", "--secret", SECRET, "--at", "1700000000")
    assert "svix-id: evt_1\n" in sign(*arguments).out
    assert "svix-id: msg_7\n" in sign(*arguments, "--id", "msg_7").out
    assert sign(*arguments, stdin=b"x").out == sign(*arguments, stdin=b"x").out
    assert "svix-id: msg_" in sign(*arguments, stdin=b"x").out
    assert "svix-id: evt_2\n" in sign(*arguments, "--header", "X-Event-Id: evt_2").out


def test_json_tells_everything_but_the_secret() -> None:
    told = json.loads(sign("--provider", "github", "--secret", "my-secret", "--to", URL, "--format", "json").out)
    assert told["url"] == URL
    assert told["body"] == {"text": BODY.decode()}
    assert [name for name, _ in told["headers"]] == ["Content-Type", "X-Hub-Signature-256"]
    assert "my-secret" not in json.dumps(told)


def received(listener: socket.socket, into: list[bytes]) -> None:
    connection, _ = listener.accept()
    connection.settimeout(20)
    with connection:
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += connection.recv(65536)
        head, _, body = raw.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        if b"expect: 100-continue" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < length:
            body += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    into += [head, body]


BODIES = {
    "text": BODY,
    "an @ first": b"@/etc/passwd",
    "quotes and dollars": b"'\"$HOME `id` \\n %s !x",
    "carriage returns": b"a\r\nb",
    "bytes": bytes(range(256)),
    "nothing": b"",
    "large": b"x" * 200_000,
}


@pytest.mark.parametrize(("name", "from_file"), [*((name, False) for name in BODIES), ("bytes", True), ("large", True)])
def test_the_curl_command_sends_the_very_bytes(tmp_path: Path, name: str, from_file: bool) -> None:
    if shutil.which("curl") is None or shutil.which("sh") is None:
        pytest.skip("curl or a shell is not installed")
    body = BODIES[name]
    file = tmp_path / "it's a body"
    file.write_bytes(body)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        into: list[bytes] = []
        thread = threading.Thread(target=received, args=(listener, into))
        thread.start()
        to = f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        ran = sign(
            *([str(file)] if from_file else []), "--provider", "github", "--secret", SECRET, "--to", to,
            "--header", "X-It: it's", "--format", "curl", stdin=body,
        )  # fmt: skip
        assert ran.code == 0, ran
        # From a file: a command line of its own would be too long for the largest.
        script = tmp_path / "script"
        script.write_text(ran.out)
        subprocess.run(["sh", str(script)], check=True, capture_output=True, timeout=20)
        thread.join(20)
    head, sent = into
    assert sent == body
    assert b"X-It: it's\r\n" in head
    assert b"X-Hub-Signature-256: sha256=" in head
    assert SECRET not in ran.out


WRONG = {
    "an unknown provider": (("--provider", "nope", "--secret", "x"), "stripe"),
    "a blank secret": (("--provider", "stripe", "--secret", " "), "empty"),
    "no base64": (("--provider", "svix", "--secret", "whsec_!"), "base64"),
    "no URL": (("--provider", "square", "--secret", "abc"), "URL"),
    "a bad target": (("--provider", "stripe", "--secret", "x", "--to", "localhost"), "--to"),
    "no moment": (("--provider", "stripe", "--secret", "x", "--at", "soon"), "--at"),
    "a bad id": (("--provider", "svix", "--secret", SECRET, "--id", "a b"), "id"),
    "no file": (("no-such-file", "--provider", "stripe", "--secret", "x"), "No such file"),
    "an unknown form": (("--provider", "stripe", "--secret", "x", "--format", "nope"), "nope"),
    "no header": (("--provider", "stripe", "--secret", "x", "--header", "a\nb: c"), "--header"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_misuse_ends_with_2_and_says_why(name: str) -> None:
    arguments, hint = WRONG[name]
    check_wrong_use(sign(*arguments), hint)


def test_a_body_that_is_too_large_is_refused() -> None:
    check_wrong_use(sign("--provider", "stripe", "--secret", "x", stdin=b"x" * (10 * 2**20 + 1)), "10,485,760")


def test_the_providers_are_listed_with_how_they_sign() -> None:
    ran = inside("webhook", "schemes")
    assert ran.code == 0
    rows = {line.split()[0]: line for line in ran.out.splitlines()}
    assert rows.keys() == {"name", *schemes()}
    assert "Stripe-Signature: t=<time>,v1=<hex>" in rows["stripe"]
    assert "{time}.{body}" in rows["stripe"]
    assert "{url}{body}" in rows["square"]
    told = json.loads(inside("webhook", "schemes", "--json").out)
    assert [each["name"] for each in told] == list(schemes())
    assert all(each["about"] for each in told)


def test_one_of_them_is_told_with_what_is_peculiar() -> None:
    ran = inside("webhook", "schemes", "stripe")
    assert "Stripe's libraries refuse old timestamps" in ran.out
    assert json.loads(inside("webhook", "schemes", "svix", "--json").out)["id_header"] == "svix-id"
    check_wrong_use(inside("webhook", "schemes", "nope"), "nope", "stripe")
