"""The only place that reads the machine's clock and its randomness. Everything else is handed an instant or a seed."""

from __future__ import annotations

import secrets
import time

from mock_server.engine.instants import Instant


def wall() -> Instant:
    """The machine's time in microseconds since 1970."""
    return time.time_ns() // 1000


def stopwatch() -> float:
    """Seconds from an arbitrary start, for measuring how long something took."""
    return time.perf_counter()


def fresh_seed() -> int:
    """A seed for a world that was not given one. Of 53 bits, which every JSON reader keeps exactly."""
    return secrets.randbits(53)


def fresh_token() -> str:
    """A secret that the control API asks for when it can be reached from other machines."""
    return secrets.token_urlsafe(24)
