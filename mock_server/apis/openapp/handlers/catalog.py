"""GET /status, GET /plans: what anybody may ask."""

from __future__ import annotations

import mock_server
from mock_server.apis.openapp.model.plans import plans
from mock_server.http.exchange import Call, Reply


async def get_status(call: Call) -> Reply:
    return Reply({"environment": "mock", "version": f"mockbill {mock_server.__version__}"})


async def get_plans(call: Call) -> Reply:
    return Reply(call.view(lambda state, context: plans(state)))
