"""`mockbill contract run`: from what was asked for to the exit code."""

from __future__ import annotations

import getpass
import shlex
import sys
from datetime import timedelta
from pathlib import Path

import msgspec

from mock_server.commands.groups import FINDINGS, UNREACHABLE, WRONG_USE
from mock_server.commands.tables import clean as clean_line

from . import baseline
from .baseline import Entry
from .bench import Profile
from .cleanup import Journal, clean
from .config import NAME
from .findings import Report
from .http import GONE, Allowance
from .interrupting import INTERRUPTED, Interruptible
from .machine import today
from .progress import Progress
from .runner import went_wrong
from .suite import SECONDS, Suite, load, load_mockbill
from .target import TargetError

EXCUSED = timedelta(days=90)
"""How long what `--update-baseline` writes is excused."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command."""

    url: str | None = None
    api: str | None = None
    config: Path | None = None
    profile: Profile = "quick"
    laws: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    seed: int = 1
    report_dir: Path | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    owner: str | None = None
    max_seconds: float | None = None
    journal: Path | None = None
    preflight: bool = True
    token: str | None = None
    as_json: bool = False
    quiet: bool = False


def run_it(asked: Asked) -> int:
    """The exit code. Raises TargetError, Unreachable or PortError if it cannot even begin."""
    suite = _suite(asked)
    file = asked.baseline or suite.config.baseline
    known = _known(file, asked)
    _ready_to_write(asked, file)
    allowance = Allowance(suite.target.calls, suite.target.rate, asked.max_seconds or SECONDS[asked.profile])
    with Interruptible(allowance), Progress(quiet=asked.quiet) as progress:
        report = suite.run(
            profile=asked.profile,
            seed=asked.seed,
            operations=asked.operations,
            seconds=asked.max_seconds,
            preflight=asked.preflight,
            progress=progress.tell,
            allowance=allowance,
        )
    return _reported(report, suite, asked, file, known)


def clean_up(asked: Asked) -> int:
    """Only delete what a run that was killed has left behind."""
    suite = _suite(asked)
    if not suite.keeps_a_journal:
        raise TargetError('only a run with may = "own-objects" and without a control port leaves anything behind')
    if not suite.journal.exists():
        sys.stderr.write(f"mockbill: there is no journal {suite.journal}, so nothing was left behind\n")
        return 0
    with Journal(suite.journal) as journal:
        count = len(journal.made) + len(journal.asked)
        notes = clean(suite.target, suite.bundle, journal)
    for note in notes:
        sys.stderr.write(f"mockbill: {note}\n")
    if not notes:
        sys.stderr.write(f"mockbill: {count} left-overs were dealt with\n")
    return FINDINGS if notes else 0


def exit_code(report: Report, *, fails: bool) -> int:
    """`fails`: whether there is a finding that nobody has excused.

    A run that did not get through is no success: what it has not tried may be broken. A law whose need is not met is
    none that could have been tried, so it lets no run fail, unless none is left.
    """
    if fails:
        return FINDINGS
    if report.stopped == "interrupted":
        return INTERRUPTED
    if report.stopped is not None and report.stopped.startswith(GONE):
        return UNREACHABLE
    if report.stopped is not None or any(went_wrong(each) for each in report.laws):
        return FINDINGS
    return WRONG_USE if all(each.state == "not verified" for each in report.laws) else 0


def _suite(asked: Asked) -> Suite:
    if asked.config is None and not Path(NAME).exists():
        if asked.url is None:
            raise TargetError(
                "what is to be tested? Give --url of a mockbill, or --config contract.toml for anything else "
                "(`mockbill contract init` writes one)"
            )
        found = load_mockbill(asked.url, asked.api or "openapp", asked.token, asked.laws)
        return Suite(found.config, found.laws, asked.journal)
    return load(asked.config or NAME, url=asked.url, api=asked.api, laws=asked.laws, journal=asked.journal)


def _known(file: Path | None, asked: Asked) -> tuple[Entry, ...]:
    if file is None:
        if asked.update_baseline:
            raise TargetError("--update-baseline needs to know the file: give --baseline or [baseline] file")
        return ()
    return () if asked.update_baseline and not file.exists() else baseline.load(file)


def _ready_to_write(asked: Asked, file: Path | None) -> None:
    """What cannot be written is said before a run, not after it. Raises TargetError."""
    if asked.report_dir is not None:
        try:
            asked.report_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TargetError(f"--report-dir: {asked.report_dir}: {error.strerror}") from None
    if asked.update_baseline and file is not None and not file.parent.is_dir():
        raise TargetError(f"{file}: cannot be written: there is no folder {file.parent}")


def _reported(report: Report, suite: Suite, asked: Asked, file: Path | None, known: tuple[Entry, ...]) -> int:
    from .reports import json_report, write_all
    from .reports.console import show
    from .reports.view import view_of

    if asked.update_baseline and file is not None:
        known = _updated(report, file, known, asked)
    document = suite.bundle.document
    view = view_of(report, suite.target, document, known=known, today=today(), command=_command(asked))
    if asked.report_dir is not None:
        try:
            write_all(view, asked.report_dir)
        except OSError as error:
            raise TargetError(f"--report-dir: {error.filename or asked.report_dir}: {error.strerror}") from None
    if asked.as_json:
        sys.stdout.write(json_report.text(view).rstrip("\n") + "\n")
    else:
        from rich.console import Console

        is_whole = not asked.laws and not asked.operations and report.stopped is None
        show(view, Console(highlight=False, markup=False, emoji=False), with_laws=False, is_whole=is_whole)
    for note in view.report.notes:
        if not (asked.as_json and asked.quiet):
            (sys.stderr if asked.as_json else sys.stdout).write(f"note: {clean_line(note)}\n")
    sys.stdout.flush()
    return exit_code(view.report, fails=view.fails)


def _updated(report: Report, file: Path, known: tuple[Entry, ...], asked: Asked) -> tuple[Entry, ...]:
    owner, now = asked.owner or _user(), today()
    entries = baseline.renewed(
        report, known, owner=owner, reason="known when the baseline was written", expires=now + EXCUSED, today=now
    )
    try:
        baseline.write(file, entries)
    except OSError as error:
        raise TargetError(f"{file}: cannot be written: {error.strerror}") from None
    sys.stderr.write(f"mockbill: {file} knows {len(entries)} findings until {now + EXCUSED}; say why in it\n")
    return entries


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "nobody yet"


def _command(asked: Asked) -> str:
    """What starts such a run again, without law and seed."""
    words = ["mockbill", "contract", "run"]
    for name, value in (("--config", asked.config), ("--url", asked.url), ("--api", asked.api)):
        words += [] if value is None else [name, str(value)]
    return shlex.join(words)
