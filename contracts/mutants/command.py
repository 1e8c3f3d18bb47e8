"""`mockbill contract mutants`: the kill matrix on a terminal, as JSON, or as the table of the documentation."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from contracts.laws import ALL
from contracts.runner import chosen as chosen_laws
from contracts.target import TargetError

from .matrix import Kill, Matrix, chosen, matrix
from .table import HEAD, markdown, rows

WANTED = 0.95
"""The share of mutants that must be killed."""
FINE, FINDINGS = 0, 1


def run(
    ids: Sequence[str] = (),
    families: Sequence[str] = (),
    laws: Sequence[str] = (),
    seed: int = 1,
    *,
    plain: bool = False,
    as_json: bool = False,
    as_markdown: bool = False,
) -> int:
    """The exit code: 1 if too many live, or if the laws complain of the reference. Raises TargetError for unknown names."""
    try:
        mutants, using = chosen(ids, families), chosen_laws(ALL, laws)
    except ValueError as error:
        raise TargetError(str(error)) from None
    found = matrix(mutants, using, seed=seed, plain=plain, told=_told)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    elif as_markdown:
        sys.stdout.write(markdown(found))
    else:
        _print(found)
    return FINE if found.rate >= WANTED and not found.false_alarms else FINDINGS


def _told(kill: Kill, number: int, of: int) -> None:
    fate = f"killed by {kill.by} in {kill.calls} calls, {kill.seconds:.1f} s" if kill.killed else "LIVED"
    plain = "" if kill.plain is None else f"; plain schemathesis: {'found' if kill.plain else 'not found'}"
    sys.stderr.write(f"{number}/{of} {kill.family}: {kill.id}: {fate}{plain}\n")
    sys.stderr.flush()


def _print(found: Matrix) -> None:
    table = Table(*HEAD)
    for row in rows(found):
        table.add_row(*row)
    console = Console()
    console.print(table)
    for kill in found.mutants:
        if not kill.killed:
            console.print(f"lived: {kill.id}: {kill.title}", markup=False)
    for alarm in found.false_alarms:
        console.print(f"false alarm on the reference: {alarm}", markup=False)
    calls = found.median_calls
    console.print(
        f"{found.rate:.1%} killed" + ("" if calls is None else f", {calls:g} calls in the median counterexample")
    )
