"""A target with the laws it is held against: for the command line, for scripts and for pytest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from mock_server import bundles

from .bench import Profile
from .bundle import Bundle
from .cleanup import Journal, clean
from .config import NAME, Config, config
from .discovery import target_at
from .findings import LawResult, Report
from .guard import OwnObjects, guard_of
from .http import Allowance
from .law import Law
from .machine import run_name
from .preflight import preflight
from .runner import BEGINNING, Plan, Progress, chosen, run
from .target import Target, TargetError

SECONDS: dict[Profile, float] = {"quick": 300.0, "full": 3600.0}
"""After so long a run ends with a report of what it has, unless it is told otherwise."""
JOURNAL = ".mockbill-contract.jsonl"


class Suite:
    """What `contracts.load` gives.

    config      what the file says, among it `target`
    laws        the laws that are tried, each with id, title, clause and needs
    """

    def __init__(self, config: Config, laws: Sequence[Law], journal: Path | None = None) -> None:
        self.config, self.laws = config, tuple(laws)
        self.journal = journal or config.folder / JOURNAL

    @property
    def target(self) -> Target:
        return self.config.target

    @property
    def keeps_a_journal(self) -> bool:
        """Whether what a run creates stays behind unless it is cleaned up."""
        return self.target.may == "own-objects" and self.target.ports.control is None

    @property
    def bundle(self) -> Bundle:
        return Bundle(msgspec.json.decode(bundles.load(self.target.api)))

    def only(self, *laws: str) -> Suite:
        """The same with the laws of these ids or families. Raises TargetError for one that there is not."""
        try:
            return Suite(self.config, chosen(self.laws, laws), self.journal)
        except ValueError as error:
            raise TargetError(str(error)) from None

    def check(self) -> list[str]:
        """Hints, once the target was reached and every credential tried. Raises Unreachable or TargetError."""
        return preflight(self.target, BEGINNING, run_name())

    def run(
        self,
        *,
        profile: Profile = "quick",
        seed: int = 1,
        operations: Sequence[str] = (),
        seconds: float | None = None,
        stop_at_first: bool = False,
        preflight: bool = True,
        progress: Progress = lambda *_: None,
        allowance: Allowance | None = None,
    ) -> Report:
        """Hold the target against the laws. Raises Unreachable, TargetError or PortError if it cannot even begin."""
        notes = self.check() if preflight else []
        bundle = self.bundle
        for each in operations:
            if each not in bundle.operations:
                raise TargetError(f"there is no operation {each!r}; there are: {', '.join(bundle.operations)}")
        seconds = SECONDS[profile] if seconds is None else seconds
        allowance = allowance or Allowance(self.target.calls, self.target.rate, seconds)
        plan = Plan(self.laws, profile, seed, frozenset(operations), seconds, stop_at_first)
        if not self.keeps_a_journal:
            return _noted(run(self.target, plan, progress, allowance), notes)
        with Journal(self.journal) as journal:
            notes += clean(self.target, bundle, journal)
            journal.begin(self.target.url)
            guard = allowance.guard = guard_of(self.target, bundle, journal)
            try:
                report = run(self.target, plan, progress, allowance)
            finally:
                notes += clean(self.target, bundle, journal)
            if isinstance(guard, OwnObjects) and guard.orgs:
                notes.append(_orgs_stay(len(guard.orgs)))
        return _noted(report, notes)

    def try_law(self, law: Law, **how: object) -> tuple[LawResult, Report]:
        """How one law goes, and the report of that."""
        report = Suite(self.config, (law,), self.journal).run(**how)  # type: ignore[arg-type]
        return report.laws[0], report


def load(
    path: Path | str = NAME,
    *,
    url: str | None = None,
    api: str | None = None,
    laws: Sequence[str] = (),
    journal: Path | None = None,
) -> Suite:
    """The suite for a `contract.toml`. Raises TargetError, which names file, line and member."""
    from .laws import ALL

    return Suite(config(path, url, api), ALL, journal).only(*laws)


def load_mockbill(url: str, api: str = "openapp", token: str | None = None, laws: Sequence[str] = ()) -> Suite:
    """The suite for a running mockbill, which needs no file. Raises TargetError or Unreachable."""
    from .laws import ALL

    return Suite(Config(target_at(url, api, token), Path()), ALL).only(*laws)


def _noted(report: Report, notes: Sequence[str]) -> Report:
    return msgspec.structs.replace(report, notes=(*report.notes, *notes))


def _orgs_stay(count: int) -> str:
    few = "an organization" if count == 1 else f"{count} organizations"
    return (
        f"{few} called 'mockbill contract' stayed behind below orgs.own, because the API cannot delete one; what was in "
        "them was deleted"
    )
