"""All that the harness takes from the machine: its time, its patience, its randomness."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, date, datetime

Random = random.Random
"""A generator that is seeded: the same seed gives the same numbers."""


def wall() -> int:
    """The machine's time: microseconds since 1970."""
    return time.time_ns() // 1_000


def stopwatch() -> float:
    """Seconds that only differences mean something of."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Let so much time pass."""
    time.sleep(seconds)


def seeded(seed: str) -> Random:
    """A generator of random numbers that follow from a text."""
    return random.Random(seed)  # noqa: S311 # not for secrets


def run_name() -> str:
    """A name that no other run has."""
    return secrets.token_hex(4)


def moment() -> str:
    """Now, as RFC 3339 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def today() -> date:
    """The day that it is in UTC."""
    return datetime.now(UTC).date()
