"""`mockbill webhook verify`: the verdict first, then why, then what to do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mock_server.webhooks.captures import Capture, load_capture, written
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message
from tests.server import ROOT

from .command import Ran, check_wrong_use, inside

PAID = ROOT / "fixtures" / "webhooks" / "stripe" / "acme-04-invoice-paid.json"
SECRET = "whsec_demo"
FULL = "b18d9df065c408ab964432bb5809c74f5738e7030e9a3a325c372da970f113e7"


def verify(*arguments: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Ran:
    return inside("webhook", "verify", *arguments, stdin=stdin, env=env or {})


def saved(folder: Path, provider: str, body: bytes, secret: str, sent: bytes | None = None, **more: Any) -> str:
    """A capture of `body` whose signature is that of `sent`."""
    url = more.pop("url", "")
    signed = scheme_named(more.pop("signed_as", provider)).sign(
        Message(body if sent is None else sent, more.pop("signed_url", url), "msg_1"), secret, 1_700_000_000
    )
    headers = (("Host", "shop.example"), *signed.headers, *more.pop("headers", ()))
    file = folder / "capture.json"
    file.write_bytes(
        written(
            Capture(
                provider,
                "a test",
                1_700_000_000_000_000,
                "POST",
                more.pop("path", "/hooks"),
                headers,
                body,
                url,
                **more,
            )
        )
    )
    return str(file)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "fixtures" / "webhooks" / "stripe").glob("*.json"))[::4], ids=lambda p: p.stem
)
def test_the_captures_that_we_ship_verify(file: Path) -> None:
    ran = verify(str(file), "--secret", SECRET)
    assert ran.code == 0, ran
    assert ran.out.startswith("VERIFIED  Stripe: the signature fits")


def test_what_was_signed_and_when_is_shown_and_neither_secret_nor_signature() -> None:
    ran = verify(str(PAID), "--secret", SECRET)
    assert "the time '1776418206' + '.' + the body (6,602 bytes)" in ran.out
    assert "2026-04-17T09:30:06Z" in ran.out
    assert "stripe-signature: t=1776418206,v1=b18d9df0" in ran.out
    assert SECRET not in ran.out
    assert FULL[:9] not in ran.out


@pytest.mark.parametrize("as_json", [False, True])
def test_a_parsed_and_rewritten_body_is_explained(tmp_path: Path, as_json: bool) -> None:
    capture = load_capture(PAID)
    rewritten = json.dumps(json.loads(capture.body)).encode()
    file = tmp_path / "capture.json"
    headers = tuple(each for each in capture.headers if each[0] != "Content-Length")
    file.write_bytes(
        written(Capture(capture.provider, capture.title, capture.received_at, "POST", capture.path, headers, rewritten))
    )
    ran = verify(str(file), "--secret", SECRET, *(["--json"] if as_json else []))
    assert ran.code == 1, ran
    if as_json:
        told = json.loads(ran.out)
        assert (told["result"], told["reason"]) == ("rejected", "mismatch")
        assert [near["name"] for near in told["near_misses"]] == ["body:json-js-indent-2"]
        assert "raw bytes" in told["near_misses"][0]["changes"][0]["advice"]
    else:
        first, _, fits, why, do, *_ = ran.out.splitlines()
        assert first.startswith("REJECTED  Stripe: mismatch:")
        assert fits.startswith("It fits")
        assert "JSON.stringify(data, null, 2)" in fits
        assert why.startswith("Why")
        assert "json.dumps(data)" in why
        assert do.startswith("Do")
        assert "await request.body()" in do
    assert SECRET not in ran.out
    assert FULL[:9] not in ran.out


def test_a_wrong_secret_is_told_with_what_to_compare() -> None:
    ran = verify(str(PAID), "--secret", "whsec_other")
    assert ran.code == 1
    assert "Nothing near it fits" in ran.out
    assert "test and live mode" in ran.out


def test_the_secret_may_come_from_the_environment_and_there_may_be_several() -> None:
    ran = verify(str(PAID), env={"MOCKBILL_WEBHOOK_SECRET": f"whsec_other {SECRET}"})
    assert ran.code == 0
    assert "no. 2 of 2" in ran.out


def test_an_old_secret_is_named() -> None:
    ran = verify(str(PAID), "--secret", "whsec_new", "--old-secret", SECRET)
    assert ran.code == 1
    assert "old secret no. 1" in ran.out


def test_without_a_secret_what_is_signed_is_shown_and_the_exit_code_says_that_it_was_not_judged() -> None:
    ran = verify(str(PAID))
    assert ran.code == 2
    assert ran.out.startswith("NOT JUDGED")
    assert "the body (6,602 bytes)" in ran.out
    assert "MOCKBILL_WEBHOOK_SECRET" in ran.errors
    assert json.loads(verify(str(PAID), "--json").out)["result"] == "not_judged"


@pytest.mark.parametrize(
    ("at", "code", "said"),
    [
        ("received", 0, "VERIFIED"),
        ("now", 1, "judge an old capture --at received"),
        ("2026-04-17T11:30:06Z", 1, "2 h off"),
        ("1776418206", 0, "VERIFIED"),
        ("1776418507", 1, "301 s old"),
    ],
)
def test_the_time_of_judgement_is_chosen(at: str, code: int, said: str) -> None:
    ran = verify(str(PAID), "--secret", SECRET, "--at", at)
    assert ran.code == code, ran
    assert said in ran.out


def test_the_tolerance_is_chosen() -> None:
    at = ("--at", "1776418507")
    assert verify(str(PAID), "--secret", SECRET, *at, "--tolerance", "0").code == 0
    assert verify(str(PAID), "--secret", SECRET, *at, "--tolerance", "301").code == 0


def test_a_raw_body_and_its_headers_will_do(tmp_path: Path) -> None:
    capture = load_capture(PAID)
    body = tmp_path / "body"
    body.write_bytes(capture.body)
    value = dict(capture.headers)["Stripe-Signature"]
    common = ("--header", f"Stripe-Signature: {value}", "--secret", SECRET, "--at", "1776418206")
    for arguments in (("--body", str(body)), ("--body", "-")):
        ran = verify(*arguments, *common, stdin=capture.body)
        assert ran.code == 0, ran
        assert "guessed from the headers" in ran.out


def test_a_capture_may_come_from_standard_input() -> None:
    assert verify("-", "--secret", SECRET, stdin=PAID.read_bytes()).code == 0


def test_the_url_that_the_request_names_is_tried(tmp_path: Path) -> None:
    file = saved(tmp_path, "square", b"{}", "square-key", signed_url="https://shop.example/hooks")
    ran = verify(file, "--secret", "square-key")
    assert ran.code == 1
    assert "missing_url" in ran.out
    assert "--url https://shop.example/hooks" in ran.out
    assert verify(file, "--secret", "square-key", "--url", "https://shop.example/hooks").code == 0


def test_the_provider_is_read_off_the_headers_where_the_capture_does_not_say_it(tmp_path: Path) -> None:
    file = saved(tmp_path, "unknown", b"{}", "pdl_ntfset_key", signed_as="paddle")
    ran = verify(file, "--secret", "pdl_ntfset_key")
    assert ran.code == 0
    assert "Paddle (guessed from the headers)" in ran.out


def test_a_scheme_of_ones_own_is_said_in_options(tmp_path: Path) -> None:
    import hmac

    body = tmp_path / "body"
    body.write_bytes(b"{}")
    signature = hmac.digest(b"my-secret", b"{}", "sha512").hex()
    options = ("--option", "header=X-My-Sign", "--option", "digest=sha512")
    arguments = ("--body", str(body), "--header", f"X-My-Sign: {signature}", "--secret", "my-secret", *options)
    assert verify(*arguments).code == 0
    assert verify(*arguments[:-2]).code == 1


def test_your_own_computation_is_explained() -> None:
    import hmac

    capture = load_capture(PAID)
    slip = hmac.digest(SECRET.encode(), b"1776418206." + json.dumps(json.loads(capture.body)).encode(), "sha256").hex()
    ran = verify(str(PAID), "--secret", SECRET, "--computed", slip)
    assert ran.code == 1
    assert "Your code signs" in ran.out
    assert "json.dumps(data)" in ran.out
    right = verify(str(PAID), "--secret", SECRET, "--computed", FULL)
    assert right.code == 0
    assert "computes it right" in right.out
    assert slip not in ran.out


def test_a_redacted_capture_is_known(tmp_path: Path) -> None:
    file = saved(tmp_path, "stripe", b'{"a":"***"}', SECRET, sent=b'{"a":"b"}', redacted=True)
    ran = verify(file, "--secret", SECRET)
    assert ran.code == 1
    assert "redacted" in ran.out
    assert "Nothing near" not in ran.out


def test_bytes_of_a_request_cannot_play_with_the_terminal(tmp_path: Path) -> None:
    file = saved(tmp_path, "stripe", b"\x1b[2J\x07", SECRET, headers=(("X-Signature", "\x1b]0;x"),))
    ran = verify(file, "--secret", SECRET)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out


WRONG = {
    "nothing": ((), "--body"),
    "both": ((str(PAID), "--body", str(PAID)), "--body"),
    "no file": (("no/such/file.json",), "No such file"),
    "no capture": ((str(ROOT / "README.md"),), "--body"),
    "a folder": ((str(ROOT),), "directory"),
    "an unknown provider": ((str(PAID), "--provider", "nope"), "stripe"),
    "options of a known provider": ((str(PAID), "--provider", "stripe", "--option", "header=X"), "generic"),
    "an option without a value": ((str(PAID), "--provider", "generic", "--option", "header"), "NAME=VALUE"),
    "an unknown option": ((str(PAID), "--provider", "generic", "--option", "nope=1"), "nope"),
    "no moment": ((str(PAID), "--at", "yesterday"), "--at"),
    "headers of a capture": ((str(PAID), "--header", "A: b"), "--body"),
    "no header": (("--body", str(PAID), "--header", "nothing"), "Name: value"),
    "no provider": (("--body", str(PAID), "--header", "A: b"), "--provider"),
    "received without a capture": (
        ("--body", str(PAID), "--header", "X-Signature: 1", "--at", "received"),
        "--at received",
    ),
    "no signature": ((str(PAID), "--computed", "hello"), "--computed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_misuse_ends_with_2_and_says_why(name: str) -> None:
    arguments, hint = WRONG[name]
    check_wrong_use(verify(*arguments, "--secret", SECRET), hint)


def test_base64_bodies_are_taken_as_bytes(tmp_path: Path) -> None:
    body = bytes(range(256))
    file = saved(tmp_path, "github", body, "a-secret")
    assert base64.b64encode(body).decode() in Path(file).read_text()
    assert verify(file, "--secret", "a-secret").code == 0


def test_the_url_in_the_capture_is_tried_beside_the_one_that_is_given() -> None:
    capture = str(ROOT / "fixtures" / "webhooks" / "square" / "acme-01-invoice-payment-made.json")
    ran = inside("webhook", "verify", capture, "--secret", "sq_demo_key", "--url", "http://127.0.0.1:8000/hooks")
    assert ran.code == 1
    assert "It fits" in ran.out
    assert "--url https://" in ran.out
