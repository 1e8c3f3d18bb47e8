"""/_mock/worlds/{world}/settings, /usage and /credentials: what a world holds."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.decisions import Context, Refused
from mock_server.engine.kernel import decide
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call, Refusal, Reply

from .problems import INVALID_SETTINGS, NOT_METERED
from .worlds import named_api, served_api, world_of


async def get_settings(call: Call) -> Reply:
    world, api = world_of(call), named_api(call)
    return Reply({"api": api.name, "settings": world.state.apis[api.name].settings})


async def change_settings(call: Call) -> Reply:
    world, api = world_of(call), named_api(call)
    now = call.mock.now_in(world)

    def changed(state: WorldState) -> tuple[WorldState, Any]:
        domain = state.apis[api.name]
        merged = {**msgspec.to_builtins(domain.settings), **call.body}
        try:
            settings = msgspec.convert(merged, api.settings)
        except msgspec.ValidationError as error:
            raise Refusal(INVALID_SETTINGS(reason=str(error), known=_known(api.settings))) from None
        if settings == domain.settings:
            return state, settings
        after = msgspec.structs.replace(domain, settings=settings)
        state = msgspec.structs.replace(state, apis=state.apis.insert(api.name, after))
        state, _ = decide(state, api.name, api.reconsidered, now)
        return state, settings

    return Reply({"api": api.name, "settings": world.transact(changed)})


async def consume_usage(call: Call) -> Reply:
    """Refused as the API itself would refuse it."""
    world, body = world_of(call), call.body
    api = served_api(call, body.get("api"))
    consumed = api.consumed
    if consumed is None:
        raise Refusal(NOT_METERED(api=api.name))
    now = call.mock.now_in(world)

    def used(domain: Any, context: Context) -> Any:
        return consumed(domain, context, body["org"], body["key"], body["amount"], body.get("session"))

    outcome = world.transact(lambda state: decide(state, api.name, used, now))
    if isinstance(outcome, Refused):
        raise Refusal(outcome.problem)
    return Reply({"api": api.name, "usage": outcome.reply})


async def list_credentials(call: Call) -> Reply:
    world = world_of(call)
    credentials = [
        {
            "api": name,
            "secret": each.secret,
            "token": api.token_form(call.base_url, each.secret),
            "name": each.name,
            "role": each.role,
            "org": each.org,
            "permissions": each.permissions,
            "revoked": each.revoked,
        }
        for name, api in call.mock.apis.items()
        for each in api.credentials(world.state.apis[name])
    ]
    return Reply({"credentials": credentials})


def _known(settings: type[msgspec.Struct]) -> str:
    """The settings there are, each with the values it takes."""
    kind = msgspec.inspect.type_info(settings)
    return "; ".join(f"{field.name}: {_values(field.type)}" for field in kind.fields)  # type: ignore[attr-defined]


def _values(kind: msgspec.inspect.Type) -> str:
    if isinstance(kind, msgspec.inspect.LiteralType):
        return " or ".join(map(str, kind.values))
    if isinstance(kind, msgspec.inspect.IntType):
        return f"{kind.ge} to {kind.le}"
    return "true or false"
