"""Worlds by name, and the one way in which a world changes: `transact`."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from mock_server.engine.instants import Instant
from mock_server.engine.world import WorldState

from .journal import Journal

R = TypeVar("R")

WORLD_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
MOST_WORLDS = 10_000


class WorldExists(Exception):
    """There is a world of that name already."""


class TooManyWorlds(Exception):
    """MOST_WORLDS exist already."""


class World:
    """A name, a state, and the records that belong to it. `initial` is what a reset goes back to."""

    __slots__ = ("_journal", "_lock", "_state", "initial", "name", "scenario", "used_at")

    def __init__(self, name: str, scenario: str, state: WorldState, used_at: Instant) -> None:
        self.name = name
        self.scenario = scenario
        self.initial = state
        self.used_at = used_at
        self._state = state
        self._lock = threading.Lock()
        self._journal: Journal | None = None

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
                    return result

    def reset(self, state: WorldState) -> None:
        """Put `state` in place, and empty the world's records."""
        with self._lock:
            self._state = state
            self._journal = None


class Worlds:
    """All worlds of a server, in the order of their creation."""

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[World]:
        return iter(list(self._worlds.values()))

    def get(self, name: str) -> World | None:
        return self._worlds.get(name)

    def add(self, name: str, scenario: str, state: WorldState, now: Instant) -> World:
        """A new world. Raises WorldExists or TooManyWorlds."""
        if name in self._worlds:
            raise WorldExists(name)
        if len(self._worlds) >= MOST_WORLDS:
            raise TooManyWorlds(name)
        world = self._worlds[name] = World(name, scenario, state, now)
        return world

    def remove(self, name: str) -> bool:
        return self._worlds.pop(name, None) is not None

    def remove_oldest_idle(self, keep: str) -> None:
        """Make room by forgetting the world that was used longest ago, but never `keep`."""
        idle = min((w for w in self._worlds.values() if w.name != keep), key=lambda w: w.used_at, default=None)
        if idle is not None:
            del self._worlds[idle.name]
