"""Limits that hold too late, too early, not at all, or for something else than what they say."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import capacity, doors, metering, usage
from mock_server.apis.openapp.model.limits import Limits
from mock_server.apis.openapp.model.problems import METER_FULL
from mock_server.apis.openapp.model.resources import KINDS, Meter, Shelf
from mock_server.apis.openapp.model.state import EffectiveLimit
from mock_server.engine.decisions import Accepted, Refused
from mock_server.engine.instants import DAY

from .around import Exchange, on_answer
from .despite import despite
from .mutant import Make, always, family, patched, replacing

mutant = family("quotas")


def _off_by(amount: int) -> Make:
    """The limits that a check sees are larger by so much."""
    return lambda real: lambda *args: _Shifted(real(*args), amount)


class _Shifted:
    def __init__(self, limits: Limits, amount: int) -> None:
        self._limits, self._amount = limits, amount

    def of(self, key: str, period: str) -> EffectiveLimit:
        return self._shifted(self._limits.of(key, period))

    def windows(self, key: str) -> Any:
        return tuple((period, self._shifted(limit)) for period, limit in self._limits.windows(key))

    def _shifted(self, limit: EffectiveLimit) -> EffectiveLimit:
        if limit.value is None:
            return limit
        return msgspec.structs.replace(limit, value=max(0, limit.value + self._amount))


def _only_when_equal(real: Any) -> Any:
    """Whoever is over the limit already is refused nothing more."""

    def faulty(state: Any, org: Any, key: str, now: int) -> Any:
        refused = real(state, org, key, now)
        facts = refused.problem.facts if refused is not None else {}
        return None if facts and facts["current"] > facts["limit"] else refused

    return faulty


def _deleted_count(real: Any) -> Any:
    def faulty(state: Any, org: Any, key: str, now: int) -> Any:
        if key in KINDS:
            holdings = state.held_by(org.id)
            shelf = holdings.shelf(key)
            together = Shelf(shelf.live.update(shelf.deleted))
            state = state.with_holdings(org.id, holdings.with_shelf(key, together))
        return real(state, org, key, now)

    return faulty


def _deleted_are_reported(real: Any) -> Any:
    def faulty(state: Any, org: Any, now: int) -> Any:
        held = state.held_by(org.id)
        return [
            {**item, "current": item["current"] + len(held.shelf(item["key"]).deleted)}
            if item["key"] in KINDS
            else item
            for item in real(state, org, now)
        ]

    return faulty


def _counts(_: Any, state: Any, context: Any, problem: Any) -> Accepted[Any, None]:
    org, key = state.orgs[problem.facts["org_id"]], problem.facts["key"]
    meters = state.held_by(org.id).meters
    after = metering._used(meters.get(key), context.now // DAY, problem.facts["requested"])
    return Accepted(metering.with_meters(state, org, meters.insert(key, after)), None)


def _counts_itself(real: Any) -> Any:
    """What is refused is part of what has been used."""

    def faulty(org: Any, key: str, period: str, window: Any, current: int, amount: int, *args: Any) -> Any:
        return real(org, key, period, window, current + amount, amount, *args)

    return faulty


def _twice(real: Any) -> Any:
    def faulty(state: Any, org: Any, charges: Any, now: int) -> Any:
        once = real(state, org, charges, now)
        if isinstance(once, Refused):
            return once
        return once.update({key: metering._used(once[key], now // DAY, amount) for key, amount in charges.items()})

    return faulty


def _only_the_day(real: Any) -> Any:
    """Weeks and months count nothing."""

    def faulty(meter: Any, day: int, amount: int) -> Meter:
        after: Meter = real(meter, day, amount)
        return msgspec.structs.replace(after, in_week=0, in_month=0)

    return faulty


def _forbidden(it: Exchange) -> None:
    it.drop("retry-after")
    it.status = 403


MUTANTS = (
    mutant("capacity-plus-one", "one more than the limit fits in", patched(capacity, "limits_of", _off_by(1)), 59),
    mutant("capacity-minus-one", "the last one does not fit in", patched(capacity, "limits_of", _off_by(-1)), 60),
    mutant("capacity-off", "capacity is not limited", replacing(capacity.no_room, always(None)), 61),
    mutant("metered-plus-one", "one use more than the limit", patched(metering, "limits_of", _off_by(1)), 59),
    mutant("metered-minus-one", "the last use is refused", patched(metering, "limits_of", _off_by(-1)), 60),
    mutant("over-limit-free", "whoever is over capacity may create", replacing(capacity.no_room, _only_when_equal)),
    mutant("refused-use-counts", "a refused use is counted", despite(METER_FULL, _counts), 62),
    mutant(
        "refusal-counts-itself",
        "429 counts what it refuses as used",
        replacing(metering._refused, _counts_itself),
        63,
    ),
    mutant(
        "deleted-reported", "usage reports what is deleted", replacing(usage.usage_items, _deleted_are_reported), 64
    ),
    mutant("deleted-counts", "what is deleted takes up room", replacing(capacity.no_room, _deleted_count)),
    mutant("full-is-403", "a full quota is answered 403", on_answer("* *", _forbidden, 429), 65),
    mutant("charged-twice", "one use counts twice", replacing(metering.metered, _twice, seen_by=doors), 79),
    mutant("only-day-counts", "a use counts in the day only", replacing(metering._used, _only_the_day)),
)
