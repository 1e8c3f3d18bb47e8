"""GET .../billing/degradation, PUT .../policy, POST .../resource: the over-capacity lifecycle as its organization sees it."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import Instant, format_instant

from .access import reachable_org
from .capacity import excesses
from .lifecycle import level, rebalanced
from .limits import limits_of
from .problems import RESOURCE_NOT_FOUND, TOO_MANY_PINS
from .quotas import LIFETIME, QUOTAS
from .resources import Shelf
from .state import Flag, OpenApp, Org, SelectionPolicy

Status = dict[str, Any]
STATES = {"warned": "flagged", "degraded": "degraded", "marked_for_delete": "marked_for_delete"}
"""What a stage makes of a flagged resource."""


def degradation(state: OpenApp, context: Context, caller: Caller, org_id: str) -> Status | Refused:
    org = reachable_org(state, caller, org_id)
    return org if isinstance(org, Refused) else degradation_status(state, org, context.now)


def set_policy(
    state: OpenApp, context: Context, caller: Caller, org_id: str, policy: SelectionPolicy
) -> Accepted[OpenApp, Status] | Refused:
    """Which excess is wound down first from now on; what is flagged is chosen anew at once."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    if org.selection_policy != policy:
        org = msgspec.structs.replace(org, selection_policy=policy, updated_at=context.now)
        state = state.with_org(org)
    return _with_status(state, org, context)


def set_resource_keep(
    state: OpenApp, context: Context, caller: Caller, org_id: str, resource: str, resource_id: str, keep: bool
) -> Accepted[OpenApp, Status] | Refused:
    """Pin a resource as a survivor, or release it; what is flagged is chosen anew at once."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    holdings = state.held_by(org_id)
    shelf = holdings.shelf(resource)
    row = shelf.live.get(resource_id)
    if row is None:
        return Refused(RESOURCE_NOT_FOUND(org_id=org_id, resource=resource, resource_id=resource_id))
    if keep and not row.keep:
        limit = limits_of(state, org, context.now).of(resource, LIFETIME).value
        pinned = sum(each.keep is True for each in shelf.live.values())
        if limit is not None and pinned >= limit:
            return Refused(TOO_MANY_PINS(org_id=org_id, resource=resource, pinned=pinned, limit=limit))
    if row.keep is not keep:
        live = shelf.live.insert(row.id, msgspec.structs.replace(row, keep=keep))
        state = state.with_holdings(org_id, holdings.with_shelf(resource, Shelf(live, shelf.deleted)))
    return _with_status(state, org, context)


def degradation_status(state: OpenApp, org: Org, now: Instant) -> Status:
    """DegradationStatus."""
    enabled = state.settings.lifecycle_enabled
    lifecycle = state.lifecycles.get(org.id) if enabled else None
    over = excesses(state, org, now) if enabled else {}
    share, whole = level(lifecycle, state.settings, now)
    return {
        "org_id": org.id,
        "stage": "none" if lifecycle is None else lifecycle.stage,
        "degradation_level": round(share / whole, 6),
        "over_capacity": bool(over),
        "over_capacity_since": None if lifecycle is None else format_instant(lifecycle.since),
        "selection_policy": org.selection_policy,
        "overages": [
            {"key": key, "unit": QUOTAS[key].unit, "current": current, "limit": limit, "excess": current - limit}
            for key, (current, limit) in over.items()
        ],
        "flagged": [] if lifecycle is None else [_flagged(flag, lifecycle.stage) for flag in lifecycle.flags],
    }


def _with_status(state: OpenApp, org: Org, context: Context) -> Accepted[OpenApp, Status]:
    state, effects = rebalanced(state, org.id, context.now)
    return Accepted(state, degradation_status(state, org, context.now), effects)


def _flagged(flag: Flag, stage: str) -> dict[str, Any]:
    return {
        "resource": flag.kind,
        "id": flag.id,
        "state": STATES[stage],
        "flagged_at": format_instant(flag.flagged_at),
        "marked_at": None if flag.marked_at is None else format_instant(flag.marked_at),
    }
