"""What an operator's overrides do to limits: which wins, from when to when, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.bench import Bench
from contracts.case import Case

from .stock import Stock, billing, opening, override

LISTING: dict[str, Any] = {"operation": "get_admin_quota_overrides", "caller": "operator"}


def precedence(bench: Bench) -> None:
    if not bench.is_about("post_admin_quota_override"):
        return
    for limit in (0, 1, 4, 1_000_000):
        bench.attempt(_beside_the_tier(limit))
    bench.attempt(_replaced)
    bench.attempt(_periods)
    bench.attempt(_of_others)
    bench.attempt(_refused)


def _beside_the_tier(limit: int) -> Callable[[Case], None]:
    """An override wins over the tier, whether it is lower or higher."""

    def script(case: Case) -> None:
        case.ask(**override(case, "zones", limit))
        case.ask(**billing(case, "usage"))
        case.ask(**LISTING)
        zone = Stock(case).creation("zone")
        for _ in range(5):
            case.ask(**zone)
        case.ask(operation="post_org_billing_checkout", path={"id": case.org}, json={"tier_slug": "starter"})
        case.ask(**billing(case, "usage"))
        case.ask(**zone)

    return script


def _replaced(case: Case) -> None:
    """One of the same subject, quota and period takes the place of the one before it."""
    case.ask(**override(case, "zones", 1))
    case.ask(**override(case, "zones", 2))
    case.ask(**LISTING)
    case.ask(**billing(case, "usage"))
    case.ask(**override(case, "zones", 2, expires="PT1H"))
    case.ask(**LISTING)
    case.ask(**override(case, "zones", 3))
    case.ask(**LISTING)


def _periods(case: Case) -> None:
    """One for a day leaves the month alone, and one without a period is for the smallest window."""
    for period in (None, "week", "month"):
        case.ask(**override(case, "ai_requests", 7, period))
        case.ask(**billing(case, "usage"))
    case.ask(**LISTING)


def _of_others(case: Case) -> None:
    """One organization's override is nobody else's."""
    case.ask(**override(case, "zones", 0))
    if "other" in case.target.credentials and not case.needs_org:
        other = {"id": case.name("other_org")}
        case.ask("get_org_billing_usage", "other", path=other)
        case.ask("create_zone", "other", json={"name": "Theirs"})
    case.ask(**billing(case, "usage"))
    case.ask(**override(case, "devices", 1))
    case.ask(**billing(case, "usage"))


def _refused(case: Case) -> None:
    """Of what is not understood nothing is kept."""
    good = override(case, "zones", 1)
    for change in (
        {"limit_value": -1},
        {"quota_key": "rockets"},
        {"subject_type": "user"},
        {"period": "day"},
        {"expires_at": "tomorrow"},
    ):
        case.ask(**{**good, "json": {**good["json"], **change}})
    case.ask(**LISTING)
    case.ask(**billing(case, "usage"))


def expiry(bench: Bench) -> None:
    if not bench.is_about("post_admin_quota_override"):
        return
    for limit in (0, 4):
        for wait in ("PT59M59S", "PT1H", "PT1H1S"):
            bench.attempt(_expiring(limit, wait))
    bench.attempt(_expired_and_counted)
    bench.attempt(_over_capacity_by_expiry)
    bench.attempt(_prolonged)


def _expiring(limit: int, wait: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        case.ask(**override(case, "zones", limit, expires="PT1H"))
        case.advance(wait)
        case.ask(**billing(case, "usage"))
        case.ask(**LISTING)
        for _ in range(4):
            case.ask(**Stock(case).creation("zone"))
        case.ask(**billing(case, "usage"))

    return script


def _expired_and_counted(case: Case) -> None:
    """Under a metered override too, the tier's limit comes back with all that was used meanwhile."""
    door = Stock(case)["entity"]
    case.ask(**override(case, "door_opens", 1, "day", expires="PT1H"))
    case.ask(**opening(door))
    case.ask(**opening(door))
    case.advance("PT1H")
    case.ask(**opening(door))
    case.ask(**billing(case, "usage"))


def _over_capacity_by_expiry(case: Case) -> None:
    """What a higher limit had allowed is too much when it expires."""
    case.ask(**override(case, "zones", 5, expires="P1D"))
    for _ in range(4):
        case.ask(**Stock(case).creation("zone"))
    case.ask(**billing(case, "degradation"))
    case.advance("P1D")
    case.ask(**billing(case, "degradation"))
    case.ask(**Stock(case).creation("zone"))


def _prolonged(case: Case) -> None:
    case.ask(**override(case, "zones", 0, expires="PT1H"))
    case.ask(**override(case, "zones", 0, expires="PT3H"))
    case.advance("PT2H")
    case.ask(**Stock(case).creation("zone"))
    case.ask(**LISTING)
    case.advance("PT1H")
    case.ask(**Stock(case).creation("zone"))
