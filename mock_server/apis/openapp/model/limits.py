"""Which limit holds for an organization, and where it comes from: active override, else tier, else the default."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mock_server.engine.instants import Instant

from .state import OpenApp, Org, Override, Tier


class EffectiveLimit(msgspec.Struct, frozen=True):
    """`value` None is unlimited. `source` is LimitSource as it goes over the wire."""

    value: int | None
    source: Mapping[str, str]


DEFAULT = EffectiveLimit(None, {"kind": "default"})


def row(key: str, period: str) -> str:
    """How overrides and counters of one organization are keyed."""
    return f"{key}/{period}"


class Limits(msgspec.Struct, frozen=True):
    """The limits of one organization at one instant."""

    overrides: Mapping[str, Override]
    tier: Tier
    from_tier: Mapping[str, str]
    now: Instant

    def of(self, key: str, period: str) -> EffectiveLimit:
        override = self.overrides.get(row(key, period)) if self.overrides else None
        if override is not None and override.is_active(self.now):
            return EffectiveLimit(override.limit_value, {"kind": "override", "id": override.id})
        limits = self.tier.quotas.get(key)
        if limits is not None and period in limits:
            return EffectiveLimit(limits[period], self.from_tier)
        return DEFAULT


def limits_of(state: OpenApp, org: Org, now: Instant) -> Limits:
    overrides: Mapping[str, Override] = state.overrides.get(org.id, {})
    return Limits(overrides, state.catalog.tiers[org.tier_slug], {"kind": "tier", "slug": org.tier_slug}, now)
