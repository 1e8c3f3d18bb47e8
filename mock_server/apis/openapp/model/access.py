"""Whose organization is it? A caller reaches its own and those below it.

A foreign organization gets the same answer whether it exists or not, and so does what belongs to one.
"""

from __future__ import annotations

from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Refused

from .problems import DELETED, FORBIDDEN_ORG, NO_ORGANIZATION, NO_SUCH, ORG_MISMATCH, ORG_NOT_FOUND
from .resources import SINGULAR
from .state import OpenApp, Org


def reaches(state: OpenApp, caller: Caller, org_id: str) -> bool:
    if caller.org == org_id or caller.is_operator:
        return True
    org = state.orgs.get(org_id)
    while org is not None and org.parent_id is not None:
        if org.parent_id == caller.org:
            return True
        org = state.orgs.get(org.parent_id)
    return False


def reachable_org(state: OpenApp, caller: Caller, org_id: str) -> Org | Refused:
    """The organization, if the caller may act in it. Only an operator learns that one does not exist."""
    if not reaches(state, caller, org_id):
        return Refused(FORBIDDEN_ORG(org_id=org_id))
    org = state.orgs.get(org_id)
    return org if org is not None else Refused(ORG_NOT_FOUND(org_id=org_id))


def org_in_question(state: OpenApp, caller: Caller, x_org: str | None, in_body: str | None = None) -> Org | Refused:
    """The organization that the body or X-Org names, else the caller's own."""
    if x_org is not None and in_body is not None and x_org != in_body:
        return Refused(ORG_MISMATCH(org_id=in_body, x_org=x_org))
    org_id = in_body or x_org or caller.org
    if org_id is None:
        return Refused(NO_ORGANIZATION(place="header", name="X-Org"))
    return reachable_org(state, caller, org_id)


def resource(state: OpenApp, caller: Caller, kind: str, resource_id: str) -> Any | Refused:
    """A live or soft-deleted resource of a kind, if the caller reaches the organization that it belongs to."""
    org_id = state.homes.get(resource_id)
    if org_id is not None and reaches(state, caller, org_id):
        shelf = state.held_by(org_id).shelf(kind)
        row = shelf.live.get(resource_id) or shelf.deleted.get(resource_id)
        if row is not None:
            return row
    return Refused(no_such(kind, resource_id))


def live_resource(state: OpenApp, caller: Caller, kind: str, resource_id: str) -> Any | Refused:
    row = resource(state, caller, kind, resource_id)
    if not isinstance(row, Refused) and row.deleted_at is not None:
        return Refused(DELETED(_noun=SINGULAR[kind], resource=kind, id=resource_id))
    return row


def in_scope(state: OpenApp, caller: Caller, entity_id: str) -> bool:
    """Whether the caller's API key, if it shows one, may act on an entity."""
    if caller.key is None:
        return True
    key = state.held_by(caller.org or "").api_keys.live.get(caller.key)
    return key is None or key.scoped_entity_ids is None or entity_id in key.scoped_entity_ids


def no_such(kind: str, resource_id: str, org_id: str | None = None) -> Any:
    """`org_id`: in which organization it would have to be, where a reference has to stay inside one."""
    return NO_SUCH(_noun=SINGULAR[kind], resource=kind, id=resource_id, _org_id=org_id)
