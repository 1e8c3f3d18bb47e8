"""Which limit holds for an organization, and where it comes from: active override, else tier, else the default."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mock_server.engine.instants import Instant
from mock_server.engine.windows import Calendar

from .quotas import CALENDAR_PERIODS
from .state import EffectiveLimit, OpenApp, Org, Override, Tier

DEFAULT = EffectiveLimit(None, {"kind": "default"})

Windows = tuple[tuple[Calendar, EffectiveLimit], ...]
"""The calendar windows in which a quota is limited."""


def row(key: str, period: str) -> str:
    """How overrides of one organization are keyed."""
    return f"{key}/{period}"


class Limits(msgspec.Struct, frozen=True):
    """The limits of one organization at one instant."""

    overrides: Mapping[str, Override]
    tier: Tier
    now: Instant

    def of(self, key: str, period: str) -> EffectiveLimit:
        override = self.overrides.get(row(key, period)) if self.overrides else None
        if override is not None and override.is_active(self.now):
            return EffectiveLimit(override.limit_value, {"kind": "override", "id": override.id})
        return self.tier.limits.get((key, period), DEFAULT)

    def windows(self, key: str) -> Windows:
        """Where uses of a metered quota have to fit in."""
        if not self.overrides or not any(row(key, period) in self.overrides for period in CALENDAR_PERIODS):
            return self.tier.windows.get(key, ())
        limits = ((period, self.of(key, period)) for period in CALENDAR_PERIODS)
        return tuple(each for each in limits if each[1].value is not None)


def limits_of(state: OpenApp, org: Org, now: Instant) -> Limits:
    overrides: Mapping[str, Override] = state.overrides.get(org.id, {})
    return Limits(overrides, state.catalog.tiers[org.tier_slug], now)
