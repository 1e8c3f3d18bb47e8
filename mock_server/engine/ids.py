"""Ids and randomness that come from a seed and a place, never from the machine.

The same (seed, stream, numbers) gives the same bits in every process; an id is a ULID whose time is the
world's and whose random part comes from here.
"""

from __future__ import annotations

from hashlib import blake2b

from ulid import ULID

from .instants import Instant


def draw(seed: int, stream: str, *numbers: int, size: int = 8) -> bytes:
    """`size` bytes (at most 64) that depend on all the arguments and on nothing else."""
    text = f"{seed}/{stream}/{'/'.join(map(str, numbers))}"
    return blake2b(text.encode(), digest_size=size).digest()


def ulid(now: Instant, seed: int, stream: str, *numbers: int) -> str:
    """A 26-character ULID: the world's milliseconds, then 80 bits drawn from the arguments."""
    return str(ULID.from_bytes((now // 1000).to_bytes(6, "big") + draw(seed, stream, *numbers, size=10)))
