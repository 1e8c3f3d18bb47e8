"""Which plan an organization is on, and how it gets to another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from contracts.bench import Bench
from contracts.case import Case

from .stock import Stock, billing

ROUTES = (
    ("starter", "pro", "business"),
    ("business", "starter", "free"),
    ("pro", "free", "pro"),
    ("free",),
)


def checkout(bench: Bench) -> None:
    if not bench.is_about("post_org_billing_checkout"):
        return
    for route in ROUTES:
        bench.attempt(_along(route))
    for tier in ("gold", "enterprise-2024", "PRO", "pro "):
        bench.attempt(_not_for_sale(tier))
    bench.attempt(_downgraded_below_usage)
    bench.attempt(_again)
    bench.attempt(_options)
    bench.attempt(_portal)


def buying(case: Case, tier: str, caller: str = "owner") -> dict[str, Any]:
    """The arguments of `ask` that buy a plan."""
    return billing(case, "checkout", caller, json={"tier_slug": tier})


def _along(route: tuple[str, ...]) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        for tier in route:
            case.ask(**buying(case, tier))
            for what in ("plan", "usage", "upgrade_options"):
                case.ask(**billing(case, what))

    return script


def _not_for_sale(tier: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        case.ask(**buying(case, tier))
        case.ask(**billing(case, "plan"))
        case.ask(**buying(case, "starter"))
        case.ask(**buying(case, tier))
        case.ask(**billing(case, "plan"))

    return script


def _downgraded_below_usage(case: Case) -> None:
    """Never refused: what is too much is wound down later."""
    case.ask(**buying(case, "starter"))
    for _ in range(4):
        case.ask(**Stock(case).creation("zone"))
    case.ask(**buying(case, "free"))
    for what in ("plan", "usage", "degradation"):
        case.ask(**billing(case, what))
    case.ask(**Stock(case).creation("zone"))


def _again(case: Case) -> None:
    """The same plan once more is the same subscription."""
    for tier, _ in pairwise(("pro", "pro", "starter", "starter")):
        case.ask(**buying(case, tier))
        case.ask(**buying(case, tier))
    case.ask(**billing(case, "plan"))


def _options(case: Case) -> None:
    case.ask("get_plans", None)
    case.ask(**billing(case, "upgrade_options"))
    case.ask(**buying(case, "business"))
    case.ask(**billing(case, "upgrade_options"))


def _portal(case: Case) -> None:
    case.ask(**billing(case, "portal", json={"return_url": "https://app.test/back"}))
    case.ask(**buying(case, "pro"))
    case.ask(**billing(case, "portal", json={"return_url": "https://app.test/back"}))
