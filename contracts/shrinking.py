"""The shortest way to see a finding again: steps are left out for as long as it still shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .machine import stopwatch
from .steps import Step

Numbered = tuple[int, Step]
MOST_TRIES = 150
MOST_SECONDS = 4.0


def shortest(steps: Sequence[Numbered], still: Callable[[Sequence[Numbered]], bool]) -> list[Numbered]:
    """`still` tells whether a sequence shows the finding. Larger parts are tried first, later steps before earlier ones.

    The last step, which showed it, always stays. Ends after 150 tries or 4 s with the best that it has.
    """
    best = list(steps)
    end, tries = stopwatch() + MOST_SECONDS, 0
    size = max(1, len(best) // 2)
    while True:
        start, removed = len(best) - 1 - size, False
        while start > -size:
            candidate = best[: max(0, start)] + best[start + size :]
            if tries >= MOST_TRIES or stopwatch() > end:
                return best
            if 0 < len(candidate) < len(best):
                tries += 1
                if still(candidate):
                    best, removed = candidate, True
            start -= size
        if size == 1 and not removed:
            return best
        size = max(1, size // 2) if not removed or size > 1 else 1
