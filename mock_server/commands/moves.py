"""What fell due when a clock was moved."""

from __future__ import annotations

from .answers import ClockMoved
from .tables import say, table


def show_move(moved: ClockMoved) -> None:
    say(f"{moved.now}, {moved.mode}; {_things(moved.fell_due)}")
    if moved.timeline:
        table(("at", "what", "outcome"), [(each.at, each.job, each.outcome) for each in moved.timeline])
    if moved.fell_due > len(moved.timeline):
        say(f"and {moved.fell_due - len(moved.timeline)} more")


def _things(n: int) -> str:
    return {0: "nothing fell due", 1: "1 thing fell due"}.get(n, f"{n} things fell due")
