"""What OpenApp's reads would answer in a state: the state is held against the bundle before a world is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Context

from .model.degradation import degradation
from .model.lifetimes import get_resource, list_resources
from .model.organizations import get_organization
from .model.overrides import list_overrides
from .model.paging import Page
from .model.plans import billing_plan, plans, upgrade_options
from .model.resources import KINDS, SINGULAR
from .model.scripting import get_execution
from .model.state import OpenApp
from .model.usage import usage
from .model.users import get_user
from .model.views import portal

_OPERATOR = Caller("probe", None, frozenset({OPERATOR}))
_ALL = Page(limit=200, include_deleted=True)


def probe(state: OpenApp, context: Context) -> Iterator[tuple[str, Any]]:
    yield "get_plans", plans(state)
    yield "get_admin_quota_overrides", list_overrides(state, context)
    for org_id in state.orgs:
        yield "get_org_billing_plan", billing_plan(state, context, _OPERATOR, org_id, "http://127.0.0.1")
        yield "get_org_billing_usage", usage(state, context, _OPERATOR, org_id)
        yield "get_org_billing_upgrade_options", upgrade_options(state, context, _OPERATOR, org_id)
        yield "get_org_billing_degradation", degradation(state, context, _OPERATOR, org_id)
        yield "get_org", get_organization(state, context, _OPERATOR, org_id)
        holdings = state.held_by(org_id)
        for kind in KINDS:
            shelf = holdings.shelf(kind)
            for resource_id in (*shelf.live, *shelf.deleted):
                if kind != "api_keys":
                    yield f"get_{SINGULAR[kind]}", get_resource(state, context, _OPERATOR, kind, resource_id)
        yield "list_api_keys", list_resources(state, context, _OPERATOR, "api_keys", org_id, _ALL)
        for user_id in holdings.users:
            yield "get_user", get_user(state, context, _OPERATOR, user_id)
        for execution_id in holdings.executions:
            yield "get_scripting_execution", get_execution(state, context, _OPERATOR, execution_id)
    for each in state.portals.values():
        yield "get_public_portal", portal(each)
