"""Which limit holds for an organization, and where it comes from: active override, else tier, else the default."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.instants import Instant

from .state import OpenApp, Org


class EffectiveLimit(msgspec.Struct, frozen=True):
    """`value` None is unlimited. `source` is LimitSource as it goes over the wire."""

    value: int | None
    source: dict[str, Any]


DEFAULT = EffectiveLimit(None, {"kind": "default"})


def row(key: str, period: str) -> str:
    """How overrides and counters of one organization are keyed."""
    return f"{key}/{period}"


def effective_limit(state: OpenApp, org: Org, key: str, period: str, now: Instant) -> EffectiveLimit:
    overrides = state.overrides.get(org.id)
    override = overrides.get(row(key, period)) if overrides is not None else None
    if override is not None and override.is_active(now):
        return EffectiveLimit(override.limit_value, {"kind": "override", "id": override.id})
    limits = state.catalog.tiers[org.tier_slug].quotas.get(key)
    if limits is not None and period in limits:
        return EffectiveLimit(limits[period], {"kind": "tier", "slug": org.tier_slug})
    return DEFAULT
