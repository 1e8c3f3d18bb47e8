"""Paddle Billing's notification: `{event_id, event_type, occurred_at, notification_id, data}`.

Paddle writes amounts as texts of minor units. A topic that it has no event for keeps its name and its data.
"""

from __future__ import annotations

from typing import Any

from .event import Event, Payload
from .parts import compact, instant_text, known_as, letters, lower_ulid, members, moment, number, topic_of, uuid
from .subject import Subject, subject_of

SHAPES = ("paddle",)
TYPES = {
    "subscription.created": "subscription.created",
    "subscription.updated": "subscription.updated",
    "subscription.canceled": "subscription.canceled",
    "invoice.paid": "transaction.completed",
    "invoice.failed": "transaction.payment_failed",
}
# Paddle knows no subscription that was never paid for: what waits is on trial.
STATUSES = {"pending": "trialing", "active": "active", "past_due": "past_due", "canceled": "canceled"}
MONTHLY = {"interval": "month", "frequency": 1}


def render(event: Event) -> Payload:
    kind, at, seed = TYPES.get(event.topic, topic_of(event)), moment(event), known_as(event)
    payload_id = f"evt_{lower_ulid(at, seed)}"
    body = {
        "event_id": payload_id,
        "event_type": kind,
        "occurred_at": instant_text(at),
        "notification_id": f"ntf_{lower_ulid(at, 'notification/' + seed)}",
        "data": _data(event),
    }
    return Payload(compact(body), payload_id, kind)


def _data(event: Event) -> dict[str, Any]:
    if event.topic not in TYPES:
        return members(event.data)
    about = subject_of(event)
    return transaction(about) if about.is_of == "invoice" else subscription(about)


def subscription(about: Subject) -> dict[str, Any]:
    now, ends = instant_text(about.begins), instant_text(about.ends)
    is_over = about.status == "canceled"
    return {
        "id": _subscription_id(about),
        "status": STATUSES[about.status],
        "customer_id": _id("ctm", about.seed),
        "address_id": _id("add", about.seed),
        "business_id": None,
        "currency_code": about.currency.upper(),
        "created_at": now,
        "updated_at": now,
        "started_at": now,
        "first_billed_at": now,
        "next_billed_at": None if is_over else ends,
        "paused_at": None,
        "canceled_at": now if is_over else None,
        "discount": None,
        "collection_mode": "automatic",
        "billing_details": None,
        "current_billing_period": None if is_over else {"starts_at": now, "ends_at": ends},
        "billing_cycle": MONTHLY,
        "scheduled_change": None,
        "items": [
            {
                "status": "trialing" if about.status == "pending" else "inactive" if is_over else "active",
                "quantity": 1,
                "recurring": True,
                "created_at": now,
                "updated_at": now,
                "previously_billed_at": now,
                "next_billed_at": None if is_over else ends,
                "trial_dates": None,
                "price": _price(about),
                "product": _product(about),
            }
        ],
        "custom_data": about.metadata,
        "import_meta": None,
    }


def transaction(about: Subject) -> dict[str, Any]:
    now, ends, total = instant_text(about.begins), instant_text(about.ends), str(about.amount)
    totals = {"subtotal": total, "discount": "0", "tax": "0", "total": total}
    settled = {**totals, "grand_total": total, "fee": None, "earnings": None, "currency_code": about.currency.upper()}
    payout = {**settled, "credit": "0", "credit_to_balance": "0", "balance": "0", "fee": "0", "earnings": total}
    line = f"txnitm_{lower_ulid(about.begins, about.invoice_id)}"
    return {
        "id": f"txn_{lower_ulid(about.begins, about.invoice_id)}",
        "status": "completed" if about.is_paid else "past_due",
        "customer_id": _id("ctm", about.seed),
        "address_id": _id("add", about.seed),
        "business_id": None,
        "custom_data": about.metadata,
        "currency_code": about.currency.upper(),
        "origin": "subscription_recurring",
        "subscription_id": _subscription_id(about),
        "invoice_id": f"inv_{lower_ulid(about.begins, about.invoice_id)}" if about.is_paid else None,
        "invoice_number": f"{number(about.invoice_id, 5)}-{number(about.seed, 5)}" if about.is_paid else None,
        "collection_mode": "automatic",
        "discount_id": None,
        "billing_details": None,
        "billing_period": {"starts_at": now, "ends_at": ends},
        "items": [{"price_id": _price_id(about), "price": _price(about), "quantity": 1, "proration": None}],
        "details": {
            "tax_rates_used": [{"tax_rate": "0", "totals": totals}],
            "totals": {
                **settled,
                "credit": "0",
                "credit_to_balance": "0",
                "balance": "0" if about.is_paid else total,
                "fee": "0" if about.is_paid else None,
                "earnings": total if about.is_paid else None,
            },
            "adjusted_totals": settled,
            "payout_totals": payout if about.is_paid else None,
            "adjusted_payout_totals": None,
            "line_items": [
                {
                    "id": line,
                    "price_id": _price_id(about),
                    "quantity": 1,
                    "proration": None,
                    "tax_rate": "0",
                    "unit_totals": totals,
                    "totals": totals,
                    "product": _product(about),
                }
            ],
        },
        "payments": [_payment(about, now)],
        "checkout": {"url": None},
        "created_at": now,
        "updated_at": now,
        "billed_at": now,
        "revised_at": None,
    }


def _payment(about: Subject, now: str) -> dict[str, Any]:
    card = {"type": "visa", "last4": "4242", "expiry_month": 1, "expiry_year": 2099, "cardholder_name": about.org_name}
    return {
        "payment_attempt_id": uuid(f"attempt/{about.invoice_id}"),
        "stored_payment_method_id": uuid(f"method/{about.seed}"),
        "payment_method_id": f"paymtd_{lower_ulid(about.begins, about.seed)}",
        "amount": str(about.amount),
        "status": "captured" if about.is_paid else "error",
        "error_code": None if about.is_paid else "declined",
        "method_details": {"type": "card", "card": card},
        "created_at": now,
        "captured_at": now if about.is_paid else None,
    }


def _price(about: Subject) -> dict[str, Any]:
    now = instant_text(about.begins)
    return {
        "id": _price_id(about),
        "product_id": _product_id(about),
        "type": "standard",
        "description": about.tier_slug or "subscription",
        "name": about.tier_slug or None,
        "billing_cycle": MONTHLY,
        "trial_period": None,
        "tax_mode": "account_setting",
        "unit_price": {"amount": str(about.amount), "currency_code": about.currency.upper()},
        "unit_price_overrides": [],
        "quantity": {"minimum": 1, "maximum": 1},
        "status": "active",
        "custom_data": None,
        "import_meta": None,
        "created_at": now,
        "updated_at": now,
    }


def _product(about: Subject) -> dict[str, Any]:
    now = instant_text(about.begins)
    return {
        "id": _product_id(about),
        "name": about.tier_slug or "subscription",
        "description": None,
        "type": "standard",
        "tax_category": "standard",
        "image_url": None,
        "custom_data": None,
        "status": "active",
        "import_meta": None,
        "created_at": now,
        "updated_at": now,
    }


def _id(prefix: str, seed: str) -> str:
    """Of what belongs to the organization: the same in all its events, so no moment of one of them may stand in it."""
    return f"{prefix}_01{letters(f'{prefix}/{seed}').lower()}"


def _subscription_id(about: Subject) -> str:
    return about.external_id or _id("sub", about.seed)


def _price_id(about: Subject) -> str:
    return about.price_id or _id("pri", about.tier_slug)


def _product_id(about: Subject) -> str:
    return _id("pro", about.tier_slug)
