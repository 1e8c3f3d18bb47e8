"""Use that no operation of the API stands for: a metered quota consumed from outside, an API key noticed."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused

from .lifecycle import after
from .lifetimes import touched
from .metering import crossed, crossed_in_session, in_session, metered, with_meters
from .problems import NOT_METERED, ORG_NOT_FOUND, SESSION_NEEDED, UNKNOWN_QUOTA_KEY
from .quotas import PER_SESSION, QUOTAS
from .state import OpenApp
from .usage import usage_items


def consumed(
    state: OpenApp, context: Context, org_id: str, key: str, amount: int, session: str | None
) -> Accepted[OpenApp, list[dict[str, Any]]] | Refused:
    """The quota's items of the usage report afterwards. A quota counted per session needs to know which."""
    org, quota = state.orgs.get(org_id), QUOTAS.get(key)
    if org is None:
        return Refused(ORG_NOT_FOUND(org_id=org_id))
    if quota is None:
        return Refused(UNKNOWN_QUOTA_KEY(quota_key=key, known_keys=list(QUOTAS)))
    if quota.is_capacity:
        return Refused(NOT_METERED(quota_key=key))
    if quota.allowed == (PER_SESSION,):
        if session is None:
            return Refused(SESSION_NEEDED(quota_key=key))
        sessions = in_session(state, org, key, session, amount, context.now)
        if isinstance(sessions, Refused):
            return sessions
        news = crossed_in_session(state, org, key, session, amount, sessions, context.now)
        state = state.with_holdings(org_id, msgspec.structs.replace(state.held_by(org_id), sessions=sessions))
    else:
        meters = metered(state, org, {key: amount}, context.now)
        if isinstance(meters, Refused):
            return meters
        news = crossed(state, org, {key: amount}, meters, context.now)
        state = with_meters(state, org, meters)
    return Accepted(state, [item for item in usage_items(state, org, context.now) if item["key"] == key], news)


def key_used(state: OpenApp, caller: Caller, context: Context) -> Accepted[OpenApp, None]:
    """Notes the use of an API key, which may change which keys are flagged."""
    row = state.held_by(caller.org or "").api_keys.live.get(caller.key or "")
    if row is None or row.last_used_at == context.now:
        return Accepted(state, None)
    used = Accepted(touched(state, row, context.now), None)
    org = state.orgs[row.org_id]
    is_chosen_by_use = org.id in state.lifecycles and org.selection_policy == "least_recently_used"
    return after(used, org.id, context.now) if is_chosen_by_use else used
