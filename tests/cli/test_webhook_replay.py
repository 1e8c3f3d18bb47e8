"""`mockbill webhook replay`: what it sends, what it prints, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture, written
from mock_server.webhooks.cli.replay_shown import kept, saying
from mock_server.webhooks.outgoing import Answer, NoAnswer
from mock_server.webhooks.replaying.planning import Planned
from mock_server.webhooks.replaying.running import Outcome
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.generic import scheme_of
from mock_server.webhooks.schemes.protocol import Message, Verified
from tests.server import ROOT
from tests.unit.webhooks.raw_receiver import Receiver, one, reset

from .command import Ran, check_wrong_use, environment, inside

THEN = 1_700_000_000
SECRET = "whsec_not_to_be_shown"
REFUSES = b"HTTP/1.1 400 X\r\nContent-Length: 19\r\n\r\nsignature too old \x1b"


def capture(number: int = 0, provider: str = "stripe", redacted: bool = False, body: bytes | None = None) -> Capture:
    content = b'{"id": "evt_%d"}' % number if body is None else body
    headers = (
        ("Host", "me.example"),
        ("X-ODD-case", f"{number}"),
        ("x-odd-CASE", "again"),
        ("Stripe-Signature", "t=1,v1=00"),
        ("Content-Length", str(len(content))),
    )
    at = (THEN + number) * SECOND
    return Capture(provider, f"event.{number}", at, "POST", f"/from?n={number}", headers, content, redacted=redacted)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five captures a second apart, named against their order."""
    for number in range(5):
        (tmp_path / f"{9 - number}.json").write_bytes(written(capture(number)))
    return tmp_path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def run(folder: Path | str, url: str, *options: str, env: dict[str, str] | None = None) -> Ran:
    return inside("webhook", "replay", str(folder), "--to", url, "--speed", "max", *options, env=env or {})


def run_json(folder: Path, url: str, *options: str, code: int = 0) -> Any:
    ran = run(folder, url, "--json", *options)
    assert ran.code == code, ran
    return json.loads(ran.out)


def test_captures_go_out_as_they_came(folder: Path, receiver: Receiver) -> None:
    ran = run(folder, f"{receiver.url}/hooks?team=1")
    assert (ran.code, ran.errors) == (0, ""), ran
    assert receiver.requests == [
        (
            f"POST /hooks?team=1 HTTP/1.1\r\nHost: 127.0.0.1:{receiver.port}\r\nX-ODD-case: {n}\r\nx-odd-CASE: again\r\n"
            f'Stripe-Signature: t=1,v1=00\r\nContent-Length: 15\r\n\r\n{{"id": "evt_{n}"}}'
        ).encode()
        for n in range(5)
    ]
    lines = ran.out.splitlines()
    assert lines[0].split() == ["file", "title", "status", "time", "verdict"]
    assert lines[1].split()[:3] == [str(folder / "9.json"), "event.0", "200"]
    assert lines[1].endswith("as expected")
    assert lines[-1].startswith("5 sent in ")
    assert "5 as expected (2xx)" in lines[-1]


def test_path_and_host_are_kept_on_demand(folder: Path, receiver: Receiver) -> None:
    assert run(folder / "9.json", f"{receiver.url}/base", "--keep-path", "--keep-host").code == 0
    assert receiver.requests[0].startswith(b"POST /base/from?n=0 HTTP/1.1\r\nHost: me.example\r\n")


def test_a_signature_is_made_anew(folder: Path, receiver: Receiver) -> None:
    ran = run(folder, receiver.url, "--resign", "--at", "original", env={"MOCKBILL_WEBHOOK_SECRET": SECRET})
    assert ran.code == 0, ran
    assert SECRET not in ran.out
    for number, request in enumerate(receiver.requests):
        head, _, body = request.partition(b"\r\n\r\n")
        value = head.split(b"Stripe-Signature: ")[1].split(b"\r\n")[0].decode()
        verdict = scheme_named("stripe").verify(Message(body), {"stripe-signature": value}, [SECRET], THEN + number)
        assert verdict == Verified(THEN + number)


def test_a_scheme_of_ones_own(folder: Path, receiver: Receiver) -> None:
    options = ("--option", "header=X-Mine", "--option", "value=sha512={signature}", "--option", "digest=sha512")
    ran = run(folder / "9.json", receiver.url, "--resign", "--secret", "k", "--provider", "generic", *options)
    assert ran.code == 0, ran
    mine = receiver.requests[0].split(b"X-Mine: ")[1].split(b"\r\n")[0].decode()
    scheme = scheme_of({"header": "X-Mine", "value": "sha512={signature}", "digest": "sha512"})
    assert scheme.verify(Message(b'{"id": "evt_0"}'), {"x-mine": mine}, ["k"], 0) == Verified()


