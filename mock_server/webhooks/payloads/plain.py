"""The plain shape, as Standard Webhooks advises it: `{type, timestamp, data}`. What has no shape of its own gets this one."""

from __future__ import annotations

from .event import Event, Payload
from .parts import compact, instant_text, known_as, letters, members, moment, topic_of

SHAPES = ("generic", "standard-webhooks", "svix", "polar")


def render(event: Event) -> Payload:
    body = {"type": topic_of(event), "timestamp": instant_text(moment(event)), "data": members(event.data)}
    return Payload(compact(body), f"msg_{letters(known_as(event), 27)}", topic_of(event))
