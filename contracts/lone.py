"""One try with the target alone: for what holds between its own answers, whatever the oracle would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from .bench import Bench, NotVerified
from .broken import Broken
from .bundle import Bundle
from .case import Case, Watcher
from .comparison import Freedom
from .findings import Shown
from .http import Answer, Request
from .machine import wall
from .oracle import Twin
from .places import Place
from .shrinking import Numbered
from .steps import Call, Step, in_sequence
from .target import Target

NO_ROOM = (429, 501)
"""Answers by which a target says that it has no more, or no such thing, as it may."""


class Contradiction(Broken):
    """Answers of the target that cannot all be right."""

    def __init__(self, expected: str, came: str, operation: str, *answers: Answer) -> None:
        status = answers[-1].status if answers else None
        super().__init__("contradiction", expected, came, operation, status)
        self.answers = answers


class _Nobody:
    """Stands where a case has the oracle's side: it knows the target's own names, and answers nothing."""

    def __init__(self, target: Target, place: Place) -> None:
        self.names: Mapping[str, str] = place.names
        self.credentials: Mapping[str, str] = target.credentials
        self.webhook_secret = target.ports.webhook_secret or ""
        self.now = wall() if place.clock is None else place.clock.now()

    def send(self, request: Request) -> Answer:
        raise AssertionError("there is no oracle here")

    def move(self, to: int) -> None:
        self.now = to

    def consume(self, org: str, key: str, amount: int) -> Answer:
        raise AssertionError("there is no oracle here")

    def fork(self) -> Twin:
        raise AssertionError("there is no oracle here")

    def close(self) -> None:
        pass


class Lone(Case):
    """A case whose `ask` gives the target's own answers, held against the bundle only."""

    def __init__(self, target: Target, bundle: Bundle, freedom: Freedom, place: Place, watcher: Watcher) -> None:
        super().__init__(target, bundle, freedom, place, _Nobody(target, place), watcher)
        self.allowed: frozenset[int] = frozenset()
        """Refusals that are not a surprise; elsewhere all that is asked for has to succeed."""
        # By the place among `shown`.
        self._answered: dict[int, Answer] = {}
        self._steps: dict[int, Numbered] = {}

    def do(self, step: Step, number: int | None = None) -> Answer:
        place = len(self.shown)
        try:
            return super().do(step, number)
        finally:
            self._steps[place] = self.numbered[-1]

    def _call(self, call: Call) -> Answer:
        operation = self.bundle[call.operation]
        self.keep_time()
        _, request = self.requests(call)
        answer = self.raw(request, operation.id, call.caller)
        self.held_against_the_bundle(operation, answer)
        if answer.status in NO_ROOM:
            raise NotVerified(
                f"{operation.id} has no room for it: {answer.status} {answer.body[:200].decode('latin-1')}"
            )
        if answer.status >= 400 and answer.status not in self.allowed:
            came = f"status {answer.status}"
            raise Broken("status", "success", came, operation.id, answer.status, clause=operation.pointer)
        self._learn(answer, request.body or b"")
        return answer

    def raw(self, request: Request, operation: str, caller: str | None = None) -> Answer:
        """A request as it is, also one that no step describes."""
        answer = self.sent(self.bundle[operation], request, caller)
        self._answered[len(self.shown) - 1] = answer
        return answer

    def evidence(self, broken: Broken) -> tuple[list[Shown], list[Step]]:
        """What shows it: the answers that are to blame, and what was changed before."""
        guilty = broken.answers if isinstance(broken, Contradiction) else (self._answered.get(len(self.shown) - 1),)
        kept = [n for n, each in enumerate(self.shown) if self._counts(n, each, guilty)]
        return [self.shown[n] for n in kept], in_sequence([self._steps[n] for n in kept if n in self._steps])[0]

    def _counts(self, n: int, shown: Shown, guilty: Sequence[Answer | None]) -> bool:
        if not shown.is_call or any(self._answered.get(n) is each for each in guilty):
            return True
        return shown.method not in ("GET", "HEAD") and (shown.status or 500) < 300


@contextmanager
def alone(bench: Bench) -> Iterator[Lone]:
    """A fresh place without the oracle. Where nothing may be written it is the configured organization, as it is."""
    with bench.place() as place:
        case = Lone(bench.target, bench.bundle, bench.freedom, place, bench.book)
        if not place.is_own and bench.offers("writes"):
            bench.settle(case)
        yield case


def consistent(bench: Bench, script: Callable[[Lone], object]) -> None:
    """A script whose own checks raise Contradiction; what it finds is kept with the calls that show it."""
    with alone(bench) as case:
        try:
            script(case)
        except Broken as broken:
            bench.found(broken, *case.evidence(broken))
