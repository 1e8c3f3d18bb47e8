"""What a replay sends, when, and in which order. Pure: the same captures, manner and seed give the same plan.

Each round takes the captures in the order in which they came in and then, one after the other,

    drops      each with the probability `drop`,
    doubles    each that is left with the probability `duplicate`: its twin follows it, at the same time,
    damages    each of these, twins for themselves, with the probability of each kind of damage,
    shuffles   them, if that is asked for: who goes where changes, the times at which something goes do not.

A round begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from mock_server.engine.ids import draw
from mock_server.engine.instants import SECOND, Instant

LONGEST_PAUSE_S = 10.0
MOST_SENDS = 1_000_000

Order = Literal["original", "shuffle"]


class TooMany(ValueError):
    """The plan would be longer than anybody waits for. The message says how long."""


class Manner(Struct, frozen=True):
    """How a replay differs from what was captured.

    speed          1 keeps the pauses, 10 makes them a tenth, None leaves none
    longest_pause  seconds that a pause takes at most, after that
    duplicate, drop, damages   probabilities, 0 to 1
    repeat         so many rounds
    """

    speed: float | None = None
    longest_pause: float = LONGEST_PAUSE_S
    order: Order = "original"
    seed: int = 0
    duplicate: float = 0.0
    drop: float = 0.0
    repeat: int = 1
    damages: Mapping[str, float] = {}

    @property
    def is_drawn(self) -> bool:
        """Whether the seed decides anything."""
        return self.order == "shuffle" or self.duplicate > 0 or self.drop > 0 or bool(self.damages)


class Received(Struct, frozen=True):
    """What the plan has to know of a capture: when it came in, and the name by which equal times are told apart."""

    at: Instant
    name: str


class Planned(Struct, frozen=True):
    """One request. `number` counts from 1; `index`: of its capture; `at`: seconds after the start.

    `bits` choose which byte is damaged, and so on.
    """

    number: int
    index: int
    at: float
    round: int = 1
    is_twin: bool = False
    damages: tuple[str, ...] = ()
    bits: int = 0


class Plan(Struct, frozen=True):
    """`dropped`: how many there would be more of."""

    sends: tuple[Planned, ...]
    dropped: int = 0

    @property
    def duplicated(self) -> int:
        return sum(each.is_twin for each in self.sends)

    @property
    def damaged(self) -> int:
        return sum(bool(each.damages) for each in self.sends)


def planned(received: Sequence[Received], manner: Manner) -> Plan:
    """The requests in the order in which they go out; their times never go back. Raises TooMany."""
    if len(received) * manner.repeat > MOST_SENDS // 2:
        raise TooMany(f"{len(received)} captures {manner.repeat} times are more than {MOST_SENDS // 2} requests")
    order = sorted(range(len(received)), key=lambda index: (received[index].at, received[index].name, index))
    pace = _pace([received[index].at for index in order], manner)
    sends: list[Planned] = []
    dropped, start = 0, 0.0
    for number in range(1, manner.repeat + 1):
        kept = _round(order, pace, manner, number)
        dropped += len(order) - sum(not each.is_twin for each in kept)
        if manner.order == "shuffle":
            kept = _shuffled(kept, manner.seed, number)
        sends += [replace(each, number=len(sends) + n, at=start + each.at) for n, each in enumerate(kept, 1)]
        start += pace[-1] if pace else 0.0
    return Plan(tuple(sends), dropped)


def _pace(times: Sequence[Instant], manner: Manner) -> list[float]:
    """Seconds from the first to each."""
    found: list[float] = []
    for place, at in enumerate(times):
        before = times[max(place - 1, 0)]
        pause = 0.0 if manner.speed is None else min((at - before) / SECOND / manner.speed, manner.longest_pause)
        found.append((found[-1] if found else 0.0) + pause)
    return found


def _round(order: Sequence[int], pace: Sequence[float], manner: Manner, number: int) -> list[Planned]:
    found: list[Planned] = []
    for place, (index, at) in enumerate(zip(order, pace, strict=True)):
        if _is_drawn(manner.drop, manner.seed, "drop", number, place):
            continue
        twins = 2 if _is_drawn(manner.duplicate, manner.seed, "duplicate", number, place) else 1
        for twin in range(twins):
            damages = tuple(
                kind
                for kind, probability in manner.damages.items()
                if _is_drawn(probability, manner.seed, f"damage {kind}", number, place, twin)
            )
            bits = int.from_bytes(draw(manner.seed, "replay bits", number, place, twin))
            found.append(Planned(0, index, at, number, twin > 0, damages, bits))
    return found


def _shuffled(sends: Sequence[Planned], seed: int, number: int) -> list[Planned]:
    drawn = [(draw(seed, "replay shuffle", number, place), place) for place in range(len(sends))]
    order = [place for _, place in sorted(drawn)]
    return [replace(sends[place], at=slot.at) for place, slot in zip(order, sends, strict=True)]


def _is_drawn(probability: float, seed: int, stream: str, *numbers: int) -> bool:
    if probability <= 0:
        return False
    return int.from_bytes(draw(seed, f"replay {stream}", *numbers)) < probability * 2**64
