"""Lemon Squeezy: `{meta: {event_name, custom_data}, data: {type, id, attributes}}`, in the manner of JSON:API.

Its events have no id, so theirs is made from the bytes of the body: only what is delivered again as it was is a repeat.
The header `X-Event-Name` is not signed, and so not looked at. `cancelled` only says that the subscription will not be
renewed: it runs, and keeps its tier, until `subscription_expired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mock_server.apis.openapp.model.state import Catalog, Subscription, SubscriptionStatus, Tier
from mock_server.engine.instants import SECOND, format_instant
from mock_server.webhooks.schemes import lemonsqueezy

from .event import (
    CERTAIN,
    InvalidEvent,
    Provider,
    ProviderEvent,
    member,
    money,
    number_or_text,
    priced,
    seconds_of,
    text,
)

NAME = "lemonsqueezy"
KINDS = {
    "subscription_created": "subscription_created",
    "subscription_updated": "subscription_updated",
    "subscription_plan_changed": "subscription_updated",
    "subscription_cancelled": "subscription_updated",
    "subscription_resumed": "subscription_updated",
    "subscription_paused": "subscription_updated",
    "subscription_unpaused": "subscription_updated",
    "subscription_expired": "subscription_canceled",
    "subscription_payment_success": "invoice_paid",
    "subscription_payment_recovered": "invoice_paid",
    "subscription_payment_failed": "invoice_failed",
}
STATUSES: dict[str, SubscriptionStatus] = {
    "on_trial": "active",
    "active": "active",
    "cancelled": "active",
    "paused": "past_due",
    "past_due": "past_due",
    "unpaid": "past_due",
    "expired": "canceled",
}


def read(payload: Mapping[str, Any], body: bytes, catalog: Catalog) -> ProviderEvent:
    name, data, attributes = (
        text(payload, "meta", "event_name"),
        payload.get("data"),
        member(payload, "data", "attributes"),
    )
    if name is None:
        raise InvalidEvent("an event needs `meta.event_name`, a string of at most 255 characters")
    if not isinstance(attributes, dict):
        raise InvalidEvent("an event needs an object in `data.attributes`")
    event_id, created = sha256(body).hexdigest(), seconds_of(attributes.get("updated_at"))
    customer, kind = number_or_text(attributes, "customer_id"), KINDS.get(name, "other")
    is_invoice = kind.startswith("invoice_")
    external_id = number_or_text(attributes, "subscription_id") if is_invoice else number_or_text(data, "id")
    if kind == "other" or external_id is None:
        return ProviderEvent(event_id, "other", NAME, created, payload, customer)
    named, variant = text(payload, "meta", "custom_data", "tier_slug"), number_or_text(attributes, "variant_id")
    tier_slug, price_id = priced(NAME, named, [variant], catalog)
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider=NAME,
        created=created,
        raw=payload,
        customer=customer,
        external_id=external_id,
        status=CERTAIN.get(kind) or STATUSES.get(text(attributes, "status") or ""),
        tier_slug=tier_slug,
        org_id=text(payload, "meta", "custom_data", "org_id"),
        price_id=price_id,
        invoice_id=number_or_text(data, "id") if is_invoice else None,
        money=money(attributes.get("total"), attributes.get("currency")) if is_invoice else None,
    )


def paid(org_id: str, subscription: Subscription, tier: Tier, now: int) -> Mapping[str, Any]:
    return {
        "meta": {
            "event_name": "subscription_created",
            "custom_data": {"org_id": org_id, "tier_slug": subscription.tier_slug},
        },
        "data": {
            "type": "subscriptions",
            "id": subscription.external_id,
            "attributes": {"status": "active", "updated_at": format_instant(now * SECOND)},
        },
    }


PROVIDER = Provider(
    lemonsqueezy.SCHEME,
    read,
    paid,
    "Send a JSON object with a text in `meta.event_name` and an object in `data.attributes`.",
)
