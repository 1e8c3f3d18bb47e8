"""Geopera: `{event_id, event_type, timestamp, organization_id, entity_type, entity_id, data}`, and the event in headers.

Receivers tell repeats by X-Geopera-Event-ID; X-Geopera-Delivery-ID is another one for each attempt.
"""

from __future__ import annotations

from .event import Event, Payload
from .parts import clean, compact, header_text, instant_text, known_as, members, moment, text, topic_of, uuid

SHAPES = ("geopera",)
LONGEST_SUBJECT = 200


def render(event: Event) -> Payload:
    kind, payload_id = topic_of(event), uuid(known_as(event))
    entity = kind.partition(".")[0]
    body = {
        "event_id": payload_id,
        "event_type": kind,
        "timestamp": instant_text(moment(event)),
        "organization_id": text(event.data, "org_id"),
        "entity_type": entity,
        "entity_id": text(event.data, f"{entity}_id", clean(event.subject[:LONGEST_SUBJECT])),
        "data": members(event.data),
    }
    headers = (
        ("X-Geopera-Event", header_text(kind)),
        ("X-Geopera-Event-ID", payload_id),
        ("X-Geopera-Delivery-ID", uuid(f"delivery/{event.attempt}/{known_as(event)}")),
    )
    return Payload(compact(body), payload_id, kind, headers)
