"""Whether there is one order of calls, made at the same time, in which each would have got the answer that it got.

The search of Wing and Gong: a call may come next if no call that is still to come was over before it began. What has
been tried without success is remembered by what was done and where that led.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from contracts.machine import stopwatch

S = TypeVar("S")
MOST_STEPS = 4_000
MOST_SECONDS = 4.0
MOST_SHOWN = 4


class Span(NamedTuple):
    """From when a call was made until its answer was there, in nanoseconds of one clock."""

    began: int
    ended: int

    def is_before(self, other: Span) -> bool:
        return self.ended < other.began


class Model(Protocol[S]):
    """What is done one after the other. Calls are known by their number."""

    def first(self) -> S: ...

    def step(self, state: S, call: int) -> S | str:
        """The state after the call; why not, if the call would have got another answer here."""

    def end(self, state: S) -> str | None:
        """Why this cannot be the state after all calls; None if it can."""

    def key(self, state: S) -> Hashable:
        """The same for states from which the same can follow."""

    def leave(self, state: S) -> None:
        """This state is not needed any more."""


class Refuted(NamedTuple):
    """An order in which the answers cannot have come about: `next_call` would have got another one, or (None) the end is
    not as it was found.
    """

    order: tuple[int, ...]
    next_call: int | None
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """`order`: one in which all answers fit. `is_cut`: none was found, but not all were tried. `refuted`: some that were."""

    order: tuple[int, ...] | None
    is_cut: bool
    steps: int
    refuted: tuple[Refuted, ...] = ()


def search(
    spans: Sequence[Span],
    model: Model[S],
    is_same: Callable[[int, int], bool] = lambda *_: False,
    *,
    most_steps: int = MOST_STEPS,
    most_seconds: float = MOST_SECONDS,
) -> Verdict:
    """`is_same`: whether two calls asked for the same and got the same answer, so that they may change places."""
    return _Search(spans, model, is_same, most_steps, most_seconds).verdict()


class _Search(Generic[S]):
    def __init__(
        self,
        spans: Sequence[Span],
        model: Model[S],
        is_same: Callable[[int, int], bool],
        most_steps: int,
        most_seconds: float,
    ) -> None:
        self._spans, self._model = spans, model
        # Answers mostly come in the order in which things were done, so that the first order tried mostly fits.
        self._calls = sorted(range(len(spans)), key=lambda n: (spans[n].ended, spans[n].began, n))
        rank = {call: n for n, call in enumerate(self._calls)}
        # If two calls may change places, and neither lies within the other, only one of the two orders is tried.
        self._after = {
            b: [a for a in self._calls if rank[a] < rank[b] and spans[a].began <= spans[b].began and is_same(a, b)]
            for b in self._calls
        }
        self._most_steps, self._end = most_steps, stopwatch() + most_seconds
        self._steps, self._is_cut = 0, False
        self._failed: set[tuple[frozenset[int], Hashable]] = set()
        self._refuted: list[Refuted] = []

    def verdict(self) -> Verdict:
        order = self._from(self._model.first(), ())
        cut = self._is_cut and order is None
        shown = sorted(self._refuted, key=lambda each: (-len(each.order), each.next_call is not None))[:MOST_SHOWN]
        return Verdict(order, cut, self._steps, tuple(shown))

    def _from(self, state: S, done: tuple[int, ...]) -> tuple[int, ...] | None:
        """A whole order that begins with what is done; None if there is none, or no time to find it."""
        try:
            if len(done) == len(self._calls):
                why = self._model.end(state)
                if why is not None:
                    self._refute(done, None, why)
                return done if why is None else None
            known = (frozenset(done), self._model.key(state))
            if known in self._failed:
                return None
            for call in self._possible(known[0]):
                if self._steps >= self._most_steps or stopwatch() >= self._end:
                    self._is_cut = True
                    return None
                self._steps += 1
                after = self._model.step(state, call)
                if isinstance(after, str):
                    self._refute(done, call, after)
                elif (order := self._from(after, (*done, call))) is not None:
                    return order
            if not self._is_cut:
                self._failed.add(known)
            return None
        finally:
            self._model.leave(state)

    def _possible(self, done: frozenset[int]) -> list[int]:
        left = [call for call in self._calls if call not in done]
        first_end = min(self._spans[call].ended for call in left)
        return [
            call for call in left if self._spans[call].began <= first_end and all(a in done for a in self._after[call])
        ]

    def _refute(self, order: tuple[int, ...], call: int | None, why: str) -> None:
        if len(self._refuted) < 200:
            self._refuted.append(Refuted(order, call, why))
