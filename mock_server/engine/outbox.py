"""What happened in a world and may be owed to the outside, in order, as data.

Bounded: the oldest goes first, but never what the same command has put there, so that whoever looks at each new state
misses nothing.
"""

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
        happening = Happening(self.next, at, api, topic, subject, data)
        return Outbox(self.happenings.enqueue(happening), self.next + 1, self.dropped)

    def trimmed(self) -> Outbox:
        """With no more than MOST_HAPPENINGS, the newest."""
        happenings, dropped = self.happenings, self.dropped
        while len(happenings) > MOST_HAPPENINGS:
            happenings = happenings.dequeue()  # type: ignore[call-arg]
            dropped += 1
        return Outbox(happenings, self.next, dropped)

    def since(self, number: int) -> list[Happening]:
        """Those from that number on."""
        found = self.next - number
        return [] if found <= 0 else list(self.happenings)[-found:]
