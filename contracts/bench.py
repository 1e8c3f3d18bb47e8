"""Where a law is tried: fresh places on the target, what is known of the contract, and a book of what is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from .broken import Broken
from .bundle import Bundle, Operation
from .case import Case, Watcher
from .comparison import Freedom
from .findings import Finding, Seen, Shown, likeness
from .http import Allowance, Client
from .law import Law
from .machine import seeded, wall
from .oracle import Oracle
from .places import Place, Places
from .shrinking import Numbered, shortest
from .steps import Step, Unresolved, in_sequence, text_of
from .target import Need, Target

Profile = Literal["quick", "full"]
Script = Callable[[Case], None]
MOST_FINDINGS = 25
"""Findings of one law; more of the same helps nobody."""


class Enough(Exception):
    """One finding was all that was asked for."""


class NotVerified(Exception):
    """What a law has tried shows neither that it holds nor that it is broken; the message says why."""


class Book(Watcher):
    """What has been seen and found, law by law."""

    def __init__(self, bundle: Bundle) -> None:
        self.findings: list[Finding] = []
        self.known: dict[str, str] = {}
        """How what was found looks -> the law that found it first."""
        self.law = ""
        self._seen: dict[tuple[str, int], Seen] = {
            (operation.id, status): Seen(operation.id, operation.method, operation.path, status)
            for operation in bundle.operations.values()
            for status in operation.statuses
        }

    @property
    def coverage(self) -> tuple[Seen, ...]:
        return tuple(self._seen.values())

    def seen(self, operation: Operation, status: int, *, verified: bool, masked: bool) -> None:
        row = self._seen.get((operation.id, status))
        if row is None:
            row = Seen(operation.id, operation.method, operation.path, status, declared=False)
            self._seen[operation.id, status] = row
        counted = row.verified if verified else row.masked if masked else row.seen
        counted[self.law] = counted.get(self.law, 0) + 1


class Bench:
    """Handed to a law's check. `random` is seeded with the run's seed and the law's id."""

    def __init__(
        self,
        law: Law,
        target: Target,
        bundle: Bundle,
        freedom: Freedom,
        places: Places,
        oracle: Oracle | None,
        book: Book,
        allowance: Allowance,
        profile: Profile,
        seed: int,
        *,
        stop_at_first: bool = False,
        only: frozenset[str] = frozenset(),
    ) -> None:
        self.law, self.target, self.bundle, self.freedom = law, target, bundle, freedom
        self.book, self.allowance, self.profile, self.seed = book, allowance, profile, seed
        self.random = seeded(f"{seed}/{law.id}")
        self._places, self._oracle = places, oracle
        self.stops_at_first, self._only = stop_at_first, only
        self._found: set[str] = set()
        self.also_found: set[str] = set()
        """The laws that had already found what this one ran into."""

    # -- how much ---------------------------------------------------------------------------------------------------

    def scale(self, quick: int, full: int) -> int:
        """How much of something to do in this run's profile."""
        return quick if self.profile == "quick" else full

    def offers(self, need: Need) -> bool:
        """Whether the target meets a need that the law would use but does not insist on."""
        return need in self.target.offers

    @property
    def operations(self) -> list[Operation]:
        """The operations of the bundle that this run is about."""
        return [each for each in self.bundle.operations.values() if not self._only or each.id in self._only]

    def is_about(self, *operations: str) -> bool:
        """Whether any of these operations is one that this run is about."""
        return not self._only or not self._only.isdisjoint(operations)

    # -- places -----------------------------------------------------------------------------------------------------

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A fresh place on the target alone, without the oracle."""
        place = self._places.fresh()
        try:
            yield place
        finally:
            self._places.leave(place)

    @contextmanager
    def case(self) -> Iterator[Case]:
        """A fresh place with the oracle's twin of it."""
        assert self._oracle is not None
        with self.place() as place:
            twin = self._oracle.twin(self._time_of(place))
            try:
                case = Case(self.target, self.bundle, self.freedom, place, twin, self.book)
                if not place.is_own:
                    self.settle(case)
                yield case
            finally:
                twin.close()

    def another_client(self, place: Place) -> Client:
        """A connection of its own to a place, for another thread."""
        return place.client.another()

    def _time_of(self, place: Place) -> int:
        return wall() if place.clock is None else place.clock.now()

    def settle(self, case: Case) -> None:
        """An organization of its own below the configured one."""
        made = case.ask("create_org", json={"name": f"mockbill contract {case.place.run}", "parent_id": case.org})
        if made.status >= 300:
            raise Broken("status", "room for an organization below `org`", f"status {made.status}", "create_org")
        case.settle_in(made.json["id"])

    # -- findings ---------------------------------------------------------------------------------------------------

    def attempt(self, script: Script) -> bool:
        """Whether the target held through a script in a fresh place. If not, the shortest way to see it is kept."""
        with self.case() as case:
            try:
                script(case)
            except Broken as broken:
                self.keep(broken, case)
                return False
        return True

    def keep(self, broken: Broken, case: Case) -> None:
        """Keep what a case has found, with as few steps as still show it."""
        steps = list(case.numbered)
        if self.knows(broken):
            return
        last: list[tuple[Broken, list[Shown], list[Numbered]]] = []

        def still(candidate: Sequence[Numbered]) -> bool:
            again = self._again(candidate, broken)
            if again is not None:
                last[:] = [again]
            return again is not None

        if still(steps):
            shortest(steps, still)
            broken, shown, steps = last[0]
            data, broken.wanted = in_sequence(steps, broken.wanted)
            self.found(broken, shown, data)
        else:
            note = "it did not show again when the same steps were repeated: the target answers differently at times"
            data, broken.wanted = in_sequence(steps, broken.wanted)
            self.found(broken, case.shown, data, note)

    def _again(self, steps: Sequence[Numbered], broken: Broken) -> tuple[Broken, list[Shown], list[Numbered]] | None:
        """The same finding again, by these steps in a fresh place."""
        with self.case() as case:
            try:
                for number, step in steps:
                    case.do(step, number)
            except Broken as other:
                return (other, case.shown, case.numbered) if other.is_like(broken) else None
            except Unresolved:
                return None
        return None

    def found(self, broken: Broken, shown: Sequence[Shown], steps: Sequence[Step] | None = None, *notes: str) -> None:
        """Keep a finding as it is. Raises Enough if one was all that was asked for."""
        if self.knows(broken):
            return
        finding = Finding(
            self.law.id,
            self.law.title,
            broken.clause or self.law.clause,
            broken.kind,
            broken.expected,
            broken.came,
            broken.operation,
            broken.status,
            broken.place,
            tuple(shown),
            None if steps is None else text_of(steps),
            self.seed,
            notes,
            None if broken.wanted is None else text_of(broken.wanted),
        )
        self._found.add(self._likeness(broken))
        self.book.known[self._likeness(broken)] = self.law.id
        self.book.findings.append(finding)
        if self.stops_at_first or len(self._found) >= MOST_FINDINGS:
            raise Enough

    def knows(self, broken: Broken) -> bool:
        """Whether one like it is kept already: one fault is one finding, however many laws run into it."""
        likeness = self._likeness(broken)
        other = self.book.known.get(likeness)
        if other is not None and other != self.law.id:
            self.also_found.add(other)
        return other is not None or likeness in self._found

    def _likeness(self, broken: Broken) -> str:
        place = broken.place
        return likeness(broken.kind, broken.operation, broken.status, place, broken.expected, self.law.id)
