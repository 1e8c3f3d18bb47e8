"""What happened in a world and may be owed to the outside, in order, as data. Bounded: the oldest goes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rpds import Queue

from .instants import Instant

MOST_HAPPENINGS = 1_000


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened. Numbers rise by one; `subject` is whom deliveries keep in order."""

    number: int
    at: Instant
    api: str
    topic: str
    subject: str
    data: Mapping[str, Any]


class Outbox(msgspec.Struct, frozen=True):
    happenings: Queue[Happening] = Queue()
    next: int = 1
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.happenings)

    def put(self, at: Instant, api: str, topic: str, subject: str, data: Mapping[str, Any]) -> Outbox:
        happenings, dropped = self.happenings, self.dropped
        happenings = happenings.enqueue(Happening(self.next, at, api, topic, subject, data))
        if len(happenings) > MOST_HAPPENINGS:
            happenings = happenings.dequeue()  # type: ignore[call-arg]
            dropped += 1
        return Outbox(happenings, self.next + 1, dropped)
