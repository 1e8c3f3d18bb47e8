"""A report on a terminal; in a pipe the same as plain text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from contracts.findings import LawResult
from mock_server.commands.tables import clean

from .plain import excuse, told
from .view import Found, LawState, View

if TYPE_CHECKING:
    from rich.console import Console

STYLES: dict[str, str] = {
    "passed": "green", "failed": "bold red", "known": "yellow", "not verified": "bold yellow",
    "new": "bold red", "expired": "bold red", "step": "bold", "command": "cyan", "answer": "dim",
}  # fmt: skip
MOST_STATUSES = 400


def show(view: View, console: Console, *, with_laws: bool = True, is_whole: bool = True) -> None:
    """Everything: how each law went, every finding, and what it comes to. `with_laws`: not if progress has told that.
    `is_whole`: whether all laws were tried over all operations, so that it means something what was never seen.
    """
    if with_laws:
        for result in view.report.laws:
            law(result, view.state(result), console)
    for found in view.found:
        _line(console)
        finding(view, found, console)
    _line(console)
    summary(view, console, is_whole=is_whole)


def law(result: LawResult, state: LawState, console: Console) -> None:
    """One line."""
    effort = "" if state == "not verified" and not result.calls else f"  ({result.calls} calls, {result.seconds:.2f} s)"
    reason = f": {clean(result.reason)}" if result.reason else ""
    _line(console, (_mark(state), STYLES[state]), (f"  {result.law}  {clean(result.title)}{effort}{reason}", ""))


def finding(view: View, found: Found, console: Console) -> None:
    for line, kind in told(view, found):
        _line(console, (line, STYLES.get(kind, "")))


def summary(view: View, console: Console, *, is_whole: bool = True) -> None:
    report = view.report
    states, news = view.states, view.news
    _line(console, (f"{clean(report.api)} {clean(report.bundle_version)} at {clean(report.url)}", "bold"))
    _line(
        console,
        ("laws: ", ""),
        (f"{states['passed']} passed", "green"),
        *((f", {states[state]} {text}", STYLES[state]) for state, text in _WORDS if states[state]),
    )
    for result in report.laws:
        if result.state == "not verified":
            _line(console, ("   NOT VERIFIED ", STYLES["not verified"]), (f"{result.law}: {clean(result.reason)}", ""))
    counted = [f"{count} {name}" for name, count in news.items() if count]
    _line(console, (f"findings: {', '.join(counted) if counted else 'none'}", ""))
    for found in view.found:
        if found.news == "expired":
            _line(console, (f"   expired: {found.number}) {excuse(found)}", STYLES["expired"]))
    for entry in view.fixed:
        text = f"   no longer seen: {entry.fingerprint} {entry.law} {entry.operation or ''} ({entry.owner})"
        _line(console, (f"{clean(text)}: it can leave the baseline", "green"))
    _line(
        console,
        ("operations seen: {} of {}, declared statuses seen: {} of {}".format(*view.operations, *view.statuses), ""),
    )
    missing = [f"{operation} {', '.join(map(str, each))}" for operation, each in view.never_seen.items()]
    if missing and is_whole:
        _line(console, ("declared and never seen:", "bold"))
        for text in _few(missing):
            _line(console, (f"   {text}", ""))
    unknown = [f"{each.operation} {each.status}" for each in view.undeclared]
    if unknown:
        _line(console, (f"seen and not declared: {', '.join(_few(unknown))}", STYLES["failed"]))
    if report.stopped is not None:
        _line(console, (f"this run ended early: {clean(report.stopped)}", STYLES["not verified"]))
    _line(console, (f"{report.calls} calls in {report.seconds:.1f} s, seed {report.seed}", "dim"))


_WORDS: tuple[tuple[LawState, str], ...] = (
    ("failed", "failed"),
    ("known", "failed in ways that are known"),
    ("not verified", "not verified"),
)


def _mark(state: LawState) -> str:
    return f"{'NOT VERIFIED' if state == 'not verified' else state.upper() if state == 'failed' else state:12}"


def _few(texts: Iterable[str]) -> list[str]:
    listed = list(texts)
    more = len(listed) - MOST_STATUSES
    return listed if more <= 0 else [*listed[:MOST_STATUSES], f"and {more} more"]


def _line(console: Console, *parts: tuple[str, str]) -> None:
    """Never broken by us: a command must be fit to be copied."""
    from rich.text import Text

    console.print(Text.assemble(*parts), soft_wrap=True, highlight=False)
