"""What is told while a run goes on: a bar on a terminal, a line for each law elsewhere, all on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mock_server.commands.tables import clean

from .findings import LawResult

if TYPE_CHECKING:
    from .law import Law

WORDS = {"passed": "passed", "failed": "FAILED", "not verified": "NOT VERIFIED"}
STYLES = {"passed": "green", "failed": "bold red", "not verified": "yellow"}


class Progress:
    """`with Progress(quiet=False) as progress: run(..., progress=progress.tell)`."""

    def __init__(self, *, quiet: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._quiet, self._is_terminal = quiet, sys.stderr.isatty()

    def __enter__(self) -> Progress:
        if self._is_terminal and not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True, markup=False, highlight=False),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, event: LawResult | Law, number: int, count: int) -> None:
        """Of a law before it is tried, and of how it went."""
        if self._quiet:
            return
        if not isinstance(event, LawResult):
            if self._bar is not None:
                self._bar.update(self._task, description=f"{event.id}  {event.title}", total=count)
            return
        text = told(event, number, count)
        if self._bar is None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
            return
        self._bar.update(self._task, completed=number)
        if event.state != "passed":
            self._bar.console.print(text, style=STYLES[event.state], soft_wrap=True)

    def note(self, text: str) -> None:
        """Something beside the laws."""
        if self._bar is not None:
            self._bar.console.print(f"mockbill: {clean(text)}", soft_wrap=True)
        elif not self._quiet:
            sys.stderr.write(f"mockbill: {clean(text)}\n")
            sys.stderr.flush()


def told(result: LawResult, number: int, count: int) -> str:
    """How a law went, in one line."""
    reason = f": {clean(result.reason)}" if result.reason else ""
    effort = f" ({result.calls} calls, {result.seconds:.1f} s)" if result.calls else ""
    width = len(str(count))
    return f"{number:>{width}}/{count} {WORDS[result.state]:12} {result.law}{effort}{reason}"
