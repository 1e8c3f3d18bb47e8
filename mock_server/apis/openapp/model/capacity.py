"""Capacity quotas: how many of a thing may exist at once, and by how many an organization is over."""

from __future__ import annotations

from mock_server.engine.decisions import Emit, Refused
from mock_server.engine.instants import Instant

from .limits import limits_of
from .problems import CAPACITY_FULL, SHELF_FULL
from .quotas import CAPACITY_KEYS, LIFETIME
from .state import OpenApp, Org
from .thresholds import filled

MOST_ROWS = 10_000
"""Of one kind in one organization, whatever its limit: a mock's memory is bounded. As many deleted ones are kept."""


def no_room(state: OpenApp, org: Org, key: str, now: Instant) -> Refused | None:
    """Why one more may not be created; None if it may."""
    current = state.held_by(org.id).count(key)
    limit = limits_of(state, org, now).of(key, LIFETIME)
    facts = {"org_id": org.id, "key": key, "period": LIFETIME, "period_label": LIFETIME, "current": current}
    if limit.value is not None and current + 1 > limit.value:
        problem = CAPACITY_FULL(**facts, limit=limit.value, requested=1, source=dict(limit.source), resets_at=None)
        return Refused(problem)
    if current >= MOST_ROWS:
        return Refused(SHELF_FULL(**facts, limit=MOST_ROWS, requested=1, source={"kind": "mock"}, resets_at=None))
    return None


def filling(state: OpenApp, org: Org, key: str, now: Instant) -> tuple[Emit, ...]:
    """What the outside hears when one more is created for which there is room in `state`."""
    current = state.held_by(org.id).count(key)
    limit = limits_of(state, org, now).of(key, LIFETIME).value
    return filled(org.id, key, LIFETIME, LIFETIME, current, current + 1, limit)


def excesses(state: OpenApp, org: Org, now: Instant) -> dict[str, tuple[int, int]]:
    """Capacity quotas that are exceeded: key -> (how many there are, how many there may be)."""
    holdings = state.holdings.get(org.id)
    if holdings is None:
        return {}
    limits, over = limits_of(state, org, now), {}
    for key in CAPACITY_KEYS:
        current = holdings.count(key)
        if current:
            limit = limits.of(key, LIFETIME).value
            if limit is not None and current > limit:
                over[key] = (current, limit)
    return over
