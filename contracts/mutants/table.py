"""The kill matrix as tables: on a terminal, and in Markdown for the documentation."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from os import cpu_count
from statistics import median

from .matrix import Kill, Matrix


def by_family(kills: Iterable[Kill]) -> Mapping[str, list[Kill]]:
    """The mutants of each family, in the order in which the families come."""
    found: dict[str, list[Kill]] = {}
    for kill in kills:
        found.setdefault(kill.family, []).append(kill)
    return found


HEAD = ("family", "mutants", "killed", "plain schemathesis", "calls", "seconds")


def rows(matrix: Matrix) -> list[tuple[str, ...]]:
    """A row for each family and one for all. Calls and seconds are medians of what was killed."""
    families = by_family(matrix.mutants)
    found = [_row(family, kills) for family, kills in families.items()]
    return [*found, _row("all", matrix.mutants)]


def _row(name: str, kills: Iterable[Kill]) -> tuple[str, ...]:
    every = list(kills)
    killed = [kill for kill in every if kill.killed]
    judged = [kill for kill in every if kill.plain is not None]
    plain = f"{sum(bool(kill.plain) for kill in judged)} of {len(judged)}" if judged else "-"
    calls = f"{median(kill.calls or 0 for kill in killed):g}" if killed else "-"
    seconds = f"{median(kill.seconds for kill in killed):.1f}" if killed else "-"
    return name, str(len(every)), str(len(killed)), plain, calls, seconds


def markdown(matrix: Matrix) -> str:
    """The table of the documentation, with what lived below it."""
    lines = [f"Seed {matrix.seed}, profile {matrix.profile}, {machine()}:", ""]
    lines += ["| " + " | ".join(HEAD) + " |", "| " + " | ".join("---" for _ in HEAD) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(matrix)]
    lived = [kill for kill in matrix.mutants if not kill.killed]
    if lived:
        lines += ["", "Lived: " + ", ".join(f"`{kill.id}` ({kill.title})" for kill in lived) + "."]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What the matrix was made on."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()} with {cpu_count()} cores"
