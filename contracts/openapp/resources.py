"""Things that are made, read, listed, put away, taken back and forgotten."""

from __future__ import annotations

from collections.abc import Callable

from contracts.bench import Bench
from contracts.case import Case

from .stock import FULL, LISTED, PLURAL, SOFT, Stock, billing, deletion, opening, request_for


def life(bench: Bench) -> None:
    """Every kind of thing from its creation to the day it is forgotten."""
    for kind in SOFT:
        if bench.is_about(*(f"{verb}_{kind}" for verb in ("create", "get", "delete", "restore", "purge"))):
            bench.attempt(_life(kind))
            bench.attempt(_purged(kind))
    for kind in FULL:
        if bench.is_about(f"create_{kind}"):
            bench.attempt(_kept_whole(kind))
    bench.attempt(_users)
    bench.attempt(_orgs)


def _reads(case: Case, kind: str, made: str) -> None:
    if kind != "api_key":
        case.ask(f"get_{kind}", path={"id": made})
    case.ask(f"list_{PLURAL[kind]}")
    if kind != "api_key":
        for which in ("include_deleted", "only_deleted"):
            case.ask(f"list_{PLURAL[kind]}", query={which: "true"})


def _life(kind: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        stock = Stock(case)
        made = stock.another(kind)
        _reads(case, kind, made)
        case.ask(**deletion(kind, made))
        _reads(case, kind, made)
        case.ask(**deletion(kind, made))
        case.ask(f"restore_{kind}", path={"id": made})
        case.ask(f"restore_{kind}", path={"id": made})
        _reads(case, kind, made)

    return script


def _purged(kind: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        made = Stock(case).another(kind)
        case.ask(f"purge_{kind}", path={"id": made})
        case.ask(**deletion(kind, made))
        case.ask(f"purge_{kind}", path={"id": made})
        _reads(case, kind, made)
        case.ask(f"restore_{kind}", path={"id": made})
        case.ask(f"purge_{kind}", path={"id": made})

    return script


def _kept_whole(kind: str) -> Callable[[Case], None]:
    """All that was given is there again when it is read."""

    def script(case: Case) -> None:
        creation = Stock(case).creation(kind)
        made = case.ask(**{**creation, "json": {**creation["json"], **FULL[kind]}}).json["id"]
        case.ask(f"get_{kind}", path={"id": made})
        case.ask("list_users" if kind == "user" else f"list_{PLURAL[kind]}")

    return script


def _users(case: Case) -> None:
    made = case.ask("create_user", json={"name": "Una", "roles": {case.org: ["devices:read"]}}).json["id"]
    case.ask("get_user", path={"id": made})
    case.ask("list_users")
    case.ask("delete_user", path={"id": made})
    case.ask("get_user", path={"id": made})
    case.ask("delete_user", path={"id": made})
    case.ask("list_users")


def _orgs(case: Case) -> None:
    if not case.needs_org:
        case.ask("list_orgs")
    made = case.ask("create_org", json={"name": "Annex", "parent_id": case.org, "description": "Next door"}).json["id"]
    for operation in ("get_org", "get_org_permissions", "get_org_billing_plan", "get_org_billing_usage"):
        case.ask(operation, path={"id": made})
    if not case.needs_org:
        case.ask("list_orgs")
    case.ask("create_zone", headers={"X-Org": made}, json={"name": "Theirs"})
    case.ask("list_zones")
    case.ask("list_zones", headers={"X-Org": made})


def belonging(bench: Bench) -> None:
    """What hangs on what: refused deletions, recursive ones, detaching, filters."""
    for script in (_dependents, _recursive, _zone_in_use, _filters, _restored_alone):
        bench.attempt(script)


def _dependents(case: Case) -> None:
    stock = Stock(case)
    door = stock["entity"]
    for kind in ("device", "integration"):
        case.ask(f"delete_{kind}", path={"id": stock[kind]})
        case.ask(f"get_{kind}", path={"id": stock[kind]})
    case.ask("delete_entity", path={"id": door})
    case.ask("delete_device", path={"id": stock["device"]})
    case.ask("delete_integration", path={"id": stock["integration"]})


def _recursive(case: Case) -> None:
    stock = Stock(case)
    door = stock["entity"]
    case.ask(**deletion("integration", stock["integration"]))
    for kind, made in (("entity", door), ("device", stock["device"])):
        case.ask(f"get_{kind}", path={"id": made})
    case.ask(**billing(case, "usage"))
    case.ask("restore_integration", path={"id": stock["integration"]})
    case.ask("get_device", path={"id": stock["device"]})


def _restored_alone(case: Case) -> None:
    """Nothing can be taken back without what it belongs to."""
    stock = Stock(case)
    door = stock["entity"]
    case.ask(**deletion("device", stock["device"]))
    case.ask("restore_entity", path={"id": door})
    case.ask("restore_device", path={"id": stock["device"]})
    case.ask("restore_entity", path={"id": door})


def _zone_in_use(case: Case) -> None:
    stock = Stock(case)
    zone = stock["zone"]
    case.ask("create_zone", json={"name": "Corner", "parent_zone_id": zone})
    device = stock.creation("device")
    made = case.ask(**{**device, "json": {**device["json"], "zone_id": zone}}).json["id"]
    case.ask("delete_zone", path={"id": zone})
    case.ask("delete_zone", path={"id": zone}, query={"cascade": "detach"})
    case.ask("get_device", path={"id": made})
    case.ask("list_zones")


def _filters(case: Case) -> None:
    stock = Stock(case)
    door, zone = stock["entity"], stock["zone"]
    integration = stock.another("integration")
    for query in ({"integration_id": integration}, {"integration_id": stock["integration"]}):
        case.ask("list_devices", query=query)
    other = stock.creation("entity")
    lamp = case.ask(**{**other, "json": {**other["json"], "zone_id": zone}}).json["id"]
    for each in ({"device_id": stock["device"]}, {"zone_id": zone}, {"device_id": "01J9ZC3M4N5P6Q7R8S9T0V1W00"}):
        case.ask("list_entities", query=each)
    for limit, offset in ((1, 0), (1, 1), (1, 2), (0, 0), (200, 0)):
        case.ask("list_entities", query={"limit": str(limit), "offset": str(offset)})
    assert door != lamp


def retention(bench: Bench) -> None:
    """What was put away is forgotten after its time, not a second before."""
    for kind in SOFT:
        bench.attempt(_forgotten(kind))


def _forgotten(kind: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        made = Stock(case)[f"deleted {kind}"]
        case.advance("P29DT23H59M59S")
        _reads(case, kind, made)
        case.advance("PT1S")
        _reads(case, kind, made)
        case.ask(f"restore_{kind}", path={"id": made})

    return script


def keys(bench: Bench) -> None:
    """API keys: what they may, how long they last, and when they no longer do."""
    bench.attempt(_key_used)
    bench.attempt(_key_scoped)
    if bench.offers("clock"):
        for wait in ("PT59M59S", "PT1H"):
            bench.attempt(_key_expires(wait))


def _key_used(case: Case) -> None:
    made = case.ask("create_api_key", json={"name": "laptop"}).json
    case.ask("list_zones", made["token"])
    case.ask("list_api_keys")
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])
    case.ask("restore_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("purge_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])


