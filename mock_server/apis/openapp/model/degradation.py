"""The over-capacity lifecycle: GET .../billing/degradation, PUT .../policy, POST .../resource.

The selection policy is kept and over-capacity is reported; stages do not advance yet, so the stage is `none`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import Instant

from .access import reachable_org
from .limits import limits_of
from .problems import RESOURCE_NOT_FOUND
from .quotas import CAPACITY_KEYS, LIFETIME, QUOTAS
from .state import OpenApp, Org, SelectionPolicy

Status = dict[str, Any]


def degradation(state: OpenApp, context: Context, caller: Caller, org_id: str) -> Status | Refused:
    org = reachable_org(state, caller, org_id)
    return org if isinstance(org, Refused) else degradation_status(state, org, context.now)


def set_policy(
    state: OpenApp, context: Context, caller: Caller, org_id: str, policy: SelectionPolicy
) -> Accepted[OpenApp, Status] | Refused:
    """Which excess is wound down first from now on."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    if org.selection_policy != policy:
        org = msgspec.structs.replace(org, selection_policy=policy)
        state = state.with_org(org)
    return Accepted(state, degradation_status(state, org, context.now))


def set_resource_keep(
    state: OpenApp, context: Context, caller: Caller, org_id: str, resource: str, resource_id: str, keep: bool
) -> Accepted[OpenApp, Status] | Refused:
    """Pin a resource as a survivor, or release it. No resource can be created yet, so none is ever found."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    return Refused(RESOURCE_NOT_FOUND(org_id=org_id, resource=resource, resource_id=resource_id))


def degradation_status(state: OpenApp, org: Org, now: Instant) -> Status:
    """DegradationStatus."""
    overages = _overages(state, org, now) if state.settings.lifecycle_enabled else []
    return {
        "org_id": org.id,
        "stage": "none",
        "degradation_level": 0.0,
        "over_capacity": bool(overages),
        "over_capacity_since": None,
        "selection_policy": org.selection_policy,
        "overages": overages,
        "flagged": [],
    }


def _overages(state: OpenApp, org: Org, now: Instant) -> list[dict[str, Any]]:
    capacity = state.capacity.get(org.id)
    if capacity is None:
        return []
    overages, limits = [], limits_of(state, org, now)
    for key in CAPACITY_KEYS:
        current = capacity.get(key, 0)
        limit = limits.of(key, LIFETIME).value if current else None
        if limit is not None and current > limit:
            overages.append(
                {"key": key, "unit": QUOTAS[key].unit, "current": current, "limit": limit, "excess": current - limit}
            )
    return overages
