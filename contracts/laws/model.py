"""The model: what the contract says a billing backend remembers, counts and refuses."""

from __future__ import annotations

from contracts.bench import Bench
from contracts.case import Case
from contracts.law import Law


def _reads(bench: Bench) -> None:
    def script(case: Case) -> None:
        case.ask("get_plans")
        case.ask("get_org_billing_plan", path={"id": case.org})
        case.ask("get_org_billing_usage", path={"id": case.org})
        zone = case.ask("create_zone", json={"name": "Lobby"}).json["id"]
        case.ask("get_zone", path={"id": zone})
        case.ask("delete_zone", path={"id": zone})
        case.to("month", 1)
        case.ask("get_org_billing_usage", path={"id": case.org})

    bench.attempt(script)


LAWS = (
    Law("model.reads", "What was made can be read", "docs/apis/openapp.md#resources", frozenset({"writes"}), _reads),
)
