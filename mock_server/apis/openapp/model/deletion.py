"""Deleting resources of one organization in a state, and what the agenda has to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mock_server.engine.decisions import Accepted, Context, Effect, Job, Schedule, Unschedule
from mock_server.engine.instants import DAY, LATEST, Instant

from .capacity import MOST_ROWS
from .resources import KINDS, SINGULAR, Resource
from .shelves import Rows, put_away, with_all_below, without
from .state import OpenApp

API = "openapp"
PURGE_JOB = "resource_purged"


def delete(
    state: OpenApp, org_id: str, kind: str, ids: Iterable[str], now: Instant
) -> tuple[OpenApp, tuple[Effect, ...]]:
    """Soft-delete live resources of a kind with all that hangs on them. They are purged when they have lain long enough."""
    holdings = state.held_by(org_id)
    going = with_all_below(holdings, kind, ids)  # type: ignore[arg-type]
    if not going:
        return state, ()
    purge_at = min(now + state.settings.retention_days * DAY, LATEST)
    state = state.with_holdings(org_id, put_away(holdings, going, now, purge_at))
    effects: list[Effect] = [
        Schedule(_key(resource_id), purge_at, Job(API, PURGE_JOB, {"org_id": org_id, "kind": each, "id": resource_id}))
        for each, rows in going.items()
        for resource_id in rows
    ]
    for each in going:
        deleted = state.held_by(org_id).shelf(each).deleted
        if len(deleted) > MOST_ROWS:
            now_deleted = going[each]
            oldest_first = sorted(deleted.values(), key=lambda row: (row.id in now_deleted, row.deleted_at, row.serial))
            surplus = oldest_first[: len(deleted) - MOST_ROWS]
            state, more = purge(state, org_id, each, [row.id for row in surplus])
            effects += more
    return state, tuple(effects)


def purge(state: OpenApp, org_id: str, kind: str, ids: Iterable[str]) -> tuple[OpenApp, tuple[Effect, ...]]:
    """Forget soft-deleted resources of a kind, and the soft-deleted ones that hang on them."""
    holdings = state.held_by(org_id)
    going = with_all_below(holdings, kind, ids, "deleted")  # type: ignore[arg-type]
    homes, keys = state.homes, state.api_keys
    for rows in going.values():
        for row in rows.values():
            homes = homes.discard(row.id)
            keys = keys.discard(getattr(row, "digest", ""))
    state = msgspec.structs.replace(state.with_holdings(org_id, without(holdings, going)), homes=homes, api_keys=keys)
    return state, unscheduled(going)


def purge_due(state: OpenApp, args: Mapping[str, Any], context: Context) -> Accepted[OpenApp, str]:
    """Job: a deleted resource has lain as long as it is kept."""
    org_id, kind, resource_id = (str(args.get(name)) for name in ("org_id", "kind", "id"))
    row = state.held_by(org_id).shelf(kind).deleted.get(resource_id) if kind in KINDS else None
    if row is None:
        return Accepted(state, "there no longer")
    after, effects = purge(state, org_id, kind, [resource_id])
    return Accepted(after, f"{SINGULAR[kind]} {resource_id} purged", effects)


def unscheduled(going: Rows) -> tuple[Effect, ...]:
    return tuple(Unschedule(_key(resource_id)) for rows in going.values() for resource_id in rows)


def unscheduled_one(row: Resource) -> Effect:
    return Unschedule(_key(row.id))


def _key(resource_id: str) -> str:
    return f"{API}/purge:{resource_id}"
