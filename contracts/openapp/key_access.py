"""API keys that callers make themselves: what they may, to what, for how long, and who may make which."""

from __future__ import annotations

from typing import Any

from contracts.bench import Bench, Script
from contracts.case import Case

from .stock import Stock, look, new_key, opening, request_for
from .together import Part, refused

NARROW = "zones:list"
NOT_FOR_KEYS = ("billing:read", "billing:manage", "operator")
"""What a key cannot be given by name."""


def roles(bench: Bench) -> None:
    """A key has the roles that it was given, and no others of its maker's."""
    refused(
        bench,
        [_beyond(each.id) for each in bench.operations if not each.is_anonymous and each.permission != NARROW],
        _narrow,
    )
    if bench.profile == "full":
        for operation in bench.operations:
            if operation.permission is not None and operation.permission not in NOT_FOR_KEYS:
                bench.attempt(_with_role(operation.permission, operation.id))
    for given in (["zones:list", "zones:list"], [], ["billing:read"], ["admin"], ["operator"], ["no:such"]):
        bench.attempt(_made_with(given))


def _narrow(stock: Stock) -> str:
    return key(stock.case, scoped_roles=[NARROW])


def _beyond(operation: str) -> Part:
    def part(stock: Stock, token: str) -> None:
        stock.case.ask(**{**request_for(stock, operation), "caller": token})

    return part


def _with_role(role: str, operation: str) -> Script:
    """The one role that it takes is enough."""

    def script(case: Case) -> None:
        request = request_for(Stock(case), operation)
        case.ask(**{**request, "caller": key(case, scoped_roles=[role])})

    return script


def _made_with(given: list[str]) -> Script:
    def script(case: Case) -> None:
        made = case.ask("create_api_key", json={"name": "laptop", "scoped_roles": given})
        if made.status < 300:
            case.ask("get_org_permissions", made.json["token"], path={"id": case.org})
            case.ask("list_zones", made.json["token"])

    return script


def entities(bench: Bench) -> None:
    """A key for some entities opens and deletes no others."""
    for make in (_scoped_open, _scoped_delete, _scoped_to_nothing, _scoped_maker):
        bench.attempt(make)


def _scoped_open(case: Case) -> None:
    stock = Stock(case)
    mine, another = stock.another("entity"), stock.another("entity")
    token = key(case, scoped_entity_ids=[mine])
    case.ask(**opening(mine, caller=token))
    case.ask(**opening(another, caller=token))
    case.ask("list_entities", token)
    case.ask("get_entity", token, path={"id": another})
    case.ask("get_org_billing_usage", path={"id": case.org})


def _scoped_delete(case: Case) -> None:
    stock = Stock(case)
    mine, another = stock.another("entity"), stock.another("entity")
    token = key(case, scoped_entity_ids=[mine])
    case.ask("delete_entity", token, path={"id": another})
    case.ask("delete_entity", token, path={"id": mine})
    look(case)


def _scoped_to_nothing(case: Case) -> None:
    token = key(case, scoped_entity_ids=[])
    case.ask(**opening(Stock(case)["entity"], caller=token))


def _scoped_maker(case: Case) -> None:
    """What it makes keys for is bounded likewise."""
    stock = Stock(case)
    mine, another = stock.another("entity"), stock.another("entity")
    token = key(case, scoped_entity_ids=[mine])
    case.ask("create_api_key", token, json={"name": "more", "scoped_entity_ids": [another]})
    made = case.ask("create_api_key", token, json={"name": "same"})
    if made.status < 300:
        case.ask(**opening(another, caller=made.json["token"]))


def makers(bench: Bench) -> None:
    """A key that is made with a key may no more than that one, and lasts no longer."""
    for script in (_more_than_its_maker, _longer_than_its_maker, _operators, _after_its_maker):
        bench.attempt(script)


def _more_than_its_maker(case: Case) -> None:
    token = key(case, scoped_roles=["api_keys:create", "zones:list"])
    for given in (["zones:create"], ["zones:list", "zones:create"], ["zones:list"]):
        made = case.ask("create_api_key", token, json={"name": "more", "scoped_roles": given})
        if made.status < 300:
            case.ask("create_zone", made.json["token"], json={"name": "Lobby"})


def _longer_than_its_maker(case: Case) -> None:
    token = key(case, expires_in="PT1H")
    case.ask("create_api_key", token, json={"name": "longer", "expires_in": "PT2H"})
    case.ask("create_api_key", token, json={"name": "as long"})
    case.ask("list_api_keys")


def _operators(case: Case) -> None:
    if "operator" not in case.target.credentials:
        return
    case.ask("create_api_key", "operator", headers={"X-Org": case.org}, json={"name": "whole"})
    token = new_key(case, "operator", case.org, scoped_roles=["zones:list"])["token"]
    case.ask("get_admin_quota_overrides", token)
    case.ask("list_zones", token)
    if case.place.is_own:
        case.ask("list_zones", token, headers={"X-Org": case.name("other_org")})


def _after_its_maker(case: Case) -> None:
    """Revoking the maker leaves what it made."""
    made = new_key(case)
    token = new_key(case, made["token"])["token"]
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])
    case.ask("list_zones", token)


def revocation(bench: Bench) -> None:
    """Revoked, a key is refused at once; restored, it counts again; purged, never."""
    for script in (_revoked, _restored, _purged, _by_itself):
        bench.attempt(script)


def _revoked(case: Case) -> None:
    made = new_key(case)
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("create_zone", made["token"], json={"name": "Lobby"})
    case.ask("get_org_billing_plan", made["token"], path={"id": case.org}, carried="bearer")
    case.ask("list_zones")


def _restored(case: Case) -> None:
    made = new_key(case)
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("restore_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])


def _purged(case: Case) -> None:
    made = new_key(case)
    case.ask("revoke_api_key", path={"id": made["id"]})
    case.ask("purge_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])
    case.ask("restore_api_key", path={"id": made["id"]})
    case.ask("list_zones", made["token"])


def _by_itself(case: Case) -> None:
    made = new_key(case)
    case.ask("revoke_api_key", made["token"], path={"id": made["id"]})
    case.ask("list_zones", made["token"])


def expiry(bench: Bench) -> None:
    """A key counts until the second in which it expires."""
    for wait in ("PT59M59S", "PT1H", "PT2H"):
        bench.attempt(_expired_after(wait, {"expires_in": "PT1H"}))
    for wait in ("P364DT23H59M59S", "P365D"):
        bench.attempt(_expired_after(wait, {}))
    for wait in ("PT29S", "PT30S"):
        bench.attempt(_expired_after(wait, {"expires_at": "{{now+PT30S}}"}))


def _expired_after(wait: str, expires: dict[str, Any]) -> Script:
    def script(case: Case) -> None:
        token = key(case, **expires)
        case.advance(wait)
        case.ask("list_zones", token)
        case.ask("create_zone", token, json={"name": "Lobby"})
        case.ask("list_zones")

    return script


def key(case: Case, **body: Any) -> str:
    """The token of a new key."""
    return new_key(case, **body)["token"]
