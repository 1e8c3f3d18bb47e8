"""One burst against the target, and whether the oracle knows an order in which it could have come to these answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from contracts.broken import Broken
from contracts.case import Case
from contracts.comparison import Correspondence
from contracts.http import Answer, Request
from contracts.oracle import Twin
from contracts.steps import Call

from .bursts import Crew, Heard
from .linearizability import Refuted, Span, search

UNORDERED = frozenset({"", "items", "overrides"})
"""Lists, by member name, in which things that were made at the same time may come in any order."""


class Done(NamedTuple):
    """One call of a burst and what came of it."""

    call: Call
    lane: int
    span: Span
    answer: Answer
    request: Request

    @property
    def is_accepted(self) -> bool:
        return self.answer.status < 300


class Breach(NamedTuple):
    """`reads`: which of the reads it takes to see it."""

    expected: str
    came: str
    reads: tuple[int, ...] = ()


Kept = Callable[[Sequence[Done], Sequence[Answer], Sequence[Answer]], Breach | None]
"""What of that which must be kept was not; from the calls, the reads before them and the reads after them.

Holds for any part of the calls too, so that a burst can be made smaller."""


class Burst(NamedTuple):
    """`lanes`: calls by thread. `reads`: what is read when all is over. Ids are those of the case that it was made for."""

    lanes: tuple[tuple[Call, ...], ...]
    reads: tuple[Call, ...]
    kept: Kept


class Violation(msgspec.Struct, frozen=True):
    """`after`: the reads that it takes to see it. `is_plain`: it can be seen without knowing what each answer should be."""

    expected: str
    came: str
    done: tuple[Done, ...]
    after: tuple[Done, ...] = ()
    refuted: tuple[Refuted, ...] = ()
    is_plain: bool = False


class Undecided(Exception):
    """The burst shows nothing; the message says why."""


def judged(case: Case, crew: Crew, burst: Burst) -> tuple[tuple[Done, ...], Violation | None]:
    """What came of a burst, and what is wrong with it. Raises Undecided, Stopped, NoAnswer or Unresolved."""
    case.keep_time()
    flat = [(call, lane) for lane, calls in enumerate(burst.lanes) for call in calls]
    both = [case.requests(call) for call, _ in flat]
    reads = [case.requests(call) for call in burst.reads]
    before = [case.twin.send(ours) for ours, _ in reads]
    heard = crew.fire(case.place.client, _by_lane(burst.lanes, [theirs for _, theirs in both]))
    raw = list(zip(flat, both, (each for lane in heard for each in lane), strict=True))
    done = tuple(Done(call, lane, it.span, _answer(it), theirs) for (call, lane), (_, theirs), it in raw)
    if (wrong := _without_answer(case, raw) or _undeclared(case, done)) is not None:
        return done, Violation(*wrong, done)
    after = tuple(_read(case, call, theirs) for call, (_, theirs) in zip(burst.reads, reads, strict=True))
    if (wrong := _undeclared(case, after)) is not None:
        return done, Violation(*wrong, done, after)
    if (breach := burst.kept(done, before, [each.answer for each in after])) is not None:
        needed = tuple(after[n] for n in breach.reads)
        return done, Violation(breach.expected, breach.came, done, needed, is_plain=True)
    return done, _without_order(case, done, [ours for ours, _ in both], after, [ours for ours, _ in reads])


def _without_order(
    case: Case, done: tuple[Done, ...], ours: Sequence[Request], after: tuple[Done, ...], reads: Sequence[Request]
) -> Violation | None:
    spans = [each.span for each in done]

    def found(needed: Sequence[int]) -> tuple[Refuted, ...] | None:
        model = InOrder(case, done, ours, [(reads[n], after[n]) for n in needed])
        verdict = search(spans, model, lambda a, b: _is_same(done[a], done[b], case.same.freedom.ignored))
        if verdict.is_cut:
            tried = f"{verdict.steps} steps of {len(done)} calls"
            raise Undecided(f"the search for an order was cut after {tried}")
        return verdict.refuted if verdict.order is None else None

    everything = range(len(after))
    if (refuted := found(everything)) is None:
        for each in (*done, *after):
            case.verified(each.call.operation, each.answer.status)
        return None
    needed: Sequence[int] = everything
    for fewer in ([], *([n] for n in everything)):
        with suppress(Undecided):
            if (again := found(fewer)) is not None:
                needed, refuted = fewer, again
                break
    expected = "what the same calls give one after the other, in whatever order"
    return Violation(expected, "answers that no order gives", done, tuple(after[n] for n in needed), refuted)


class _At(NamedTuple):
    """Somewhere on the way: the oracle, whose ids stand for whose, and the calls that have changed something."""

    twin: Twin
    same: Correspondence
    changes: tuple[int, ...]


class InOrder:
    """The calls one after the other on the oracle, each answer held against what the target gave at the time."""

    def __init__(
        self, case: Case, done: Sequence[Done], ours: Sequence[Request], reads: Sequence[tuple[Request, Done]]
    ) -> None:
        self._case, self._done, self._ours, self._reads = case, done, ours, reads
        freedom = case.same.freedom
        self._freedom = msgspec.structs.replace(freedom, unordered=freedom.unordered | UNORDERED)

    def first(self) -> _At:
        return _At(self._case.twin.fork(), self._case.same.copy(self._freedom), ())

    def step(self, state: _At, call: int) -> _At | str:
        done = self._done[call]
        same, twin = state.same.copy(), state.twin.fork()
        if self._is_still_busy(call):
            return _At(twin, same, state.changes)
        expected = twin.send(self._ours[call])
        if (found := same.difference(expected, done.answer)) is not None:
            twin.close()
            return f"{found.expected}, not {found.came}"
        return _At(twin, same, state.changes if _changes_nothing(done, expected) else (*state.changes, call))

    def end(self, state: _At) -> str | None:
        same = state.same.copy()
        for request, read in self._reads:
            operation = self._case.bundle[read.call.operation]
            both = self._case.about_here(operation, state.twin.send(request), read.answer)
            if (found := same.difference(*both)) is not None:
                return f"{request.method} {request.target}: {found.expected}, not {found.came}"
        return None

    def key(self, state: _At) -> Hashable:
        return state.changes

    def leave(self, state: _At) -> None:
        state.twin.close()

    def _is_still_busy(self, call: int) -> bool:
        """Whether it is a repeat that was refused while the first call with its key was under way. That may be."""
        done = self._done[call]
        key = done.call.headers.get("Idempotency-Key")
        return (
            done.answer.status == 409
            and key is not None
            and any(
                n != call
                and other.call.headers.get("Idempotency-Key") == key
                and not other.span.is_before(done.span)
                and not done.span.is_before(other.span)
                for n, other in enumerate(self._done)
            )
        )


def text_of(request: Request) -> str:
    """A request in one line."""
    body = "" if not request.body else " " + request.body.decode("utf-8", "replace")
    return f"{request.method} {request.target}{body}"


def _changes_nothing(done: Done, expected: Answer) -> bool:
    # A key that was made is marked as used by whatever is asked with it, so only roles read without a trace.
    is_role = done.call.caller is not None and "{{" not in done.call.caller
    return expected.status >= 400 or (done.request.method == "GET" and is_role)


def _is_same(one: Done, other: Done, ignored: Set[str]) -> bool:
    if one.call != other.call or one.answer.status != other.answer.status:
        return False
    return bool(_without(one.answer.json, ignored) == _without(other.answer.json, ignored))


def _without(value: Any, ignored: Set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _without(each, ignored) for name, each in value.items() if name not in ignored}
    return [_without(each, ignored) for each in value] if isinstance(value, list) else value


def _by_lane(lanes: Sequence[Sequence[Call]], requests: Sequence[Request]) -> list[list[Request]]:
    left = iter(requests)
    return [[next(left) for _ in lane] for lane in lanes]


def _answer(heard: Heard) -> Answer:
    return heard.answer if heard.answer is not None else Answer(0, (), b"")


def _without_answer(
    case: Case, raw: Sequence[tuple[tuple[Call, int], tuple[Request, Request], Heard]]
) -> tuple[str, str] | None:
    for _, (_, theirs), heard in raw:
        if heard.answer is None:
            return "an answer to every call", f"{heard.error}, to {text_of(theirs)}"
    return None


def _undeclared(case: Case, done: Sequence[Done]) -> tuple[str, str] | None:
    for each in done:
        if each.answer.status == 429 and _code(each.answer) != "quota_exceeded":
            raise Undecided(
                "the target answers 429 for another reason than a quota: it does not allow so many calls at once"
            )
        try:
            case.held_against_the_bundle(case.bundle[each.call.operation], each.answer)
        except Broken as broken:
            return broken.expected, f"{broken.came} (status {each.answer.status}), to {text_of(each.request)}"
    return None


def _code(answer: Answer) -> str | None:
    value = answer.json
    return value.get("error_code") if isinstance(value, dict) else None


def _read(case: Case, call: Call, request: Request) -> Done:
    return Done(call, 0, Span(0, 0), case.place.client.send(request), request)
