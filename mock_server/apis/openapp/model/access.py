"""Whose organization is it? The same answer for a foreign organization whether it exists or not."""

from __future__ import annotations

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Refused

from .problems import FORBIDDEN_ORG, ORG_NOT_FOUND
from .state import OpenApp, Org


def reachable_org(state: OpenApp, caller: Caller, org_id: str) -> Org | Refused:
    """The organization, if the caller may act in it. Only an operator learns that one does not exist."""
    if not caller.is_operator and caller.org != org_id:
        return Refused(FORBIDDEN_ORG(org_id=org_id))
    org = state.orgs.get(org_id)
    return org if org is not None else Refused(ORG_NOT_FOUND(org_id=org_id))
