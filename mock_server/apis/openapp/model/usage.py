"""GET .../billing/usage: every quota of an organization, how much of it is used, and the limit that holds."""

from __future__ import annotations

from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Context, Refused
from mock_server.engine.instants import Instant
from mock_server.engine.windows import Window, window_at

from .access import reachable_org
from .degradation import degradation_status
from .limits import DEFAULT, limits_of
from .metering import used_in
from .quotas import CALENDAR_PERIODS, LIFETIME, PERIODS, QUOTAS
from .state import OpenApp, Org


def usage(state: OpenApp, context: Context, caller: Caller, org_id: str) -> dict[str, Any] | Refused:
    """QuotaReport. The degradation block is there while the over-capacity lifecycle is switched on."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    return {
        "org_id": org.id,
        "tier_slug": org.tier_slug,
        "items": usage_items(state, org, context.now),
        "degradation": degradation_status(state, org, context.now) if state.settings.lifecycle_enabled else None,
    }


def usage_items(state: OpenApp, org: Org, now: Instant) -> list[dict[str, Any]]:
    """QuotaUsage for every reported (key, period), and for others that a tier or an override limits."""
    windows: dict[str, Window] = {period: window_at(period, now) for period in CALENDAR_PERIODS}
    limits = limits_of(state, org, now)
    holdings = state.held_by(org.id)
    meters, sessions = holdings.meters, holdings.sessions
    items = []
    for key, quota in QUOTAS.items():
        reported = limits.tier.reported[key]
        for period in reported if not limits.overrides else PERIODS:
            if period not in reported and limits.of(key, period) is DEFAULT:
                continue
            window = windows.get(period)
            if period == LIFETIME:
                current = holdings.count(key)
            elif window is None:
                # Of the sessions that are known the one used last.
                current = sessions[key][-1].used if key in sessions else 0
            else:
                current = used_in(meters.get(key), period, now)
            limit = limits.of(key, period)
            items.append(
                {
                    "key": key,
                    "period": period,
                    "unit": quota.unit,
                    "period_label": window.label if window else period,
                    "period_start": window.start_text if window else None,
                    "period_end": window.end_text if window else None,
                    "current": current,
                    "limit": {"value": limit.value, "source": limit.source},
                }
            )
    return items
