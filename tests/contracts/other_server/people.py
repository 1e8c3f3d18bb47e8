"""Organizations, users, and the keys that programs use."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from ulid import ULID

from . import lifecycle
from .call import Call, localized, operation, page, stamps
from .errors import Refusal, invalid, missing, not_deleted
from .quotas import check_room
from .state import Caller, Org, Thing, User, World
from .times import read_duration, read_instant, show

DEEPEST = 8
LONGEST = timedelta(days=3650)
NOT_FOR_KEYS = {"operator", "billing:read", "billing:manage"}


def _org(world: World, org: Org) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": org.id, "name": org.name, "is_personal": False}
    shown["user_roles"] = {user.id: user.roles[org.id] for user in world.users.values() if org.id in user.roles}
    if org.description is not None:
        shown["description"] = org.description
    if org.parent_id:
        shown["parent_id"] = org.parent_id
    return shown | stamps(org.created_at, org.created_at)


@operation("list_orgs")
def list_orgs(world: World, call: Call) -> Any:
    reached = [org for org in world.orgs.values() if world.reaches(call.caller, org.id)]
    return page(call, reached, lambda org: _org(world, org))


@operation("create_org")
def create_org(world: World, call: Call) -> Any:
    body = call.body
    parent_id = body.get("parent_id") or call.caller.org_id
    parent = world.org(call.caller, parent_id) if parent_id else None
    if parent:
        if parent.depth >= DEEPEST:
            message = f"Organizations can be nested {DEEPEST} deep, not deeper."
            raise Refusal(400, "nesting_too_deep", message, {"most": DEEPEST, "parent_id": parent.id})
        check_room(world, parent, "organizations")
    org = Org(str(ULID()), localized(body["name"]), world.default_tier, world.now, body.get("description"))
    if parent:
        org.parent_id, org.depth = parent.id, parent.depth + 1
    world.orgs[org.id] = org
    if parent:
        lifecycle.refresh(world, parent)
    return _org(world, org)


@operation("get_org")
def get_org(world: World, call: Call) -> Any:
    return _org(world, world.org(call.caller, call.path["id"]))


@operation("get_org_permissions")
def permissions(world: World, call: Call) -> Any:
    world.org(call.caller, call.path["id"])
    return {"permissions": sorted(call.caller.permissions)}


# Users


def _seen_roles(world: World, caller: Caller, user: User) -> dict[str, list[str]]:
    return {org_id: roles for org_id, roles in user.roles.items() if world.reaches(caller, org_id)}


def _user(world: World, caller: Caller, user: User) -> dict[str, Any]:
    roles = _seen_roles(world, caller, user)
    return {"id": user.id, **user.data, "roles": roles, **stamps(user.created_at, user.created_at)}


def _find_user(world: World, call: Call) -> User:
    user = world.users.get(call.path["id"])
    if user is None or not _seen_roles(world, call.caller, user):
        raise missing("users", call.path["id"])
    return user


@operation("list_users")
def list_users(world: World, call: Call) -> Any:
    org = world.own_org(call.caller, call.header.get("X-Org"))
    found = [user for user in world.users.values() if org.id in user.roles]
    return page(call, found, lambda user: _user(world, call.caller, user))


@operation("create_user")
def create_user(world: World, call: Call) -> Any:
    body, x_org = call.body, call.header.get("X-Org")
    roles = body.get("roles")
    if x_org or not roles:
        own = world.own_org(call.caller, x_org)
        roles = roles or {own.id: ["member"]}
    orgs = [world.org(call.caller, org_id) for org_id in roles]
    for org in orgs:
        check_room(world, org, "org_users")
    user_id = str(ULID())
    data = {"name": localized(body["name"]), "email": body.get("email"), "email_is_synthetic": "email" not in body}
    data |= {name: body[name] for name in ("phone", "first_name", "last_name") if name in body}
    if not data["email"]:
        data["email"] = f"{user_id.lower()}@{'phone' if 'phone' in body else 'user'}.invalid"
    user = world.users[user_id] = User(user_id, data, dict(roles), world.now)
    for org in orgs:
        lifecycle.refresh(world, org)
    return _user(world, call.caller, user)


@operation("get_user")
def get_user(world: World, call: Call) -> Any:
    return _user(world, call.caller, _find_user(world, call))


@operation("delete_user", 204)
def delete_user(world: World, call: Call) -> Any:
    user = _find_user(world, call)
    for org_id in _seen_roles(world, call.caller, user):
        del user.roles[org_id]
        lifecycle.refresh(world, world.orgs[org_id])
    if not user.roles:
        del world.users[user.id]


# Keys


def _key(key: Thing) -> dict[str, Any]:
    hidden = {"secret", "permissions"}
    shown = {name: value for name, value in key.data.items() if name not in hidden} | {"id": key.id}
    if key.deleted_at:
        shown["revoked_at"] = show(key.deleted_at)
    return shown | stamps(key.created_at, key.updated_at)


def key_caller(world: World, key: Thing) -> Caller | None:
    """None if the key does not work (any more)."""
    if key.deleted_at or world.now >= read_instant(key.data["expires_at"]):
        return None
    return Caller(key.org_id, key.data["permissions"], key=key)


@operation("list_api_keys")
def list_keys(world: World, call: Call) -> Any:
    org = world.own_org(call.caller, call.header.get("X-Org"))
    return page(call, world.all_of("api_keys", org.id), _key)


def _expiry(world: World, body: dict[str, Any]) -> datetime:
    def wrong(name: str, reason: str) -> Refusal:
        return invalid(f"{name}: {reason}.", field=name, reason=reason)

    if "expires_at" in body and "expires_in" in body:
        raise wrong("expires_in", "give either expires_at or expires_in, not both")
    name = "expires_at" if "expires_at" in body else "expires_in"
    try:
        if name in body:
            lasts = (
                read_instant(body[name]) - world.now
                if name == "expires_at"
                else read_duration(body[name], compact=True)
            )
        else:
            lasts = timedelta(days=365)
    except ValueError as error:
        raise wrong(name, f"it cannot be read: {error}") from error
    if lasts <= timedelta(0):
        raise wrong(name, "it has passed")
    if lasts > LONGEST:
        raise wrong(name, "it is more than 3650 days away")
    return world.now + lasts


@operation("create_api_key", 201)
def create_key(world: World, call: Call) -> Any:
    body, caller = call.body, call.caller
    expires_at = _expiry(world, body)
    roles, entity_ids = body.get("scoped_roles"), body.get("scoped_entity_ids")
    grantable = world.known_permissions - NOT_FOR_KEYS
    for role in roles or ():
        if role not in grantable:
            message = f"An API key cannot be scoped to '{role}'."
            raise Refusal(400, "unknown_role", message, {"role": role, "known_roles": sorted(grantable)})
    if caller.operator and roles is None:
        raise invalid("body: an operator's key needs scoped_roles.", field="scoped_roles", reason="it is missing")
    org = world.own_org(caller, call.header.get("X-Org"))
    for role in roles or ():
        if not caller.may(role):
            message = f"An API key cannot be given '{role}', which the credential that makes it does not have."
            raise Refusal(403, "forbidden", message, {"role": role})
    if caller.key:
        if expires_at > read_instant(caller.key.data["expires_at"]) and ("expires_at" in body or "expires_in" in body):
            raise Refusal(403, "forbidden", "A key cannot make one that lasts longer than itself.")
        expires_at = min(expires_at, read_instant(caller.key.data["expires_at"]))
        scope = caller.key.data.get("scoped_entity_ids")
        if scope is not None:
            entity_ids = list(scope) if entity_ids is None else entity_ids
            for entity_id in entity_ids:
                if entity_id not in scope:
                    message = f"The key that makes this one is scoped to other entities than '{entity_id}'."
                    raise Refusal(403, "forbidden", message, {"id": entity_id})
    for entity_id in body.get("scoped_entity_ids", ()):
        entity = world.things["entities"].get(entity_id)
        if entity is None or entity.org_id != org.id or entity.deleted_at:
            raise missing("entities", entity_id)
    check_room(world, org, "api_keys")
    secret = secrets.token_urlsafe(24)
    data: dict[str, Any] = {
        "name": body["name"],
        "token_suffix": secret[-4:],
        "base_url": world.base_url,
        "expires_at": show(expires_at),
        "secret": secret,
        "permissions": caller.permissions if roles is None else frozenset(roles),
    }
    if roles is not None:
        data["scoped_roles"] = roles
    if entity_ids is not None:
        data["scoped_entity_ids"] = entity_ids
    key = world.add("api_keys", org.id, data)
    world.keys_by_secret[secret] = key
    lifecycle.refresh(world, org)
    shown = _key(key) | {"token": f"{world.base_url}_openapp_{secret}"}
    del shown["updated_at"]
    return shown


@operation("revoke_api_key", 204)
def revoke_key(world: World, call: Call) -> Any:
    key = world.find(call.caller, "api_keys", call.path["id"], live=True)
    lifecycle.delete(world, key)
    lifecycle.refresh(world, world.orgs[key.org_id])


@operation("restore_api_key")
def restore_key(world: World, call: Call) -> Any:
    key = world.find(call.caller, "api_keys", call.path["id"])
    if not key.deleted_at:
        raise not_deleted("api_keys", key.id)
    org = world.orgs[key.org_id]
    check_room(world, org, "api_keys")
    key.deleted_at, key.updated_at = None, world.now
    lifecycle.refresh(world, org)
    return _key(key)


@operation("purge_api_key", 204)
def purge_key(world: World, call: Call) -> Any:
    key = world.find(call.caller, "api_keys", call.path["id"])
    if not key.deleted_at:
        raise not_deleted("api_keys", key.id)
    world.forget(key)
