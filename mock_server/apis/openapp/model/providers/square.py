"""Square: `{event_id, type, created_at, data: {object: {subscription} or {invoice}}}`, signed with the URL called.

Square's subscriptions carry nothing of the seller's own, so an organization is found by a subscription that is known
already; whoever makes up events may name it in `metadata.org_id` (and the tier in `metadata.tier_slug`) or in
`reference_id`, as Square's orders have them. There is no event for the end: `CANCELED` in an update is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.apis.openapp.model.state import Catalog, Subscription, SubscriptionStatus, Tier
from mock_server.engine.instants import SECOND, format_instant
from mock_server.webhooks.schemes import square

from .event import InvalidEvent, Provider, ProviderEvent, member, money, objects, priced, seconds_of, text

NAME = "square"
KINDS = {
    "subscription.created": "subscription_created",
    "subscription.updated": "subscription_updated",
    "invoice.payment_made": "invoice_paid",
    "invoice.scheduled_charge_failed": "invoice_failed",
}
STATUSES: dict[str, SubscriptionStatus] = {
    "PENDING": "pending",
    "ACTIVE": "active",
    "PAUSED": "past_due",
    "DEACTIVATED": "past_due",  # can be resumed, unlike what was canceled
    "CANCELED": "canceled",
    "COMPLETED": "canceled",
}
CERTAIN: dict[str, SubscriptionStatus] = {"invoice_paid": "active", "invoice_failed": "past_due"}


def read(payload: Mapping[str, Any], body: bytes, catalog: Catalog) -> ProviderEvent:
    event_id, event_type, shown = text(payload, "event_id"), text(payload, "type"), member(payload, "data", "object")
    if event_id is None or event_type is None:
        raise InvalidEvent("an event needs `event_id` and `type`, both strings of at most 255 characters")
    if not isinstance(member(payload, "data"), dict):
        raise InvalidEvent("an event needs an object in `data`")
    created, kind = seconds_of(payload.get("created_at")), KINDS.get(event_type, "other")
    is_invoice = event_type.startswith("invoice.")
    thing = member(shown, "invoice" if is_invoice else "subscription")
    customer = text(thing, "customer_id") or text(thing, "primary_recipient", "customer_id")
    external_id = text(thing, "subscription_id" if is_invoice else "id")
    if kind == "other" or external_id is None:
        return ProviderEvent(event_id, "other", NAME, created, payload, customer)
    status = CERTAIN.get(kind) or STATUSES.get(text(thing, "status") or "")
    tier_slug, price_id = priced(
        NAME, text(thing, "metadata", "tier_slug"), [text(thing, "plan_variation_id")], catalog
    )
    return ProviderEvent(
        id=event_id,
        kind="subscription_canceled" if status == "canceled" else kind,
        provider=NAME,
        created=created,
        raw=payload,
        customer=customer,
        external_id=external_id,
        status=status,
        tier_slug=tier_slug,
        org_id=text(thing, "metadata", "org_id") or text(thing, "reference_id"),
        price_id=price_id,
        invoice_id=text(thing, "id") if is_invoice else None,
        money=next((each for each in map(_asked_for, objects(member(thing, "payment_requests"))) if each), None),
    )


def paid(org_id: str, subscription: Subscription, tier: Tier, now: int) -> Mapping[str, Any]:
    prices = tier.provider_prices.get(NAME, ())
    shown = {
        "id": subscription.external_id,
        "status": "ACTIVE",
        "metadata": {"org_id": org_id, "tier_slug": subscription.tier_slug},
        **({"plan_variation_id": prices[0]} if prices else {}),
    }
    return {
        "event_id": f"evt_{subscription.external_id}",
        "type": "subscription.updated",
        "created_at": format_instant(now * SECOND),
        "data": {"type": "subscription", "id": subscription.external_id, "object": {"subscription": shown}},
    }


def _asked_for(request: Mapping[str, Any]) -> Any:
    asked = request.get("computed_amount_money")
    return money(member(asked, "amount"), member(asked, "currency"))


PROVIDER = Provider(
    square.SCHEME, read, paid, "Send a JSON object with `event_id` and `type`, both texts, and an object in `data`."
)
