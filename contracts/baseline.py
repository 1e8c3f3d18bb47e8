"""Findings that are known: a TOML file, kept beside the tests, that says of each who looks after it and until when.

    format = 1

    [[finding]]
    fingerprint = "1f0c6d2b9a7e4c35"
    law = "model.capacity"
    operation = "create_zone"        # left out where no operation broke it
    owner = "ada@example.com"
    reason = "BILL-123, to be mended in 2.4"
    expires = 2026-06-30             # the last day on which it is known; from then on it is new again

A known finding is reported as known, and lets no run fail. `write` keeps what is said of an entry; comments it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from .atomic import write_text
from .findings import Finding, Report
from .tables import Document, Table, read
from .target import TargetError
from .toml_lines import quoted

FORMAT = 1
MOST_ENTRIES = 5_000
_HEAD = """\
# Findings that are known: no run fails because of them until the day on which they expire.
# Written by mockbill. Owner, reason and expires are yours to change; comments are not kept.
"""
_NAMES = ("fingerprint", "law", "operation", "owner", "reason", "expires")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class Entry(msgspec.Struct, frozen=True):
    """`expires`: the last day on which it counts."""

    fingerprint: str
    law: str
    owner: str
    reason: str
    expires: date
    operation: str | None = None

    def is_over(self, today: date) -> bool:
        return today > self.expires


class Split(msgspec.Struct, frozen=True):
    """A report's findings beside a baseline. `expired`: found and known, but no longer excused: they count as new.

    fixed        entries whose law was tried and did not find them again: they can go
    not_tried    entries of laws that this run did not verify, of which it can say nothing
    """

    new: tuple[Finding, ...]
    known: tuple[tuple[Finding, Entry], ...] = ()
    expired: tuple[tuple[Finding, Entry], ...] = ()
    fixed: tuple[Entry, ...] = ()
    not_tried: tuple[Entry, ...] = ()


def load(path: Path) -> tuple[Entry, ...]:
    """Raises TargetError, which names file, line and member."""
    if not path.exists():
        raise TargetError(f"{path}: there is no such file; `--update-baseline` writes one")
    return _entries(read(path))


def parsed(text: str, name: str = "baseline") -> tuple[Entry, ...]:
    """The same from text. Raises TargetError."""
    return _entries(Document(name, text))


def split(report: Report, baseline: Iterable[Entry], today: date) -> Split:
    entries = {entry.fingerprint: entry for entry in baseline}
    new: list[Finding] = []
    known: list[tuple[Finding, Entry]] = []
    expired: list[tuple[Finding, Entry]] = []
    for finding in report.findings:
        entry = entries.get(finding.fingerprint)
        if entry is None:
            new.append(finding)
        else:
            (expired if entry.is_over(today) else known).append((finding, entry))
    seen = {finding.fingerprint for finding in report.findings}
    missing = [entry for entry in entries.values() if entry.fingerprint not in seen]
    fixed = tuple(entry for entry in missing if _was_tried(report, entry))
    return Split(tuple(new), tuple(known), tuple(expired), fixed, tuple(each for each in missing if each not in fixed))


def renewed(
    report: Report,
    previous: Sequence[Entry],
    *,
    owner: str,
    reason: str,
    expires: date,
    today: date,
    prune: bool = False,
) -> tuple[Entry, ...]:
    """A baseline that knows all of a report's findings: what is known stays as it is, what has expired or is new gets
    this owner, reason and date. `prune`: what is fixed goes.
    """
    parts = split(report, previous, today)
    over = {entry.fingerprint for _, entry in parts.expired}
    gone = {entry.fingerprint for entry in parts.fixed} if prune else set()
    kept = [
        msgspec.structs.replace(entry, expires=expires) if entry.fingerprint in over else entry
        for entry in previous
        if entry.fingerprint not in gone
    ]
    made = {
        each.fingerprint: Entry(each.fingerprint, each.law, owner, reason, expires, each.operation)
        for each in parts.new
    }
    return tuple(sorted((*kept, *made.values()), key=lambda each: (each.law, each.operation or "", each.fingerprint)))


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Put a baseline in the place of the old one, all at once."""
    write_text(path, text_of(entries))


def text_of(entries: Iterable[Entry]) -> str:
    blocks = [f"{_HEAD}format = {FORMAT}\n"]
    for entry in entries:
        lines = ["[[finding]]", f"fingerprint = {quoted(entry.fingerprint)}", f"law = {quoted(entry.law)}"]
        lines += [] if entry.operation is None else [f"operation = {quoted(entry.operation)}"]
        lines += [f"owner = {quoted(entry.owner)}", f"reason = {quoted(entry.reason)}"]
        blocks.append("\n".join([*lines, f"expires = {entry.expires.isoformat()}", ""]))
    return "\n".join(blocks)


def _was_tried(report: Report, entry: Entry) -> bool:
    """Whether a run would have found it again: its law was tried to the end, and with its operation."""
    mine = next((each for each in report.laws if each.law == entry.law), None)
    if mine is None or mine.state == "not verified" or (mine.reason and not mine.found_by):
        return False
    touched = {each.operation for each in report.coverage if entry.law in (each.seen | each.verified | each.masked)}
    return entry.operation is None or not touched or entry.operation in touched


def _entries(document: Document) -> tuple[Entry, ...]:
    root = document.root.only("format", "finding")
    number = root.value("format", int, 0)
    if number != FORMAT:
        raise root.error("format", f"write format = {FORMAT}: this is all that is known of such files")
    listed = root.value("finding", list, [])
    if len(listed) > MOST_ENTRIES:
        raise root.error("finding", f"more than {MOST_ENTRIES} findings can hardly be known")
    found: dict[str, Entry] = {}
    for n, each in enumerate(listed):
        if not isinstance(each, dict):
            raise document.error(("finding", n), "this must be a table: write [[finding]]")
        entry = _entry(Table(document, ("finding", n), each).only(*_NAMES))
        if entry.fingerprint in found:
            raise document.error(("finding", n, "fingerprint"), "there is another entry of this fingerprint")
        found[entry.fingerprint] = entry
    return tuple(found.values())


def _entry(table: Table) -> Entry:
    fingerprint = _said(table, "fingerprint")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise table.error("fingerprint", "this must be 16 hexadecimal digits, as the report shows them")
    expires = table.raw("expires") if "expires" in table else None
    if not isinstance(expires, date) or isinstance(expires, datetime):
        reason = "this must be a date without quotes, as in 2026-06-30" if "expires" in table else "this is missing"
        raise table.error("expires", reason)
    operation = _said(table, "operation") if "operation" in table else None
    return Entry(fingerprint, _said(table, "law"), _said(table, "owner"), _said(table, "reason"), expires, operation)


def _said(table: Table, name: str) -> str:
    found = table.value(name, str, "").strip()
    if not found:
        raise table.error(name, "this must not be empty" if name in table else "this is missing")
    return found
