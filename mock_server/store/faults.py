"""What is to go wrong in a world: rules, how often each has matched and acted, and which act on a request.

Nothing here is random: whether a rule with a probability acts, and how long a delay is, follows from the world's seed,
the rule's name and how many requests have matched it before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Literal

import msgspec

from mock_server.engine.ids import draw

MOST_FAULTS = 100
LONGEST_DELAY_MS = 60_000

When = Literal["before", "after", "duplicate"]
Do = Literal["answer", "delay", "lose", "truncate", "malform", "repeat"]
How = Literal[
    "close", "reset", "not_json", "html", "empty", "missing_member", "unknown_member", "wrong_type", "null_member"
]


class FaultExists(Exception):
    """There is a fault of that name already."""


class TooManyFaults(Exception):
    """MOST_FAULTS exist already."""


class Delay(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long, in milliseconds: always `ms`; `min_ms` to `max_ms`; or `median_ms` with a tail that `sigma` stretches."""

    distribution: Literal["fixed", "uniform", "lognormal"]
    ms: int | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    median_ms: int | None = None
    sigma: float | None = None

    def seconds(self, bits: int) -> float:
        """The delay that 64 random bits lead to."""
        share = (bits + 0.5) / 2**64
        if self.distribution == "fixed":
            milliseconds = float(self.ms or 0)
        elif self.distribution == "uniform":
            low, high = self.min_ms or 0, self.max_ms or 0
            milliseconds = low + (high - low) * share
        else:
            sigma, most = self.sigma or 0.0, self.max_ms if self.max_ms is not None else LONGEST_DELAY_MS
            share = min(max(share, 1e-12), 1 - 1e-12)
            milliseconds = min((self.median_ms or 0) * math.exp(sigma * NormalDist().inv_cdf(share)), most)
        return min(milliseconds, LONGEST_DELAY_MS) / 1000


class Rule(msgspec.Struct, frozen=True):
    """A fault as it was asked for (control API: AddFaultRequest)."""

    id: str
    when: When
    do: Do
    operation: str | None = None
    caller: str | None = None
    method: str | None = None
    skip: int = 0
    count: int | None = None
    probability: float = 1
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    keep: int | None = None
    how: How | None = None
    delay: Delay | None = None

    def matches(self, operation: str, caller: str, method: str) -> bool:
        return self.operation in (None, operation) and self.caller in (None, caller) and self.method in (None, method)


class Strike(msgspec.Struct, frozen=True):
    """A rule that acts on a request, and the delay that it brings."""

    rule: Rule
    seconds: float

    @property
    def replaces_answer(self) -> bool:
        return self.rule.do != "delay"


class Fault:
    """A rule and what it has done so far."""

    __slots__ = ("acted", "matched", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.matched = 0
        self.acted = 0

    @property
    def remaining(self) -> int | None:
        return None if self.rule.count is None else self.rule.count - self.acted

    def strike(self, seed: int) -> Strike | None:
        """On a request that matches."""
        rule, number = self.rule, self.matched
        self.matched += 1
        if number < rule.skip or self.remaining == 0:
            return None
        if rule.probability < 1 and _bits(seed, rule.id, "acts", number) >= rule.probability * 2**64:
            return None
        self.acted += 1
        seconds = 0.0 if rule.delay is None else rule.delay.seconds(_bits(seed, rule.id, "delay", number))
        return Strike(rule, seconds)


class Faults:
    """In the order in which they were made, which is the order in which they act."""

    def __init__(self) -> None:
        self._kept: dict[str, Fault] = {}
        self._made = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._kept.values()))

    def get(self, name: str) -> Fault | None:
        return self._kept.get(name)

    def add(self, rule: Rule) -> Fault:
        """A rule without a name is given one. Raises FaultExists or TooManyFaults."""
        if rule.id in self._kept:
            raise FaultExists(rule.id)
        if len(self._kept) >= MOST_FAULTS:
            raise TooManyFaults
        name = rule.id
        while not name or name in self._kept:
            self._made += 1
            name = f"fault-{self._made}"
        fault = self._kept[name] = Fault(msgspec.structs.replace(rule, id=name))
        return fault

    def remove(self, name: str) -> bool:
        return self._kept.pop(name, None) is not None

    def clear(self) -> None:
        self._kept.clear()

    def strikes(self, when: When, operation: str, caller: str, method: str, seed: int) -> list[Strike]:
        """Those that act on a request now: delays add up, and what replaces the answer is the last to act."""
        found: list[Strike] = []
        for fault in self._kept.values():
            if fault.rule.when == when and fault.rule.matches(operation, caller, method):
                strike = fault.strike(seed)
                if strike is not None:
                    found.append(strike)
                    if strike.replaces_answer:
                        break
        return found


def _bits(seed: int, name: str, what: str, number: int) -> int:
    return int.from_bytes(draw(seed, f"fault/{name}/{what}", number))
