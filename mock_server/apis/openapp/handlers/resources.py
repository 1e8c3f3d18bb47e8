"""/integrations, /devices, /entities, /zones: created each in its own way, and then all alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.api import Handler
from mock_server.apis.openapp.model.inventory import create_device, create_entity, create_integration, create_zone
from mock_server.apis.openapp.model.lifetimes import (
    delete_resource,
    get_resource,
    list_resources,
    purge_resource,
    restore_resource,
)
from mock_server.http.exchange import Call, Reply

from .asked import page, x_org

CREATE: dict[str, Callable[..., Any]] = {
    "integrations": create_integration,
    "devices": create_device,
    "entities": create_entity,
    "zones": create_zone,
}


def handlers_of(singular: str, kind: str, *filters: str) -> dict[str, Handler]:
    """operationId -> handler for one kind; `filters` are query parameters named as the members that they filter on."""

    async def create(call: Call) -> Reply:
        return Reply(call.decide(lambda state, it: CREATE[kind](state, it, call.caller, x_org(call), call.body)))

    async def get_list(call: Call) -> Reply:
        wanted = page(call, *filters)
        shown = call.view(lambda state, it: list_resources(state, it, call.caller, kind, x_org(call), wanted))
        # Clients of every generation expect the devices alone, where all other lists are pages.
        return Reply(shown["items"] if kind == "devices" else shown)

    async def get_one(call: Call) -> Reply:
        return Reply(call.view(lambda state, it: get_resource(state, it, call.caller, kind, call.path["id"])))

    async def delete(call: Call) -> Reply:
        with_dependents = call.query.get("recursive", False) or call.query.get("cascade") == "detach"
        return Reply(
            call.decide(
                lambda state, it: delete_resource(state, it, call.caller, kind, call.path["id"], with_dependents)
            )
        )

    async def restore(call: Call) -> Reply:
        return Reply(call.decide(lambda state, it: restore_resource(state, it, call.caller, kind, call.path["id"])))

    async def purge(call: Call) -> Reply:
        return Reply(call.decide(lambda state, it: purge_resource(state, it, call.caller, kind, call.path["id"])))

    return {
        f"create_{singular}": create,
        f"list_{kind}": get_list,
        f"get_{singular}": get_one,
        f"delete_{singular}": delete,
        f"restore_{singular}": restore,
        f"purge_{singular}": purge,
    }
