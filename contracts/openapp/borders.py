"""What leads over the border of an organization: references in bodies, ids that tell, organizations below others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from contracts.bench import Bench, Script
from contracts.broken import Broken
from contracts.bundle import Operation
from contracts.case import Case
from contracts.findings import Shown
from contracts.steps import in_sequence

from .credentials import NOWHERE
from .stock import Stock, done, is_bound, look, new_key, request_for
from .tenants import Elsewhere, made_by_another, made_in
from .together import Part, refused

REFERENCES = (
    ("create_device", "integration_id", "integration"),
    ("create_device", "zone_id", "zone"),
    ("create_entity", "device_id", "device"),
    ("create_entity", "zone_id", "zone"),
    ("create_zone", "integration_id", "integration"),
    ("create_zone", "parent_zone_id", "zone"),
    ("create_api_key", "scoped_entity_ids", "entity"),
    ("post_org_billing_degradation_resource", "resource_id", "zone"),
)
"""In the body of an operation a member names a thing of a kind."""
OF_ORGS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "create_integration": lambda org: {"org_id": org, "provider_type": "virtual_demo", "name": "Over the fence"},
    "create_org": lambda org: {"name": "Over the fence", "parent_id": org},
    "create_user": lambda org: {"name": "Una", "roles": {org: ["owner"]}},
}
"""Bodies that name an organization."""


def references(bench: Bench) -> None:
    """What belongs to another organization cannot be referred to from here."""
    about = [each for each in REFERENCES if bench.is_about(each[0])]
    refused(bench, [_referring(*each, made_in) for each in about], lambda stock: stock.another("org"))
    refused(bench, [_referring(*each, made_by_another) for each in about])
    for operation in OF_ORGS:
        if bench.is_about(operation):
            bench.attempt(_naming(operation))


def _referring(operation: str, member: str, kind: str, elsewhere: Callable[[Case, str], Elsewhere]) -> Part:
    def part(stock: Stock, org: str) -> None:
        if elsewhere is made_by_another and not stock.case.place.is_own:
            return
        foreign = elsewhere(stock.case, org)(kind)
        request = request_for(stock, operation)
        value = [foreign] if member.endswith("s") else foreign
        stock.case.ask(**{**request, "json": {**request["json"], member: value}})

    return part


def _naming(operation: str) -> Script:
    def script(case: Case) -> None:
        if is_bound(case):
            return
        foreign = case.name("other_org")
        case.ask(operation, json=OF_ORGS[operation](foreign))
        if operation == "create_integration":
            case.ask(operation, headers={"X-Org": foreign}, json=OF_ORGS[operation](case.org))
            case.ask(operation, "other", headers={"X-Org": foreign}, json=OF_ORGS[operation](case.org))
        if operation == "create_user":
            body = {"name": "Una", "roles": {case.org: ["owner"], foreign: ["owner"]}}
            case.ask(operation, json=body)
        look(case)

    return script


def seen_roles(bench: Bench) -> None:
    """Of a user in several organizations each sees what the user is there, and deletes what it reaches."""
    if bench.is_about("create_user"):
        bench.attempt(_shared_user)


def _shared_user(case: Case) -> None:
    annex = Stock(case).another("org")
    key = new_key(case, org=annex)["token"]
    user = done(case.ask("create_user", json={"name": "Una", "roles": {case.org: ["a"], annex: ["b"]}})).json["id"]
    case.ask("get_user", path={"id": user})
    case.ask("get_user", key, path={"id": user})
    case.ask("list_users", key, headers={"X-Org": annex})
    case.ask("delete_user", key, path={"id": user})
    case.ask("get_user", path={"id": user})
    case.ask("get_user", key, path={"id": user})
    look(case)


def branches(bench: Bench) -> None:
    """Who belongs above reaches what is below, and not the other way round."""
    refused(bench, [_from_below(each) for each in bench.operations if _has_owner(each)], _key_from_below)
    for kind in ("integration", "device", "entity", "zone", "user"):
        if bench.is_about(f"get_{kind}"):
            bench.attempt(_from_above(kind))


def _has_owner(operation: Operation) -> bool:
    return not operation.is_anonymous and ("{" in operation.path or operation.takes_org)


def _from_below(operation: Operation) -> Part:
    """A key of an organization below asks for what the one above has."""

    def part(stock: Stock, key: str) -> None:
        request = request_for(stock, operation.id)
        headers = {"X-Org": stock.case.org} if operation.takes_org else {}
        stock.case.ask(**{**request, "caller": key, "headers": headers})

    return part


def _key_from_below(stock: Stock) -> str:
    return new_key(stock.case, org=stock.another("org"))["token"]


def _from_above(kind: str) -> Script:
    def script(case: Case) -> None:
        annex = Stock(case).another("org")
        made = made_in(case, annex)(kind)
        case.ask(f"get_{kind}", path={"id": made})
        for what in ("get_org", "get_org_permissions", "get_org_billing_plan", "get_org_billing_usage"):
            case.ask(what, path={"id": annex})
        case.ask(f"delete_{kind}", path={"id": made})
        case.ask("get_org_billing_usage", path={"id": annex})

    return script


def existence(bench: Bench) -> None:
    """What others have is answered like what there never was: nobody learns which ids are taken."""
    for operation in bench.operations:
        if not operation.is_anonymous and "{" in operation.path:
            _told_apart(bench, operation)


def _told_apart(bench: Bench, operation: Operation) -> None:
    with bench.case() as case:
        try:
            request = {**request_for(Stock(case), operation.id), "caller": "other"}
            case.ask(**request)
            if is_bound(case) and not operation.is_read:
                return
            case.ask(**{**request, "path": {**request["path"], "id": NOWHERE}})
        except Broken as broken:
            bench.keep(broken, case)
            return
        there, nowhere = case.shown[-2:]
        taken = _without(there, str(case.same.theirs(request["path"]["id"])))
        free = _without(nowhere, NOWHERE)
        told = [name for name in taken if taken[name] != free[name]]
        if told:
            came = " and ".join(f"{name} {taken[name]!r} and {free[name]!r}" for name in told)
            expected = "one answer, whether another has such a thing or nobody"
            wanted = {"alike": ["correlationId"]}
            found = Broken("existence", expected, came, operation.id, there.status, wanted=wanted)
            bench.found(found, case.shown, in_sequence(case.numbered)[0])


def _without(answer: Shown, asked_for: str) -> dict[str, Any]:
    """What an answer says apart from the id that was asked for and from what is different in every answer."""
    body: Any = answer.answer_body.replace(asked_for, "ID")
    try:
        body = json.loads(body)
    except ValueError:
        pass
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "correlationId"}
    return {"status": answer.status, "headers": sorted(name for name, _ in answer.answer_headers), "body": body}
