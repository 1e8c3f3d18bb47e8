"""Integrations, devices, zones and entities."""

from __future__ import annotations

from collections import Counter
from typing import Any

from . import lifecycle
from .call import Call, localized, operation, page, stamps
from .errors import Refusal, missing, not_deleted
from .quotas import check_room
from .state import Org, Thing, World
from .times import show

SINGULAR = {"integrations": "integration", "devices": "device", "zones": "zone", "entities": "entity"}
PARENT = {"devices": ("integrations", "integration_id"), "entities": ("devices", "device_id")}


def render(thing: Thing) -> dict[str, Any]:
    shown = {"id": thing.id, "org_id": thing.org_id, **thing.data, **stamps(thing.created_at, thing.updated_at)}
    if thing.deleted_at:
        shown["deleted_at"] = show(thing.deleted_at)
        shown["purge_at"] = show(thing.deleted_at + lifecycle.RETENTION)
    return shown


def _named_org(world: World, call: Call) -> Org:
    """For bodies that name the organization too."""
    org_id, x_org = call.body["org_id"], call.header.get("X-Org")
    if x_org and x_org != org_id:
        message = f"The body is about '{org_id}', X-Org about '{x_org}'."
        raise Refusal(400, "org_mismatch", message, {"org_id": org_id, "x_org": x_org})
    return world.org(call.caller, org_id)


def _refer(world: World, org: Org, kind: str, thing_id: str | None) -> None:
    """To something that is there, in the same organization."""
    if thing_id is None:
        return
    thing = world.things[kind].get(thing_id)
    if thing is None or thing.org_id != org.id or thing.deleted_at:
        raise missing(kind, thing_id)


def _create(world: World, org: Org, kind: str, data: dict[str, Any]) -> Any:
    check_room(world, org, kind)
    thing = world.add(kind, org.id, data)
    lifecycle.refresh(world, org)
    return render(thing)


