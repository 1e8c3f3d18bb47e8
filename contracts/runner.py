"""One run: the laws, one after the other, against one target, into one report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from secrets import token_hex

import msgspec

from mock_server import bundles
from mock_server.engine.instants import parse_instant

from .bench import Bench, Book, Enough, NotVerified, Profile
from .bundle import Bundle
from .case import Broken
from .findings import LawResult, Report
from .http import Allowance, Stopped
from .law import Law
from .openapp.freedom import FREEDOM
from .places import Places, places_of
from .ports import PortError
from .reference import Reference
from .target import Need, Target

BEGINNING = parse_instant("2026-01-15T12:00:00Z")
"""Where the clocks of worlds stand that are made for a run."""
Progress = Callable[[LawResult | Law, int, int], None]
"""Told of each law before (Law) and after it was tried (LawResult), with its number and how many there are."""


class Plan(msgspec.Struct, frozen=True):
    """What to run. `seconds`: after so long the run ends with a report of what it has. `only`: operations, all if empty."""

    laws: tuple[Law, ...]
    profile: Profile = "quick"
    seed: int = 1
    only: frozenset[str] = frozenset()
    seconds: float | None = None
    stop_at_first: bool = False


def run(target: Target, plan: Plan, progress: Progress = lambda *_: None, allowance: Allowance | None = None) -> Report:
    """Raises PortError or TargetError if it cannot even begin. Interrupt it by `allowance.interrupted.set()`."""
    began, clock = datetime.now(UTC), time.monotonic()
    bundle = Bundle(msgspec.json.decode(bundles.load(target.api)))
    allowance = allowance or Allowance(target.calls, target.rate, plan.seconds)
    book = Book(bundle)
    reference = Reference(target)
    places: Places | None = None
    results: list[LawResult] = []
    stopped: str | None = None
    try:
        places = places_of(target, allowance, BEGINNING, token_hex(4))
        for n, law in enumerate(plan.laws, 1):
            progress(law, n, len(plan.laws))
            if stopped is None:
                bench = Bench(
                    law, target, bundle, FREEDOM, places, reference, book, allowance, plan.profile, plan.seed,
                    stop_at_first=plan.stop_at_first, only=plan.only,
                )  # fmt: skip
                result, stopped = _tried(law, bench, book, allowance)
            else:
                result = _not_verified(law, stopped)
            results.append(result)
            progress(result, n, len(plan.laws))
    finally:
        if places is not None:
            places.close()
        reference.close()
    return Report(
        target.url,
        target.api,
        str(bundle.document["info"]["version"]),
        plan.profile,
        plan.seed,
        began.isoformat(timespec="seconds").replace("+00:00", "Z"),
        round(time.monotonic() - clock, 3),
        allowance.calls,
        tuple(results),
        tuple(book.findings),
        book.coverage,
        stopped,
    )


def _tried(law: Law, bench: Bench, book: Book, allowance: Allowance) -> tuple[LawResult, str | None]:
    """How a law went, and why the whole run ends with it (None if it does not)."""
    missing = unmet(law, bench.target)
    if missing:
        return _not_verified(law, f"needs {', '.join(missing)}"), None
    calls, clock, before = allowance.calls, time.monotonic(), len(book.findings)
    book.law = law.id
    reason, stopped = "", None
    try:
        law.check(bench)
    except Enough:
        stopped = "one finding was asked for" if bench.stops_at_first else None
    except Stopped as end:
        reason = stopped = end.reason
    except NotVerified as why:
        reason = str(why)
    except PortError as error:
        reason = f"a port failed: {error}"
    except Broken as broken:
        reason = f"a place to try it in could not be made: {broken}"
    state = "failed" if len(book.findings) > before else "not verified" if reason else "passed"
    result = LawResult(
        law.id, law.family, law.title, law.clause, state, reason,  # type: ignore[arg-type]
        allowance.calls - calls, round(time.monotonic() - clock, 3),
    )  # fmt: skip
    return result, stopped


def unmet(law: Law, target: Target) -> list[Need]:
    """What a law needs and the target does not offer."""
    return sorted(law.needs - target.offers)


def _not_verified(law: Law, reason: str) -> LawResult:
    return LawResult(law.id, law.family, law.title, law.clause, "not verified", reason)


def chosen(laws: Sequence[Law], wanted: Sequence[str]) -> tuple[Law, ...]:
    """The laws whose id or family is wanted; all if nothing is. Raises ValueError with what there is."""
    if not wanted:
        return tuple(laws)
    for name in wanted:
        if not any(name in (law.id, law.family) for law in laws):
            known = sorted({law.family for law in laws} | {law.id for law in laws})
            raise ValueError(f"there is no law {name!r}; there are: {', '.join(known)}")
    return tuple(law for law in laws if law.id in wanted or law.family in wanted)
