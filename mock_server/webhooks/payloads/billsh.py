"""bill.sh: `{id, type, created_at, data}` (its documents name type and data; the rest is ours).

Status names in PascalCase; amounts are texts at scale 12, though the members' names end in `_nanos`.
"""

from __future__ import annotations

from typing import Any

from .event import Event, Payload
from .parts import compact, instant_text, known_as, members, moment, number, topic_of, uuid
from .subject import Subject, subject_of

SHAPES = ("billsh",)
TYPES = {
    "subscription.created": "subscription.created",
    "subscription.updated": "subscription.updated",
    "subscription.canceled": "subscription.cancelled",
    "invoice.paid": "invoice.paid",
    "invoice.failed": "payment.failed",
}
STATUSES = {"pending": "Trialing", "active": "Active", "past_due": "PastDue", "canceled": "Cancelled"}
UNITS_PER_CENT = 10**10


def render(event: Event) -> Payload:
    kind, payload_id = TYPES.get(event.topic, topic_of(event)), uuid(known_as(event))
    about = subject_of(event)
    if event.topic == "subscription.updated" and about.status == "past_due":
        kind = "subscription.past_due"
    body = {"id": payload_id, "type": kind, "created_at": instant_text(moment(event)), "data": _data(event, about)}
    return Payload(compact(body), payload_id, kind)


def _data(event: Event, about: Subject) -> dict[str, Any]:
    if event.topic not in TYPES:
        return members(event.data)
    customer, sub = uuid(f"customer/{about.seed}"), about.external_id or uuid(f"sub/{about.seed}")
    if about.is_of == "subscription":
        return {
            "id": sub,
            "status": STATUSES[about.status],
            "customer_id": customer,
            "plan_id": about.price_id or uuid(f"plan/{about.tier_slug}"),
            "currency": about.currency.upper(),
            "trial_days": 0,
            "metadata": about.metadata,
        }
    now, total = instant_text(about.begins), str(about.amount * UNITS_PER_CENT)
    return {
        "id": uuid(f"invoice/{about.invoice_id}"),
        "invoice_number": f"INV-{number(about.invoice_id)}",
        "status": "Paid" if about.is_paid else "Open",
        "invoice_type": "Standard",
        "customer_id": customer,
        "subscription_id": sub,
        "total_nanos": total,
        "currency": about.currency.upper(),
        "due_date": instant_text(about.ends)[:10],
        "period_start": now,
        "period_end": instant_text(about.ends),
        "line_items": [{"amount_nanos": total, "is_tax": False}],
        "applies_to_invoice_id": None,
        "voided_reason": None,
        "finalized_at": now,
        "metadata": about.metadata,
    }
