"""What holds for every request: no false claims, nothing given away, an end in sight."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mock_server import machine
from mock_server.webhooks.diagnosis import detected, diagnose
from mock_server.webhooks.diagnosis.judge import MOST_BYTES
from mock_server.webhooks.diagnosis.report import SHOWN
from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.protocol import Claim, Message, Rejected, Scheme, Verified

NOW = 1_700_000_000
URL = "https://shop.example/hooks"
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="

names = st.sampled_from(sorted(schemes()))
keys = st.binary(min_size=8, max_size=24).map(lambda raw: f"whsec_{base64.b64encode(raw).decode()}")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())


def headers_of(scheme: Scheme, message: Message, secret: str) -> dict[str, str]:
    return {name.lower(): value for name, value in scheme.sign(message, secret, NOW).headers}


@settings(max_examples=60)
@given(names, bodies, keys, st.integers(-1_000, 1_000))
def test_a_right_signature_has_no_near_misses(name: str, body: bytes, secret: str, age: int) -> None:
    scheme, message = scheme_named(name), Message(body, URL, "msg_1")
    found = diagnose(scheme, message, headers_of(scheme, message, secret), [secret], NOW + age)
    assert found.near_misses == ()
    assert isinstance(found.verdict, Verified) or found.verdict.reason in ("expired", "premature")
    assert found.compared is not None
    assert found.compared.given[0] in found.compared.expected or name in ("polar", "svix", "standard-webhooks")


@settings(max_examples=15, deadline=None)
@given(names, bodies, keys, keys)
def test_a_signature_by_a_secret_that_nobody_gave_has_none_either(name: str, body: bytes, one: str, other: str) -> None:
    assume(one != other)
    scheme, message = scheme_named(name), Message(body, URL, "msg_1")
    found = diagnose(scheme, message, headers_of(scheme, message, one), [other], NOW)
    assert isinstance(found.verdict, Rejected)
    assert found.near_misses == ()
    assert found.attempts > 100


@settings(max_examples=40, deadline=None)
@given(names, bodies, st.text(max_size=40), st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=4))
def test_any_headers_and_any_secret_are_judged(name: str, body: bytes, secret: str, headers: Mapping[str, str]) -> None:
    scheme = scheme_named(name)
    given_headers = {**headers, scheme.header.lower(): next(iter(headers.values()), "t=1,v1=" + "0" * 64)}
    found = diagnose(scheme, Message(body, URL), given_headers, [secret], NOW, old=[secret], urls=[URL, secret])
    assert isinstance(found.verdict, Rejected)
    assert found.near_misses == ()
    msgspec.json.encode(found)
    detected(headers)


@settings(max_examples=30, deadline=None)
@given(names, bodies, keys, st.sampled_from(["right", "wrong", "newline", "trimmed"]))
def test_no_secret_and_no_whole_signature_is_in_what_is_said(name: str, body: bytes, secret: str, case: str) -> None:
    scheme, message = scheme_named(name), Message(body, f"{URL}?token={secret}", "msg_1")
    headers = {**headers_of(scheme, message, secret), "x-webhook-signature": secret, "x-event-id": secret}
    given_secret = {"wrong": "whsec_bm90aGluZw==", "trimmed": f" {secret}\n"}.get(case, secret)
    held = Message(secret.encode() + body + b"\n" if case == "newline" else body + secret.encode(), message.url)
    for shown in (held, message):
        found = diagnose(scheme, shown, headers, [given_secret], NOW, old=[secret])
        said = msgspec.json.encode(found).decode().replace("\\/", "/")
        assert secret.removeprefix("whsec_") not in said
        claim = _claim(scheme, headers)
        expected = [scheme.seal(key, scheme.material(shown, claim)) for key in scheme.keys(secret)]
        given_texts = [text.rpartition(",")[2] for text in claim.signatures]
        for text in (*expected, *given_texts):
            assert text[: SHOWN + 1] not in said


def _claim(scheme: Scheme, headers: Mapping[str, str]) -> Claim:
    claim = scheme.claim(headers)
    assert not isinstance(claim, Rejected)
    return claim


HOSTILE = {
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 5_000 + b"]" * 5_000,
    "long digits": b'{"a":' + b"9" * 20_000 + b"}",
    "huge exponent": b'{"a":1e999999,"b":-1e400,"c":1E-999999}',
    "half pairs": b'{"a":"\\ud800","\\udfff":1}',
    "no JSON": b'{"a":NaN}',
    "a quote": b'"',
    "a bomb": gzip.compress(b"0" * 20_000_000),
    "doubled keys": b'{"a":1,"a":2}',
    "nothing": b"",
    "not text": bytes(range(256)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_judged(name: str) -> None:
    headers = {"stripe-signature": f"t={NOW},v1={'ab' * 32}"}
    found = diagnose(scheme_named("stripe"), Message(HOSTILE[name]), headers, ["whsec_demo"], NOW)
    assert found.near_misses == ()


@pytest.mark.parametrize("provider", ["stripe", "standard-webhooks"])
def test_a_body_of_ten_mebibytes_is_judged_and_what_is_left_out_is_said(provider: str) -> None:
    body = b'{"a":"' + b"x" * (10 * 2**20 - 8) + b'"}'
    scheme, secret = scheme_named(provider), "whsec_c2VjcmV0LWtleQ=="
    headers = headers_of(scheme, Message(b"another", URL, "msg_1"), secret)
    started = machine.stopwatch()
    found = diagnose(scheme, Message(body), headers, [secret], NOW)
    assert machine.stopwatch() - started < 10
    assert found.attempts < 2 * MOST_BYTES / len(body)
    assert len(found.skipped) >= 2
    assert "KiB" in " ".join(found.skipped)
    assert "attempts" in found.skipped[-1]
    # What costs little is tried first.
    headers = headers_of(scheme, Message(body, URL, "msg_1"), secret)
    found = diagnose(scheme, Message(body + b"\n"), headers, [secret], NOW)
    assert [near.name for near in found.near_misses] == ["body:newline-removed"]


def test_ed25519_is_searched_with_the_public_key_too() -> None:
    scheme, body = scheme_named("standard-webhooks"), b'{"id":"evt_1"}'
    headers = headers_of(scheme, Message(body, id="msg_1"), PRIVATE)
    for key in (PUBLIC, PRIVATE):
        assert isinstance(diagnose(scheme, Message(body), headers, [key], NOW).verdict, Verified)
        found = diagnose(scheme, Message(body + b"\n"), headers, [key], NOW)
        assert [near.name for near in found.near_misses] == ["body:newline-removed"]
        assert key not in msgspec.json.encode(found).decode()
    found = diagnose(scheme, Message(body), headers, ["whsec_c2VjcmV0"], NOW)
    assert "whpk_" in " ".join(found.notes)
    symmetric = headers_of(scheme, Message(body, id="msg_1"), "whsec_c2VjcmV0")
    assert "whsec_" in " ".join(diagnose(scheme, Message(body), symmetric, [PUBLIC], NOW).notes)


def test_every_near_miss_says_what_it_means_and_what_to_do() -> None:
    from mock_server.webhooks.diagnosis.bodies import LINES, SLIPS

    changes = [each.change for each in (*LINES, *SLIPS)]
    assert len({change.name for change in changes}) == len(changes)
    for change in changes:
        assert change.meaning.endswith(".")
        assert change.advice.endswith((".", ")"))
        assert re.fullmatch(r"body:[\w{}-]+", change.name)
