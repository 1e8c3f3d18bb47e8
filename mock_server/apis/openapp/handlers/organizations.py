"""/orgs, /orgs/{id}, /orgs/{id}/permissions, /users and /users/{id}: organizations and the people in them."""

from __future__ import annotations

from mock_server.apis.openapp.model.organizations import (
    create_organization,
    get_organization,
    list_organizations,
    permissions,
)
from mock_server.apis.openapp.model.users import create_user, delete_user, get_user, list_users
from mock_server.http.exchange import Call, Reply

from .asked import page, x_org


async def create_org(call: Call) -> Reply:
    return Reply(call.decide(lambda state, it: create_organization(state, it, call.caller, call.body)))


async def list_orgs(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: list_organizations(state, it, call.caller, page(call))))


async def get_org(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: get_organization(state, it, call.caller, call.path["id"])))


async def get_org_permissions(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: permissions(state, it, call.caller, call.path["id"])))


async def post_user(call: Call) -> Reply:
    return Reply(call.decide(lambda state, it: create_user(state, it, call.caller, x_org(call), call.body)))


async def get_users(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: list_users(state, it, call.caller, x_org(call), page(call))))


async def get_one_user(call: Call) -> Reply:
    return Reply(call.view(lambda state, it: get_user(state, it, call.caller, call.path["id"])))


async def remove_user(call: Call) -> Reply:
    call.decide(lambda state, it: delete_user(state, it, call.caller, call.path["id"]))
    return Reply(None, 204)
