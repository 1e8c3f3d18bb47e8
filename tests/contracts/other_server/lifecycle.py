"""What becomes of an organization that holds too much, of deleted things, and how time goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from .quotas import CAPACITY, limit_of, unit
from .state import KINDS, Org, Thing, World
from .times import show

WARN, DEGRADE, PURGE, RETENTION = (timedelta(days=days) for days in (7, 30, 14, 30))
MAX_DELAY_MS = 2000
ENDS = {"warned": WARN, "degraded": WARN + DEGRADE, "marked_for_delete": WARN + DEGRADE + PURGE}
STATES = {"warned": "flagged", "degraded": "degraded", "marked_for_delete": "marked_for_delete"}


def overages(world: World, org: Org) -> list[dict[str, Any]]:
    found = []
    for key in CAPACITY:
        limit = limit_of(world, org, key, "lifetime")["value"]
        if limit is not None and (current := world.count(key, org.id)) > limit:
            found.append({"key": key, "unit": unit(key), "current": current, "limit": limit, "excess": current - limit})
    return found


def _chosen(world: World, org: Org, kind: str, excess: int) -> list[Thing]:
    things = world.live(kind, org.id)
    if org.policy == "manual":
        released = [thing for thing in things if thing.released and not thing.pinned]
        return sorted(released, key=lambda thing: -thing.order)[:excess]
    if org.policy == "least_recently_used":
        things.sort(key=lambda thing: thing.used)
    else:
        things.sort(key=lambda thing: thing.order, reverse=org.policy == "newest_first")
    things.sort(key=lambda thing: thing.pinned)
    return things[:excess]


def refresh(world: World, org: Org) -> None:
    """Brings stage and flags in line with what is held and allowed now. To be called after every change."""
    over = overages(world, org)
    if not over:
        org.stage, org.since, org.over_since, org.flagged = "none", None, None, {}
        return
    if org.stage == "none":
        org.stage, org.since = "warned", world.now
        org.over_since = org.over_since or world.now
    marked = world.now if org.stage == "marked_for_delete" else None
    flagged = {}
    for overage in over:
        kind = overage["key"]
        if kind in KINDS:
            for thing in _chosen(world, org, kind, overage["excess"]):
                before = org.flagged.get((kind, thing.id))
                flagged[kind, thing.id] = before or {"flagged_at": world.now, "marked_at": marked}
    org.flagged = flagged


def level(world: World, org: Org) -> float:
    if org.stage == "degraded" and org.since:
        return min(1.0, max(0.0, (world.now - org.since - WARN) / DEGRADE))
    return 1.0 if org.stage == "marked_for_delete" else 0.0


def delay_ms(world: World, org: Org) -> int:
    return round(MAX_DELAY_MS * level(world, org))


def status(world: World, org: Org) -> dict[str, Any]:
    over = overages(world, org)
    return {
        "org_id": org.id,
        "stage": org.stage,
        "degradation_level": level(world, org),
        "over_capacity": bool(over),
        "over_capacity_since": show(org.over_since) if org.over_since else None,
        "selection_policy": org.policy,
        "overages": over,
        "flagged": [
            {
                "resource": kind,
                "id": thing_id,
                "state": STATES[org.stage],
                "flagged_at": show(flag["flagged_at"]) if flag["flagged_at"] else None,
                "marked_at": show(flag["marked_at"]) if flag["marked_at"] else None,
            }
            for (kind, thing_id), flag in org.flagged.items()
        ],
    }


def below(world: World, thing: Thing) -> list[Thing]:
    """What hangs on it directly, deleted or not."""
    if thing.kind == "integrations":
        kinds, name = ("devices", "zones"), "integration_id"
    elif thing.kind == "devices":
        kinds, name = ("entities",), "device_id"
    else:
        return []
    return [t for kind in kinds for t in world.all_of(kind, thing.org_id) if t.data.get(name) == thing.id]


def in_zone(world: World, zone: Thing) -> list[Thing]:
    found = []
    for kind, name in (("devices", "zone_id"), ("entities", "zone_id"), ("zones", "parent_zone_id")):
        found += [t for t in world.all_of(kind, zone.org_id) if t.data.get(name) == zone.id]
    return found


def delete(world: World, thing: Thing) -> None:
    """Softly, and with what hangs on it. Nothing stays in a zone that is deleted."""
    for child in below(world, thing):
        if not child.deleted_at:
            delete(world, child)
    if thing.kind == "zones":
        for other in in_zone(world, thing):
            other.data.pop("parent_zone_id" if other.kind == "zones" else "zone_id")
            other.updated_at = world.now
    thing.deleted_at = thing.updated_at = world.now
    thing.pinned = thing.released = False


def purge(world: World, thing: Thing) -> None:
    for child in below(world, thing):
        purge(world, child)
    world.forget(thing)


def _next_stage(world: World, org: Org) -> None:
    if org.stage == "warned":
        org.stage = "degraded"
    elif org.stage == "degraded":
        org.stage = "marked_for_delete"
        for flag in org.flagged.values():
            flag["marked_at"] = world.now
    else:
        for kind, thing_id in list(org.flagged):
            thing = world.things[kind].get(thing_id)
            if thing and not thing.deleted_at:
                delete(world, thing)
        org.stage, org.since, org.flagged = "none", None, {}
        refresh(world, org)


def _agenda(world: World) -> Iterator[tuple[datetime, int, str, Any]]:
    for kind in ("integrations", "devices", "zones", "entities", "api_keys"):
        for thing in world.things[kind].values():
            if thing.deleted_at:
                yield thing.deleted_at + RETENTION, 0, thing.id, thing
    for override in world.overrides.values():
        if override.expires_at and override.expires_at > world.now:
            yield override.expires_at, 1, override.id, override
    for org in world.orgs.values():
        if org.since:
            yield org.since + ENDS[org.stage], 2, org.id, org


def move_clock(world: World, to: datetime) -> None:
    """Does what falls due on the way, in the order of time."""
    while True:
        due = min(_agenda(world), key=lambda item: item[:3], default=None)
        if due is None or due[0] > to:
            break
        world.now = max(world.now, due[0])
        if isinstance(due[3], Thing):
            purge(world, due[3])
        elif isinstance(due[3], Org):
            _next_stage(world, due[3])
        else:
            refresh(world, world.orgs[due[3].org_id])
    world.now = to