def test_the_same_seed_is_the_same_replay(folder: Path, receiver: Receiver) -> None:
    options = ("--order", "shuffle", "--duplicate", "0.5", "--drop", "0.3", "--damage", "tamper=0.5", "--repeat", "4")
    first = run_json(folder, f"{receiver.url}/hooks?key=1", *options, "--seed", "7")
    assert first["target"] == f"{receiver.url}/hooks"
    seen = list(receiver.requests)
    receiver.requests.clear()
    again = run_json(folder, f"{receiver.url}/hooks?key=1", *options, "--seed", "7")
    assert receiver.requests == seen
    assert first["sent"] == len(seen) == 20 - first["dropped"] + first["duplicated"]
    assert first["damaged"] > 0
    plain = [
        [(each["file"], each["round"], each["is_duplicate"], each["damages"]) for each in found["sends"]]
        for found in (first, again)
    ]
    assert plain[0] == plain[1]
    receiver.requests.clear()
    run_json(folder, receiver.url, *options, "--seed", "8")
    assert receiver.requests != seen


def test_what_was_not_expected_ends_with_1_and_shows_what_was_said(folder: Path) -> None:
    with Receiver(REFUSES) as receiver:
        ran = run(folder, receiver.url)
        assert ran.code == 1
        assert "expected 2xx: signature too old \\x1b" in ran.out
        assert "0 as expected (2xx); 5 not" in ran.out
        assert run(folder, receiver.url, "--expect", "2xx,400").code == 0
        assert run(folder, receiver.url, "--expect", "any").code == 0
        found = run_json(folder, receiver.url, "--concurrency", "4", code=1)
        assert (found["unexpected"], found["answers"], found["interrupted"]) == (5, {"400": 5}, False)
        assert [each["number"] for each in found["sends"]] == [1, 2, 3, 4, 5]


def test_a_long_table_shows_what_went_wrong(folder: Path, receiver: Receiver) -> None:
    ran = run(folder, receiver.url, "--repeat", "50")
    assert ran.out.splitlines()[0] == "Of 250 requests all were answered as expected; all with --json."
    assert len(ran.out.splitlines()) == 2
    receiver.answer = REFUSES
    ran = run(folder, receiver.url, "--repeat", "50")
    assert "the first 200 of 250 are shown" in ran.out
    assert len(ran.out.splitlines()) == 203


def test_nobody_there_ends_with_3(folder: Path) -> None:
    with Receiver() as receiver:
        gone = receiver.url
    ran = run(folder, gone)
    assert ran.code == 3
    assert "refused" in ran.out
    assert "Connection refused" in ran.out
    found = run_json(folder, gone, "--expect", "none")
    assert found["answers"] == {"refused": 5}
    assert found["sends"][0]["status"] is None


def resets(connection: socket.socket, _: Receiver) -> None:
    one(connection)
    reset(connection)


def hangs(connection: socket.socket, _: Receiver) -> None:
    while connection.recv(65_536):
        pass


def babbles(connection: socket.socket, _: Receiver) -> None:
    one(connection)
    connection.sendall(b"hello\r\n\r\n")


@pytest.mark.parametrize(("behave", "reason"), [(resets, "closed"), (hangs, "timeout"), (babbles, "malformed")])
def test_each_way_of_not_answering_has_a_name(tmp_path: Path, behave: Any, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(written(capture()))
    with Receiver(behave=behave) as receiver:
        found = run_json(tmp_path, receiver.url, "--timeout", "0.2", code=1)
        assert found["sends"][0]["no_answer"] == reason
        assert run(tmp_path, receiver.url, "--timeout", "0.2", "--expect", "none").code == 0


def test_a_body_of_10_mib(tmp_path: Path, receiver: Receiver) -> None:
    body = b"\x00\xff" * (5 * 2**20)
    (tmp_path / "big.json").write_bytes(written(capture(body=body)))
    assert run(tmp_path, receiver.url).code == 0
    assert receiver.requests[0].endswith(b"\r\n\r\n" + body)


def test_redacted_captures_are_sent_and_told_of(tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "a.json").write_bytes(written(capture(redacted=True)))
    ran = run(tmp_path, receiver.url)
    assert (ran.code, len(receiver.requests)) == (0, 1)
    assert "redacted" in ran.errors
    assert "--resign" in ran.errors
    assert run(tmp_path, receiver.url, "--resign", "--secret", "x").errors == ""


def test_bad_files_are_all_named_before_anything_is_sent(folder: Path, receiver: Receiver) -> None:
    (folder / "bad.json").write_text("{")
    (folder / "other.json").write_text('{"id": "evt_1"}')
    ran = run(folder, receiver.url)
    assert (ran.code, ran.out, receiver.requests) == (2, "", [])
    lines = ran.errors.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("mockbill: ") for line in lines)
    assert "bad.json" in lines[0]
    assert "other.json" in lines[1]
    check_wrong_use(run(folder / "bad.json", receiver.url), "bad.json")
    check_wrong_use(run(folder / "nothing.json", receiver.url), "nothing.json")


