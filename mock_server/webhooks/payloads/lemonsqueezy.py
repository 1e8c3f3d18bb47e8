"""Lemon Squeezy: `{meta: {event_name, custom_data, ...}, data: {type, id, attributes, relationships}}`, JSON:API style.

The event has no id of its own; `meta.webhook_id` serves as one. Ids of theirs are numbers, amounts cents. A subscription
that is canceled here has come to its end, which they call expired; `cancelled` says that it will not be renewed.
"""

from __future__ import annotations

from typing import Any

from .event import Event, Payload
from .parts import compact, header_text, instant_text, known_as, members, number, topic_of, uuid
from .subject import Subject, subject_of

SHAPES = ("lemonsqueezy",)
TYPES = {
    "subscription.created": "subscription_created",
    "subscription.updated": "subscription_updated",
    "subscription.canceled": "subscription_expired",
    "invoice.paid": "subscription_payment_success",
    "invoice.failed": "subscription_payment_failed",
}
STATUSES = {"pending": "on_trial", "active": "active", "past_due": "past_due", "canceled": "expired"}
API = "https://api.lemonsqueezy.com/v1"
STORE = 1


def render(event: Event) -> Payload:
    kind = TYPES.get(event.topic, topic_of(event).replace(".", "_"))
    about, payload_id = subject_of(event), uuid(known_as(event))
    data: dict[str, Any]
    if event.topic not in TYPES:
        name = topic_of(event).partition(".")[0]
        data = {"type": name, "id": str(number(known_as(event))), "attributes": members(event.data)}
    elif about.is_of == "invoice":
        data = _invoice(about)
    else:
        data = _subscription(about)
    meta = {"test_mode": True, "event_name": kind, "custom_data": about.metadata, "webhook_id": payload_id}
    return Payload(compact({"meta": meta, "data": data}), payload_id, kind, (("X-Event-Name", header_text(kind)),))


def _subscription(about: Subject) -> dict[str, Any]:
    now, ends, is_over = instant_text(about.begins), instant_text(about.ends), about.status == "canceled"
    sub, variant = _subscription_id(about), _variant(about)
    item = number(f"item/{sub}")
    page = f"https://mock.lemonsqueezy.com/subscription/{sub}"
    return {
        "type": "subscriptions",
        "id": sub,
        "attributes": {
            **_owner(about),
            "order_id": number(f"order/{about.seed}"),
            "order_item_id": number(f"order item/{about.seed}"),
            "product_id": number(f"product/{about.tier_slug}"),
            "variant_id": variant,
            "product_name": about.tier_slug or "subscription",
            "variant_name": about.tier_slug or "Default",
            "status": STATUSES[about.status],
            "status_formatted": STATUSES[about.status].replace("_", " ").capitalize(),
            "card_brand": "visa",
            "card_last_four": "4242",
            "pause": None,
            "cancelled": is_over,
            "trial_ends_at": ends if about.status == "pending" else None,
            "billing_anchor": int(now[8:10]),
            "first_subscription_item": {
                "id": item,
                "subscription_id": _numeric(sub) or number(f"sub/{about.seed}"),
                "price_id": variant,
                "quantity": 1,
                "is_usage_based": False,
                "created_at": now,
                "updated_at": now,
            },
            "urls": {
                "update_payment_method": f"{page}/payment-details",
                "customer_portal": "https://mock.lemonsqueezy.com/billing",
                "customer_portal_update_subscription": f"https://mock.lemonsqueezy.com/billing/{sub}/update",
            },
            "renews_at": ends,
            "ends_at": ends if is_over else None,
            "created_at": now,
            "updated_at": now,
            "test_mode": True,
        },
        "relationships": _relationships("subscriptions", sub, "store", "customer", "order", "product", "variant"),
        "links": {"self": f"{API}/subscriptions/{sub}"},
    }


def _invoice(about: Subject) -> dict[str, Any]:
    now, total, sub = instant_text(about.begins), about.amount, _subscription_id(about)
    invoice_id = str(number(f"invoice/{about.invoice_id}"))
    cents = abs(total)
    price = f"{'-' if total < 0 else ''}{cents // 100:,}.{cents % 100:02} {about.currency.upper()}"
    return {
        "type": "subscription-invoices",
        "id": invoice_id,
        "attributes": {
            **_owner(about),
            "subscription_id": _numeric(sub) or sub,
            "billing_reason": "renewal",
            "card_brand": "visa",
            "card_last_four": "4242",
            "currency": about.currency.upper(),
            "currency_rate": "1.00000000",
            "status": "paid" if about.is_paid else "pending",
            "status_formatted": "Paid" if about.is_paid else "Pending",
            "refunded": False,
            "refunded_at": None,
            "subtotal": total,
            "discount_total": 0,
            "tax": 0,
            "tax_inclusive": False,
            "total": total,
            "refunded_amount": 0,
            "subtotal_usd": total,
            "discount_total_usd": 0,
            "tax_usd": 0,
            "total_usd": total,
            "refunded_amount_usd": 0,
            "subtotal_formatted": price,
            "total_formatted": price,
            "urls": {"invoice_url": f"https://mock.lemonsqueezy.com/invoices/{invoice_id}"},
            "created_at": now,
            "updated_at": now,
            "test_mode": True,
        },
        "relationships": _relationships("subscription-invoices", invoice_id, "store", "subscription", "customer"),
        "links": {"self": f"{API}/subscription-invoices/{invoice_id}"},
    }


def _owner(about: Subject) -> dict[str, Any]:
    return {
        "store_id": STORE,
        "customer_id": number(f"customer/{about.seed}"),
        "user_name": about.org_name or "Mock",
        "user_email": f"billing+{number('mail/' + about.seed)}@example.com",
    }


def _relationships(kind: str, thing: str, *names: str) -> dict[str, Any]:
    base = f"{API}/{kind}/{thing}"
    return {name: {"links": {"related": f"{base}/{name}", "self": f"{base}/relationships/{name}"}} for name in names}


def _subscription_id(about: Subject) -> str:
    return about.external_id or str(number(f"sub/{about.seed}"))


def _variant(about: Subject) -> int | str:
    """Theirs are numbers; a catalog may hold any text, and what it holds is what its price is known by."""
    return _numeric(about.price_id) or about.price_id or number(f"variant/{about.tier_slug}")


def _numeric(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else None
