"""Soft deletion, restoration and purge: what goes with a resource when it goes, and what is left behind.

A device takes its entities along, an integration its devices and its zones; what merely refers to a zone is detached.
So what is live never hangs on something deleted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from mock_server.engine.instants import Instant

from .resources import Holdings, Kind, Resource, Shelf, creation, oldest

Rows = dict[Kind, dict[str, Resource]]
"""By kind and id."""

_BELOW: tuple[tuple[Kind, Kind, str], ...] = (
    ("integrations", "devices", "integration_id"),
    ("integrations", "zones", "integration_id"),
    ("devices", "entities", "device_id"),
)
_REFERRING: tuple[tuple[Kind, str], ...] = (
    ("devices", "zone_id"),
    ("entities", "zone_id"),
    ("zones", "parent_zone_id"),
)
PARENTS: dict[str, tuple[Kind, str]] = {
    "devices": ("integrations", "integration_id"),
    "entities": ("devices", "device_id"),
}


def below(holdings: Holdings, kind: Kind, resource_id: str, half: str = "live") -> Rows:
    """What hangs directly on a resource; `half` of the shelves: live or deleted."""
    found: Rows = {}
    for parent, child, member in _BELOW:
        if parent == kind:
            rows = oldest(getattr(holdings.shelf(child), half))
            found[child] = {row.id: row for row in rows if getattr(row, member) == resource_id}
    return {child: rows for child, rows in found.items() if rows}


def referring(holdings: Holdings, zone_id: str) -> Rows:
    """What is in a zone, or in the zones directly below it."""
    found: Rows = {}
    for kind, member in _REFERRING:
        rows = {row.id: row for row in oldest(holdings.shelf(kind).live) if getattr(row, member) == zone_id}
        if rows:
            found[kind] = rows
    return found


def with_all_below(holdings: Holdings, kind: Kind, ids: Iterable[str], half: str = "live") -> Rows:
    """Resources of a kind and everything that hangs on them, to any depth: one look at each shelf."""
    shelf = getattr(holdings.shelf(kind), half)
    going: Rows = {kind: {each: shelf[each] for each in ids if each in shelf}}
    for parent, child, member in _BELOW:
        if parents := going.get(parent):
            rows = getattr(holdings.shelf(child), half).values()
            found = sorted((row for row in rows if getattr(row, member) in parents), key=creation)
            going.setdefault(child, {}).update({row.id: row for row in found})
    return {each: rows for each, rows in going.items() if rows}


def put_away(holdings: Holdings, going: Rows, now: Instant, purge_at: Instant) -> Holdings:
    """With `going` soft-deleted, and whatever referred to a zone among them detached from it."""
    for kind, rows in going.items():
        shelf = holdings.shelf(kind)
        live, deleted = shelf.live, shelf.deleted
        for row in rows.values():
            live = live.remove(row.id)
            away = msgspec.structs.replace(row, deleted_at=now, purge_at=purge_at, updated_at=now, keep=None)
            deleted = deleted.insert(row.id, away)
        holdings = holdings.with_shelf(kind, Shelf(live, deleted))
    return _detached(holdings, going["zones"], now) if "zones" in going else holdings


def put_back(holdings: Holdings, kind: Kind, row: Resource, now: Instant) -> tuple[Holdings, Resource]:
    """With a soft-deleted resource live again, out of zones that are gone."""
    shelf = holdings.shelf(kind)
    zones = holdings.zones.live
    gone = {
        member: None
        for of, member in _REFERRING
        if of == kind and (zone := getattr(row, member)) is not None and zone not in zones
    }
    if kind == "zones" and (owner := getattr(row, "integration_id", None)) is not None:
        gone |= {} if owner in holdings.integrations.live else {"integration_id": None}
    back = msgspec.structs.replace(row, deleted_at=None, purge_at=None, updated_at=now, **gone)
    return holdings.with_shelf(kind, Shelf(shelf.live.insert(row.id, back), shelf.deleted.remove(row.id))), back


def without(holdings: Holdings, going: Rows) -> Holdings:
    """With soft-deleted resources gone for good."""
    for kind, rows in going.items():
        shelf = holdings.shelf(kind)
        deleted = shelf.deleted
        for resource_id in rows:
            deleted = deleted.discard(resource_id)
        holdings = holdings.with_shelf(kind, Shelf(shelf.live, deleted))
    return holdings


def _detached(holdings: Holdings, zones: Container[str], now: Instant) -> Holdings:
    for kind, member in _REFERRING:
        shelf = holdings.shelf(kind)
        live = shelf.live
        for row in [row for row in live.values() if getattr(row, member) in zones]:
            live = live.insert(row.id, msgspec.structs.replace(row, updated_at=now, **{member: None}))
        if live is not shelf.live:
            holdings = holdings.with_shelf(kind, Shelf(live, shelf.deleted))
    return holdings
