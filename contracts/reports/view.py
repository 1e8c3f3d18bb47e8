"""What every report shows, made once: the report without secrets, what of it is known, and how to see it again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from contracts import baseline
from contracts.baseline import Entry, Split
from contracts.findings import Finding, LawResult, Report, Seen
from contracts.redaction import Masker, redacted, secrets_of
from contracts.target import Target

from .again import BEGINNING, Setup, command_for, setup_of
from .walkthrough import Walkthrough, walkthrough

News = Literal["new", "expired", "known"]
LawState = Literal["passed", "failed", "known", "not verified"]


class Found(msgspec.Struct, frozen=True):
    """A finding, its number in all reports, and what the baseline says of it (`expired` counts as new)."""

    number: int
    finding: Finding
    news: News = "new"
    entry: Entry | None = None

    @property
    def file(self) -> str:
        """What its stand-alone test is called."""
        return f"test_{re.sub(r'[^a-z0-9]+', '_', self.finding.law.lower()).strip('_')}_{self.finding.fingerprint}.py"


class View(msgspec.Struct, frozen=True):
    """Only `view_of` and `contracts.reports.json_report` make one, so that no writer ever has a secret in its hands."""

    report: Report
    setup: Setup
    found: tuple[Found, ...]
    fixed: tuple[Entry, ...] = ()
    not_tried: tuple[Entry, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether there is a finding that nobody has excused."""
        return any(each.news != "known" for each in self.found)

    def of_law(self, law: str) -> list[Found]:
        return [each for each in self.found if each.finding.law == law]

    def state(self, result: LawResult) -> LawState:
        """`known`: all that was found is excused."""
        if result.state != "failed":
            return result.state
        mine = self.of_law(result.law)
        for other in result.found_by:
            mine += self.of_law(other)
        return "known" if mine and all(each.news == "known" for each in mine) else "failed"

    @property
    def states(self) -> Mapping[str, int]:
        counted = Counter(self.state(each) for each in self.report.laws)
        return {state: counted.get(state, 0) for state in ("passed", "failed", "known", "not verified")}

    @property
    def news(self) -> Mapping[str, int]:
        counted = Counter(each.news for each in self.found)
        return {news: counted.get(news, 0) for news in ("new", "expired", "known")}

    @property
    def declared(self) -> list[Seen]:
        return [each for each in self.report.coverage if each.declared]

    @property
    def undeclared(self) -> list[Seen]:
        """Statuses that came although the bundle does not know them."""
        return [each for each in self.report.coverage if not each.declared]

    @property
    def operations(self) -> tuple[int, int]:
        """How many operations have answered, and how many there are."""
        came = {each.operation for each in self.report.coverage if each.came}
        return len(came), len({each.operation for each in self.report.coverage})

    @property
    def statuses(self) -> tuple[int, int]:
        """How many declared statuses came, and how many there are."""
        return sum(each.came for each in self.declared), len(self.declared)

    @property
    def never_seen(self) -> dict[str, list[int]]:
        """Declared statuses that never came, by operation."""
        missing: dict[str, list[int]] = {}
        for each in self.declared:
            if not each.came:
                missing.setdefault(each.operation, []).append(each.status)
        return missing

    def walkthrough(self, found: Found) -> Walkthrough:
        return walkthrough(found.finding, self.setup)

    def command(self, found: Found) -> str:
        return command_for(found.finding, self.report, self.setup)


def view_of(
    report: Report,
    target: Target,
    bundle: Mapping[str, Any],
    *,
    known: Iterable[Entry] = (),
    today: date | None = None,
    now: str = BEGINNING,
    command: str | None = None,
) -> View:
    """`bundle`: the document. `known`: the baseline, judged on the day `today`; `now`, `command`: see `setup_of`."""
    secrets = secrets_of(target)
    clean = redacted(report, secrets, bundle)
    setup = masked(setup_of(target, now, command), secrets)
    return view_from(clean, setup, baseline.split(clean, known, today or date.min))


def masked(setup: Setup, secrets: Mapping[str, str]) -> Setup:
    """What belongs to a setup is no secret; a URL with a password in it, or a setting, may have one all the same."""
    masker = Masker(secrets)

    def within(value: Any) -> Any:
        if isinstance(value, str):
            return masker.url(value)
        if isinstance(value, dict):
            return {name: within(each) for name, each in value.items()}
        return [within(each) for each in value] if isinstance(value, list | tuple) else masker.value(value)

    return msgspec.convert(within(msgspec.to_builtins(setup)), Setup)


def view_from(report: Report, setup: Setup, parts: Split) -> View:
    """Of a report that has no secrets any more."""
    entries: dict[int, tuple[News, Entry]] = {id(finding): ("known", entry) for finding, entry in parts.known}
    entries |= {id(finding): ("expired", entry) for finding, entry in parts.expired}
    found = tuple(
        Found(n, finding, *entries.get(id(finding), ("new", None))) for n, finding in enumerate(report.findings, 1)
    )
    return View(report, setup, found, parts.fixed, parts.not_tried)
