"""/api-keys...: credentials that callers make, revoke, restore and purge."""

from __future__ import annotations

from urllib.parse import urlsplit

from mock_server.apis.openapp.credentials import token_form
from mock_server.apis.openapp.model.api_keys import create_api_key
from mock_server.apis.openapp.model.lifetimes import (
    delete_resource,
    list_resources,
    purge_resource,
    restore_resource,
)
from mock_server.apis.openapp.model.paging import Page
from mock_server.http.exchange import Call, Reply
from mock_server.http.mock import DEFAULT_WORLD

from .asked import page, x_org

KIND = "api_keys"


async def post_api_key(call: Call) -> Reply:
    """The only answer that ever holds the token."""
    parts = urlsplit(call.base_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    made, secret = call.decide(lambda state, it: create_api_key(state, it, call.caller, x_org(call), call.body, origin))
    world = None if call.world.name == DEFAULT_WORLD else call.world.name
    return Reply(
        {name: value for name, value in made.items() if name != "updated_at"}
        | {"token": token_form(origin, secret, world)},
        201,
    )


async def get_api_keys(call: Call) -> Reply:
    """Revoked ones too: they say so."""
    asked = page(call)
    wanted = Page(limit=asked.limit, offset=asked.offset, include_deleted=True)
    return Reply(call.view(lambda state, it: list_resources(state, it, call.caller, KIND, x_org(call), wanted)))


async def revoke_api_key(call: Call) -> Reply:
    call.decide(lambda state, it: delete_resource(state, it, call.caller, KIND, call.path["id"], True))
    return Reply(None, 204)


async def restore_api_key(call: Call) -> Reply:
    return Reply(call.decide(lambda state, it: restore_resource(state, it, call.caller, KIND, call.path["id"])))


async def purge_api_key(call: Call) -> Reply:
    call.decide(lambda state, it: purge_resource(state, it, call.caller, KIND, call.path["id"]))
    return Reply(None, 204)
