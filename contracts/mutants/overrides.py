"""Overrides that hold for too long, for too much, for others, or not at all."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import limits, overrides
from mock_server.apis.openapp.model.limits import Limits
from mock_server.apis.openapp.model.quotas import CALENDAR_PERIODS
from mock_server.apis.openapp.model.state import EffectiveLimit
from mock_server.engine.decisions import Refused
from mock_server.engine.instants import DAY, SECOND

from .mutant import Install, family, patched, replacing

mutant = family("overrides")

MONTH = 31 * DAY


def _limits(change: Any) -> Install:
    """Other limits of an organization: state, the real ones -> those that hold."""
    return replacing(limits.limits_of, lambda real: lambda state, org, now: change(state, real(state, org, now)))


def _late(by: int) -> Install:
    return _limits(lambda _, it: msgspec.structs.replace(it, now=it.now - by))


def _of_all(state: Any, it: Limits) -> Limits:
    """The organization's own overrides win."""
    others = {row: each for org in sorted(state.overrides) for row, each in state.overrides[org].items()}
    return msgspec.structs.replace(it, overrides={**others, **dict(it.overrides.items())})


def _limit(change: Any) -> Install:
    """Another limit in the place of one that an override sets: (limits, key, period, what holds) -> what holds."""

    def make(real: Any) -> Any:
        def faulty(self: Limits, key: str, period: str) -> EffectiveLimit:
            holds: EffectiveLimit = real(self, key, period)
            return change(self, key, period, holds) if holds.source["kind"] == "override" else holds

        return faulty

    return patched(Limits, "of", make)


def _larger(self: Limits, key: str, period: str, holds: EffectiveLimit) -> EffectiveLimit:
    tiers = self.tier.limits.get((key, period))
    if tiers is None or holds.value is None:
        return holds
    return tiers if tiers.value is None or tiers.value > holds.value else holds


def _zero_is_none(self: Limits, key: str, period: str, holds: EffectiveLimit) -> EffectiveLimit:
    return msgspec.structs.replace(holds, value=holds.value or None)


def _nothing_after(real: Any) -> Any:
    def faulty(self: Limits, key: str, period: str) -> EffectiveLimit:
        override = self.overrides.get(limits.row(key, period))
        if override is None or override.is_active(self.now):
            return real(self, key, period)  # type: ignore[no-any-return]
        return EffectiveLimit(0, {"kind": "override", "id": override.id})

    return faulty


def _any_period(real: Any) -> Any:
    """What is said of one calendar window holds for all."""

    def faulty(self: Limits, key: str, period: str) -> EffectiveLimit:
        for each in self.overrides.values() if period in CALENDAR_PERIODS else ():
            if each.quota_key == key and each.is_active(self.now):
                return EffectiveLimit(each.limit_value, {"kind": "override", "id": each.id})
        return real(self, key, period)  # type: ignore[no-any-return]

    return faulty


def _another(real: Any) -> Any:
    """Set again, it is listed twice; the newer one counts."""

    def faulty(state: Any, context: Any, body: Any) -> Any:
        decided = real(state, context, body)
        if isinstance(decided, Refused):
            return decided
        org_id = body["subject_id"]
        row = limits.row(decided.reply["quota_key"], decided.reply["period"])
        kept: Any = state.overrides.get(org_id) or {}
        if row not in kept:
            return decided
        before = kept[row]
        moved = kept.remove(row).insert(f"{row}/{len(kept)}", before)
        return real(msgspec.structs.replace(state, overrides=state.overrides.insert(org_id, moved)), context, body)

    return faulty


MUTANTS = (
    mutant(
        "override-ignored",
        "overrides are kept and count for nothing",
        _limits(lambda _, it: msgspec.structs.replace(it, overrides={})),
        70,
    ),
    mutant("override-for-ever", "overrides never end", _limits(lambda _, it: msgspec.structs.replace(it, now=0)), 71),
    mutant("override-a-second-longer", "overrides count a second too long", _late(SECOND), 71),
    mutant("override-a-month-longer", "overrides count a month too long", _late(MONTH), 71),
    mutant("larger-limit-holds", "a limit below the tier's does not count", _limit(_larger), 72),
    mutant(
        "nothing-after-override",
        "when an override has ended nothing is allowed",
        patched(Limits, "of", _nothing_after),
        73,
    ),
    mutant("zero-is-unlimited", "an override of 0 is unlimited", _limit(_zero_is_none)),
    mutant("override-of-any-period", "an override of one period holds for all", patched(Limits, "of", _any_period)),
    mutant("override-of-all", "an override holds for every organization", _limits(_of_all)),
    mutant("override-twice", "setting an override again adds another", replacing(overrides.upsert_override, _another)),
)
