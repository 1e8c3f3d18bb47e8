"""Square: `{merchant_id, type, event_id, created_at, data: {type, id, object}}`.

Square knows `subscription.updated` for whatever becomes of a subscription, and has no place for an application's own texts
there; `metadata` stands in the object nevertheless, so that a receiver can find its own.
"""

from __future__ import annotations

from typing import Any

from .event import Event, Payload
from .parts import compact, instant_text, known_as, letters, members, moment, number, topic_of, uuid
from .subject import Subject, subject_of

SHAPES = ("square",)
TYPES = {
    "subscription.created": "subscription.created",
    "subscription.updated": "subscription.updated",
    "subscription.canceled": "subscription.updated",
    "invoice.paid": "invoice.payment_made",
    "invoice.failed": "invoice.scheduled_charge_failed",
}
STATUSES = {"pending": "PENDING", "active": "ACTIVE", "past_due": "DEACTIVATED", "canceled": "CANCELED"}
MERCHANT, LOCATION = "MLMOCKBILL001", "LMOCKBILL0001"


def render(event: Event) -> Payload:
    kind, payload_id = TYPES.get(event.topic, topic_of(event)), uuid(known_as(event))
    body = {
        "merchant_id": MERCHANT,
        "type": kind,
        "event_id": payload_id,
        "created_at": instant_text(moment(event)),
        "data": _data(event, kind),
    }
    headers = (
        ("square-environment", "Sandbox"),
        ("square-initial-delivery-timestamp", instant_text(moment(event))),
    )
    return Payload(compact(body), payload_id, kind, headers)


def _data(event: Event, kind: str) -> dict[str, Any]:
    name = kind.partition(".")[0]
    if event.topic not in TYPES:
        return {"type": name, "id": letters(known_as(event), 22), "object": {name: members(event.data)}}
    about = subject_of(event)
    thing = _invoice(about) if about.is_of == "invoice" else _subscription(about)
    return {"type": name, "id": thing["id"], "object": {name: thing}}


def _subscription(about: Subject) -> dict[str, Any]:
    now, is_over = instant_text(about.begins), about.status == "canceled"
    return {
        "id": _subscription_id(about),
        "location_id": LOCATION,
        "plan_variation_id": about.price_id or letters(f"plan/{about.tier_slug}"),
        "customer_id": _customer(about),
        "start_date": now[:10],
        "charged_through_date": instant_text(about.ends)[:10],
        **({"canceled_date": now[:10]} if is_over else {}),
        "status": STATUSES[about.status],
        "version": about.begins,
        "created_at": now,
        "timezone": "UTC",
        "source": {"name": "mockbill"},
        "monthly_billing_anchor_date": int(now[8:10]),
        "metadata": about.metadata,
    }


def _invoice(about: Subject) -> dict[str, Any]:
    now, price = instant_text(about.begins), {"amount": about.amount, "currency": about.currency.upper()}
    nothing = {**price, "amount": 0}
    invoice_id = f"inv:0-{letters('invoice/' + about.invoice_id)}"
    request = {
        "uid": uuid(f"request/{about.invoice_id}"),
        "request_type": "BALANCE",
        "due_date": now[:10],
        "tipping_enabled": False,
        "automatic_payment_source": "CARD_ON_FILE",
        "card_id": f"ccof:{letters('card/' + about.seed)}",
        "computed_amount_money": price,
        "total_completed_amount_money": price if about.is_paid else nothing,
    }
    return {
        "id": invoice_id,
        "version": 2,
        "location_id": LOCATION,
        "order_id": letters(f"order/{about.invoice_id}", 27),
        "primary_recipient": {"customer_id": _customer(about), "company_name": about.org_name or "Mock"},
        "payment_requests": [request],
        "delivery_method": "EMAIL",
        "invoice_number": f"{number(about.invoice_id)}",
        "title": about.tier_slug or "subscription",
        "public_url": f"https://squareupsandbox.com/pay-invoice/{invoice_id}",
        **({} if about.is_paid else {"next_payment_amount_money": price}),
        "status": "PAID" if about.is_paid else "UNPAID",
        "timezone": "UTC",
        "created_at": now,
        "updated_at": now,
        "accepted_payment_methods": {
            "card": True,
            "square_gift_card": False,
            "bank_account": False,
            "buy_now_pay_later": False,
            "cash_app_pay": False,
        },
        "subscription_id": _subscription_id(about),
        "metadata": about.metadata,
    }


def _subscription_id(about: Subject) -> str:
    return about.external_id or letters(f"sub/{about.seed}", 36).lower()


def _customer(about: Subject) -> str:
    return letters(f"customer/{about.seed}", 26).upper()
