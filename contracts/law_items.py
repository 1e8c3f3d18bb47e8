"""Laws as tests of pytest: what `--mockbill-contract` collects. Imported only if it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .findings import Report
    from .http import Allowance
    from .law import Law
    from .reports.view import View
    from .suite import Suite

MARKER = "mockbill_contract"


class Failed(Exception):
    """A law is broken, or could not be tried; the message is all there is to say."""


class Laws:
    """Only there when it was asked for."""

    def __init__(self, suite: Suite, file: Path) -> None:
        self._suite, self._file = suite, file

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path != self._file:
            return None
        made: ContractFile = ContractFile.from_parent(parent, path=file_path, suite=self._suite)
        return made


class ContractFile(pytest.File):
    """The laws, and what they share."""

    def __init__(self, *, suite: Suite, **rest: Any) -> None:
        super().__init__(**rest)
        self.suite = suite
        self.profile = self.config.getoption("--mockbill-profile")
        self.allowance: Allowance | None = None
        """Of all laws together, from the first one on."""
        self.unusable: str | None = None
        self._was_tried = False

    def collect(self) -> Iterator[LawItem]:
        for law in self.suite.laws:
            yield LawItem.from_parent(self, name=f"contract[{law.id}]", law=law)

    def ready(self) -> None:
        """Whether the target can be used; the first law tells why not, the others are skipped. Raises Failed."""
        if self.unusable is not None:
            pytest.skip("the target cannot be used: the first law says why")
        if self._was_tried:
            return
        from .discovery import Unreachable
        from .http import Allowance
        from .ports import PortError
        from .suite import SECONDS
        from .target import TargetError

        self._was_tried = True
        self.allowance = Allowance(self.suite.target.calls, self.suite.target.rate, SECONDS[self.profile])
        try:
            self.suite.check()
        except (TargetError, Unreachable, PortError) as error:
            self.unusable = str(error)
            raise Failed(self.unusable) from None

    def seen(self, report: Report) -> View:
        """A report beside the baseline that the file names. Raises Failed if that cannot be read."""
        from .baseline import load
        from .machine import today
        from .reports.view import view_of
        from .target import TargetError

        known = self.suite.config.baseline
        try:
            entries = () if known is None else load(known)
        except TargetError as error:
            raise Failed(str(error)) from None
        return view_of(report, self.suite.target, self.suite.bundle.document, known=entries, today=today())


class LawItem(pytest.Item):
    def __init__(self, *, law: Law, **rest: Any) -> None:
        super().__init__(**rest)
        self.law = law
        self.add_marker(MARKER)

    def runtest(self) -> None:
        from .runner import unmet, went_wrong

        file = self.parent
        assert isinstance(file, ContractFile)
        if missing := unmet(self.law, file.suite.target):
            pytest.skip(f"not verified: needs {', '.join(missing)}")
        file.ready()
        result, report = file.suite.try_law(
            self.law,
            profile=file.profile,
            seed=self.config.getoption("--mockbill-seed"),
            preflight=False,
            allowance=file.allowance,
        )
        if result.state == "failed":
            view = file.seen(report)
            if view.fails:
                raise Failed(_told(view))
            pytest.xfail("known: the baseline excuses what was found")
        if result.state == "not verified":
            if report.stopped is not None or went_wrong(result):
                raise Failed(f"not verified: {result.reason}")
            pytest.skip(f"not verified: {result.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The findings, and no traceback of the harness."""
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


def _told(view: View) -> str:
    """The findings, as the command line shows them."""
    from io import StringIO

    from rich.console import Console

    from .reports.console import finding

    text = StringIO()
    console = Console(file=text, width=120, markup=False, emoji=False, highlight=False, color_system=None)
    for found in view.found:
        finding(view, found, console)
    return text.getvalue().rstrip()
