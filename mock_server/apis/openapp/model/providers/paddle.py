"""Paddle Billing: `{event_id, event_type, occurred_at, data}`; organization and tier in `data.custom_data`.

A transaction is an invoice if it belongs to a subscription. One that does not, as the first of a checkout before Paddle
has made the subscription, is `other`: the subscription's own events follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.apis.openapp.model.state import Catalog, Subscription, SubscriptionStatus, Tier
from mock_server.engine.instants import SECOND, format_instant
from mock_server.webhooks.schemes import paddle

from .event import CERTAIN, InvalidEvent, Provider, ProviderEvent, member, money, objects, priced, seconds_of, text

NAME = "paddle"
KINDS = {
    "subscription.created": "subscription_created",
    "subscription.imported": "subscription_created",
    "subscription.activated": "subscription_updated",
    "subscription.updated": "subscription_updated",
    "subscription.past_due": "subscription_updated",
    "subscription.paused": "subscription_updated",
    "subscription.resumed": "subscription_updated",
    "subscription.trialing": "subscription_updated",
    "subscription.canceled": "subscription_canceled",
    "transaction.completed": "invoice_paid",
    "transaction.paid": "invoice_paid",
    "transaction.payment_failed": "invoice_failed",
}
STATUSES: dict[str, SubscriptionStatus] = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "paused": "past_due",
    "canceled": "canceled",
}


def read(payload: Mapping[str, Any], body: bytes, catalog: Catalog) -> ProviderEvent:
    event_id, event_type, data = text(payload, "event_id"), text(payload, "event_type"), payload.get("data")
    if event_id is None or event_type is None:
        raise InvalidEvent("an event needs `event_id` and `event_type`, both strings of at most 255 characters")
    if not isinstance(data, dict):
        raise InvalidEvent("an event needs an object in `data`")
    created, customer, kind = (
        seconds_of(payload.get("occurred_at")),
        text(data, "customer_id"),
        KINDS.get(event_type, "other"),
    )
    is_invoice = event_type.startswith("transaction.")
    external_id = text(data, "subscription_id" if is_invoice else "id")
    if kind == "other" or external_id is None:
        return ProviderEvent(event_id, "other", NAME, created, payload, customer)
    tier_slug, price_id = priced(NAME, text(data, "custom_data", "tier_slug"), _prices(data), catalog)
    total, currency = member(data, "details", "totals", "grand_total"), data.get("currency_code")
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider=NAME,
        created=created,
        raw=payload,
        customer=customer,
        external_id=external_id,
        status=CERTAIN.get(kind) or STATUSES.get(text(data, "status") or ""),
        tier_slug=tier_slug,
        org_id=text(data, "custom_data", "org_id"),
        price_id=price_id,
        invoice_id=text(data, "id") if is_invoice else None,
        money=money(total, currency) if is_invoice else None,
    )


def paid(org_id: str, subscription: Subscription, tier: Tier, now: int) -> Mapping[str, Any]:
    return {
        "event_id": f"evt_{subscription.external_id}",
        "event_type": "subscription.activated",
        "occurred_at": format_instant(now * SECOND),
        "data": {
            "id": subscription.external_id,
            "status": "active",
            "custom_data": {"org_id": org_id, "tier_slug": subscription.tier_slug},
        },
    }


def _prices(data: Mapping[str, Any]) -> list[str | None]:
    items = [each for each in objects(data.get("items")) if each.get("status") != "inactive"]
    # The rest of a period, paid because the plan changed in it, counts if no whole period is among the items.
    items.sort(key=lambda each: isinstance(each.get("proration"), dict))
    return [text(each, "price", "id") or text(each, "price_id") for each in items]


PROVIDER = Provider(
    paddle.SCHEME,
    read,
    paid,
    "Send a JSON object with `event_id` and `event_type`, both texts, and an object in `data`.",
)
