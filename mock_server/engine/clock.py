"""A world's virtual time: frozen at an instant, or running with the machine's.

The clock never reads the machine's time: whoever asks passes it in as `wall`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .instants import Instant, checked

Mode = Literal["frozen", "running"]


class Clock(msgspec.Struct, frozen=True):
    """`now` is the time shown at the machine's instant `wall` (microseconds since 1970, like every instant)."""

    mode: Mode
    now: Instant
    wall: Instant = 0

    def read(self, wall: Instant) -> Instant:
        """The world's time when the machine's is `wall`. Never earlier than `now`, even if the machine steps back."""
        if self.mode == "frozen" or wall <= self.wall:
            return self.now
        return self.now + (wall - self.wall)


def frozen(now: Instant) -> Clock:
    return Clock("frozen", checked(now))


def running(now: Instant, wall: Instant) -> Clock:
    return Clock("running", checked(now), wall)


def moved(clock: Clock, now: Instant, wall: Instant) -> Clock:
    """The same kind of clock, showing `now` at the machine's instant `wall`."""
    return frozen(now) if clock.mode == "frozen" else running(now, wall)


def going_on(clock: Clock, now: Instant, wall: Instant) -> Clock:
    """The same kind of clock, set to `now` at the machine's instant `wall` unless it follows the machine's."""
    if clock.mode == "frozen":
        return clock if clock.now == now else frozen(now)
    return clock if clock.now == clock.wall else running(now, wall)
