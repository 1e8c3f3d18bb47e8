"""What a replay has come to: a bar while it goes on, a table or JSON at its end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import msgspec
from msgspec.structs import replace

from mock_server.commands.tables import Cell, say, say_json, table
from mock_server.engine.instants import format_instant
from mock_server.webhooks.outgoing import Answer, NoAnswer
from mock_server.webhooks.replaying.expecting import Expectation
from mock_server.webhooks.replaying.loading import NamedCapture
from mock_server.webhooks.replaying.planning import Manner, Plan
from mock_server.webhooks.replaying.running import Outcome
from mock_server.webhooks.targets import shown

MOST_ROWS = 200
LONGEST_SAYING = 100
MOST_KEPT = 4 * LONGEST_SAYING
"""Bytes of an answer of which that much may be left without its white space."""


class Replayed(msgspec.Struct, frozen=True):
    """A replay that has ended. `seconds`: how long it took; `is_interrupted`: it did not come to the end of the plan."""

    to: str
    captures: Sequence[NamedCapture]
    plan: Plan
    manner: Manner
    expected: Expectation
    outcomes: Sequence[Outcome]
    seconds: float
    is_interrupted: bool = False

    @property
    def unexpected(self) -> int:
        return sum(not each.is_expected for each in self.outcomes)

    @property
    def is_unreachable(self) -> bool:
        return bool(self.outcomes) and all(
            isinstance(each.answered, NoAnswer) and each.answered.reason in ("refused", "unresolvable")
            for each in self.outcomes
        )


def kept(outcome: Outcome) -> Outcome:
    """With only so much of the answer as is shown: there may be a million of them."""
    answered = outcome.answered
    if isinstance(answered, NoAnswer):
        return outcome
    return replace(outcome, answered=replace(answered, headers=(), body=answered.body[:MOST_KEPT]))


class Bar:
    """`with Bar(count) as bar: bar.move()`, on standard error if that is a terminal."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
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
            self._task = self._bar.add_task("replay", total=self._count)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def move(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._task)


def show(replayed: Replayed, *, as_json: bool) -> None:
    if as_json:
        say_json(msgspec.json.encode(document(replayed)))
        return
    rows = replayed.outcomes
    if len(rows) > MOST_ROWS:
        rows = [each for each in rows if not each.is_expected][:MOST_ROWS]
        say(f"Of {len(replayed.outcomes)} requests {_which(len(rows), replayed.unexpected)}; all with --json.")
    if rows:
        heads = ["file", "title", "status", "time", "verdict"]
        changes = any(each.send.is_twin or each.send.damages for each in rows)
        table([*heads, "changed"] if changes else heads, [_row(replayed, each, changes=changes) for each in rows])
    say(summary(replayed))


def summary(replayed: Replayed) -> str:
    """All of it in one line."""
    plan, manner, sent = replayed.plan, replayed.manner, len(replayed.outcomes)
    drawn = {"dropped": plan.dropped, "sent twice": plan.duplicated, "damaged": plan.damaged}
    rate = f", {sent / replayed.seconds:.0f} per second" if replayed.seconds > 0 and sent > 1 else ""
    parts = [
        f"{sent} sent in {replayed.seconds:.1f} s{rate}",
        f"{sent - replayed.unexpected} as expected ({replayed.expected})",
        *([f"{replayed.unexpected} not"] if replayed.unexpected else []),
        *(f"{count} {what}" for what, count in drawn.items() if count),
        *([f"seed {manner.seed}"] if manner.is_drawn else []),
    ]
    interrupted = f"interrupted: {len(plan.sends) - sent} of {len(plan.sends)} not sent or not answered; "
    return (interrupted if replayed.is_interrupted else "") + "; ".join(parts)


def document(replayed: Replayed) -> dict[str, Any]:
    """The same for scripts."""
    plan = replayed.plan
    reasons = Counter(_status(each.answered) for each in replayed.outcomes)
    return {
        "target": shown(replayed.to),
        "expected": replayed.expected.parts,
        "seed": replayed.manner.seed,
        "captures": len(replayed.captures),
        "planned": len(plan.sends),
        "sent": len(replayed.outcomes),
        "dropped": plan.dropped,
        "duplicated": plan.duplicated,
        "damaged": plan.damaged,
        "as_expected": len(replayed.outcomes) - replayed.unexpected,
        "unexpected": replayed.unexpected,
        "interrupted": replayed.is_interrupted,
        "seconds": round(replayed.seconds, 6),
        "answers": {str(key): reasons[key] for key in sorted(reasons, key=str)},
        "sends": [_plain(replayed, each) for each in replayed.outcomes],
    }


def _plain(replayed: Replayed, outcome: Outcome) -> dict[str, Any]:
    send, answered = outcome.send, outcome.answered
    named = replayed.captures[send.index]
    return {
        "number": send.number,
        "file": named.name,
        "provider": named.capture.provider,
        "title": named.capture.title,
        "received_at": format_instant(named.capture.received_at),
        "round": send.round,
        "is_duplicate": send.is_twin,
        "damages": send.damages,
        "started": round(outcome.started, 6),
        "status": answered.status if isinstance(answered, Answer) else None,
        "no_answer": None if isinstance(answered, Answer) else answered.reason,
        "explanation": saying(answered),
        "seconds": round(answered.seconds, 6),
        "is_expected": outcome.is_expected,
    }


def saying(answered: Answer | NoAnswer) -> str:
    """The beginning of what the receiver said, or why it said nothing."""
    if isinstance(answered, NoAnswer):
        return answered.explanation
    return " ".join(answered.body[:MOST_KEPT].decode(errors="replace").split())[:LONGEST_SAYING]


def _row(replayed: Replayed, outcome: Outcome, *, changes: bool) -> list[Cell]:
    send, answered = outcome.send, outcome.answered
    named = replayed.captures[send.index]
    verdict = "as expected"
    if not outcome.is_expected:
        said = saying(answered)
        verdict = f"expected {replayed.expected}" + (f": {said}" if said else "")
    row: list[Cell] = [
        named.name,
        named.capture.title,
        _status(answered),
        f"{answered.seconds * 1000:.1f} ms",
        verdict,
    ]
    return [*row, ", ".join([*(["twin"] if send.is_twin else []), *send.damages])] if changes else row


def _status(answered: Answer | NoAnswer) -> str:
    return str(answered.status) if isinstance(answered, Answer) else answered.reason


def _which(shown: int, unexpected: int) -> str:
    if not unexpected:
        return "all were answered as expected"
    return (
        f"the {unexpected} are shown that were not answered as expected"
        if shown == unexpected
        else (f"the first {shown} of {unexpected} are shown that were not answered as expected")
    )
