"""What may be had and used: limits, counting, refusing, reporting."""

from __future__ import annotations

import math
from typing import Any

from .errors import Refusal
from .state import Org, World
from .times import show, window

CAPACITY = ("org_users", "organizations", "integrations", "devices", "entities", "zones", "api_keys")
PERIODS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(CAPACITY, ("lifetime",)),
    "door_opens": ("day", "month"),
    "voice_invocations": ("day",),
    "portal_views": ("day",),
    "video_sessions": ("day",),
    "video_session_duration_seconds": ("per_session",),
    "scripting_executions": ("day",),
    "ai_requests": ("day", "month"),
    "geocoding_requests": ("day", "month"),
}
LENGTH = {"per_session": 0, "day": 1, "week": 2, "month": 3, "lifetime": 4}


def unit(key: str) -> str:
    return "seconds" if key.endswith("_seconds") else "count"


def can_be_limited(key: str) -> list[str]:
    """The periods that an override can name: for what is metered any window of the calendar."""
    periods = set(PERIODS[key])
    if periods.isdisjoint({"lifetime", "per_session"}):
        periods |= {"day", "week", "month"}
    return sorted(periods, key=LENGTH.__getitem__)


def limit_of(world: World, org: Org, key: str, period: str) -> dict[str, Any]:
    override = world.overrides.get((org.id, key, period))
    if override and (override.expires_at is None or world.now < override.expires_at):
        return {"value": override.limit, "source": {"kind": "override", "id": override.id}}
    row = world.tiers[org.tier]["quotas"].get(key, {})
    if period in row:
        return {"value": row[period], "source": {"kind": "tier", "slug": org.tier}}
    return {"value": None, "source": {"kind": "default"}}


def periods_of(world: World, org: Org, key: str) -> list[str]:
    """The reported periods, and any other that is limited just now."""
    more = {p for p in LENGTH if limit_of(world, org, key, p)["source"]["kind"] != "default"}
    return sorted(more | set(PERIODS[key]), key=LENGTH.__getitem__)


def used(world: World, org: Org, key: str, period: str, session: str | None = None) -> int:
    if period == "lifetime":
        return world.count(key, org.id)
    if period == "per_session":
        if session is not None:
            return org.sessions.get(session, 0)
        return max(org.sessions.values(), default=0)
    return org.used.get((key, window(period, world.now)[0]), 0)


def _refusal(world: World, org: Org, key: str, period: str, current: int, limit: Any, requested: int) -> Refusal:
    label, _, end = window(period, world.now)
    details = {
        "org_id": org.id,
        "key": key,
        "period": period,
        "period_label": label,
        "current": current,
        "limit": limit["value"],
        "requested": requested,
        "source": limit["source"],
        "resets_at": show(end) if end else None,
    }
    headers = {}
    if end:
        headers["Retry-After"] = str(max(1, math.ceil((end - world.now).total_seconds())))
    message = f"Organization '{org.id}' is at {current} of {limit['value']} {key} ({label})."
    return Refusal(429, "quota_exceeded", message, details, headers)


def check_room(world: World, org: Org, key: str) -> None:
    """For one more thing of a kind that is counted while it exists."""
    limit = limit_of(world, org, key, "lifetime")
    current = world.count(key, org.id)
    if limit["value"] is not None and current + 1 > limit["value"]:
        raise _refusal(world, org, key, "lifetime", current, limit, 1)


def consume(world: World, org: Org, keys: list[str], amount: int = 1, session: str | None = None) -> None:
    """Uses all the keys over all their windows, or none of them."""
    full = []
    for key in keys:
        for period in periods_of(world, org, key):
            limit = limit_of(world, org, key, period)
            current = used(world, org, key, period, session or "")
            if limit["value"] is not None and current + amount > limit["value"]:
                full.append((key, period, current, limit))
    if full:
        key, period, current, limit = max(full, key=lambda item: LENGTH[item[1]])
        raise _refusal(world, org, key, period, current, limit, amount)
    for key in keys:
        if "per_session" in PERIODS[key]:
            name = session or f"session {world.tick()}"
            org.sessions[name] = org.sessions.get(name, 0) + amount
            continue
        for period in ("day", "week", "month"):
            place = (key, window(period, world.now)[0])
            org.used[place] = org.used.get(place, 0) + amount


def report(world: World, org: Org) -> list[dict[str, Any]]:
    items = []
    for key in PERIODS:
        for period in periods_of(world, org, key):
            label, start, end = window(period, world.now)
            items.append(
                {
                    "key": key,
                    "period": period,
                    "unit": unit(key),
                    "period_label": label,
                    "period_start": show(start) if start else None,
                    "period_end": show(end) if end else None,
                    "current": used(world, org, key, period),
                    "limit": limit_of(world, org, key, period),
                }
            )
    return items
