"""What a run found out: findings, how each law went, and what was seen of the contract."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Literal

import msgspec


class Shown(msgspec.Struct, frozen=True):
    """One step as it happened: a call with its answer, or a move of the clock (then only `title` is set).

    `status` is None where no answer came. Bodies are text, cut at 4,000 characters. `role` is whose credential was
    sent, None for none. Nothing here is masked: reports do that (see `contracts.redaction`). `exact`: the body byte for
    byte, as latin-1, where `body` does not say it (it is no UTF-8, or was cut); None where it is too long to keep.
    `is_raw`: `body` is all that went over the wire, request line and headers too.
    """

    title: str
    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    status: int | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body: str = ""
    role: str | None = None
    exact: str | None = None
    is_raw: bool = False

    @property
    def is_call(self) -> bool:
        return self.method != ""


class Finding(msgspec.Struct, frozen=True):
    """A law broken by a target.

    operation, status   of the call that broke it, where there is one
    kind                in what way: `contract` (not as declared), `status`, `header`, `body`, `effect`, `no answer`, ...
    place               where in the answer, a JSON pointer; "" for the whole
    expected, came      one sentence each
    steps               the shortest way that was found to see it again, in order; the last is the one that broke it
    replay              the same as data, with ids named by the step that gave them (see `contracts.steps`); None where
                        the way is not a plain sequence of calls, as in a race
    wanted      what should have come as data, in JSON (see `contracts.comparison.Difference`), ids named as in `replay`
    """

    law: str
    title: str
    clause: str
    kind: str
    expected: str
    came: str
    operation: str | None = None
    status: int | None = None
    place: str = ""
    steps: tuple[Shown, ...] = ()
    replay: str | None = None
    seed: int = 0
    notes: tuple[str, ...] = ()
    wanted: str | None = None

    @property
    def calls(self) -> int:
        """How many calls it takes to see it."""
        return sum(each.is_call for each in self.steps)

    @property
    def fingerprint(self) -> str:
        """Names what is broken, the same in every run: for baselines and for telling new findings from known ones."""
        text = likeness(self.kind, self.operation, self.status, self.place, self.expected, self.law)
        return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


OF_ANSWERS = ("contract", "status", "header", "body", "no answer")
"""Kinds of findings that any law may run into: whichever does first has found it. The others are one law's own."""


def likeness(kind: str, operation: str | None, status: int | None, place: str, expected: str, law: str) -> str:
    """What tells one fault from another: a status that should have been another one is another fault."""
    whose = "" if kind in OF_ANSWERS else law
    return "\n".join((operation or "", str(status or ""), kind, general(place), due(kind, expected), whose))


def due(kind: str, expected: str) -> str:
    """The statuses that were due, where an answer had another."""
    return " ".join(re.findall(r"\b[1-5]\d\d\b", expected)) if kind == "status" else ""


def general(place: str) -> str:
    """A JSON pointer without the numbers of list items: the same fault may show in any of them."""
    return re.sub(r"/\d+(?=/|$)", "/*", place)


State = Literal["passed", "failed", "not verified"]


class LawResult(msgspec.Struct, frozen=True):
    """How one law went. `reason`: why it was not verified ("needs clock", "the time is spent", ...). `found_by`: the laws
    that had found before what this one ran into; it has no finding of its own then.
    """

    law: str
    family: str
    title: str
    clause: str
    state: State
    reason: str = ""
    calls: int = 0
    seconds: float = 0.0
    found_by: tuple[str, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """One declared (operation, status): how often it came under which law, and how often it was held against more than
    its shape (`verified`). `masked`: came where the law had hoped for another, so that it hides what lies behind. Not
    `declared`: it came although the bundle does not know it.
    """

    operation: str
    method: str
    path: str
    status: int
    seen: dict[str, int] = {}
    verified: dict[str, int] = {}
    masked: dict[str, int] = {}
    declared: bool = True

    @property
    def came(self) -> bool:
        return bool(self.seen or self.verified or self.masked)


class Report(msgspec.Struct, frozen=True):
    """All of one run. `stopped` says why it ended early, None if it did not. `shard` and `format` leave room to grow.

    `notes`: what a reader should know of the run itself, such as what it could not clean up.
    """

    url: str
    api: str
    bundle_version: str
    profile: str
    seed: int
    began: str
    seconds: float
    calls: int
    laws: tuple[LawResult, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[Seen, ...]
    stopped: str | None = None
    shard: str | None = None
    format: int = 1
    notes: tuple[str, ...] = ()

    @property
    def never_seen(self) -> list[Seen]:
        """Declared, and never answered."""
        return [each for each in self.coverage if each.declared and not each.came]
