"""What a caller may do: no more than its roles say, whatever it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.bench import Bench, Script
from contracts.case import Case
from contracts.target import Role

from .stock import Stock, look, override, request_for
from .together import Part, refused

ADMINISTRATION = ("get_admin_quota_overrides", "post_admin_quota_override")


def of(role: Role, bench: Bench) -> None:
    """Every operation with the credential of a role: what it may is done, the rest is refused and leaves no trace."""
    guarded = [each for each in bench.operations if not each.is_anonymous]
    if role == "operator":
        for operation in guarded:
            bench.attempt(_asked_by(role, operation.id, operation.is_read))
    else:
        refused(bench, [_asked(each.id) for each in guarded], role)


def _asked(operation: str) -> Part:
    def part(stock: Stock, caller: str) -> None:
        stock.case.ask(**{**request_for(stock, operation), "caller": caller})

    return part


def administration(bench: Bench) -> None:
    """Operations for operators, asked for by everybody else."""
    others: list[Role] = [each for each in ("reader", "member", "other") if bench.offers(each)]
    for operation in ADMINISTRATION:
        if bench.is_about(operation):
            for caller in ("owner", *others):
                bench.attempt(_asked_by(caller, operation, False))
            bench.attempt(_asked_by_keys(operation))


def _asked_by(caller: str, operation: str, is_read: bool) -> Script:
    def script(case: Case) -> None:
        if operation == "list_orgs" and not case.place.is_own:
            return
        # Whether that is `operator` or all that follows from it, nobody says.
        if operation == "get_org_permissions" and caller == "operator":
            return
        answer = case.ask(**{**request_for(Stock(case), operation), "caller": caller})
        if answer.status >= 400 and not is_read:
            look(case)

    return script


def _asked_by_keys(operation: str) -> Script:
    """By keys of an owner's: with all that it may, and as an operator's."""

    def script(case: Case) -> None:
        bodies: Sequence[dict[str, object]] = ({}, {"scoped_roles": ["operator"]}, {"scoped_roles": ["admin"]})
        for body in bodies:
            made = case.ask("create_api_key", json={"name": "laptop", **body})
            if made.status < 300:
                case.ask(**{**request_for(Stock(case), operation), "caller": made.json["token"]})
        case.ask(**{**override(case, "zones", 99), "caller": "owner", "headers": {"X-Org": case.org}})
        look(case)

    return script
