"""POST and GET /users, GET and DELETE /users/{id}: people, each in one or several organizations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Effect, Refused

from .access import no_such, org_in_question, reachable_org, reaches
from .capacity import filling, no_room
from .lifecycle import rebalanced
from .lifetimes import Answer
from .localized import localized
from .paging import Page
from .resources import User
from .state import OpenApp, Org
from .views import user as view

MEMBER = ("member",)


def create_user(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Mapping[str, Any]) -> Answer:
    """In each organization of `roles` (else as a member of the one in question), each of which has to have room."""
    home = org_in_question(state, caller, x_org)
    roles: Mapping[str, list[str]] = body.get("roles") or {}
    if isinstance(home, Refused) and not roles:
        return home
    if x_org is not None and isinstance(home, Refused):
        return home
    orgs: list[Org] = []
    for org_id in sorted(roles) if roles or isinstance(home, Refused) else [home.id]:
        org = reachable_org(state, caller, org_id)
        if isinstance(org, Refused):
            return org
        orgs.append(org)
    for org in orgs:
        full = no_room(state, org, "org_users", context.now)
        if full is not None:
            return full
    user_id, email = context.id(), body.get("email")
    row = User(
        id=user_id,
        name=localized(body["name"]),
        email=email or f"{user_id.lower()}@phone.invalid",
        email_is_synthetic=email is None,
        serial=state.serial,
        created_at=context.now,
        updated_at=context.now,
        roles={org.id: tuple(roles.get(org.id) or MEMBER) for org in orgs},
        phone=body.get("phone"),
        first_name=body.get("first_name"),
        last_name=body.get("last_name"),
    )
    news = tuple(emit for org in orgs for emit in filling(state, org, "org_users", context.now))
    return Accepted(with_user(state, row), view(row), news)


def list_users(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, page: Page
) -> dict[str, Any] | Refused:
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    rows, total = page.of_rows(state.held_by(org.id).users.values())
    return {"items": [view(_seen(state, caller, row)) for row in rows], "total": total}


def get_user(state: OpenApp, context: Context, caller: Caller, user_id: str) -> dict[str, Any] | Refused:
    row = _found(state, caller, user_id)
    return row if isinstance(row, Refused) else view(_seen(state, caller, row))


def delete_user(state: OpenApp, context: Context, caller: Caller, user_id: str) -> Accepted[OpenApp, None] | Refused:
    """Out of every organization that the caller reaches; gone for good if none is left."""
    row = _found(state, caller, user_id)
    if isinstance(row, Refused):
        return row
    left = {org_id: roles for org_id, roles in row.roles.items() if not reaches(state, caller, org_id)}
    after = msgspec.structs.replace(row, roles=left, updated_at=context.now)
    effects: tuple[Effect, ...] = ()
    for org_id in sorted(row.roles):
        holdings = state.held_by(org_id)
        users = holdings.users.insert(user_id, after) if org_id in left else holdings.users.remove(user_id)
        state = state.with_holdings(org_id, msgspec.structs.replace(holdings, users=users))
        state, news = rebalanced(state, org_id, context.now)
        effects += news
    homes = state.homes.insert(user_id, min(left)) if left else state.homes.remove(user_id)
    return Accepted(msgspec.structs.replace(state, homes=homes), None, effects)


def with_user(state: OpenApp, row: User) -> OpenApp:
    """The state with a new user, whose serial is the state's."""
    for org_id in row.roles:
        holdings = state.held_by(org_id)
        state = state.with_holdings(org_id, msgspec.structs.replace(holdings, users=holdings.users.insert(row.id, row)))
    home = min(row.roles)
    return msgspec.structs.replace(state, homes=state.homes.insert(row.id, home), serial=state.serial + 1)


def _seen(state: OpenApp, caller: Caller, row: User) -> User:
    """Without the organizations that the caller does not reach: for it, they do not exist."""
    roles = {org_id: each for org_id, each in row.roles.items() if reaches(state, caller, org_id)}
    return row if len(roles) == len(row.roles) else msgspec.structs.replace(row, roles=roles)


def _found(state: OpenApp, caller: Caller, user_id: str) -> User | Refused:
    row = state.held_by(state.homes.get(user_id, "")).users.get(user_id)
    if row is None or not any(reaches(state, caller, org_id) for org_id in row.roles):
        return Refused(no_such("org_users", user_id))
    return row
