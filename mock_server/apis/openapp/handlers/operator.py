"""/admin/quota_overrides: what only an operator may."""

from __future__ import annotations

from mock_server.apis.openapp.model.overrides import list_overrides, upsert_override
from mock_server.http.exchange import Call, Reply


async def get_quota_overrides(call: Call) -> Reply:
    return Reply(call.view(list_overrides))


async def post_quota_override(call: Call) -> Reply:
    return Reply(call.decide(lambda state, context: upsert_override(state, context, call.body)))