def _given(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


@operation("create_integration")
def create_integration(world: World, call: Call) -> Any:
    org, body = _named_org(world, call), call.body
    type_name = {"en": body["provider_type"].replace("_", " ").capitalize()}
    data = {
        "name": localized(body.get("name", type_name)),
        "provider_type": body["provider_type"],
        "provider_type_name": type_name,
        "enabled": body.get("enabled", True),
        "health": "ok",
        "credentials_set": sorted(body.get("secrets", ())),
    }
    return _create(world, org, "integrations", data | _given(body, "config"))


@operation("create_device")
def create_device(world: World, call: Call) -> Any:
    org, body = _named_org(world, call), call.body
    _refer(world, org, "integrations", body["integration_id"])
    _refer(world, org, "zones", body.get("zone_id"))
    data = {"name": localized(body["name"]), "credentials_set": []}
    data |= _given(body, "integration_id", "external_id", "device_metadata", "zone_id")
    return _create(world, org, "devices", data)


@operation("create_zone")
def create_zone(world: World, call: Call) -> Any:
    org, body = world.own_org(call.caller, call.header.get("X-Org")), call.body
    _refer(world, org, "integrations", body.get("integration_id"))
    _refer(world, org, "zones", body.get("parent_zone_id"))
    data = {"name": localized(body["name"]), "provider_links": [], "site_ids": body.get("site_ids", [])}
    return _create(world, org, "zones", data | _given(body, "integration_id", "parent_zone_id", "external_id"))


@operation("create_entity")
def create_entity(world: World, call: Call) -> Any:
    body, x_org = call.body, call.header.get("X-Org")
    org = world.own_org(call.caller, x_org)
    device = world.find(call.caller, "devices", body["device_id"], live=True)
    if not x_org:
        org = world.orgs[device.org_id]
    _refer(world, org, "devices", device.id)
    _refer(world, org, "zones", body.get("zone_id"))
    names = ("device_id", "entity_type", "name", "external_id", "channel_index", "metadata", "zone_id")
    return _create(world, org, "entities", _given(body, *names))


def _list(world: World, call: Call, kind: str) -> list[Thing]:
    org = world.own_org(call.caller, call.header.get("X-Org"))
    found = world.all_of(kind, org.id)
    if call.query["only_deleted"]:
        found = [thing for thing in found if thing.deleted_at]
    elif not call.query["include_deleted"]:
        found = [thing for thing in found if not thing.deleted_at]
    for name in ("integration_id", "device_id", "zone_id"):
        if name in call.query:
            found = [thing for thing in found if thing.data.get(name) == call.query[name]]
    return found


@operation("list_devices")
def list_devices(world: World, call: Call) -> Any:
    return page(call, _list(world, call, "devices"), render)["items"]


def check_scope(call: Call, thing: Thing) -> None:
    """A key that is for certain entities leaves all others alone."""
    key = call.caller.key
    scope = key.data.get("scoped_entity_ids") if key else None
    if scope is not None and thing.kind == "entities" and thing.id not in scope:
        message = f"This API key is scoped to other entities than '{thing.id}'."
        raise Refusal(403, "forbidden", message, {"id": thing.id})


def _check_scopes(world: World, call: Call, thing: Thing) -> None:
    check_scope(call, thing)
    for child in lifecycle.below(world, thing):
        _check_scopes(world, call, child)


def _check_removable(world: World, call: Call, thing: Thing) -> None:
    if thing.kind == "zones":
        users = Counter(other.kind for other in lifecycle.in_zone(world, thing) if not other.deleted_at)
        if users and call.query.get("cascade") != "detach":
            message = f"The zone '{thing.id}' is still referred to. Detach what refers to it with cascade=detach."
            details = {"resource": "zones", "id": thing.id, "dependents": dict(users)}
            raise Refusal(409, "zone_in_use", message, details)
        return
    hanging = Counter(child.kind for child in lifecycle.below(world, thing) if not child.deleted_at)
    if hanging and not call.query.get("recursive"):
        message = f"The {SINGULAR[thing.kind]} '{thing.id}' still has dependents. Delete them first: recursive=true."
        details = {"resource": thing.kind, "id": thing.id, "dependents": dict(hanging)}
        raise Refusal(422, "has_dependents", message, details)


def _delete(world: World, call: Call, kind: str) -> Any:
    thing = world.find(call.caller, kind, call.path["id"], live=True)
    _check_removable(world, call, thing)
    _check_scopes(world, call, thing)
    lifecycle.delete(world, thing)
    lifecycle.refresh(world, world.orgs[thing.org_id])
    return render(thing)


def _restore(world: World, call: Call, kind: str) -> Any:
    thing = world.find(call.caller, kind, call.path["id"])
    org = world.orgs[thing.org_id]
    if not thing.deleted_at:
        raise not_deleted(kind, thing.id)
    if kind in PARENT:
        parent_kind, name = PARENT[kind]
        parent = world.things[parent_kind].get(thing.data[name])
        if parent is None or parent.deleted_at:
            message = f"The {SINGULAR[kind]} '{thing.id}' belongs to '{thing.data[name]}', which is not there."
            details = {"resource": kind, "id": thing.id, "parent": thing.data[name]}
            raise Refusal(409, "parent_deleted", message, details)
    check_room(world, org, kind)
    if kind == "zones":
        owner = world.things["integrations"].get(thing.data.get("integration_id", ""))
        if owner is None or owner.deleted_at:
            thing.data.pop("integration_id", None)
    thing.deleted_at, thing.updated_at = None, world.now
    lifecycle.refresh(world, org)
    return render(thing)


def _purge(world: World, call: Call, kind: str) -> Any:
    thing = world.find(call.caller, kind, call.path["id"])
    if not thing.deleted_at:
        raise not_deleted(kind, thing.id)
    _check_scopes(world, call, thing)
    shown = render(thing)
    lifecycle.purge(world, thing)
    return shown


def _register(kind: str, one: str) -> None:
    def listing(world: World, call: Call) -> Any:
        return page(call, _list(world, call, kind), render)

    def get(world: World, call: Call) -> Any:
        return render(world.find(call.caller, kind, call.path["id"]))

    if kind != "devices":
        operation(f"list_{kind}")(listing)
    operation(f"get_{one}")(get)
    for verb, act in (("delete", _delete), ("restore", _restore), ("purge", _purge)):
        operation(f"{verb}_{one}")(lambda world, call, act=act: act(world, call, kind))


for _kind, _one in SINGULAR.items():
    _register(_kind, _one)