def test_captures_that_cannot_be_signed_are_all_named(folder: Path, receiver: Receiver) -> None:
    (folder / "a.json").write_bytes(written(capture(provider="unknown")))
    check_wrong_use(run(folder, receiver.url, "--resign", "--secret", "x"), "a.json", "--provider")
    ran = run(folder, receiver.url, "--resign", "--secret", "%", "--provider", "svix")
    assert ran.code == 2
    assert len(ran.errors.splitlines()) == 7
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--to", "nonsense"), "--to"),
        (("--to", "http://127.0.0.1:1/#x"), "fragment"),
        (("--to", "http://127.0.0.1:1/?x", "--keep-path"), "query"),
        (("--to", "http://192.0.2.1/"), "--allow-remote"),
        (("--speed", "fast"), "--speed"),
        (("--speed", "0x"), "--speed"),
        (("--speed", "-1x"), "--speed"),
        (("--order", "random"), "--order"),
        (("--drop", "2"), "--drop"),
        (("--duplicate", "nan"), "--duplicate"),
        (("--repeat", "0"), "--repeat"),
        (("--repeat", "100000", "--duplicate", "1"), ""),
        (("--expect", "good"), "--expect"),
        (("--at", "now"), "--resign"),
        (("--provider", "stripe"), "--resign"),
        (("--option", "digest=sha1"), "--resign"),
        (("--resign",), "--secret"),
        (("--resign", "--secret", "x", "--provider", "nobody"), "nobody"),
        (("--resign", "--secret", "x", "--option", "digest=sha1"), "--provider generic"),
        (("--resign", "--secret", "x", "--provider", "generic", "--option", "digest"), "NAME=VALUE"),
        (("--resign", "--secret", "x", "--provider", "generic", "--option", "digest=md5"), "digest"),
        (("--resign", "--secret", "x", "--sign-url", "here"), "--sign-url"),
        (("--damage", "everything"), "everything"),
        (("--damage", "tamper=2"), "share"),
        (("--damage", "old"), "--resign"),
        (("--timeout", "0"), "--timeout"),
        (("--concurrency", "0"), "--concurrency"),
        (("--timeout", "nan"), "--timeout"),
        (("--longest-pause", "nan"), "--longest-pause"),
        (("--longest-pause", "inf"), "--longest-pause"),
    ],
)
def test_wrong_use(tmp_path: Path, options: tuple[str, ...], hint: str) -> None:
    for number in range(6):
        (tmp_path / f"{number}.json").write_bytes(written(capture()))
    check_wrong_use(run(tmp_path, "http://127.0.0.1:1/", *options), hint)


# A shell starts background jobs deaf to SIGINT, and so would this be.
HEARING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from mock_server.cli import app
app(prog_name="mockbill")
"""


def test_an_interrupted_replay_shows_what_it_has(folder: Path) -> None:
    def twice(connection: socket.socket, receiver: Receiver) -> None:
        while (found := one(connection)) is not None:
            receiver.requests.append(found[0])
            if len(receiver.requests) == 3:
                receiver.closed.set()
                connection.recv(1)
            connection.sendall(receiver.answer)

    with Receiver(behave=twice) as receiver:
        process = subprocess.Popen(
            [sys.executable, "-c", HEARING, "webhook", "replay", str(folder), "--to", receiver.url, "--speed", "max"],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert receiver.closed.wait(20)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert len(out.splitlines()) == 4
    assert out.splitlines()[-1].startswith("interrupted: 3 of 5 not sent or not answered; 2 sent")


def test_of_an_answer_only_what_is_shown_is_kept() -> None:
    answer = Answer(200, (("A", "b"),), b"x" * 65_536, 0.5)
    outcome = Outcome(Planned(1, 0, 0.0), answer, True, 0.25)
    short = kept(outcome)
    assert short == Outcome(Planned(1, 0, 0.0), Answer(200, (), b"x" * 400, 0.5), True, 0.25)
    assert saying(short.answered) == saying(answer)
    silent = Outcome(Planned(1, 0, 0.0), NoAnswer("timeout", "", 0.1), False, 0.25)
    assert kept(silent) is silent
