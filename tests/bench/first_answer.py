"""How long it takes from the start of a server's process to its first 200."""

from __future__ import annotations

from .processes import Kind, Server
from .results import FirstAnswer

STARTS = 5


def first_answers(kinds: list[Kind]) -> list[FirstAnswer]:
    """The servers take turns. One start of each goes before, so that files are in memory and modules compiled."""
    seconds: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for _ in range(1 + STARTS):
        for kind in kinds:
            with Server(kind) as server:
                seconds[kind.name].append(server.first_answer)
    return [FirstAnswer(name, each[1:]) for name, each in seconds.items()]
