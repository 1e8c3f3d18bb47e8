"""Requests about resources that succeed, and what has to be there for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import ACME, World
from .request import Request, Setup, api

KINDS = {"integration": "integrations", "device": "devices", "entity": "entities", "zone": "zones"}
PLAIN = "demo-reader"
"""May read bills and nothing else."""


def made(world: World, path: str, body: Any, **more: Any) -> dict[str, Any]:
    """What the owner has created."""
    answer = world.call("POST", path, json=body, **more)
    assert answer.status < 300, answer.body
    created: dict[str, Any] = answer.json
    return created


def stock(world: World) -> Mapping[str, str]:
    """One of everything in Acme; the names of their ids."""
    integration = made(world, "/integrations", {"org_id": ACME, "provider_type": "virtual_demo", "name": "Demo"})["id"]
    zone = made(world, "/zones", {"name": "Lobby"})["id"]
    device = made(world, "/devices", {"org_id": ACME, "integration_id": integration, "name": {"en": "Front"}})["id"]
    entity = made(world, "/entities", {"device_id": device, "entity_type": "door", "name": "Front door"})["id"]
    return {
        "integration": integration,
        "zone": zone,
        "device": device,
        "entity": entity,
        "user": made(world, "/users", {"name": "Una", "email": "una@acme.example"})["id"],
        "api_key": made(world, "/api-keys", {"name": "laptop"})["id"],
        "execution": made(world, "/scripting/executions", {"script": "open()"})["id"],
    }


def stock_without(*kinds: str) -> Setup:
    """One of everything, some of them deleted with all that hangs on them."""

    def setup(world: World) -> Mapping[str, str]:
        names = stock(world)
        for kind in kinds:
            path = f"/api-keys/{names[kind]}" if kind == "api_key" else f"/{KINDS[kind]}/{names[kind]}"
            answer = world.call("DELETE", path, query=b"recursive=true" if kind != "zone" else b"cascade=detach")
            assert answer.status in (200, 204), answer.body
        return names

    return setup


def full(key: str, setup: Setup = stock) -> Setup:
    """As `setup` leaves it, with a limit of nothing on a quota."""

    def limited(world: World) -> Mapping[str, str] | None:
        names = setup(world)
        override = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": 0}
        made(world, "/admin/quota_overrides", override, key="demo-operator")
        return names

    return limited


def _by_id(kind: str, method: str, more: str = "", setup: Setup = stock) -> Request:
    path = api(f"/{KINDS[kind]}/{{{kind}}}{more}")
    return Request(method, path, "demo-owner", setup=setup, unprivileged=PLAIN)


def _collection(method: str, path: str, body: Any = ..., setup: Setup | None = None) -> Request:
    return Request(method, api(path), "demo-owner", body, setup=setup, unprivileged=PLAIN)


RESOURCES: dict[str, Request] = {
    "create_org": _collection("POST", "/orgs", {"name": "Acme Annex"}),
    "list_orgs": _collection("GET", "/orgs"),
    "get_org": _collection("GET", f"/orgs/{ACME}"),
    "get_org_permissions": Request("GET", api(f"/orgs/{ACME}/permissions"), "demo-owner", unprivileged=None),
    "create_user": _collection("POST", "/users", {"name": {"en": "Una"}, "phone": "+491700000000"}),
    "list_users": _collection("GET", "/users"),
    "get_user": _collection("GET", "/users/{user}", setup=stock),
    "delete_user": _collection("DELETE", "/users/{user}", setup=stock),
    "create_integration": _collection(
        "POST", "/integrations", {"org_id": ACME, "provider_type": "mqtt", "secrets": {"k": 1}}
    ),
    "create_device": _collection(
        "POST",
        "/devices",
        {"org_id": ACME, "integration_id": "{integration}", "name": "Back", "zone_id": "{zone}"},
        stock,
    ),
    "create_entity": _collection("POST", "/entities", {"device_id": "{device}", "entity_type": "light"}, stock),
    "create_zone": _collection("POST", "/zones", {"name": "Roof", "parent_zone_id": "{zone}"}, stock),
    **{f"list_{KINDS[kind]}": _collection("GET", f"/{KINDS[kind]}") for kind in ("integration", "entity", "zone")},
    "list_devices": _collection("GET", "/devices", setup=stock),
    **{f"get_{kind}": _by_id(kind, "GET") for kind in KINDS},
    **{f"delete_{kind}": _by_id(kind, "DELETE") for kind in ("entity", "zone")},
    **{f"delete_{kind}": _by_id(kind, "DELETE").but(query=b"recursive=true") for kind in ("integration", "device")},
    **{f"restore_{kind}": _by_id(kind, "POST", "/restore", stock_without(kind)) for kind in KINDS},
    **{f"purge_{kind}": _by_id(kind, "DELETE", "/purge", stock_without(kind)) for kind in KINDS},
    "execute_entity_action": _by_id("entity", "POST", "/actions/switchable.open").but(json={}),
    "create_api_key": _collection(
        "POST", "/api-keys", {"name": "ci", "expires_in": "30d", "scoped_roles": ["execute"]}
    ),
    "list_api_keys": _collection("GET", "/api-keys"),
    "revoke_api_key": _collection("DELETE", "/api-keys/{api_key}", setup=stock),
    "restore_api_key": _collection("POST", "/api-keys/{api_key}/restore", setup=stock_without("api_key")),
    "purge_api_key": _collection("DELETE", "/api-keys/{api_key}/purge", setup=stock_without("api_key")),
    "create_scripting_execution": _collection("POST", "/scripting/executions", {"script": "open()"}),
    "list_scripting_executions": _collection("GET", "/scripting/executions"),
    "get_scripting_execution": _collection("GET", "/scripting/executions/{execution}", setup=stock),
    "cancel_scripting_execution": _collection("DELETE", "/scripting/executions/{execution}", setup=stock),
    "get_public_portal": Request("GET", api("/public/access/portals/portal-demo")),
    "translate_locale_content": Request(
        "POST",
        api("/ai/translate-locale-content"),
        "demo-owner",
        {"title": "Hello", "body": "World", "source_locale": "en", "target_locales": ["de", "pt-BR"]},
        unprivileged=None,
    ),
    "reverse_geocode": Request(
        "POST", api("/reverse-geocode"), "demo-owner", {"lat": 52.5, "lng": 13.4}, unprivileged=None
    ),
}
