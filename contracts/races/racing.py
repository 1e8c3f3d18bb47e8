"""Bursts of one law, again and again in fresh places; what they break is made small and drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

import msgspec

from contracts.bench import Bench, NotVerified
from contracts.broken import Broken, shown
from contracts.case import Case
from contracts.findings import Shown
from contracts.http import NoAnswer
from contracts.machine import Random, stopwatch
from contracts.shrinking import Numbered
from contracts.steps import Call, Unresolved

from .bursts import Crew
from .interleaving import letter, picture
from .judging import Burst, Done, Undecided, Violation, judged

TRIES = 4
"""How often a smaller burst is tried before it is taken to be harmless: races are a matter of luck."""
MOST_SECONDS = 2.5
LONG_ID = re.compile(r"[0-9A-Za-z-]{20,}")
Prepare = Callable[[Case, Random], Burst | None]


class Scene(NamedTuple):
    """`operation`: the one that it is about. `prepare` makes what is raced for; None if it cannot be had here."""

    operation: str
    prepare: Prepare


class _Raced(NamedTuple):
    """A burst as data, so that it can be done again elsewhere, and with less."""

    steps: Sequence[Numbered]
    burst: Burst


class Racing:
    """What one law does with its scenes."""

    def __init__(self, bench: Bench, crew: Crew) -> None:
        self._bench, self._crew = bench, crew
        self._broken: set[str] = set()
        self._reasons: list[str] = []
        self._held = self._together = 0

    def race(self, scene: Scene) -> None:
        """One burst in a fresh place. Raises Stopped, PortError or Enough."""
        if scene.operation in self._broken or not self._bench.is_about(scene.operation):
            return
        with self._bench.case() as case:
            try:
                burst = scene.prepare(case, self._bench.random)
                if burst is None:
                    return
                raced = _as_data(case, burst)
                done, violation = judged(case, self._crew, raced.burst)
            except Broken as broken:
                self._broken.add(scene.operation)
                self._bench.keep(broken, case)
                return
            except (Undecided, NoAnswer) as why:
                self._reasons.append(str(why))
                return
            url, prepared = case.place.url, list(case.shown)
        self._together += _was_together(done)
        if violation is None:
            self._held += 1
            return
        if not self._is_race(scene, raced, done, violation):
            return
        self._broken.add(scene.operation)
        # What is found in a bit of everything is named after what it takes.
        smallest = self._smallest(_Smallest(raced, violation, prepared, url))
        operation = scene.operation or min(each.call.operation for each in smallest.violation.done)
        self._bench.found(
            Broken("race", smallest.violation.expected, smallest.violation.came, operation),
            [*smallest.prepared, *_shown(smallest.violation, smallest.url)],
            None,
            *_notes(smallest.violation),
        )

    def end(self) -> None:
        """Raises NotVerified if the bursts do not show that the law holds."""
        if self._reasons:
            times = f"{len(self._reasons)} of {len(self._reasons) + self._held} bursts: "
            raise NotVerified(times + self._reasons[0])
        if self._held and not self._together:
            raise NotVerified("no two calls were ever under way at the same time; is there a rate?")

    # -- smaller ------------------------------------------------------------------------------------------------------

    def _is_race(self, scene: Scene, raced: _Raced, done: Sequence[Done], violation: Violation) -> bool:
        """Whether the same calls are answered rightly if they come one after the other. If not, that is kept."""
        with self._bench.case() as case:
            try:
                for number, step in raced.steps:
                    case.do(step, number)
                for n in sorted(range(len(done)), key=lambda n: done[n].span.ended):
                    case.do(_calls(raced.burst)[n])
                for read in raced.burst.reads:
                    case.do(read)
            except Broken as broken:
                if violation.is_plain:
                    self._broken.add(scene.operation)
                    self._bench.keep(broken, case)
                else:
                    self._reasons.append(f"one after the other the same calls are answered wrongly too: {broken}")
                return False
        return True

    def _smallest(self, best: _Smallest) -> _Smallest:
        end = stopwatch() + MOST_SECONDS
        harmless: set[bytes] = set()
        while True:
            for smaller in _smaller(best.raced):
                kind = msgspec.json.encode((smaller.steps, smaller.burst.lanes))
                if stopwatch() > end:
                    return best
                if kind in harmless:
                    continue
                if (found := self._again(smaller, end)) is not None:
                    best = found
                    break
                harmless.add(kind)
            else:
                return best

    def _again(self, raced: _Raced, end: float) -> _Smallest | None:
        for _ in range(TRIES):
            if stopwatch() > end:
                return None
            with self._bench.case() as case:
                try:
                    for number, step in raced.steps:
                        case.do(step, number)
                    _, violation = judged(case, self._crew, raced.burst)
                except Unresolved:
                    return None
                except (Broken, Undecided, NoAnswer):
                    continue
                if violation is not None:
                    return _Smallest(raced, violation, list(case.shown), case.place.url)
        return None


class _Smallest(NamedTuple):
    raced: _Raced
    violation: Violation
    prepared: Sequence[Shown]
    url: str


@contextmanager
def racing(bench: Bench) -> Iterator[Racing]:
    """Ends with NotVerified unless what was tried within shows something."""
    crew = Crew()
    try:
        race = Racing(bench, crew)
        yield race
        race.end()
    finally:
        crew.close()


def _as_data(case: Case, burst: Burst) -> _Raced:
    lanes = tuple(tuple(_named(case, call) for call in lane) for lane in burst.lanes)
    return _Raced(list(case.numbered), Burst(lanes, tuple(_named(case, call) for call in burst.reads), burst.kept))


def _named(case: Case, call: Call) -> Call:
    step = case.as_data(call)
    assert isinstance(step, Call)
    return step


def _calls(burst: Burst) -> list[Call]:
    return [call for lane in burst.lanes for call in lane]


def _smaller(raced: _Raced) -> Iterator[_Raced]:
    """The same with fewer calls, then with lower limits, then with fewer steps before them."""
    flat = [(lane, call) for lane, calls in enumerate(raced.burst.lanes) for call in calls]
    size = len(flat) // 2
    while size:
        for start in range(0, len(flat), size):
            left = flat[:start] + flat[start + size :]
            if len({lane for lane, _ in left}) >= 2:
                lanes = tuple(tuple(call for _, call in each) for _, each in groupby(left, key=lambda it: it[0]))
                yield raced._replace(burst=raced.burst._replace(lanes=lanes))
        size //= 2
    for n, (number, step) in enumerate(raced.steps):
        value = step.json.get("limit_value", 0) if isinstance(step, Call) and isinstance(step.json, dict) else 0
        if value > 1:
            assert isinstance(step, Call)
            lower = msgspec.structs.replace(step, json={**step.json, "limit_value": value - 1})
            yield raced._replace(steps=[*raced.steps[:n], (number, lower), *raced.steps[n + 1 :]])
    for n in reversed(range(len(raced.steps))):
        yield raced._replace(steps=[*raced.steps[:n], *raced.steps[n + 1 :]])


def _was_together(done: Sequence[Done]) -> bool:
    return any(
        not (a.span.is_before(b.span) or b.span.is_before(a.span))
        for n, a in enumerate(done)
        for b in done[:n]
        if a.lane != b.lane
    )


# -- what is shown ----------------------------------------------------------------------------------------------------


def _shown(violation: Violation, url: str) -> Iterator[Shown]:
    done = _by_time(violation)
    for n, each in enumerate(done):
        step = shown(url, each.request, each.answer if each.answer.status else None, each.call.caller)
        yield msgspec.structs.replace(step, title=f"{letter(n)}, at the same time: {step.title}")
    for each in violation.after:
        yield shown(url, each.request, each.answer, each.call.caller)


def _notes(violation: Violation) -> list[str]:
    done = _by_time(violation)
    names = {each: letter(n) for n, each in enumerate(map(id, done))}
    notes = [picture(list(zip(labels(done), (each.span for each in done), map(_said, done), strict=True)))]
    for refuted in violation.refuted:
        order = " ".join(names[id(violation.done[n])] for n in refuted.order)
        if refuted.next_call is None:
            notes.append(f"in the order {order}: {refuted.why}")
        else:
            before = f"after {order}, " if order else ""
            notes.append(f"{before}{names[id(violation.done[refuted.next_call])]} would give {refuted.why}")
    return notes


def _by_time(violation: Violation) -> list[Done]:
    return sorted(violation.done, key=lambda each: (each.span.began, each.span.ended))


def labels(done: Sequence[Done]) -> list[str]:
    """Each call in a few words: method and path, and those members of the body that tell it from others like it."""
    found = []
    for each in done:
        like = [other for other in done if other.call.operation == each.call.operation]
        body = each.call.json if isinstance(each.call.json, dict) else {}
        telling = {name: value for name, value in body.items() if any(it.call.json.get(name) != value for it in like)}
        text = f"{each.request.method} {LONG_ID.sub(_shortened, each.request.target)}"
        found.append(f"{text} {msgspec.json.encode(telling).decode()}" if telling else text)
    return found


def _shortened(found: re.Match[str]) -> str:
    return f"..{found[0][-4:]}"


def _said(done: Done) -> str:
    value = done.answer.json
    code = value.get("error_code") if isinstance(value, dict) else None
    return " ".join(str(each) for each in (done.answer.status or "no answer", code) if each)
