"""Misbehaviour: each damage is refused by the scheme itself for its own reason, and disorder keeps its promises."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.webhooks.drafts import Draft, Request, signed
from mock_server.webhooks.misbehaviour import (
    BURST,
    DAMAGE,
    DELAY_S,
    DISORDER,
    KINDS,
    damaged,
    other_secret,
    scheduled,
    sent,
    tampered,
)
from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Message, Rejected, Scheme, Verified

NOW = 1_700_000_000
URL = "http://127.0.0.1:8000/hooks"
SECRETS = {
    "standard-webhooks": "whsec_" + b64encode(bytes(range(24))).decode(),
    "svix": "whsec_" + b64encode(b"svix" * 8).decode(),
    "polar": "polar_whs_abc",
    "paddle": "pdl_ntfset_01hb_WvRO",
}
each_scheme = pytest.mark.parametrize("scheme", schemes().values(), ids=lambda each: each.name)
bits = st.integers(0, 2**64)
bodies = st.binary(min_size=1, max_size=200)


def draft(scheme: Scheme, body: bytes = b'{"id":1}') -> Draft:
    headers = (("Content-Type", "application/json"),)
    secret = SECRETS.get(scheme.name, "whsec_secret")
    return Draft(scheme, Message(body, URL, "msg_1"), secret, NOW, headers)


def verdict(each: Draft, request: Request) -> Verified | Rejected:
    headers = {name.lower(): value for name, value in request.headers}
    return each.scheme.verify(Message(request.body, URL), headers, [each.secret], NOW)


@each_scheme
@settings(max_examples=25)
@given(bodies, bits)
def test_a_body_that_was_changed_or_cut_is_refused(scheme: Scheme, body: bytes, chosen: int) -> None:
    asked = draft(scheme, body)
    assert isinstance(verdict(asked, signed(asked)), Verified)
    for kind in ("tamper", "truncate"):
        request = damaged(kind, asked, chosen)
        assert request == damaged(kind, asked, chosen)
        assert request.body != body
        came = verdict(asked, request)
        assert isinstance(came, Rejected)
        assert came.reason == "mismatch"


@given(st.binary(max_size=50), bits)
def test_tampering_flips_one_bit(body: bytes, chosen: int) -> None:
    found = tampered(body, chosen)
    if body:
        assert len(found) == len(body)
        assert sum((one ^ other).bit_count() for one, other in zip(body, found, strict=True)) == 1
    else:
        assert len(found) == 1


@each_scheme
def test_another_secret_does_not_fit(scheme: Scheme) -> None:
    asked = draft(scheme)
    came = verdict(asked, damaged("wrong_secret", asked, 0))
    assert isinstance(came, Rejected)
    assert came.reason == "mismatch"


@given(st.text(min_size=1))
def test_another_secret_is_found_for_any(secret: str) -> None:
    scheme = schemes()["stripe"]
    try:
        scheme.keys(secret)
    except ValueError:
        return
    other = other_secret(scheme, secret)
    assert scheme.keys(other) != scheme.keys(secret)


@given(st.binary(min_size=1, max_size=64), st.sampled_from(["", "whsec_"]))
def test_another_secret_in_base64_is_base64(raw: bytes, prefix: str) -> None:
    scheme = schemes()["svix"]
    secret = prefix + b64encode(raw).decode()
    other = other_secret(scheme, secret)
    assert scheme.keys(other) != scheme.keys(secret)
    assert other.startswith(prefix)


def test_another_key_of_ed25519() -> None:
    scheme = schemes()["standard-webhooks"]
    secret = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    other = other_secret(scheme, secret)
    assert other.startswith("whsk_")
    assert scheme.keys(other) != scheme.keys(secret)


@each_scheme
def test_times_out_of_tolerance(scheme: Scheme) -> None:
    asked = draft(scheme)
    old, ahead = verdict(asked, damaged("old", asked, 0)), verdict(asked, damaged("future", asked, 0))
    if not scheme.tolerance:
        assert isinstance(old, Verified)
        assert isinstance(ahead, Verified)
        return
    assert isinstance(old, Rejected)
    assert old.reason == "expired"
    if scheme.name == "stripe":
        assert isinstance(ahead, Verified)
    else:
        assert isinstance(ahead, Rejected)
        assert ahead.reason == "premature"


@each_scheme
def test_headers_that_are_missing_or_wrong(scheme: Scheme) -> None:
    asked = draft(scheme)
    came = verdict(asked, damaged("missing_header", asked, 0))
    assert isinstance(came, Rejected)
    assert came.reason == "missing"
    for chosen in range(4):
        request = damaged("wrong_content_type", asked, chosen)
        types = [value for name, value in request.headers if name == "Content-Type"]
        assert len(types) == 1
        assert "json" not in types[0]
        assert isinstance(verdict(asked, request), Verified)
        assert [name for name, _ in request.headers] == [name for name, _ in signed(asked).headers]


@each_scheme
@settings(max_examples=25)
@given(st.sets(st.sampled_from(KINDS)), bits)
def test_any_damages_together(scheme: Scheme, kinds: set[str], chosen: int) -> None:
    asked = draft(scheme)
    request = sent(asked, kinds, chosen)
    assert request.url == URL
    breaks = {"tamper", "truncate", "missing_header", "wrong_secret"} & kinds
    if breaks or ("old" in kinds and "future" not in kinds and scheme.tolerance):
        assert isinstance(verdict(asked, request), Rejected)
    if not kinds - set(DISORDER):
        assert request == signed(asked)


# -- disorder ----------------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(KINDS)), st.integers(0, 30), bits)
def test_what_goes_out_and_how_often(kinds: set[str], count: int, chosen: int) -> None:
    plan = scheduled(kinds, count, chosen)
    assert plan == scheduled(kinds, count, chosen)
    times = Counter(each.index for each in plan)
    expected = (2 if "duplicate" in kinds else 1) * (BURST if "burst" in kinds else 1)
    assert set(times.values()) <= {expected}
    assert set(times) <= set(range(count))
    if "drop" not in kinds:
        assert set(times) == set(range(count))
    elif count:
        assert len(times) == count // 2 if count % 2 == 0 else len(times) in (count // 2, count // 2 + 1)
        assert len(times) < count
    order = list(dict.fromkeys(each.index for each in plan))
    if "reorder" in kinds and len(order) > 1:
        assert order != sorted(order)
    if "reorder" not in kinds:
        assert order == sorted(order)
    assert {each.delay_s for each in plan} <= {DELAY_S if "delay" in kinds else 0.0}
    assert {each.together for each in plan} <= {"burst" in kinds}
    assert {each.damages for each in plan} <= {tuple(each for each in DAMAGE if each in kinds)}


def test_different_bits_reorder_differently() -> None:
    assert len({tuple(each.index for each in scheduled(["reorder"], 6, chosen)) for chosen in range(50)}) > 20
