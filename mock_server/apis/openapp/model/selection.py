"""Which resources go first when an organization holds too many. Each policy puts all candidates in one total order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.engine.instants import Instant

from .resources import Holdings, Kind, Resource, creation
from .state import SelectionPolicy

Uses = Mapping[str, Instant]


def chosen(holdings: Holdings, kind: Kind, excess: int, policy: SelectionPolicy) -> list[Resource]:
    """The `excess` resources of a kind that go, the first to go first.

    Pinned ones come after all others, so they are taken only when nothing else is left (a limit below the number of
    pins). `manual` takes nothing but what was released, however much too much there is.
    """
    rows = list(holdings.shelf(kind).live.values())
    if policy == "manual":
        return sorted((row for row in rows if row.keep is False), key=creation, reverse=True)[:excess]
    if policy == "least_recently_used":
        uses = last_uses(holdings, kind)

        def by_use(row: Resource) -> Any:
            return uses.get(row.id, row.created_at), row.serial

        return _pinned_last(rows, by_use, False)[:excess]
    return _pinned_last(rows, creation, policy == "newest_first")[:excess]


def last_uses(holdings: Holdings, kind: Kind) -> Uses:
    """When each resource of a kind was last used; those that never were are missing.

    Using an entity uses its device, its zone and the integration that the device belongs to.
    """
    if kind in ("entities", "api_keys"):
        rows = holdings.shelf(kind).live.values()
        return {row.id: row.last_used_at for row in rows if row.last_used_at is not None}
    uses: dict[str, Instant] = {}
    for entity in holdings.entities.live.values():
        if entity.last_used_at is None:
            continue
        if kind == "zones":
            through = entity.zone_id
        else:
            device = holdings.devices.live.get(entity.device_id)
            through = device and (device.id if kind == "devices" else device.integration_id)
        if through is not None:
            uses[through] = max(uses.get(through, 0), entity.last_used_at)
    return uses


def _pinned_last(rows: list[Resource], key: Callable[[Resource], Any], reverse: bool) -> list[Resource]:
    ordered = sorted(rows, key=key, reverse=reverse)
    return [row for row in ordered if not row.keep] + [row for row in ordered if row.keep]
