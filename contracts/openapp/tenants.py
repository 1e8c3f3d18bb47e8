"""Whose is it: what one organization has is not there for another, neither to read nor to change nor to count."""

from __future__ import annotations

from typing import Any

from contracts.bench import Bench, Script
from contracts.bundle import Operation
from contracts.case import Case

from .stock import KINDS, LISTED, SOFT, Stock, billing, done, opening, override, request_for
from .together import Part, refused

FILTERS = {
    "list_devices": {"integration_id": "integration"},
    "list_entities": {"device_id": "device", "zone_id": "zone"},
    "list_zones": {"integration_id": "integration"},
}


def read(bench: Bench) -> None:
    """Another tenant asks for each thing by its id, and for each report."""
    reads = [each for each in bench.operations if each.is_read and not each.is_anonymous and "{" in each.path]
    refused(bench, [_asked_by_another(each) for each in reads], "other", after=lambda _: None)


def write(bench: Bench) -> None:
    """Another tenant changes, deletes and creates there; the owner looks afterwards."""
    writes = [each for each in bench.operations if not each.is_read and not each.is_anonymous]
    refused(bench, [_asked_by_another(each) for each in writes], "other")


def _asked_by_another(operation: Operation) -> Part:
    def part(stock: Stock, caller: str) -> None:
        request = request_for(stock, operation.id)
        headers = {"X-Org": stock.case.org} if operation.takes_org else {}
        stock.case.ask(**{**request, "caller": caller, "headers": headers})

    return part


def listed(bench: Bench) -> None:
    """Lists show what belongs to the organization that is asked about, and nothing else."""
    for kind in LISTED:
        operation = f"list_{kind}"
        if bench.is_about(operation):
            bench.attempt(_listed(operation))
            for name, of in FILTERS.get(operation, {}).items():
                bench.attempt(_filtered(operation, name, of))
    if bench.is_about("list_orgs"):
        bench.attempt(_orgs)


def _listed(operation: str) -> Script:
    kind = {"list_entities": "entity", "list_scripting_executions": "execution"}.get(operation, operation[5:-1])

    def script(case: Case) -> None:
        stock = Stock(case)
        stock.another(kind)
        case.ask(operation, "other", headers={"X-Org": case.org})
        if case.place.is_own:
            case.ask(operation, "other")
        annex = stock.another("org")
        case.ask(operation, headers={"X-Org": annex})
        if kind in SOFT and kind != "api_key":
            stock.case.ask(f"delete_{kind}", path={"id": stock.another(kind)})
            case.ask(operation, headers={"X-Org": annex}, query={"include_deleted": "true"})

    return script


def _filtered(operation: str, name: str, of: str) -> Script:
    """Naming what another has brings none of it to light."""

    def script(case: Case) -> None:
        stock = Stock(case)
        query = {name: stock[of]}
        case.ask(operation, query=query)
        if case.place.is_own:
            case.ask(operation, "other", query=query)
        annex = stock.another("org")
        case.ask(operation, headers={"X-Org": annex}, query=query)

    return script


def _orgs(case: Case) -> None:
    annex = Stock(case).another("org")
    case.ask("get_org", "other", path={"id": annex})
    if case.place.is_own:
        case.ask("list_orgs", "other")
        case.ask("list_orgs")


def quotas(bench: Bench) -> None:
    """What one organization has or uses takes nothing away from another."""
    for kind, key in KINDS.items():
        if bench.is_about(f"create_{kind}"):
            bench.attempt(_counted_apart(kind, key))
    if bench.is_about("execute_entity_action"):
        bench.attempt(_used_apart)


def _counted_apart(kind: str, key: str) -> Script:
    def script(case: Case) -> None:
        stock = Stock(case)
        annex = stock.another("org")
        creation = stock.creation(kind)
        case.ask(**override(case, key, 2 if key == "org_users" and case.place.is_own else 1))
        made_in(case, annex)(kind)
        case.ask(**creation)
        case.ask(**creation)
        case.ask(**billing(case, "usage"))

    return script


def _used_apart(case: Case) -> None:
    stock = Stock(case)
    door = stock["entity"]
    annex = stock.another("org")
    elsewhere = made_in(case, annex)("entity")
    case.ask(**override(case, "door_opens", 1, "day"))
    case.ask(**opening(elsewhere))
    case.ask(**opening(door))
    case.ask(**opening(door))
    case.ask(**opening(elsewhere))
    case.ask("get_org_billing_usage", path={"id": annex})
    case.ask(**billing(case, "usage"))


class Elsewhere:
    """Makes things in another organization than the case's."""

    def __init__(self, case: Case, org: str, caller: str) -> None:
        self._case, self.org, self._caller = case, org, caller

    def __call__(self, kind: str) -> str:
        """One more of a kind, with what it hangs on; its id."""
        bodies: dict[str, Any] = {"zone": {"name": "Yard"}, "api_key": {"name": "theirs"}, "user": {"name": "Ulf"}}
        if kind == "integration":
            body = {"org_id": self.org, "provider_type": "virtual_demo", "name": "Theirs"}
        elif kind == "device":
            body = {"org_id": self.org, "integration_id": self("integration"), "name": "Gate"}
        elif kind == "entity":
            body = {"device_id": self("device"), "entity_type": "door"}
        else:
            body = bodies[kind]
        made = self._case.ask(f"create_{kind}", self._caller, headers={"X-Org": self.org}, json=body)
        return str(done(made).json["id"])


def made_in(case: Case, org: str) -> Elsewhere:
    """Things in an organization below the case's own."""
    return Elsewhere(case, org, "owner")


def made_by_another(case: Case, _: str = "") -> Elsewhere:
    """Things in the organization of `other`. Only where the place is the case's own."""
    return Elsewhere(case, case.name("other_org"), "other")
