"""What billing events speak of, read tolerantly out of an event's data: one subscription, or one invoice of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from mock_server.engine.instants import Instant

from .event import Event
from .parts import PERIOD, amount, clean, currency, known_as, moment, text

Status = Literal["pending", "active", "past_due", "canceled"]
FORCED: dict[str, Status] = {"subscription.canceled": "canceled", "invoice.failed": "past_due"}
"""What the topic itself says."""
STATUSES: tuple[Status, ...] = ("pending", "active", "past_due", "canceled")


class Subject(msgspec.Struct, frozen=True):
    """`is_of` is the topic's first word. `seed` is the same for all events of one organization; `external_id` is the
    provider's id of the subscription. Amounts in minor units. The period begins with the event."""

    is_of: str
    seed: str
    org_id: str
    org_name: str
    external_id: str
    subscription_id: str
    invoice_id: str
    status: Status
    tier_slug: str
    previous_tier_slug: str
    price_id: str
    amount: int
    currency: str
    begins: Instant
    ends: Instant
    is_paid: bool

    @property
    def metadata(self) -> dict[str, str]:
        """By which the receiver, and the mock's own ingress, know whose it is and what was bought."""
        return {"org_id": self.org_id, "tier_slug": self.tier_slug}


def subject_of(event: Event) -> Subject:
    data, now = event.data, moment(event)
    seed = clean(f"{event.world}/{event.api}/{text(data, 'org_id') or text(data, 'external_id') or event.subject}")
    status: Status = next((each for each in STATUSES if each == data.get("status")), "active")
    if event.topic in FORCED:
        status = FORCED[event.topic]
    return Subject(
        is_of=event.topic.partition(".")[0],
        seed=seed,
        org_id=text(data, "org_id"),
        org_name=text(data, "org_name"),
        external_id=text(data, "external_id"),
        subscription_id=text(data, "subscription_id"),
        invoice_id=text(data, "invoice_id") or known_as(event),
        status=status,
        tier_slug=text(data, "tier_slug"),
        previous_tier_slug=text(data, "previous_tier_slug"),
        price_id=text(data, "price_id"),
        amount=amount(data, "amount"),
        currency=currency(data),
        begins=now,
        ends=now + PERIOD,
        is_paid=event.topic != "invoice.failed",
    )
