"""What was measured, and what it is held against."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .asked import ALL
from .load import Load
from .servers import CONNEXION, MOCKBILL, PRISM, STARLETTE
from .worlds import Worlds

FLOORS = {CONNEXION: ("floor", 1.0), STARLETTE: ("floor", 0.25), PRISM: ("aim", 1.0)}
"""Beside which server mockbill has to make at least how many times as many requests per second."""

FIRST_ANSWER_LIMIT = 1.0
FORK_LIMIT = 100.0


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    system: str
    python: str


@dataclass(frozen=True)
class Throughput:
    """`asked` is the request's name; `body` is the length of the answer's body."""

    server: str
    asked: str
    load: Load
    body: int


@dataclass(frozen=True)
class Resident:
    server: str
    at_start: int | None
    after: int | None


@dataclass(frozen=True)
class FirstAnswer:
    server: str
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def starts(self) -> int:
        return len(self.seconds)


@dataclass(frozen=True)
class Ratio:
    what: str
    value: float
    measured: str
    wanted: str
    is_reached: bool


@dataclass
class Results:
    """`not_measured`: server -> why."""

    machine: Machine
    generator: str
    throughput: list[Throughput] = field(default_factory=list)
    memory: list[Resident] = field(default_factory=list)
    first_answers: list[FirstAnswer] = field(default_factory=list)
    worlds: Worlds | None = None
    not_measured: dict[str, str] = field(default_factory=dict)

    def ratios(self) -> list[Ratio]:
        """Only of what was measured in this run."""
        rates = {(each.server, each.asked): each.load.rate for each in self.throughput}
        found: list[Ratio] = []
        for server, (kind, limit) in FLOORS.items():
            for asked in ALL:
                ours, theirs = rates.get((MOCKBILL, asked.name)), rates.get((server, asked.name))
                if ours is not None and theirs is not None:
                    ratio = ours / theirs
                    what = f"{MOCKBILL} / {server}, {asked.line}"
                    found.append(Ratio(what, ratio, f"{ratio:.2f}", f"{kind} {limit:.2f}", ratio >= limit))
        first = next((each.median for each in self.first_answers if each.server == MOCKBILL), None)
        if first is not None:
            wanted = f"< {FIRST_ANSWER_LIMIT:.0f} s"
            found.append(Ratio("first answer", first, f"{first:.2f} s", wanted, first < FIRST_ANSWER_LIMIT))
        if self.worlds is not None:
            slowest = max(max(each.fork, each.handled) for each in self.worlds.costs)
            wanted = f"< {FORK_LIMIT:.0f} us"
            found.append(Ratio("fork, slowest", slowest, f"{slowest:.2f} us", wanted, slowest < FORK_LIMIT))
        return found

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "ratios": [asdict(each) for each in self.ratios()]}


def this_machine() -> Machine:
    return Machine(
        _processor(), os.cpu_count() or 1, f"{platform.system()} {platform.release()}", platform.python_version()
    )


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        facts = []
    name = next((line.partition(":")[2].strip() for line in facts if line.startswith("model name")), "")
    return name or platform.processor() or platform.machine()
