"""Worlds by name, and the one way in which a world changes: `transact`."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from mock_server.engine.instants import Instant
from mock_server.engine.outbox import Happening
from mock_server.engine.world import WorldState

from .deliveries import Deliveries
from .faults import Faults
from .journal import MOST_BYTES_OF_ALL, Entry, Journal
from .snapshots import Snapshots

R = TypeVar("R")

WORLD_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
MOST_WORLDS = 10_000


class WorldExists(Exception):
    """There is a world of that name already."""


class TooManyWorlds(Exception):
    """MOST_WORLDS exist already."""


class World:
    """A name, a state, and the records that belong to it. `initial` is what a reset goes back to.

    `listeners` are called whenever a request has been answered, the journal was emptied, or the world is gone.
    `heard` is called with what has happened in the world, in the very step in which it happened; it must not come back
    for more. None: nobody listens.
    """

    __slots__ = (
        "_deliveries",
        "_faults",
        "_journal",
        "_lock",
        "_snapshots",
        "_state",
        "heard",
        "initial",
        "is_gone",
        "listeners",
        "name",
        "scenario",
        "used_at",
    )

    def __init__(self, name: str, scenario: str, state: WorldState, used_at: Instant) -> None:
        self.name = name
        self.scenario = scenario
        self.initial = state
        self.used_at = used_at
        self._state = state
        self._lock = threading.Lock()
        # Most of thousands of worlds never need these.
        self._journal: Journal | None = None
        self._faults: Faults | None = None
        self._snapshots: Snapshots | None = None
        self._deliveries: Deliveries | None = None
        self.heard: Callable[[list[Happening]], None] | None = None
        self.listeners: tuple[Callable[[], None], ...] = ()
        self.is_gone = False

    @property
    def state(self) -> WorldState:
        """The state at this moment: a snapshot, since it never changes."""
        return self._state

    @property
    def journal(self) -> Journal:
        if self._journal is None:
            self._journal = Journal()
        return self._journal

    @property
    def journal_bytes(self) -> int:
        return self._journal.bytes if self._journal is not None else 0

    @property
    def faults(self) -> Faults:
        if self._faults is None:
            self._faults = Faults()
        return self._faults

    @property
    def has_faults(self) -> bool:
        return self._faults is not None and len(self._faults) > 0

    @property
    def has_snapshots(self) -> bool:
        return self._snapshots is not None and len(self._snapshots) > 0

    @property
    def snapshots(self) -> Snapshots:
        if self._snapshots is None:
            self._snapshots = Snapshots()
        return self._snapshots

    @property
    def deliveries(self) -> Deliveries:
        if self._deliveries is None:
            self._deliveries = Deliveries()
        return self._deliveries

    @property
    def has_deliveries(self) -> bool:
        return self._deliveries is not None

    @property
    def requests(self) -> int:
        """How many requests its APIs have been sent."""
        return self._journal.opened if self._journal is not None else 0

    def transact(self, function: Callable[[WorldState], tuple[WorldState, R]]) -> R:
        """Apply `function` to the state and put its new state in place, in one step.

        If the state changed meanwhile the function is simply run again, so it must be pure.
        """
        while True:
            before = self._state
            after, result = function(before)
            if after is before:
                return result
            with self._lock:
                if self._state is before:
                    self._state = after
                    if self.heard is not None and after.outbox.next > before.outbox.next:
                        self.heard(after.outbox.since(before.outbox.next))
                    return result

    def put(self, state: WorldState) -> None:
        """Put another state in place of the one that is there. What that owed is abandoned, and nothing new is owed."""
        with self._lock:
            self._state = state
            if self._deliveries is not None:
                self._deliveries.abandon()

    def reset(self, state: WorldState) -> None:
        """Put `state` in place, and empty the world's records. Its snapshots stay."""
        with self._lock:
            self._state = state
            self._journal = None if self._journal is None else Journal(self._journal.cursor)
            self._faults = None
            self._deliveries = None
            self.heard = None
        self.tell()

    def tell(self) -> None:
        """The listeners that there is news."""
        for listener in self.listeners:
            listener()


class Worlds:
    """All worlds of a server, in the order of their creation, and a bound on what their journals keep together."""

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}
        self._journal_bytes = 0

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[World]:
        return iter(list(self._worlds.values()))

    @property
    def is_full(self) -> bool:
        return len(self._worlds) >= MOST_WORLDS

    def get(self, name: str) -> World | None:
        return self._worlds.get(name)

    def add(self, name: str, scenario: str, state: WorldState, now: Instant) -> World:
        """A new world. Raises WorldExists or TooManyWorlds."""
        if name in self._worlds:
            raise WorldExists(name)
        if self.is_full:
            raise TooManyWorlds(name)
        world = self._worlds[name] = World(name, scenario, state, now)
        return world

    def remove(self, name: str) -> bool:
        world = self._worlds.pop(name, None)
        if world is None:
            return False
        self._journal_bytes -= world.journal_bytes
        world.is_gone = True
        world.tell()
        return True

    def remove_oldest_idle(self, keep: str) -> None:
        """Make room by forgetting the world that was used longest ago, but never `keep`."""
        idle = min((w for w in self._worlds.values() if w.name != keep), key=lambda w: w.used_at, default=None)
        if idle is not None:
            self.remove(idle.name)

    def reset(self, world: World, state: WorldState) -> None:
        self._journal_bytes -= world.journal_bytes
        world.reset(state)

    def close(self, world: World, journal: Journal, entry: Entry) -> None:
        """Keep a finished entry in the journal that it was opened in, and tell whoever waits for it."""
        grown = journal.close(entry)
        if world.is_gone or journal is not world.journal:
            return  # the world was deleted or reset meanwhile
        self._journal_bytes += grown
        if self._journal_bytes > MOST_BYTES_OF_ALL:
            self._make_room()
        if world.listeners:
            world.tell()

    def clear_journal(self, world: World) -> None:
        self._journal_bytes -= world.journal.clear()
        world.tell()

    def _make_room(self) -> None:
        """The older halves of the largest journals go."""
        for world in sorted(self._worlds.values(), key=lambda each: each.journal_bytes, reverse=True):
            if self._journal_bytes <= MOST_BYTES_OF_ALL * 3 // 4:
                return
            self._journal_bytes -= world.journal.drop_half()
