"""How requests about resources are refused for what there is or is not: 404, 409, 422, 429, 501."""

from __future__ import annotations

from .client import World
from .recipes import OPENAPP
from .request import Request
from .resource_recipes import KINDS, full, made, stock, stock_without

UNKNOWN_ORG = "01J9ZC3M4N5P6Q7R8S9T0V1W99"
NOBODY = "01J9ZC3M4N5P6Q7R8S9T0V1W00"

Cases = dict[tuple[str, int], Request]


def resource_cases() -> Cases:
    return {**_not_found(), **_conflicts(), **_exceeded()}


def _not_found() -> Cases:
    cases: Cases = {}
    by_id = {
        **{f"{verb}_{kind}": kind for verb in ("get", "delete", "restore", "purge") for kind in KINDS},
        **{f"{verb}_api_key": "api_key" for verb in ("revoke", "restore", "purge")},
        "get_user": "user",
        "delete_user": "user",
        "execute_entity_action": "entity",
        "get_scripting_execution": "execution",
        "cancel_scripting_execution": "execution",
    }
    for name, kind in by_id.items():
        fine = OPENAPP[name]
        cases[name, 404] = fine.but(path=fine.parts["path"].replace(f"{{{kind}}}", NOBODY))
    portal = OPENAPP["get_public_portal"]
    cases["get_public_portal", 404] = portal.but(path=portal.parts["path"].replace("portal-demo", "nowhere"))
    asked_about_an_organization = [
        *(f"list_{kind}" for kind in (*KINDS.values(), "users", "api_keys", "scripting_executions")),
        *(f"create_{kind}" for kind in ("zone", "user", "api_key", "scripting_execution")),
        "translate_locale_content",
        "reverse_geocode",
    ]
    for name in asked_about_an_organization:
        cases[name, 404] = OPENAPP[name].but(key="demo-operator", headers={"x-org": UNKNOWN_ORG})
    unknown = {
        "create_org": {"parent_id": UNKNOWN_ORG},
        "create_integration": {"org_id": UNKNOWN_ORG},
        "create_device": {"org_id": UNKNOWN_ORG},
        "create_entity": {"device_id": NOBODY},
    }
    for name, members in unknown.items():
        fine = OPENAPP[name]
        cases[name, 404] = fine.but(key="demo-operator", json={**fine.parts["json"], **members})
    resource = OPENAPP["post_org_billing_degradation_resource"]
    cases["post_org_billing_degradation_resource", 404] = resource.but(
        json={**resource.parts["json"], "resource_id": NOBODY}
    )
    return cases


def _conflicts() -> Cases:
    cases: Cases = {}
    for verb in ("restore", "purge"):
        for kind in (*KINDS, "api_key"):
            cases[f"{verb}_{kind}", 409] = OPENAPP[f"{verb}_{kind}"].but(setup=stock)
    for kind in ("integration", "device"):
        cases[f"delete_{kind}", 422] = OPENAPP[f"delete_{kind}"].but(query=b"")
    cases["delete_zone", 409] = OPENAPP["delete_zone"].but(setup=_zone_in_use)
    cases["cancel_scripting_execution", 409] = OPENAPP["cancel_scripting_execution"].but(setup=_after_a_minute)
    action = OPENAPP["execute_entity_action"]
    cases["execute_entity_action", 409] = action.but(
        setup=_opened, json={"hold": True}, headers={"idempotency-key": "once"}
    )
    cases["execute_entity_action", 501] = action.but(
        path=action.parts["path"].replace("switchable.open", "switchable.explode")
    )
    pin = OPENAPP["post_org_billing_degradation_resource"]
    cases["post_org_billing_degradation_resource", 409] = pin.but(setup=full("devices"))
    return cases


def _exceeded() -> Cases:
    cases: Cases = {}
    keys = {
        "org": "organizations",
        "user": "org_users",
        **KINDS,
        "api_key": "api_keys",
        "scripting_execution": "scripting_executions",
    }
    for kind, key in keys.items():
        fine = OPENAPP[f"create_{kind}"]
        cases[f"create_{kind}", 429] = fine.but(setup=full(key, fine.setup or (lambda _: None)))
    for kind in (*KINDS, "api_key"):
        key = KINDS.get(kind, "api_keys")
        cases[f"restore_{kind}", 429] = OPENAPP[f"restore_{kind}"].but(setup=full(key, stock_without(kind)))
    metered = {
        "execute_entity_action": "door_opens",
        "get_public_portal": "portal_views",
        "translate_locale_content": "ai_requests",
        "reverse_geocode": "geocoding_requests",
    }
    for name, key in metered.items():
        cases[name, 429] = OPENAPP[name].but(setup=full(key))
    return cases


def _zone_in_use(world: World) -> dict[str, str]:
    names = dict(stock(world))
    made(world, "/zones", {"name": "Corner", "parent_zone_id": names["zone"]})
    return names


def _after_a_minute(world: World) -> dict[str, str]:
    names = dict(stock(world))
    world.advance("PT1M")
    return names


def _opened(world: World) -> dict[str, str]:
    names = dict(stock(world))
    made(world, f"/entities/{names['entity']}/actions/switchable.open", {}, headers={"idempotency-key": "once"})
    return names