def _key_scoped(case: Case) -> None:
    stock = Stock(case)
    first, second = stock.another("entity"), stock.another("entity")
    body = {"name": "door", "scoped_roles": ["entities:set_state", "zones:list"], "scoped_entity_ids": [first]}
    token = case.ask("create_api_key", json=body).json["token"]
    for door in (first, second):
        case.ask(**opening(door, caller=token))
    case.ask("list_zones", token)
    case.ask("create_zone", token, json={"name": "No"})
    case.ask("get_org_billing_plan", token, path={"id": case.org})
    case.ask("create_api_key", token, json={"name": "more", "scoped_roles": ["admin"]})


def _key_expires(wait: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        token = case.ask("create_api_key", json={"name": "short", "expires_in": "PT1H"}).json["token"]
        case.advance(wait)
        case.ask("list_zones", token)
        case.ask("list_api_keys")

    return script


def scripts(bench: Bench) -> None:
    """Executions of scripts: accepted, listed, over in time, cancelled only while they last."""
    bench.attempt(_canceled)
    if bench.offers("clock"):
        bench.attempt(_done_in_time)


def _canceled(case: Case) -> None:
    stock = Stock(case)
    made = stock["execution"]
    if case.place.clock is not None:
        case.ask("get_scripting_execution", path={"id": made})
        case.ask("cancel_scripting_execution", path={"id": made})
        case.ask("get_scripting_execution", path={"id": made})
        case.ask("cancel_scripting_execution", path={"id": made})
    case.ask("list_scripting_executions", query={"limit": "1"})


def _done_in_time(case: Case) -> None:
    use = request_for(Stock(case), "create_scripting_execution")
    made = case.ask(**use).json["id"]
    case.advance("PT1M")
    case.ask("get_scripting_execution", path={"id": made})
    case.ask("cancel_scripting_execution", path={"id": made})
    case.ask(**use)
    for limit in ("1", "2", "100"):
        case.ask("list_scripting_executions", query={"limit": limit})


__all__ = ["LISTED", "belonging", "keys", "life", "retention", "scripts"]
