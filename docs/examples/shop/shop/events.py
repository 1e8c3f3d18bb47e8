"""Billing events: is this one really from the provider, and what does it say? Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TOLERANCE_S = 300
LATEST = 2**40

About = Literal["plan", "payment", "capacity"]


class BadSignature(Exception):
    """Not from the provider, or not from now. The message says why."""


class Unreadable(Exception):
    """No event, or one that concerns us and lacks what we need. The message says why."""


@dataclass(frozen=True)
class Fact:
    """What an event says: since `at` (seconds since 1970) the customer's plan, payment or capacity is `value`.

    Facts about different things never contradict each other, so only those about the same thing have to be put in order.
    """

    event_id: str
    at: int
    org_id: str
    about: About
    value: str


def check_signature(body: bytes, header: str, secret: str, now: float) -> None:
    """What `stripe.Webhook.construct_event` checks, without the dependency. Raises BadSignature.

    The body has to be the very bytes that came: parsed and written again it would not be the same.
    """
    fields = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in fields if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise BadSignature("there is no time in the signature")
    expected = hmac.new(secret.encode(), f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest()
    signatures = [value for name, value in fields if name == "v1"]
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures):
        raise BadSignature("the signature does not fit the body")
    if abs(now - int(times[0])) > TOLERANCE_S:
        raise BadSignature("it was signed too long ago, or in the future")


def fact_of(body: bytes) -> Fact | None:
    """None for an event that does not concern us. Raises Unreadable, and nothing else, whatever the body is."""
    try:
        return _fact(json.loads(body))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"this is no event that we can read ({type(error).__name__})") from error


def _fact(event: Mapping[str, Any]) -> Fact | None:
    kind, thing = _text(event["type"]), event["data"]["object"]

    def fact(about: About, org_id: object, value: object) -> Fact:
        return Fact(_text(event["id"]), _time(event["created"]), _text(org_id), about, _text(value))

    if kind in ("customer.subscription.created", "customer.subscription.updated"):
        # One that is not paid for yet gives nobody anything.
        is_given = thing["status"] in ("active", "trialing", "past_due")
        return fact("plan", _metadata(thing, "org_id"), _metadata(thing, "tier_slug")) if is_given else None
    if kind == "customer.subscription.deleted":
        return fact("plan", _metadata(thing, "org_id"), "free")
    if kind in ("invoice.paid", "invoice.payment_succeeded"):
        return fact("payment", _metadata(thing, "org_id"), "paid")
    if kind == "invoice.payment_failed":
        return fact("payment", _metadata(thing, "org_id"), "failed")
    if kind == "degradation.stage_changed":
        return fact("capacity", thing["org_id"], thing["to"])
    return None


def _metadata(thing: Mapping[str, Any], key: str) -> str:
    """Stripe keeps an invoice's metadata in another place since API version 2025-03-31 (`parent`). We learned that from
    tests/captures/2026-05-17-card-declined.json, which has them where they were before.
    """
    parent = thing.get("parent") or {}
    for holder in (thing, parent.get("subscription_details"), thing.get("subscription_details")):
        found = ((holder or {}).get("metadata") or {}).get(key)
        if isinstance(found, str):
            return found
    raise KeyError(key)


def _text(value: object) -> str:
    """One that a database can keep."""
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    value.encode()  # "\ud800" is JSON, and no text
    return value


def _time(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= LATEST:
        raise ValueError("no time")
    return value
