"""What OpenApp's reads would answer in a state: the state is held against the bundle before a world is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Context

from .model.degradation import degradation
from .model.overrides import list_overrides
from .model.plans import billing_plan, plans, upgrade_options
from .model.state import OpenApp
from .model.usage import usage

_OPERATOR = Caller("probe", None, frozenset({OPERATOR}))


def probe(state: OpenApp, context: Context) -> Iterator[tuple[str, Any]]:
    yield "get_plans", plans(state)
    yield "get_admin_quota_overrides", list_overrides(state, context)
    for org_id in state.orgs:
        yield "get_org_billing_plan", billing_plan(state, context, _OPERATOR, org_id, "http://127.0.0.1")
        yield "get_org_billing_usage", usage(state, context, _OPERATOR, org_id)
        yield "get_org_billing_upgrade_options", upgrade_options(state, context, _OPERATOR, org_id)
        yield "get_org_billing_degradation", degradation(state, context, _OPERATOR, org_id)
