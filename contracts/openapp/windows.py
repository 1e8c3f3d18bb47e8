"""When metered quotas begin anew: at the ends of UTC days, ISO weeks and months, in leap years and at new year."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.bench import Bench
from contracts.case import Case

from .stock import Stock, billing, override, request_for

USE = "reverse_geocode"
KEY = "geocoding_requests"


def windows(bench: Bench) -> None:
    if not bench.is_about(USE, "get_org_billing_usage"):
        return
    for period in ("day", "week", "month"):
        for seconds in (-1, 0, 1):
            bench.attempt(_around(period, seconds))
        bench.attempt(_long_after(period))
    for period, edge in (("month", "year"), ("week", "year"), ("day", "leap-day"), ("month", "leap-day")):
        bench.attempt(_at(period, edge))
    for period, year in (("day", "P1Y"), ("week", "P52W"), ("month", "P1Y")):
        bench.attempt(_a_year_later(period, year))
    bench.attempt(_months)
    bench.attempt(_independent)
    bench.attempt(_weeks_round_new_year)


def _use_up(case: Case, period: str) -> dict[str, Any]:
    use = request_for(Stock(case), USE)
    case.ask(**override(case, KEY, 1, period))
    case.ask(**use)
    return use


def _around(period: str, seconds: int) -> Callable[[Case], None]:
    """A second before its end the window is full; at its end and a second after it there is room again."""

    def script(case: Case) -> None:
        use = _use_up(case, period)
        case.to(period, seconds)
        case.ask(**billing(case, "usage"))
        case.ask(**use)
        case.ask(**billing(case, "usage"))

    return script


def _long_after(period: str) -> Callable[[Case], None]:
    """Half of a window's length before its end it is still the same window, however long ago it was used."""

    def script(case: Case) -> None:
        case.to(period)
        use = _use_up(case, period)
        case.advance({"day": "PT23H59M", "week": "P6DT12H", "month": "P27D"}[period])
        case.ask(**use)
        case.to(period)
        case.ask(**use)
        case.ask(**billing(case, "usage"))

    return script


def _at(period: str, edge: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        case.to(edge, -3600)
        use = _use_up(case, period)
        case.ask(**billing(case, "usage"))
        case.to(edge, -1)
        case.ask(**use)
        case.to("day")
        case.ask(**billing(case, "usage"))
        case.ask(**use)

    return script


def _a_year_later(period: str, year: str) -> Callable[[Case], None]:
    """A window of the same name, but of another year, is another window."""

    def script(case: Case) -> None:
        use = _use_up(case, period)
        case.advance(year)
        case.ask(**billing(case, "usage"))
        case.ask(**use)

    return script


def _months(case: Case) -> None:
    """Each month is as long as the calendar says, for more than a year."""
    case.to("month")
    use = _use_up(case, "month")
    for _ in range(14):
        case.to("month", -1)
        case.ask(**use)
        case.advance("PT1S")
        case.ask(**use)


def _independent(case: Case) -> None:
    """A new day does not begin a new month, and what a day has counted stays in its month."""
    case.to("month")
    use = request_for(Stock(case), USE)
    case.ask(**override(case, KEY, 2, "month"))
    case.ask(**override(case, KEY, 1, "day"))
    for _ in range(4):
        case.ask(**use)
        case.ask(**billing(case, "usage"))
        case.to("day")


def _weeks_round_new_year(case: Case) -> None:
    """An ISO week may lie in two years, and years have 52 or 53 of them."""
    for _ in range(2):
        case.to("year", -86_400)
        use = _use_up(case, "week")
        case.to("year")
        case.ask(**use)
        case.ask(**billing(case, "usage"))
        case.to("week")
        case.ask(**use)
        case.ask(**billing(case, "usage"))
