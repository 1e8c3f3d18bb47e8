"""Stripe: `{id, type, created, data: {object}}`; organization and tier in `metadata`, or `client_reference_id`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.apis.openapp.model.state import Catalog, Subscription, SubscriptionStatus, Tier
from mock_server.webhooks.schemes import stripe

from .event import InvalidEvent, Provider, ProviderEvent, member, money, objects, priced, seconds, text

NAME = "stripe"
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


def read(payload: Mapping[str, Any], body: bytes, catalog: Catalog) -> ProviderEvent:
    event_id, event_type, thing = text(payload, "id"), text(payload, "type"), member(payload, "data", "object")
    if event_id is None or event_type is None:
        raise InvalidEvent("an event needs `id` and `type`, both strings of at most 255 characters")
    if not isinstance(thing, dict):
        raise InvalidEvent("an event needs an object in `data.object`")
    created, customer, kind = (
        seconds(payload.get("created")),
        _reference(thing, "customer"),
        KINDS.get(event_type, "other"),
    )
    if event_type == "checkout.session.completed" and thing.get("mode", "subscription") != "subscription":
        kind = "other"  # a card put on file, or something bought once
    if kind == "other":
        return ProviderEvent(event_id, kind, NAME, created, payload, customer)
    tier_slug, price_id = priced(NAME, _metadata(thing, "tier_slug"), _prices(thing), catalog)
    is_invoice = event_type.startswith("invoice.")
    amount = thing.get("amount_paid" if kind == "invoice_paid" else "amount_due")
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider=NAME,
        created=created,
        raw=payload,
        customer=customer,
        external_id=_subscription_id(event_type, thing),
        status=_status(event_type, kind, thing),
        tier_slug=tier_slug,
        org_id=text(thing, "client_reference_id") or _metadata(thing, "org_id"),
        is_session=event_type == "checkout.session.completed",
        price_id=price_id,
        invoice_id=text(thing, "id") if is_invoice else None,
        money=money(amount, thing.get("currency")) if is_invoice else None,
    )


def paid(org_id: str, subscription: Subscription, tier: Tier, now: int) -> Mapping[str, Any]:
    return {
        "id": f"evt_{subscription.external_id}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": now,
        "data": {
            "object": {
                "client_reference_id": org_id,
                "subscription": subscription.external_id,
                "payment_status": "paid",
                "metadata": {"tier_slug": subscription.tier_slug},
            }
        },
    }


def _status(event_type: str, kind: str, thing: Mapping[str, Any]) -> SubscriptionStatus | None:
    if kind == "subscription_canceled":
        return "canceled"
    if kind == "invoice_paid":
        return "active"
    if kind == "invoice_failed":
        return "past_due"
    if event_type == "checkout.session.completed":
        return "pending" if thing.get("payment_status") == "unpaid" else "active"
    return STATUSES.get(text(thing, "status") or "")


def _subscription_id(event_type: str, thing: Mapping[str, Any]) -> str | None:
    if event_type.startswith("customer.subscription."):
        return text(thing, "id")
    return _reference(thing, "subscription") or _reference(_details(thing), "subscription")


def _prices(thing: Mapping[str, Any]) -> list[str | None]:
    """Price ids of a subscription's items or an invoice's lines, in the older and the newer of Stripe's shapes."""
    lines = [*objects(member(thing, "items", "data")), *objects(member(thing, "lines", "data"))]
    prices = []
    # The rest of a period, paid because the plan changed in it, names the plan that holds now if no whole period does.
    for line in sorted(lines, key=_is_proration):
        # What is taken back when a plan changes in mid-period says nothing about the plan that holds now.
        if not _is_taken_back(line):
            details = member(line, "pricing", "price_details")
            prices += [_reference(line, "price"), _reference(line, "plan"), _reference(details, "price")]
    return prices


def _is_proration(line: Mapping[str, Any]) -> bool:
    parent = line.get("parent")
    details = member(parent, "subscription_item_details") or member(parent, "invoice_item_details")
    return line.get("proration") is True or member(details, "proration") is True


def _is_taken_back(line: Mapping[str, Any]) -> bool:
    amount = line.get("amount")
    return amount < 0 if isinstance(amount, int) else _is_proration(line)


def _metadata(thing: Mapping[str, Any], key: str) -> str | None:
    for holder in (thing, _details(thing), thing.get("subscription_details")):
        if (found := text(holder, "metadata", key)) is not None:
            return found
    return None


def _details(thing: Mapping[str, Any]) -> Any:
    """Where newer invoices keep what they know of their subscription."""
    return member(thing, "parent", "subscription_details")


def _reference(thing: Any, key: str) -> str | None:
    """An id, or the id of the expanded object in its place."""
    value = member(thing, key)
    return text(value, "id") if isinstance(value, dict) else text(thing, key)


PROVIDER = Provider(
    stripe.SCHEME, read, paid, "Send a JSON object with `id` and `type`, both texts, and an object in `data.object`."
)
