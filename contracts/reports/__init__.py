"""What a run found, for people and for machines.

    view = view_of(report, target, bundle.document, known=baseline.load(path), today=today)
    console.show(view, Console())
    write_all(view, folder)

A `View` is the report without its secrets: nothing here writes anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from contracts.atomic import write_text
from contracts.bundle import Bundle
from mock_server import bundles

from . import html, json_report, junit
from .json_report import ReportError, read_report
from .json_report import text as json_text
from .pytest_file import MARKER, source
from .view import Found, View, view_of

__all__ = ["Found", "ReportError", "View", "json_text", "read_report", "view_of", "write_all"]

MOST_FILES, MOST_FILES_IN_ALL = 10, 300
"""Stand-alone tests of one law, and of a run; more of the same helps nobody."""


def write_all(view: View, folder: Path, bundle: Mapping[str, Any] | None = None) -> list[Path]:
    """`report.html`, `report.json`, `junit.xml` and a test for each finding, each in the place of the last run's.

    `bundle`: the document, if it is at hand. What was written. Raises OSError.
    """
    texts = {
        folder / "report.json": json_report.text(view),
        folder / "junit.xml": junit.text(view),
        folder / "report.html": html.text(view),
        **{folder / "findings" / name: text for name, text in standing_alone(view, bundle).items()},
    }
    for path, text in texts.items():
        write_text(path, text)
    for old in sorted((folder / "findings").glob("test_*.py")):
        if old not in texts and MARKER in old.read_text(encoding="utf-8", errors="replace")[:4_000]:
            old.unlink(missing_ok=True)
    return list(texts)


def standing_alone(view: View, bundle: Mapping[str, Any] | None = None) -> dict[str, str]:
    """A stand-alone test for each finding, by the name of its file."""
    operations = Bundle(bundle or msgspec.json.decode(bundles.load(view.report.api)))
    written: Counter[str] = Counter()
    found: dict[str, str] = {}
    for each in view.found:
        written[each.finding.law] += 1
        if written[each.finding.law] <= MOST_FILES and len(found) < MOST_FILES_IN_ALL:
            found[each.file] = source(view, each, operations)
    return found
