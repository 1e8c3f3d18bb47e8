"""The plain shape with the headers that GitHub adds: the event's name and a delivery id, by which repeats are told."""

from __future__ import annotations

import msgspec

from . import plain
from .event import Event, Payload
from .parts import header_text, known_as, number, uuid

SHAPES = ("github",)


def render(event: Event) -> Payload:
    payload, delivery = plain.render(event), uuid(known_as(event))
    headers = (
        ("X-GitHub-Delivery", delivery),
        ("X-GitHub-Event", header_text(payload.type)),
        ("X-GitHub-Hook-ID", str(number(event.world.encode("utf-8", "replace").decode(), 9))),
    )
    return msgspec.structs.replace(payload, id=delivery, headers=headers)
