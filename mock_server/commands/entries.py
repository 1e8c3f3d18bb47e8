"""What the control API answers about the journal, as far as the commands show it."""

from __future__ import annotations

from typing import Any

import msgspec

from .answers import Difference


class JournalLine(msgspec.Struct, frozen=True):
    """A request in one line."""

    number: int
    at: str
    received_at: str
    milliseconds: float
    api: str
    method: str
    path: str
    query: str
    operation: str | None
    caller: str
    status: int
    problem: str | None
    why: str | None
    faults: list[str]
    delivery: str
    changed: bool


class Journal(msgspec.Struct, frozen=True):
    """Entries of the journal, newest first."""

    matched: int
    cursor: int
    answered: int
    dropped: int
    requests: list[JournalLine]


class RawEntries(msgspec.Struct, frozen=True):
    """The same entries, each as it came."""

    requests: list[msgspec.Raw]


class Header(msgspec.Struct, frozen=True):
    """A header as it was sent."""

    name: str
    value: str


class Body(msgspec.Struct, frozen=True):
    """A body's bytes."""

    size: int
    text: str | None
    base64: str | None
    cut: bool


class Message(msgspec.Struct, frozen=True):
    """Headers and body."""

    headers: list[Header]
    body: Body


class Clause(msgspec.Struct, frozen=True):
    """Where a rule stands."""

    document: str
    pointer: str


class Explanation(msgspec.Struct, frozen=True):
    """Why a request was refused."""

    check: str
    rule: str
    clause: Clause
    facts: dict[str, Any]
    legal: list[str]


class JournalEntry(JournalLine, frozen=True):
    """A request with all that is known of it."""

    request: Message
    response: Message
    changes: list[Difference] | None
    explanation: Explanation | None


class Repeat(msgspec.Struct, frozen=True):
    """The same request once more."""

    number: int
    status: int
    changed: bool


class AuditedWrite(msgspec.Struct, frozen=True):
    """A write whose answer did not reach the client."""

    number: int
    operation: str
    caller: str
    method: str
    path: str
    trouble: str
    verdict: str
    repeats: list[Repeat]
    done: list[list[str]]
    prevention: str
    key: str | None


class Audit(msgspec.Struct, frozen=True):
    """What became of writes whose answers were lost."""

    done_twice: int
    harmless: int
    not_repeated: int
    writes: list[AuditedWrite]
