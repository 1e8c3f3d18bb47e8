"""Hanzo Commerce: a billing event, `{id, type, objectType, objectId, customerId, data, previousData, livemode, created}`.

The bodies are those that its documents promise; the release that was looked at sends empty ones.
"""

from __future__ import annotations

from .event import Event, Payload
from .parts import clean, compact, header_text, instant_text, known_as, letters, members, moment, text, topic_of
from .subject import subject_of

SHAPES = ("commerce",)
TYPES = {"invoice.failed": "invoice.payment_failed"}
LONGEST_SUBJECT = 200


def render(event: Event) -> Payload:
    kind, about = TYPES.get(event.topic, topic_of(event)), subject_of(event)
    thing = kind.partition(".")[0]
    own = {"subscription": about.external_id or about.subscription_id, "invoice": text(event.data, "invoice_id")}
    payload_id = f"evt_{letters(known_as(event), 20)}"
    data = members(event.data)
    if thing in own:
        data["metadata"] = about.metadata
    body = {
        "id": payload_id,
        "type": kind,
        "objectType": thing,
        "objectId": own.get(thing) or clean(event.subject[:LONGEST_SUBJECT]),
        "customerId": f"cus_{letters('customer/' + about.seed, 14)}",
        "data": data,
        "livemode": False,
        "created": instant_text(moment(event), whole=True),
    }
    if event.topic == "subscription.updated" and about.previous_tier_slug not in ("", about.tier_slug):
        body["previousData"] = {"tier_slug": about.previous_tier_slug}
    return Payload(compact(body), payload_id, kind, (("Commerce-Event-Type", header_text(kind)),))
