"""A world's snapshots: states that it can go back to, by name. Bounded by count."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from mock_server.engine.clock import going_on
from mock_server.engine.instants import Instant
from mock_server.engine.world import WorldState

MOST_SNAPSHOTS = 100


class SnapshotExists(Exception):
    """There is a snapshot of that name already."""


class TooManySnapshots(Exception):
    """MOST_SNAPSHOTS exist already."""


class Snapshot(msgspec.Struct, frozen=True):
    """A state, the world's time when it was taken, and the machine's."""

    id: str
    taken_at: Instant
    now: Instant
    state: WorldState


class Snapshots:
    """In the order in which they were taken."""

    def __init__(self) -> None:
        self._kept: dict[str, Snapshot] = {}
        self._taken = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(list(self._kept.values()))

    def get(self, name: str) -> Snapshot | None:
        return self._kept.get(name)

    def take(self, name: str | None, state: WorldState, now: Instant, wall: Instant) -> Snapshot:
        """Under a name of ours if none is given. Raises SnapshotExists or TooManySnapshots."""
        if name is not None and name in self._kept:
            raise SnapshotExists(name)
        if len(self._kept) >= MOST_SNAPSHOTS:
            raise TooManySnapshots
        while name is None or name in self._kept:
            self._taken += 1
            name = f"snapshot-{self._taken}"
        snapshot = self._kept[name] = Snapshot(name, wall, now, state)
        return snapshot

    def forget(self, name: str) -> bool:
        return self._kept.pop(name, None) is not None


def state_of(snapshot: Snapshot, wall: Instant) -> WorldState:
    """What a world goes on from when it goes back to `snapshot` at the machine's instant `wall`.

    A frozen clock stands where it stood. A running one goes on from there, unless it simply follows the machine's.
    """
    return msgspec.structs.replace(snapshot.state, clock=going_on(snapshot.state.clock, snapshot.now, wall))
