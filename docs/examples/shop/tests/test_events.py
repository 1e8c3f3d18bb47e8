"""Signatures and events, without any server."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from shop.accounts import Accounts
from shop.events import BadSignature, Fact, Unreadable, check_signature, fact_of

BODY, NOW = b'{"id": "evt_1"}', 1_772_000_000


def header(body: bytes = BODY, key: str = "whsec_a", at: int = NOW) -> str:
    signed = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def test_one_good_signature_is_enough_as_while_a_secret_is_changed() -> None:
    check_signature(BODY, header(), "whsec_a", NOW + 299)
    check_signature(BODY, f"{header(key='whsec_b')},{header().partition(',')[2]},v0=x", "whsec_a", NOW)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "t=1",
        "v1=aa",
        f"t={NOW},v1=ä",
        f"t={'9' * 5_000},v1=aa",
        "t=²,v1=aa",
        header(BODY + b"\n"),
        header(key="whsec_b"),
        header(at=NOW - 301),
        header(at=NOW + 301),
        header().replace("v1=", "v0="),
        f"t={NOW},{header(at=NOW - 1)}",
    ],
)
def test_all_else_is_refused(bad: str) -> None:
    with pytest.raises(BadSignature):
        check_signature(BODY, bad, "whsec_a", NOW)


@pytest.mark.parametrize(
    "invoice",
    [
        {"metadata": {"org_id": "org_1"}},
        {"metadata": {}, "subscription_details": {"metadata": {"org_id": "org_1"}}},
        {"metadata": None, "parent": {"subscription_details": {"metadata": {"org_id": "org_1"}}}},
    ],
)
def test_metadata_are_found_in_every_api_version(invoice: dict[str, Any]) -> None:
    event = {"id": "evt_1", "type": "invoice.paid", "created": 7, "data": {"object": invoice}}
    assert fact_of(json.dumps(event).encode()) == Fact("evt_1", 7, "org_1", "payment", "paid")


PAID = {"id": "evt_1", "type": "invoice.paid", "created": 7, "data": {"object": {"metadata": {"org_id": "org_1"}}}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"9" * 5_000,
        b"NaN",
        b'["type"]',
        *(
            json.dumps({**PAID, **wrong}).encode()
            for wrong in (
                {"type": []},
                {"data": None},
                {"data": {"object": []}},
                {"data": {"object": {}}},
                {"data": {"object": {"metadata": {"org_id": 5}}}},
                {"id": {}},
                {"id": "\ud800"},
                {"created": 10**30},
                {"created": 1.5},
            )
        ),
    ],
)
def test_what_cannot_be_read_is_refused_and_breaks_nothing(body: bytes) -> None:
    with pytest.raises(Unreadable):
        fact_of(body)


def test_what_does_not_concern_us_may_be_of_any_shape() -> None:
    assert fact_of(b'{"type": "customer.created", "data": {"object": null}}') is None


def test_the_newest_fact_holds_whichever_comes_last() -> None:
    accounts = Accounts(":memory:")
    facts = [Fact(f"evt_{at}", at, "org_1", "plan", f"plan_{at}") for at in (2, 3, 1, 3)]
    assert [accounts.record(each) for each in facts] == ["applied", "applied", "older", "repeated"]
    assert (accounts.known("org_1", "plan", "free"), accounts.known("org_2", "plan", "free")) == ("plan_3", "free")
    accounts.close()
