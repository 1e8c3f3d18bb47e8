"""One run: the laws, one after the other, against one target, into one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches

import msgspec

from mock_server import bundles
from mock_server.engine.instants import parse_instant

from .bench import Bench, Book, Enough, NotVerified, Profile
from .broken import Broken
from .bundle import Bundle
from .findings import LawResult, Report
from .guard import guard_of
from .http import Allowance, NotAllowed, Stopped
from .law import FAMILIES, Law
from .machine import moment, run_name, stopwatch
from .openapp.freedom import FREEDOM
from .places import Places, places_of
from .ports import PortError
from .redaction import Masker, secrets_of
from .reference import Reference
from .target import Need, Target

BEGINNING = parse_instant("2026-01-15T12:00:00Z")
"""Where the clocks of worlds stand that are made for a run."""
PORT_FAILED = "a port failed"
NO_PLACE = "a place to try it in could not be made"
LAW_FAILED = "the law itself went wrong"
MOST_SILENT = 3
"""So many laws after each other that a port has failed end a run."""
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
    began, clock = moment(), stopwatch()
    bundle = Bundle(msgspec.json.decode(bundles.load(target.api)))
    allowance = allowance or Allowance(target.calls, target.rate, plan.seconds)
    allowance.guard = allowance.guard or guard_of(target, bundle)
    book = Book(bundle)
    reference = Reference(target)
    places: Places | None = None
    results: list[LawResult] = []
    stopped: str | None = None
    silent = 0
    try:
        places = places_of(target, allowance, BEGINNING, run_name())
        for n, law in enumerate(plan.laws, 1):
            progress(law, n, len(plan.laws))
            stopped = stopped or allowance.over
            if stopped is None:
                bench = Bench(
                    law, target, bundle, FREEDOM, places, reference, book, allowance, plan.profile, plan.seed,
                    stop_at_first=plan.stop_at_first, only=plan.only,
                )  # fmt: skip
                result, stopped = _tried(law, bench, book, allowance)
                silent = silent + 1 if result.reason.startswith(PORT_FAILED) else 0
                if silent >= MOST_SILENT:
                    stopped = result.reason
            else:
                result = _not_verified(law, stopped)
            results.append(result)
            progress(result, n, len(plan.laws))
    finally:
        if places is not None:
            # A target that has gone away needs no tidying up.
            with suppress(PortError, Stopped):
                places.close()
        reference.close()
    return Report(
        target.url,
        target.api,
        str(bundle.document["info"]["version"]),
        plan.profile,
        plan.seed,
        began,
        round(stopwatch() - clock, 3),
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
    calls, clock, before = allowance.calls, stopwatch(), len(book.findings)
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
    except NotAllowed as no:
        reason = f"needs more than may = {bench.target.may!r}: {no}"
    except PortError as error:
        reason = "interrupted" if allowance.interrupted.is_set() else f"{PORT_FAILED}: {error}"
    except Broken as broken:
        reason = f"{NO_PLACE}: {broken}"
    except Exception as error:
        reason = f"{LAW_FAILED}: {type(error).__name__}: {error}"[:500]
    if allowance.calls == calls and not reason and not bench.also_found:
        reason = "it has tried nothing: it is about other operations"
    if bench.also_found and not reason:
        reason = f"found already: see {', '.join(sorted(bench.also_found))}"
    # It is told as soon as the law is over, before any report masks what it shows.
    reason = Masker(secrets_of(bench.target)).text(reason)
    state = "failed" if len(book.findings) > before or bench.also_found else "not verified" if reason else "passed"
    result = LawResult(
        law.id, law.family, law.title, law.clause, state, reason,  # type: ignore[arg-type]
        allowance.calls - calls, round(stopwatch() - clock, 3), tuple(sorted(bench.also_found)),
    )  # fmt: skip
    return result, stopped


def unmet(law: Law, target: Target) -> list[Need]:
    """What a law needs and the target does not offer."""
    return sorted(law.needs - target.offers)


def went_wrong(result: LawResult) -> bool:
    """Whether a law was not verified although it could have been: not for want of what the target does not offer."""
    return result.state == "not verified" and result.reason.startswith((PORT_FAILED, NO_PLACE, LAW_FAILED))


def _not_verified(law: Law, reason: str) -> LawResult:
    return LawResult(law.id, law.family, law.title, law.clause, "not verified", reason)


def chosen(laws: Sequence[Law], wanted: Sequence[str]) -> tuple[Law, ...]:
    """The laws whose id or family is wanted; all if nothing is. Raises ValueError with what there is."""
    if not wanted:
        return tuple(laws)
    for name in wanted:
        known = sorted({law.family for law in laws} | {law.id for law in laws})
        if name not in known:
            close = get_close_matches(name, known, 3)
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"families are {', '.join(FAMILIES)};"
            raise ValueError(f"there is no law or family {name[:80]!r}; {hint} `mockbill contract laws` lists them")
    return tuple(law for law in laws if law.id in wanted or law.family in wanted)
