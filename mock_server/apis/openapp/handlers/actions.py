"""What is metered: entity actions, scripting executions, public portal views, translation, reverse geocoding."""

from __future__ import annotations

from mock_server.apis.openapp.model import assistance, scripting
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.portals import view_portal
from mock_server.apis.openapp.model.views import executed as action_view
from mock_server.http.bodies import parse_json
from mock_server.http.exchange import Call, Reply

from .asked import x_org


async def execute_entity_action(call: Call) -> Reply:
    """Where delays are real, the answer of a slowed action comes that much later; what it did was done at once."""
    executed = call.decide(
        lambda state, it: execute_action(
            state,
            it,
            call.caller,
            call.path["id"],
            call.path["action_id"],
            call.raw,
            call.headers.get("idempotency-key"),
        )
    )
    slowed = executed.slowed
    if slowed is not None and call.world.state.apis[call.api.name].settings.delays == "real":
        await call.mock.sleep(slowed.delay_ms / 1000)
    return Reply({"correlation_id": call.request_id, **action_view(executed)})


async def create_execution(call: Call) -> Reply:
    script = call.body["script"]
    return Reply(
        call.decide(
            lambda state, it: scripting.create_execution(state, it, call.caller, x_org(call), script, parse_json)
        ),
        202,
    )


async def list_executions(call: Call) -> Reply:
    limit = call.query.get("limit", 20)
    return Reply(call.view(lambda state, it: scripting.list_executions(state, it, call.caller, x_org(call), limit)))


async def get_execution(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: scripting.get_execution(state, it, call.caller, call.path["id"])))


async def cancel_execution(call: Call) -> Reply:
    call.decide(lambda state, it: scripting.cancel_execution(state, it, call.caller, call.path["id"]))
    return Reply(None, 204)


async def get_public_portal(call: Call) -> Reply:
    return Reply(call.decide(lambda state, it: view_portal(state, it, call.path["publicPortalId"])))


async def translate(call: Call) -> Reply:
    return Reply(call.decide(lambda state, it: assistance.translate(state, it, call.caller, x_org(call), call.body)))


async def reverse_geocode(call: Call) -> Reply:
    return Reply(
        call.decide(lambda state, it: assistance.reverse_geocode(state, it, call.caller, x_org(call), call.body))
    )
