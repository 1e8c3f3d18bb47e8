"""Which mutants the laws kill, and which of them a plain fuzzer kills with the same bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from contracts.bench import Profile
from contracts.findings import Report
from contracts.law import Law
from contracts.machine import stopwatch
from contracts.runner import Plan, run

from .catalogue import MUTANTS, NONE
from .mutant import Mutant
from .plain import run_plain
from .served import Served

LONGEST = 120.0
"""Seconds for one mutant."""


class Kill(msgspec.Struct, frozen=True):
    """How one mutant fared.

    by          the law that broke first; None if none did
    calls       how many calls its shortest counterexample takes
    seconds     from the start of the run to the finding in its shortest form
    plain       whether plain `schemathesis run` found it; None if that was not tried
    """

    id: str
    family: str
    title: str
    killed: bool
    by: str | None = None
    calls: int | None = None
    seconds: float = 0.0
    plain: bool | None = None
    plain_seconds: float | None = None


class Matrix(msgspec.Struct, frozen=True):
    """`false_alarms`: what the laws said of the reference without any fault; must be empty."""

    profile: str
    seed: int
    mutants: tuple[Kill, ...]
    false_alarms: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        return sum(each.killed for each in self.mutants) / len(self.mutants) if self.mutants else 1.0

    @property
    def median_calls(self) -> float | None:
        calls = [each.calls for each in self.mutants if each.calls is not None]
        return median(calls) if calls else None


Told = Callable[[Kill, int, int], None]
"""Told of each mutant when its fate is known, with its number and how many there are."""


def chosen(ids: Sequence[str] = (), families: Sequence[str] = ()) -> list[Mutant]:
    """The mutants with these ids or of these families; all if nothing is named. Raises ValueError with what there is."""
    known = {mutant.family for mutant in MUTANTS.values()}
    for name in ids:
        if name not in MUTANTS:
            raise ValueError(f"there is no mutant {name!r}; `mockbill contract mutants --list` shows them all")
    for name in families:
        if name not in known:
            raise ValueError(f"there is no family {name!r}; there are: {', '.join(sorted(known))}")
    if not ids and not families:
        return [mutant for mutant in MUTANTS.values() if mutant.id != NONE]
    return [mutant for mutant in MUTANTS.values() if mutant.id in ids or mutant.family in families]


def matrix(
    mutants: Sequence[Mutant],
    laws: tuple[Law, ...],
    profile: Profile = "quick",
    seed: int = 1,
    *,
    plain: bool = False,
    told: Told = lambda *_: None,
) -> Matrix:
    """Every mutant in a process of its own, against the laws until the first finding. Raises NotServed."""
    kills = []
    for n, mutant in enumerate(mutants, 1):
        kill = fate(mutant, laws, profile, seed)
        if plain:
            found = judged_plainly(mutant.id, seed)
            kill = msgspec.structs.replace(kill, plain=found[0], plain_seconds=found[1])
        kills.append(kill)
        told(kill, n, len(mutants))
    clean = report_on(NONE, Plan(laws, profile, seed, seconds=LONGEST * 5))
    return Matrix(profile, seed, tuple(kills), tuple(f"{each.law}: {each.came}" for each in clean.findings))


def fate(mutant: Mutant, laws: tuple[Law, ...], profile: Profile = "quick", seed: int = 1) -> Kill:
    """What becomes of one mutant."""
    started = stopwatch()
    report = report_on(mutant.id, Plan(laws, profile, seed, seconds=LONGEST, stop_at_first=True))
    seconds = round(stopwatch() - started, 2)
    if not report.findings:
        return Kill(mutant.id, mutant.family, mutant.title, False, seconds=seconds)
    first = report.findings[0]
    return Kill(mutant.id, mutant.family, mutant.title, True, first.law, first.calls, round(report.seconds, 2))


def report_on(mutant: str, plan: Plan) -> Report:
    """A run against a mutant that is started for it."""
    with Served(mutant) as server:
        return run(server.target, plan)


def judged_plainly(mutant: str, seed: int) -> tuple[bool, float]:
    """Whether plain `schemathesis run` finds a mutant, and in how many seconds."""
    with Served(mutant) as server:
        result = run_plain(server.url, seed)
    return result.killed, round(result.seconds, 1)
