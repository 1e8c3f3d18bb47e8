"""A world's state: one immutable value. Keeping a reference to it is a snapshot; using it twice is a fork."""

from __future__ import annotations

from typing import Any

import msgspec
from rpds import HashTrieMap

from .agenda import Agenda
from .clock import Clock
from .decisions import Context
from .idempotency import Idempotency
from .instants import Instant
from .outbox import Outbox


class WorldState(msgspec.Struct, frozen=True):
    """`apis` holds each API's own domain state by API name; all else is shared by them.

    `revision` counts the accepted commands and the jobs done; ids and random numbers derive from it.
    """

    seed: int
    clock: Clock
    apis: HashTrieMap[str, Any]
    revision: int = 0
    agenda: Agenda = Agenda()
    outbox: Outbox = Outbox()
    memory: Idempotency = Idempotency()

    def context(self, now: Instant) -> Context:
        return Context(now, self.seed, self.revision, self.memory)


def forked(state: WorldState) -> WorldState:
    """The state that a second world goes on from. What the first owes to the outside, it does not owe too."""
    return msgspec.structs.replace(state, outbox=Outbox(next=state.outbox.next))
