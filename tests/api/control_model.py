"""What a world is, as far as the tests of the control API model it: plain dictionaries, no engine."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

SECOND = 1_000_000
ZONES = {"free": 3}
"""How many zones a tier allows. The machine makes no more than three elsewhere, so that no tier is ever too small."""
OPENS = {"free": (50, 500), "starter": (500, 10_000), "pro": (5_000, 100_000)}
"""How many doors may be opened in a day and in a month."""
DOES_WORK = {"get_plans": "GET", "create_zone": "POST", "post_org_billing_checkout": "POST"}


def shown(instant: int) -> str:
    return moment(instant).isoformat().replace("+00:00", "Z")


def moment(instant: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)


class State(msgspec.Struct):
    """All that a snapshot brings back. `stamps`: when it began, and a number for each change since."""

    seed: int
    mode: str
    now: int
    wall: int
    settings: dict[str, Any] = {}
    tier: str = "free"
    zones: list[str] = []
    overrides: dict[str, tuple[int, int | None]] = {}
    opens: dict[str, int] = {}
    stamps: list[int] = []

    def read(self, wall: int) -> int:
        return self.now if self.mode == "frozen" else self.now + wall - self.wall

    def copy(self) -> State:
        return copy.deepcopy(self)

    def set_to(self, now: int, wall: int) -> None:
        self.now, self.wall = now, wall

    def going_on(self, now: int, wall: int) -> State:
        """A copy that stands at `now`. A clock that simply follows the machine's goes on doing that."""
        other = self.copy()
        if other.mode == "frozen" or other.now != other.wall:
            other.set_to(now, wall)
        return other

    def scheduled(self, now: int) -> list[int]:
        return sorted(end for _, end in self.overrides.values() if end is not None and end > now)

    def use(self, amount: int, now: int) -> bool:
        """Whether there is room for that many more door opens; if so they are counted."""
        day, month = f"{moment(now):%Y-%m-%d}", f"{moment(now):%Y-%m}"
        most = OPENS[self.tier]
        if self.opens.get(day, 0) + amount > most[0] or self.opens.get(month, 0) + amount > most[1]:
            return False
        for window in (day, month):
            self.opens[window] = self.opens.get(window, 0) + amount
        return True

    def looks(self, now: int) -> Any:
        """What anybody can see of it."""
        return now, self.mode, self.settings, self.tier, sorted(self.zones), self.overrides

    def same_as(self, other: State) -> bool:
        return self.stamps == other.stamps and self.settings == other.settings


class Fault(msgspec.Struct):
    rule: dict[str, Any]
    matched: int = 0
    acted: int = 0

    @property
    def remaining(self) -> int | None:
        count = self.rule.get("count")
        return None if count is None else count - self.acted

    def strikes(self, when: str, operation: str) -> bool:
        rule = self.rule
        if rule["when"] != when or rule.get("operation", operation) != operation:
            return False
        if rule.get("method", DOES_WORK[operation]) != DOES_WORK[operation]:
            return False
        self.matched += 1
        if self.matched <= rule.get("skip", 0) or self.remaining == 0 or rule.get("probability", 1) == 0:
            return False
        self.acted += 1
        return True


class Snapshot(msgspec.Struct):
    state: State
    taken_at: int
    now: int
    answer: dict[str, Any]


class Line(msgspec.Struct):
    """An entry of the journal."""

    number: int
    operation: str
    status: int
    faults: list[str]
    delivery: str


class Modelled(msgspec.Struct):
    """A world. Numbers go on when the journal is emptied and start afresh with a reset; the cursor never does."""

    state: State
    initial: State
    snapshots: dict[str, Snapshot] = {}
    faults: dict[str, Fault] = {}
    journal: list[Line] = []
    answered: int = 0
    answered_before: int = 0
    taken: int = 0
    made: int = 0

    @property
    def cursor(self) -> int:
        return self.answered_before + self.answered

    def struck(self, when: str, operation: str) -> list[dict[str, Any]]:
        """The faults that act on a request now: delays, up to the first that does something else."""
        found = []
        for fault in self.faults.values():
            if fault.strikes(when, operation):
                found.append(fault.rule)
                if fault.rule["do"] != "delay":
                    break
        return found

    def name_for(self, kind: str) -> str:
        """What a snapshot or a fault is called that was given no name."""
        kept = self.snapshots if kind == "snapshot" else self.faults
        while True:
            if kind == "snapshot":
                self.taken += 1
            else:
                self.made += 1
            name = f"{kind}-{self.taken if kind == 'snapshot' else self.made}"
            if name not in kept:
                return name
