"""Requests that are too large, named badly, or about an organization that nobody has: each operation refuses its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.bench import Bench
from contracts.bundle import Operation
from contracts.case import Case

from .stock import Stock, is_bound, request_for

NOBODYS = "01J9ZC3M4N5P6Q7R8S9T0V1W99"
"""An id that no organization has."""
SLACK = 1_024
"""Bytes over the limit, and under it."""
IN_BODY: Mapping[str, str] = {
    "create_org": "parent_id",
    "create_integration": "org_id",
    "create_device": "org_id",
    "post_admin_quota_override": "subject_id",
}
"""Where the body of an operation names its organization."""


def too_large(bench: Bench) -> None:
    """413 for a body above the operation's limit, which is not read to its end first."""
    for operation in bench.operations:
        if 413 in operation.responses and operation.id != "post_billing_webhook":
            bench.attempt(_larger_than_allowed(operation))
    if bench.is_about("post_billing_webhook") and bench.offers("webhook-secret"):
        bench.attempt(_large_event)


def _larger_than_allowed(operation: Operation) -> Any:
    most = int(operation.raw.get("x-max-body", 1024 * 1024))

    def script(case: Case) -> None:
        caller = "operator" if operation.permission == "operator" else "owner"
        path = {name: _any_of(case, name) for name in _names_in(operation.path)}
        filler = b'{"' + b"x" * (most + SLACK) + b'":1}'
        case.ask(operation.id, caller, path=path, body=filler, media_type="application/json")

    return script


def _large_event(case: Case) -> None:
    event = {
        "id": "evt_large",
        "type": "ping",
        "created": 1,
        "data": {"object": {}},
        "filler": "x" * (1024 * 1024 + SLACK),
    }
    case.ask("post_billing_webhook", None, path={"provider": "stripe"}, json=event, signing={})


def _names_in(path: str) -> Iterator[str]:
    for step in path.split("/"):
        if step.startswith("{"):
            yield step[1:-1]


def _any_of(case: Case, name: str) -> str:
    return case.org if name == "id" else "switchable.open"


def untraceable(bench: Bench) -> None:
    """400 for an X-Correlation-Id that is none, also where there is nothing else to be wrong."""
    if bench.is_about("get_plans", "get_status"):
        bench.attempt(_untraceable)


def _untraceable(case: Case) -> None:
    for operation in ("get_status", "get_plans"):
        case.ask(operation, None, headers={"X-Correlation-Id": "two words"})
    if "operator" in case.target.credentials:
        case.ask("get_admin_quota_overrides", "operator", headers={"X-Correlation-Id": "two words"})


def nobodys(bench: Bench) -> None:
    """404 for an operator, who reaches every organization, when there is no such."""
    for operation in bench.operations:
        if 404 in operation.responses and (_named_in_path(operation) or operation.takes_org or operation.id in IN_BODY):
            bench.attempt(_about_nobodys(operation))


def _named_in_path(operation: Operation) -> bool:
    return operation.path.startswith("/orgs/{id}")


def _about_nobodys(operation: Operation) -> Any:
    def script(case: Case) -> None:
        if is_bound(case) and not operation.is_read:
            return
        call = {**request_for(Stock(case), operation.id), "caller": "operator"}
        member = IN_BODY.get(operation.id)
        if _named_in_path(operation):
            call["path"] = {**call["path"], "id": NOBODYS}
        if operation.takes_org:
            call["headers"] = {"X-Org": NOBODYS}
        if member is not None:
            call["json"] = {**call["json"], member: NOBODYS}
        case.ask(**call)

    return script
