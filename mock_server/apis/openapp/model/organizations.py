"""POST and GET /orgs, GET /orgs/{id} and .../permissions: organizations, which can be nested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Emit, Refused

from .access import reachable_org
from .capacity import filling, no_room
from .lifetimes import Answer
from .localized import localized
from .paging import Page
from .problems import NESTING_TOO_DEEP, WORLD_FULL
from .resources import NOTHING
from .state import OpenApp, Org
from .views import organization

DEEPEST = 8
MOST_ORGANIZATIONS = 10_000
"""Of one world: a mock's memory is bounded."""


def create_organization(state: OpenApp, context: Context, caller: Caller, body: Mapping[str, Any]) -> Answer:
    """Below `parent_id`, else below the caller's own; only an operator's may stand alone. It starts on the default tier."""
    parent_id = body.get("parent_id") or caller.org
    news: tuple[Emit, ...] = ()
    if parent_id is not None:
        parent = reachable_org(state, caller, parent_id)
        if isinstance(parent, Refused):
            return parent
        if _depth(state, parent) >= DEEPEST:
            return Refused(NESTING_TOO_DEEP(most=DEEPEST, parent_id=parent_id))
        full = no_room(state, parent, "organizations", context.now)
        if full is not None:
            return full
        news = filling(state, parent, "organizations", context.now)
    if len(state.orgs) >= MOST_ORGANIZATIONS:
        return Refused(WORLD_FULL(current=len(state.orgs), limit=MOST_ORGANIZATIONS, source={"kind": "mock"}))
    org = Org(
        id=context.id(),
        name=localized(body["name"]),
        tier_slug=state.catalog.default.slug,
        created_at=context.now,
        updated_at=context.now,
        serial=state.serial,
        parent_id=parent_id,
        description=body.get("description"),
    )
    state = with_organization(state, org)
    return Accepted(state, organization(state, org), news)


def list_organizations(state: OpenApp, context: Context, caller: Caller, page: Page) -> dict[str, Any]:
    """All that the caller reaches."""
    if caller.is_operator:
        orgs = list(state.orgs.values())
    else:
        orgs = _with_those_below(state, caller.org) if caller.org is not None else []
    rows, total = page.of_rows(orgs)
    return {"items": [organization(state, org) for org in rows], "total": total}


def get_organization(state: OpenApp, context: Context, caller: Caller, org_id: str) -> dict[str, Any] | Refused:
    org = reachable_org(state, caller, org_id)
    return org if isinstance(org, Refused) else organization(state, org)


def permissions(state: OpenApp, context: Context, caller: Caller, org_id: str) -> dict[str, Any] | Refused:
    """What the caller may do in the organization, inherited from above or not."""
    org = reachable_org(state, caller, org_id)
    return org if isinstance(org, Refused) else {"permissions": sorted(caller.permissions)}


def with_organization(state: OpenApp, org: Org) -> OpenApp:
    """The state with a new organization, whose serial is the state's."""
    holdings = state.holdings.insert(org.id, NOTHING)
    state = state.with_org(org, serial=state.serial + 1, holdings=holdings)
    if org.parent_id is None:
        return state
    above = state.held_by(org.parent_id)
    return state.with_holdings(
        org.parent_id, msgspec.structs.replace(above, children=above.children.insert(org.id, True))
    )


def _with_those_below(state: OpenApp, org_id: str) -> list[Org]:
    found, waiting = [], [org_id]
    while waiting:
        here = waiting.pop()
        if here in state.orgs:
            found.append(state.orgs[here])
            waiting += state.held_by(here).children
    return found


def _depth(state: OpenApp, org: Org) -> int:
    depth = 1
    while org.parent_id is not None and depth <= DEEPEST:
        org, depth = state.orgs[org.parent_id], depth + 1
    return depth
