"""What all capacity resources have in common: read, listed, soft-deleted, restored, purged."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import Instant

from .access import in_scope, live_resource, org_in_question, resource
from .capacity import filling, no_room
from .deletion import delete, purge, unscheduled_one
from .lifecycle import after
from .paging import Page
from .problems import ENTITY_OUT_OF_SCOPE, HAS_DEPENDENTS, NOT_DELETED, PARENT_DELETED, ZONE_IN_USE
from .resources import SINGULAR, Resource, Shelf
from .shelves import PARENTS, below, put_back, referring
from .state import OpenApp, Org
from .views import view

Answer = Accepted[OpenApp, dict[str, Any]] | Refused


def get_resource(
    state: OpenApp, context: Context, caller: Caller, kind: str, resource_id: str
) -> dict[str, Any] | Refused:
    row = resource(state, caller, kind, resource_id)
    return row if isinstance(row, Refused) else view(kind, row)


def list_resources(
    state: OpenApp, context: Context, caller: Caller, kind: str, x_org: str | None, page: Page
) -> dict[str, Any] | Refused:
    """`items` of the page and the `total`."""
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    rows, total = page.of_shelf(state.held_by(org.id).shelf(kind))
    return {"items": [view(kind, row) for row in rows], "total": total}


def placed(state: OpenApp, kind: str, row: Resource, **changes: Any) -> OpenApp:
    """The state with a new resource, whose serial is the state's."""
    holdings = state.held_by(row.org_id)
    shelf = holdings.shelf(kind)
    shelf = Shelf(shelf.live.insert(row.id, row), shelf.deleted)
    return state.with_holdings(
        row.org_id,
        holdings.with_shelf(kind, shelf),
        homes=state.homes.insert(row.id, row.org_id),
        serial=state.serial + 1,
        **changes,
    )


def common(state: OpenApp, context: Context, org: Org) -> dict[str, Any]:
    """The members that every new resource has."""
    return {
        "id": context.id(),
        "org_id": org.id,
        "serial": state.serial,
        "created_at": context.now,
        "updated_at": context.now,
    }


def delete_resource(
    state: OpenApp, context: Context, caller: Caller, kind: str, resource_id: str, with_dependents: bool
) -> Answer:
    """Soft-deleted; a quota counts it no longer. Refused while something live hangs on it, unless asked for."""
    row = live_resource(state, caller, kind, resource_id)
    if isinstance(row, Refused):
        return row
    if kind == "entities" and not in_scope(state, caller, row.id):
        return Refused(ENTITY_OUT_OF_SCOPE(id=row.id))
    if not with_dependents and (refused := _dependents(state, kind, row)) is not None:
        return refused
    changed, effects = delete(state, row.org_id, kind, [row.id], context.now)
    gone = changed.held_by(row.org_id).shelf(kind).deleted[row.id]
    return after(Accepted(changed, view(kind, gone), effects), row.org_id, context.now)


def restore_resource(state: OpenApp, context: Context, caller: Caller, kind: str, resource_id: str) -> Answer:
    """Live again, if its quota has room and what it hangs on is live. What went with it stays deleted."""
    row = resource(state, caller, kind, resource_id)
    if isinstance(row, Refused):
        return row
    if kind == "entities" and not in_scope(state, caller, row.id):
        return Refused(ENTITY_OUT_OF_SCOPE(id=row.id))
    noun = SINGULAR[kind]
    if row.deleted_at is None:
        return Refused(NOT_DELETED(_noun=noun, resource=kind, id=row.id))
    holdings = state.held_by(row.org_id)
    if kind in PARENTS:
        parent_kind, member = PARENTS[kind]
        parent = getattr(row, member)
        if parent not in holdings.shelf(parent_kind).live:
            return Refused(PARENT_DELETED(_noun=noun, resource=kind, id=row.id, parent=parent))
    full = no_room(state, state.orgs[row.org_id], kind, context.now)
    if full is not None:
        return full
    news = filling(state, state.orgs[row.org_id], kind, context.now)
    holdings, back = put_back(holdings, kind, row, context.now)  # type: ignore[arg-type]
    restored = Accepted(state.with_holdings(row.org_id, holdings), view(kind, back), (unscheduled_one(row), *news))
    # A restored entity brings its last use along, and that is its device's too.
    return after(restored, row.org_id, context.now)


def purge_resource(state: OpenApp, context: Context, caller: Caller, kind: str, resource_id: str) -> Answer:
    """Gone for good, with the deleted resources that hung on it."""
    row = resource(state, caller, kind, resource_id)
    if isinstance(row, Refused):
        return row
    if kind == "entities" and not in_scope(state, caller, row.id):
        return Refused(ENTITY_OUT_OF_SCOPE(id=row.id))
    if row.deleted_at is None:
        return Refused(NOT_DELETED(_noun=SINGULAR[kind], resource=kind, id=row.id))
    changed, effects = purge(state, row.org_id, kind, [row.id])
    return Accepted(changed, view(kind, row), effects)


def touched(state: OpenApp, row: Any, now: Instant) -> OpenApp:
    """The state with an entity or an API key used just now."""
    if row.last_used_at == now:
        return state
    holdings = state.held_by(row.org_id)
    kind = "api_keys" if hasattr(row, "digest") else "entities"
    shelf = holdings.shelf(kind)
    used = shelf.live.insert(row.id, msgspec.structs.replace(row, last_used_at=now))
    return state.with_holdings(row.org_id, holdings.with_shelf(kind, Shelf(used, shelf.deleted)))


def _dependents(state: OpenApp, kind: str, row: Resource) -> Refused | None:
    holdings = state.held_by(row.org_id)
    if kind == "zones":
        found, refusal = referring(holdings, row.id), ZONE_IN_USE
    else:
        found, refusal = below(holdings, kind, row.id), HAS_DEPENDENTS  # type: ignore[arg-type]
    if not found:
        return None
    dependents = {each: len(rows) for each, rows in found.items()}
    return Refused(refusal(_noun=SINGULAR[kind], resource=kind, id=row.id, dependents=dependents))
