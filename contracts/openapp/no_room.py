"""What does not fit things as they are: 409 and 422 for their state, 429 where there is no room left."""

from __future__ import annotations

from contracts.bench import Bench, Script
from contracts.case import Case

from .stock import KINDS, METERED, SOFT, Stock, billing, deletion, look, new_key, opening, override, request_for


def conflicts(bench: Bench) -> None:
    """409 and 422: what cannot be done to something as it is now."""
    for kind in SOFT:
        if bench.is_about(f"restore_{kind}", f"purge_{kind}"):
            bench.attempt(_not_deleted(kind))
    scripts: list[Script] = [_has_dependents, _in_use, _parent_deleted, _key_of_another_request]
    if bench.offers("clock"):
        scripts.append(_finished)
    if bench.offers("operator"):
        scripts.append(_too_many_pins)
    for script in scripts:
        bench.attempt(script)


def _not_deleted(kind: str) -> Script:
    def script(case: Case) -> None:
        made = Stock(case).another(kind)
        case.ask(f"restore_{kind}", path={"id": made})
        case.ask(f"purge_{kind}", path={"id": made})
        look(case)

    return script


def _has_dependents(case: Case) -> None:
    stock = Stock(case)
    stock.another("entity")
    case.ask("delete_device", path={"id": stock["device"]})
    case.ask("delete_integration", path={"id": stock["integration"]})
    look(case)


def _in_use(case: Case) -> None:
    stock = Stock(case)
    case.ask("create_zone", json={"name": "Corner", "parent_zone_id": stock["zone"]})
    case.ask("delete_zone", path={"id": stock["zone"]})
    look(case)


def _parent_deleted(case: Case) -> None:
    stock = Stock(case)
    door = stock["entity"]
    case.ask(**deletion("device", stock["device"]))
    case.ask("restore_entity", path={"id": door})
    look(case)


def _key_of_another_request(case: Case) -> None:
    door = Stock(case)["entity"]
    case.ask(**opening(door, "once"))
    case.ask(**opening(door, "once", body={"force": True}))
    look(case)


def _finished(case: Case) -> None:
    made = Stock(case)["execution"]
    case.advance("PT1M")
    case.ask("cancel_scripting_execution", path={"id": made})
    case.ask("get_scripting_execution", path={"id": made})
    look(case)


def _too_many_pins(case: Case) -> None:
    stock = Stock(case)
    zones = [stock.another("zone"), stock.another("zone")]
    case.ask(**override(case, "zones", 1))
    for zone in zones:
        body = {"resource": "zones", "resource_id": zone, "keep": True}
        case.ask(**billing(case, "degradation_resource", json=body))
    look(case)


def full(bench: Bench) -> None:
    """429: where there is no room, and where the window is used up."""
    for kind, key in KINDS.items():
        if bench.is_about(f"create_{kind}"):
            bench.attempt(_no_room(kind, key))
    for kind in SOFT:
        if bench.is_about(f"restore_{kind}"):
            bench.attempt(_no_room_any_more(kind))
    for operation, key in METERED.items():
        if bench.is_about(operation):
            for period in ("day", "week", "month"):
                bench.attempt(_used_up(operation, key, period))
    for script in (_by_a_key, _user_in_two, _org_below):
        bench.attempt(script)
    if bench.offers("portal") and bench.is_about("get_public_portal"):
        bench.attempt(_portal)


def _no_room(kind: str, key: str) -> Script:
    def script(case: Case) -> None:
        creation = Stock(case).creation(kind)
        case.ask(**override(case, key, 0))
        case.ask(**creation)
        look(case)

    return script


def _no_room_any_more(kind: str) -> Script:
    def script(case: Case) -> None:
        deleted = Stock(case)[f"deleted {kind}"]
        case.ask(**override(case, KINDS[kind], 0))
        case.ask(f"restore_{kind}", path={"id": deleted})
        look(case)

    return script


def _used_up(operation: str, key: str, period: str) -> Script:
    """One window has no room, the others have: what is refused counts in none of them."""

    def script(case: Case) -> None:
        request = request_for(Stock(case), operation)
        case.ask(**override(case, key, 0, period))
        case.ask(**request)
        look(case)

    return script


def _by_a_key(case: Case) -> None:
    """Two quotas at once: the one that has room is not charged either."""
    door = Stock(case)["entity"]
    token = new_key(case)["token"]
    case.ask(**override(case, "voice_invocations", 0, "day"))
    case.ask(**opening(door, caller=token))
    case.ask(**billing(case, "usage"))


def _user_in_two(case: Case) -> None:
    """In each organization or in none."""
    annex = Stock(case).another("org")
    case.ask(**override(case, "org_users", 0))
    case.ask("create_user", json={"name": "Una", "roles": {annex: ["member"], case.org: ["member"]}})
    for org in (case.org, annex):
        case.ask("list_users", headers={"X-Org": org})
        case.ask("get_org_billing_usage", path={"id": org})


def _org_below(case: Case) -> None:
    case.ask(**override(case, "organizations", 0))
    case.ask(**Stock(case).creation("org"))
    case.ask(**billing(case, "usage"))
    if case.place.is_own:
        case.ask("list_orgs")


def _portal(case: Case) -> None:
    if case.needs_org:
        return
    case.ask(**override(case, "portal_views", 0, "day"))
    case.ask("get_public_portal", None, path={"publicPortalId": case.name("portal")})
    look(case)
