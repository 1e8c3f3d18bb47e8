"""`mockbill webhook gauntlet`, against receivers of which we know what they do wrong."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture, written
from tests.unit.webhooks import receivers

from .command import Ran, inside

SECRET, NEW_SECRET = receivers.SECRET, receivers.NEW_SECRET
STRIPE = ("--provider", "stripe", "--secret", SECRET)


def gauntlet(*arguments: str, **environment: str) -> Ran:
    return inside("webhook", "gauntlet", *arguments, env=environment)


@pytest.fixture(scope="module")
def good() -> Iterator[str]:
    with receivers.serving(receivers.Application()) as url:
        yield url


@pytest.fixture(scope="module")
def careless() -> Iterator[str]:
    with receivers.serving(receivers.NeverVerifies()) as url:
        yield url


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/hooks"


def test_a_good_application_passes(good: str) -> None:
    ran = gauntlet("--to", good, *STRIPE, "--new-secret", NEW_SECRET, "--seed", "3")
    assert (ran.code, ran.errors) == (0, ""), ran
    lines = ran.out.splitlines()
    assert lines[0].split() == ["variant", "what", "is", "sent", "expected", "got", "verdict"]
    assert lines[-1].endswith("do not apply (seed 3)")
    assert "FAILED" not in ran.out
    assert "does not apply: far-ahead: Stripe's own libraries accept times that are ahead" in ran.out
    assert SECRET not in ran.out
    assert NEW_SECRET not in ran.out


def test_a_careless_one_fails_and_is_told_why(careless: str, tmp_path: Path) -> None:
    report = tmp_path / "gauntlet.xml"
    ran = gauntlet("--to", careless, *STRIPE, "--only", "wrong-secret", "--only", "valid", "--junit", str(report))
    assert ran.code == 1, ran
    (failure,) = [line for line in ran.out.splitlines() if line.startswith("FAILED")]
    assert failure.startswith(
        "FAILED wrong-secret: expected 4xx, got 200. Anybody who knows the URL can make up events"
    )
    root = ET.parse(report).getroot()
    assert [root.get(name) for name in ("tests", "failures", "skipped")] == ["2", "1", "0"]
    assert [case.get("name") for case in root.iter("testcase")] == ["valid", "wrong-secret"]


def test_json_for_scripts(careless: str) -> None:
    ran = gauntlet("--to", f"{careless}?key=hush", *STRIPE, "--only", "signature-*", "--json", "--seed", "5")
    assert ran.code == 1
    told = json.loads(ran.out)
    assert (told["target"], told["provider"], told["seed"], told["failed"]) == (careless, "stripe", 5, 3)
    assert {each["verdict"] for each in told["variants"]} == {"failed"}
    assert all(each["advice"] for each in told["variants"])
    assert SECRET not in ran.out


def test_statuses_of_ones_own(good: str) -> None:
    assert gauntlet("--to", good, *STRIPE, "--only", "stale", "--refuse", "401,403").code == 1
    assert gauntlet("--to", good, *STRIPE, "--only", "stale", "--refuse", "400").code == 0


def test_the_secret_from_the_environment(good: str) -> None:
    ran = gauntlet("--to", good, "--provider", "stripe", "--only", "valid", MOCKBILL_WEBHOOK_SECRET=SECRET)
    assert ran.code == 0, ran


def test_a_wrong_secret_makes_the_rest_worthless(good: str) -> None:
    ran = gauntlet(
        "--to", good, "--provider", "stripe", "--secret", "whsec_other", "--only", "valid", "--only", "stale"
    )
    assert ran.code == 1
    assert "the refusals below prove nothing" in ran.errors


def test_an_event_of_ones_own(tmp_path: Path) -> None:
    class Kept(receivers.Application):
        bodies: list[bytes] = []

        def receive(self, headers: receivers.Headers, body: bytes) -> int:
            self.bodies.append(body)
            assert (headers["x-mine"], headers["content-type"][:16]) == ("1", "application/json")
            assert "old" not in headers["stripe-signature"]
            return super().receive(headers, body)

    body = b'{"id":"evt_mine", "type":"x"}'
    headers = (("Host", "elsewhere"), ("X-Mine", "1"), ("Stripe-Signature", "old"), ("Content-Length", "5"))
    capture = tmp_path / "capture.json"
    capture.write_bytes(written(Capture("stripe", "x", SECOND * 10**9, "POST", "/", headers, body)))
    with receivers.serving(Kept()) as url:
        ran = gauntlet("--to", url, *STRIPE, "--event", str(capture), "--only", "valid", "--only", "out-of-order")
        assert ran.code == 0, ran
        assert Kept.bodies == [body]
        assert "does not apply: out-of-order: only the event that was given is sent" in ran.out


def test_another_scheme() -> None:
    secret = "whsec_" + b64encode(b"k" * 24).decode()

    class Plain(receivers.Application):
        def receive(self, headers: receivers.Headers, body: bytes) -> int:
            return 200 if headers.get("webhook-id", "").startswith("msg_") else 400

    with receivers.serving(Plain()) as url:
        ran = gauntlet(
            "--to", url, "--provider", "standard-webhooks", "--secret", secret, "--only", "valid", "--only", "no-id"
        )
    assert ran.code == 0, ran


def test_a_scheme_of_ones_own(good: str) -> None:
    like_stripe = ("header=Stripe-Signature", "value=t={time},v1={signature}", "signed={time}.{body}")
    options = [each for option in like_stripe for each in ("--option", option)]
    event = '{"id":"evt_1"}'
    ran = inside(
        *("webhook", "gauntlet", "--to", good, "--provider", "generic", "--secret", SECRET, *options),
        *("--event", "-", "--only", "valid", "--only", "time-altered"),
        stdin=event.encode(),
    )
    assert ran.code == 0, ran


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--provider", "nobody", "--secret", "x"), "there is no signature scheme 'nobody'; there are: "),
        (("--provider", "svix", "--secret", "!"), "--secret: "),
        ((*STRIPE, "--new-secret", " "), "--new-secret: "),
        ((*STRIPE, "--only", "nothing"), "there is no variant 'nothing'; there are: valid, "),
        ((*STRIPE, "--only", "valid", "--skip", "v*"), "leave no variant"),
        ((*STRIPE, "--accept", "fine"), "'fine' is no status"),
        ((*STRIPE, "--option", "header=X"), "--option is for --provider generic"),
        (("--provider", "generic", "--secret", "x", "--option", "header"), "--option is NAME=VALUE"),
        (("--provider", "generic", "--secret", "x", "--option", "colour=red"), "there is no option 'colour'"),
        ((*STRIPE, "--event", "no such file"), "cannot read no such file"),
        ((*STRIPE, "--event", __file__), "neither a capture nor JSON"),
        ((*STRIPE, "--seed", "-1"), "--seed"),
        (("--provider", "stripe"), "Missing option '--secret'"),
    ],
)
def test_wrong_use(good: str, arguments: tuple[str, ...], says: str) -> None:
    ran = gauntlet("--to", good, *arguments)
    assert ran.code == 2, ran
    assert says in ran.errors
    assert "Traceback" not in ran.errors


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://192.0.2.1/hooks", "--allow-remote lets webhooks go there"),
        ("ftp://127.0.0.1/", "--to: it is not of the form http://host[:port]/path"),
        ("no url", "--to: "),
        ("http://127.0.0.1:99999/", "--to: "),
    ],
)
def test_targets_that_are_none(url: str, says: str) -> None:
    ran = gauntlet("--to", url, *STRIPE)
    assert ran.code == 2, ran
    assert says in ran.errors


def test_a_broken_capture(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"mockbill_capture": 1}')
    ran = gauntlet("--to", "http://127.0.0.1:9/", *STRIPE, "--event", str(broken))
    assert (ran.code, str(broken) in ran.errors) == (2, True)


def test_nobody_there() -> None:
    ran = gauntlet("--to", closed_port(), *STRIPE)
    assert ran.code == 3
    assert ran.errors.startswith("mockbill: nothing answers at --to: no connection")


def test_nobody_who_answers() -> None:
    with receivers.serving(receivers.Hangs()) as url:
        ran = gauntlet("--to", url, *STRIPE, "--timeout", "0.1")
    assert ran.code == 3
    assert "no whole answer within 0.1 s" in ran.errors
