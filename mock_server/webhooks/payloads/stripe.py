"""Stripe's `event`, pretty-printed as Stripe sends it, with the objects of API version API_VERSION.

A topic that Stripe has no event for keeps its name, and its data become `data.object`.
"""

from __future__ import annotations

from typing import Any

from .event import Event, Payload
from .parts import known_as, letters, members, pretty, seconds, topic_of, uuid
from .stripe_objects import invoice, subscription
from .subject import Subject, subject_of

SHAPES = ("stripe",)
API_VERSION = "2025-03-31.basil"
TYPES = {
    "subscription.created": "customer.subscription.created",
    "subscription.updated": "customer.subscription.updated",
    "subscription.canceled": "customer.subscription.deleted",
    "invoice.paid": "invoice.paid",
    "invoice.failed": "invoice.payment_failed",
}


def render(event: Event) -> Payload:
    kind, seed = TYPES.get(event.topic, topic_of(event)), known_as(event)
    payload_id = f"evt_1{letters(seed, 23)}"
    body = {
        "id": payload_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": seconds(event),
        "data": _data(event),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": f"req_{letters(seed, 14)}", "idempotency_key": uuid(seed)},
        "type": kind,
    }
    return Payload(pretty(body), payload_id, kind)


def _data(event: Event) -> dict[str, Any]:
    if event.topic not in TYPES:
        thing = members(event.data)
        return {"object": {**thing, "object": event.topic.partition(".")[0][:60].encode("utf-8", "replace").decode()}}
    about = subject_of(event)
    if about.is_of == "invoice":
        return {"object": invoice(about)}
    data: dict[str, Any] = {"object": subscription(about)}
    if event.topic == "subscription.updated":
        data["previous_attributes"] = _previous(about)
    return data


def _previous(about: Subject) -> dict[str, Any]:
    """What was there before, of what has changed."""
    if about.previous_tier_slug in ("", about.tier_slug):
        return {}
    return {"metadata": {"tier_slug": about.previous_tier_slug}}
