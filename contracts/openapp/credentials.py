"""Who is let in: credentials that are missing, unknown, revoked, or sent in another way than the contract says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.bench import Bench, Script
from contracts.bundle import Operation
from contracts.carrying import NOBODY, WAYS
from contracts.case import Case

from .stock import Stock, is_bound, new_key, request_for
from .together import Part, refused

NOWHERE = "01J9ZC3M4N5P6Q7R8S9T0V1W00"
"""An id that nothing has."""
STRANGERS: tuple[str | None, ...] = (None, NOBODY, f"acme_openapp_{NOBODY}", "", "null", "owner")
SAMPLE = ("get_org_billing_plan", "list_zones", "create_zone")
FOR_ROLES = [way for way in WAYS if way != "secret part"]
FOR_MADE_KEYS = ("bearer", "secret part", "key beside a bad bearer", "bad key beside a bearer", "cookie")


def authentication(bench: Bench) -> None:
    """Nothing is told to, or done for, whoever has no good credential."""
    strangers = STRANGERS[: bench.scale(2, len(STRANGERS))]
    refused(bench, [_refused(operation, strangers) for operation in _guarded(bench)])


def revoked(bench: Bench) -> None:
    refused(bench, [_refused(operation, ("revoked",)) for operation in _guarded(bench)])


def ways(bench: Bench) -> None:
    """A good credential counts where the contract says, and only there."""
    for operation in SAMPLE:
        if bench.is_about(operation):
            for way in FOR_ROLES:
                bench.attempt(_sent(operation, way))
    if bench.is_about("create_api_key"):
        for way in FOR_MADE_KEYS:
            bench.attempt(_made_key_sent(way))


def public(bench: Bench) -> None:
    """What everybody may ask is not refused for a bad credential."""
    portal = ("get_public_portal",) if bench.offers("portal") else ()
    for operation in ("get_status", "get_plans", *portal):
        if bench.is_about(operation):
            bench.attempt(_open_to_all(operation, bench.offers("revoked")))


def names_its_place(operation: Operation) -> bool:
    """Whether a request says without its body what it is about."""
    return operation.takes_org or "{id}" in operation.path


def _guarded(bench: Bench) -> list[Operation]:
    return [each for each in bench.operations if not each.is_anonymous]


def _refused(operation: Operation, callers: Sequence[str | None]) -> Part:
    def part(stock: Stock, _: str) -> None:
        case, request = stock.case, request_for(stock, operation.id)
        for caller in callers:
            case.ask(**{**request, "caller": caller})
        if callers[0] is not None:
            return
        # Whoever is a stranger is told so first, whatever else is wrong.
        if operation.takes_body and (names_its_place(operation) or not is_bound(case)):
            broken = {**request, "caller": None, "body": b"{", "media_type": "application/json"}
            case.ask(**{name: value for name, value in broken.items() if name != "json"})
        if "id" in request.get("path", {}) and (operation.is_read or not is_bound(case)):
            case.ask(**{**request, "caller": None, "path": {**request["path"], "id": NOWHERE}})

    return part


def _sent(operation: str, way: str) -> Script:
    def script(case: Case) -> None:
        case.ask(**request_for(Stock(case), operation), carried=way)
        if operation.startswith("create"):
            case.ask("list_zones")

    return script


def _made_key_sent(way: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        token = new_key(case)["token"]
        case.ask("list_zones", token, carried=way)
        case.ask("create_zone", token, json={"name": "Lobby"}, carried=way)
        case.ask("list_zones")

    return script


def _open_to_all(operation: str, has_revoked: bool) -> Script:
    def script(case: Case) -> None:
        request = request_for(Stock(case), operation)
        for caller in (None, NOBODY, "", *(("revoked",) if has_revoked else ())):
            case.ask(**{**request, "caller": caller})
        case.ask(**{**request, "caller": NOBODY, "carried": "bearer"})

    return script
