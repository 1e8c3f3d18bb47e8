"""Many small tries in one place, which is cheap as long as nothing is found; whatever is found is then tried alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.bench import Bench, Script
from contracts.broken import Broken
from contracts.case import Case

from .stock import Stock, look

Part = Callable[[Stock, str], None]
"""Asks for something, with what there is and as the caller that the group has (a role or a token)."""
GROUPS = 5
"""So many that one group, which takes every fifth operation of the bundle, fits into the smallest plan."""


def refused(
    bench: Bench, parts: Sequence[Part], caller: str | Callable[[Stock], str] = "owner", after: Script = look
) -> None:
    """Parts whose requests are all refused, group by group, with one look after each group at what it has left."""

    def script_of(parts: Sequence[Part]) -> Script:
        def script(case: Case) -> None:
            stock = Stock(case)
            who = caller if isinstance(caller, str) else caller(stock)
            for part in parts:
                part(stock, who)
            after(case)

        return script

    for n in range(GROUPS):
        group = parts[n::GROUPS]
        if group:
            _tried(bench, script_of(group), [script_of([part]) for part in group])


def _tried(bench: Bench, whole: Script, alone: Sequence[Script]) -> None:
    with bench.case() as case:
        try:
            whole(case)
        except Broken as broken:
            # One by one, so that none hides behind another and each is shown by few steps.
            held = [bench.attempt(each) for each in alone]
            if all(held):
                bench.keep(broken, case)
