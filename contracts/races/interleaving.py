"""Calls at the same time as a picture: who began when, who was answered when, and what.

A  POST /zones {"name":"a"}    ├────────────┤          200
B  POST /zones {"name":"b"}      ├──────────────────┤  200
                               0 ms             2.4 ms
"""

from __future__ import annotations

from collections.abc import Sequence

from .linearizability import Span

WIDTH = 36
LONGEST = 64


def letter(n: int) -> str:
    """What the n-th call is called: A, B, ... P."""
    return chr(ord("A") + n)


def picture(calls: Sequence[tuple[str, Span, str]]) -> str:
    """One line for each call (what was asked, when, what was answered), and one for the time."""
    start = min(span.began for _, span, _ in calls)
    whole = max(1, max(span.ended for _, span, _ in calls) - start)
    asked = [_clipped(text) for text, _, _ in calls]
    column = max(map(len, asked))
    lines = []
    for n, (text, (_, span, answer)) in enumerate(zip(asked, calls, strict=True)):
        first = (span.began - start) * (WIDTH - 2) // whole
        last = max(first + 1, (span.ended - start) * (WIDTH - 1) // whole)
        bar = " " * first + "├" + "─" * (last - first - 1) + "┤"
        lines.append(f"{letter(n)}  {text:{column}}  {bar:{WIDTH}}  {answer}".rstrip())
    end = f"{whole / 1e6:.1f} ms"
    lines.append(" " * (column + 5) + "0 ms" + end.rjust(WIDTH - 4))
    return "\n".join(lines)


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."
