"""What a provider's webhook events mean here: a Stripe event read into one BillingEvent.

Reading is pure and tolerant: a provider adds members and event types at will, and what is not understood is `other`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .state import Catalog, SubscriptionStatus

KINDS = {
    "checkout.session.completed": "subscription_created",
    "customer.subscription.created": "subscription_created",
    "customer.subscription.updated": "subscription_updated",
    "customer.subscription.deleted": "subscription_canceled",
    "invoice.paid": "invoice_paid",
    "invoice.payment_succeeded": "invoice_paid",
    "invoice.payment_failed": "invoice_failed",
}
STATUSES: dict[str, SubscriptionStatus] = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "past_due",
    "incomplete": "pending",
    "incomplete_expired": "canceled",
    "canceled": "canceled",
}
LONGEST_ID = 255


class InvalidEvent(ValueError):
    """The payload is not an event; the message says what is missing."""


class ProviderEvent(msgspec.Struct, frozen=True):
    """`created` is the provider's time in seconds. `org_id` is what the event itself claims, not yet looked up.

    `is_session`: it ends a checkout that started here, and so speaks of whatever is pending.
    """

    id: str
    kind: str
    provider: str
    created: int
    raw: Mapping[str, Any]
    customer: str | None = None
    external_id: str | None = None
    status: SubscriptionStatus | None = None
    tier_slug: str | None = None
    org_id: str | None = None
    is_session: bool = False

    def view(self) -> dict[str, Any]:
        """BillingEvent."""
        return {
            "kind": self.kind,
            "provider": self.provider,
            "raw": self.raw,
            "external_customer_id": self.customer,
            "external_subscription_id": self.external_id,
            "status": self.status,
            "tier_slug": self.tier_slug,
        }


def read_event(provider: str, payload: Any, catalog: Catalog) -> ProviderEvent:
    """The event in `payload` (parsed JSON). Raises InvalidEvent when it has no id, type or data.object."""
    if not isinstance(payload, dict):
        raise InvalidEvent("the body is not a JSON object")
    event_id, event_type = _text(payload, "id"), _text(payload, "type")
    data = payload.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if event_id is None or event_type is None:
        raise InvalidEvent("an event needs `id` and `type`, both strings of at most 255 characters")
    if not isinstance(thing, dict):
        raise InvalidEvent("an event needs an object in `data.object`")
    created = payload.get("created")
    kind = KINDS.get(event_type, "other")
    if event_type == "checkout.session.completed" and thing.get("mode", "subscription") != "subscription":
        kind = "other"  # a card put on file, or something bought once
    if kind == "other":
        return ProviderEvent(
            event_id, kind, provider, _seconds(created), payload, customer=_reference(thing, "customer")
        )
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider=provider,
        created=_seconds(created),
        raw=payload,
        customer=_reference(thing, "customer"),
        external_id=_subscription_id(event_type, thing),
        status=_status(event_type, kind, thing),
        tier_slug=_tier(provider, thing, catalog),
        org_id=_text(thing, "client_reference_id") or _metadata(thing, "org_id"),
        is_session=event_type == "checkout.session.completed",
    )


def _status(event_type: str, kind: str, thing: Mapping[str, Any]) -> SubscriptionStatus | None:
    if kind == "subscription_canceled":
        return "canceled"
    if kind == "invoice_paid":
        return "active"
    if kind == "invoice_failed":
        return "past_due"
    if event_type == "checkout.session.completed":
        return "pending" if thing.get("payment_status") == "unpaid" else "active"
    return STATUSES.get(_text(thing, "status") or "")


def _subscription_id(event_type: str, thing: Mapping[str, Any]) -> str | None:
    if event_type.startswith("customer.subscription."):
        return _text(thing, "id")
    return _reference(thing, "subscription") or _reference(_details(thing), "subscription")


def _tier(provider: str, thing: Mapping[str, Any], catalog: Catalog) -> str | None:
    slug = _metadata(thing, "tier_slug")
    if slug is not None:
        return slug if slug in catalog.tiers else None
    for price in _prices(thing):
        tier = catalog.with_price(provider, price)
        if tier is not None:
            return tier.slug
    return None


def _prices(thing: Mapping[str, Any]) -> list[str]:
    """Price ids of a subscription's items or an invoice's lines, in the older and the newer of Stripe's shapes."""
    lines = []
    for holder in (thing.get("items"), thing.get("lines")):
        entries = holder.get("data") if isinstance(holder, dict) else None
        lines += [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    prices = []
    # The rest of a period, paid because the plan changed in it, names the plan that holds now if no whole period does.
    for line in sorted(lines, key=_is_proration):
        # What is taken back when a plan changes in mid-period says nothing about the plan that holds now.
        if not _is_taken_back(line):
            pricing = line.get("pricing")
            details = pricing.get("price_details") if isinstance(pricing, dict) else None
            prices += [_reference(line, "price"), _reference(line, "plan"), _reference(details, "price")]
    return [price for price in prices if price]


def _is_proration(line: Mapping[str, Any]) -> bool:
    parent = line.get("parent")
    details = (
        parent.get("subscription_item_details") or parent.get("invoice_item_details")
        if isinstance(parent, dict)
        else None
    )
    return line.get("proration") is True or (isinstance(details, dict) and details.get("proration") is True)


def _is_taken_back(line: Mapping[str, Any]) -> bool:
    amount = line.get("amount")
    return amount < 0 if isinstance(amount, int) else _is_proration(line)


def _metadata(thing: Mapping[str, Any], key: str) -> str | None:
    for holder in (thing.get("metadata"), _details(thing).get("metadata"), _old_details(thing).get("metadata")):
        if isinstance(holder, dict) and (text := _text(holder, key)) is not None:
            return text
    return None


def _details(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where newer invoices keep what they know of their subscription."""
    parent = thing.get("parent")
    details = parent.get("subscription_details") if isinstance(parent, dict) else None
    return details if isinstance(details, dict) else {}


def _old_details(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    details = thing.get("subscription_details")
    return details if isinstance(details, dict) else {}


def _reference(thing: Any, key: str) -> str | None:
    """An id, or the id of the expanded object in its place."""
    value = thing.get(key) if isinstance(thing, dict) else None
    return _text(value, "id") if isinstance(value, dict) else _text(thing, key) if value is not None else None


def _text(thing: Mapping[str, Any], key: str) -> str | None:
    value = thing.get(key)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID else None


def _seconds(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0
