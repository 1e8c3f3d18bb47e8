"""What is refused: each kind of refusal that an operation can meet, and a look afterwards whether it left a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.bench import Bench, Script
from contracts.bundle import Operation
from contracts.case import Case

from .credentials import NOWHERE, names_its_place
from .stock import (
    SOFT,
    Stock,
    deletion,
    done,
    is_bound,
    look,
    opening,
    request_for,
)
from .together import Part, refused

WRONG: Mapping[type, Any] = {str: 7, bool: "yes", int: "1", float: "1", list: "one", dict: ["one"]}
"""A value of another type, by the right one's."""


def invalid(bench: Bench) -> None:
    """400: bodies, ids and queries that are not as the contract says."""
    writes = list(_writes(bench))
    refused(bench, [_with_bad_bodies(each) for each in writes if each.takes_body])
    refused(bench, [_with_bad_path(each) for each in writes if "{id}" in each.path])
    for operation_id, bodies in NONSENSE.items():
        if bench.is_about(operation_id):
            bench.attempt(_nonsense(operation_id, bodies))


NONSENSE: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "post_org_billing_checkout": ({"tier_slug": "gold"}, {"tier_slug": "enterprise-2024"}),
    "put_org_billing_degradation_policy": ({"policy": "random"},),
    "create_api_key": (
        {"expires_in": "PT0S"}, {"expires_in": "soon"}, {"expires_in": "P3651D"}, {"expires_at": "2001-01-01T00:00:00Z"},
    ),
    "post_admin_quota_override": (
        {"limit_value": -1}, {"quota_key": "dreams"}, {"period": "day"}, {"subject_type": "user"}, {"expires_at": "soon"},
    ),
}  # fmt: skip
"""What an otherwise valid body says, and cannot."""


def _writes(bench: Bench) -> Iterator[Operation]:
    for operation in bench.operations:
        needs_operator = operation.permission == "operator"
        if not operation.is_read and not operation.is_anonymous and (not needs_operator or bench.offers("operator")):
            yield operation


def _with_bad_bodies(operation: Operation) -> Part:
    def part(stock: Stock, _: str) -> None:
        case, request = stock.case, request_for(stock, operation.id)
        valid = request["json"]
        rest = {name: value for name, value in request.items() if name != "json"}
        if is_bound(case) and not names_its_place(operation):
            return
        for body in (b"{", b"", b'"text"', b"[]", b"\xff"):
            case.ask(**rest, body=body, media_type="application/json")
        if operation.id != "execute_entity_action":
            case.ask(**rest, json={**valid, "no_such_member": 1})
        for name, value in valid.items():
            case.ask(**rest, json={**valid, name: WRONG[type(value)]})
            case.ask(**rest, json={each: valid[each] for each in valid if each != name} | {f"{name}s": value})

    return part


def _with_bad_path(operation: Operation) -> Part:
    def part(stock: Stock, _: str) -> None:
        case, request = stock.case, request_for(stock, operation.id)
        for wrong in () if is_bound(case) else ("a b", "x" * 65, "%", "é"):
            case.ask(**{**request, "path": {**request["path"], "id": wrong}})
        for name in request.get("query", {}):
            case.ask(**{**request, "query": {name: "maybe"}})

    return part


def _nonsense(operation: str, bodies: tuple[Mapping[str, Any], ...]) -> Script:
    def script(case: Case) -> None:
        request = request_for(Stock(case), operation)
        case.ask(**request)
        for body in bodies:
            case.ask(**{**request, "json": {**request["json"], **body}})
        look(case)

    return script


def unreadable(bench: Bench) -> None:
    """415 and 413: bodies of another type, and such as are too large."""
    refused(bench, [_of_another_type(each) for each in _writes(bench) if each.takes_body])


def _of_another_type(operation: Operation) -> Part:
    most = int(operation.raw.get("x-max-body", 1024 * 1024))

    def part(stock: Stock, _: str) -> None:
        case, request = stock.case, request_for(stock, operation.id)
        for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            case.ask(**request, media_type=media_type)
        if most < 1024 * 1024 and (names_its_place(operation) or not is_bound(case)):
            rest = {name: value for name, value in request.items() if name != "json"}
            case.ask(**rest, body=b" " * (most + 1), media_type="application/json")

    return part


def missing(bench: Bench) -> None:
    """404: things that never were, or are deleted."""
    refused(bench, [_of_nothing(each) for each in _writes(bench) if names_its_place(each)])
    for kind in SOFT:
        bench.attempt(_of_deleted(kind))


def _of_nothing(operation: Operation) -> Part:
    def part(stock: Stock, _: str) -> None:
        case, request = stock.case, request_for(stock, operation.id)
        if is_bound(case):
            return
        if "{id}" in operation.path:
            case.ask(**{**request, "path": {**request["path"], "id": NOWHERE}})
        for name, value in _references(request.get("json")):
            case.ask(**{**request, "json": {**request["json"], name: value}})
        if operation.takes_org:
            case.ask(**request, headers={"X-Org": NOWHERE})

    return part


def _references(body: Any) -> Iterator[tuple[str, Any]]:
    for name in body if isinstance(body, dict) else ():
        if name.endswith("_id"):
            yield name, NOWHERE


def _of_deleted(kind: str) -> Script:
    def script(case: Case) -> None:
        stock = Stock(case)
        deleted = stock[f"deleted {kind}"]
        case.ask(**deletion(kind, deleted))
        if kind == "entity":
            case.ask(**opening(deleted))
        elif kind in ("device", "zone", "integration"):
            creation = {"device": "entity", "zone": "zone", "integration": "device"}[kind]
            member = "parent_zone_id" if kind == "zone" else f"{kind}_id"
            another = Stock(case).creation(creation)
            case.ask(**{**another, "json": {**another["json"], member: deleted}})
        look(case)

    return script


def not_there(bench: Bench) -> None:
    """501: what an implementation does not offer."""
    for script in (_no_such_action, _not_switchable):
        bench.attempt(script)


def _no_such_action(case: Case) -> None:
    door = Stock(case)["entity"]
    for name in ("switchable.close", "explode"):
        case.ask(**{**opening(door), "path": {"id": door, "action_id": name}})
    look(case)


def _not_switchable(case: Case) -> None:
    stock = Stock(case)
    creation = stock.creation("entity")
    sensor = done(case.ask(**{**creation, "json": {**creation["json"], "entity_type": "sensor"}})).json["id"]
    case.ask(**opening(sensor))
    look(case)
