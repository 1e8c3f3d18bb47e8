"""`report.json`: all of a run for programs. Format 1:

    format          1; a higher number would mean that something here is called otherwise
    tool            {name, version}: who wrote it
    url, api, bundle_version, profile, seed, began (RFC 3339), seconds, calls, stopped (null, or why it ended early), notes,
    shard           the run; `shard` is null, or "1/4" where it was one part of several
    summary         {laws: {passed, failed, known, not verified}, findings: {new, expired, known},
                    operations: {seen, declared}, statuses: {seen, declared}}
    laws            [{law, family, title, clause, state, reason, calls, seconds, found_by}]; state: passed, failed, not
                    verified
    findings        [{fingerprint, news, baseline, law, title, clause, kind, expected, came, operation, status, place, steps,
                    replay, seed, notes, wanted}]; news: new, expired, known; baseline: null, or the
                    entry: {fingerprint, law, operation, owner, reason, expires}
      steps         [{title, method, url, headers, body, status, answer_headers, answer_body, role, exact, is_raw}]; headers
                    are pairs; `status` is null where no answer came; `method` is "" where no call was made
      replay        null, or the steps as data (see `contracts.steps`), numbered from 1; `wanted`: see `contracts.findings`
    coverage        [{operation, method, path, status, seen, verified, masked, declared}]; the counts are by law
    never_seen      [{operation, statuses}]: declared, and never came
    fixed, not_tried  [{fingerprint, law, operation, owner, reason, expires}]: of the baseline, what is no longer found,
                    and what this run says nothing about
    setup           what it takes to do the steps again (see `contracts.reports.again`)

Secrets are masked (see `contracts.redaction`). Members may be added: readers pass over those that they do not know.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from contracts.baseline import Entry
from contracts.findings import Finding, Report
from contracts.steps import text_of

from .again import Setup
from .view import Found, View

FORMAT = 1
LARGEST = 256 * 1024 * 1024


class ReportError(ValueError):
    """A file is no report; the message says which file, and why."""


def text(view: View) -> str:
    return json.dumps(document(view), indent=1) + "\n"


def document(view: View) -> dict[str, Any]:
    """What the file says, as JSON values."""
    from mock_server import __version__

    report: dict[str, Any] = msgspec.to_builtins(view.report)
    operations, statuses = view.operations, view.statuses
    return {
        "format": FORMAT,
        "tool": {"name": "mockbill", "version": __version__},
        **{name: value for name, value in report.items() if name not in ("format", "laws", "findings", "coverage")},
        "summary": {
            "laws": dict(view.states),
            "findings": dict(view.news),
            "operations": {"seen": operations[0], "declared": operations[1]},
            "statuses": {"seen": statuses[0], "declared": statuses[1]},
        },
        "laws": report["laws"],
        "findings": [_finding(each) for each in view.found],
        "coverage": report["coverage"],
        "never_seen": [{"operation": name, "statuses": each} for name, each in view.never_seen.items()],
        "fixed": msgspec.to_builtins(view.fixed),
        "not_tried": msgspec.to_builtins(view.not_tried),
        "setup": msgspec.to_builtins(view.setup),
    }


def _finding(found: Found) -> dict[str, Any]:
    finding = found.finding
    said = msgspec.to_builtins(found.entry)
    fields: dict[str, Any] = msgspec.to_builtins(finding)
    for name in ("replay", "wanted"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return {"fingerprint": finding.fingerprint, "news": found.news, "baseline": said, **fields}


def read_report(path: Path) -> View:
    """A report as it was written, for writing it otherwise or together with others. Raises ReportError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise ReportError(f"{path}: is larger than {LARGEST} bytes")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: is no JSON: {error}") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ReportError(f"{path}: is no report of format {FORMAT}")
    try:
        return _view(value)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise ReportError(f"{path}: is no report: {error}") from None


def _view(value: dict[str, Any]) -> View:
    found = [_found(n, each) for n, each in enumerate(value.get("findings") or [], 1)]
    report = msgspec.convert({**value, "findings": []}, Report)
    return View(
        msgspec.structs.replace(report, findings=tuple(each.finding for each in found)),
        msgspec.convert(value.get("setup"), Setup),
        tuple(found),
        msgspec.convert(value.get("fixed") or [], tuple[Entry, ...]),
        msgspec.convert(value.get("not_tried") or [], tuple[Entry, ...]),
    )


def _found(number: int, value: dict[str, Any]) -> Found:
    fields = {
        **value, **{name: None if value.get(name) is None else text_of(value[name]) for name in ("replay", "wanted")},
    }  # fmt: skip
    finding = msgspec.convert(fields, Finding)
    entry = msgspec.convert(value.get("baseline"), Entry | None)
    return msgspec.convert({"number": number, "finding": finding, "news": value["news"], "entry": entry}, Found)
