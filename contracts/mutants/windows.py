"""Windows of metered quotas that begin or end at other times than they should."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mock_server.apis.openapp.model import metering
from mock_server.apis.openapp.model.resources import Meter
from mock_server.engine.instants import DAY, SECOND, to_datetime

from .around import Exchange, on_answer
from .mutant import Install, family, patched, replacing, together

mutant = family("windows")
HOUR = 3600 * SECOND
USAGE = "GET /orgs/{id}/billing/usage"


def _meters_read(clock: Any) -> Install:
    """Meters that read another clock: world's time -> what they take it for. Overrides still end by the right one."""
    true_now: int | None = None

    def metered(real: Any) -> Any:
        def faulty(state: Any, org: Any, charges: Any, now: int) -> Any:
            nonlocal true_now
            true_now = now
            try:
                return real(state, org, charges, clock(now))
            finally:
                true_now = None

        return faulty

    def limits(real: Any) -> Any:
        return lambda state, org, now: real(state, org, now if true_now is None else true_now)

    def used(real: Any) -> Any:
        return lambda meter, period, now: real(meter, period, clock(now))

    return together(
        patched(metering, "limits_of", limits),
        replacing(metering.metered, metered),
        replacing(metering.used_in, used),
    )


def _numbering(calendar: str, number: Any) -> Install:
    """Other numbers for the weeks or months that days (since 1970) lie in."""

    def make(real: Any) -> Any:
        return lambda asked, day: number(day) if asked == calendar else real(asked, day)

    return patched(metering, "number_of", make)


def _in_berlin(now: int) -> int:
    utc = to_datetime(now)
    return now + (2 if _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10) else 1) * HOUR


def _last_sunday(year: int, month: int) -> datetime:
    """01:00 UTC on it, when clocks are changed."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _date(day: int) -> datetime:
    return to_datetime(day * DAY)


def _without_leap_days(day: int) -> int:
    """29 February is taken for 1 March."""
    date = _date(day)
    return date.year * 12 + date.month + ((date.month, date.day) == (2, 29))


def _weeks_of_years(day: int) -> int:
    """A week is cut in two where the year ends."""
    date = _date(day)
    return date.year * 100 + (day + 3) // 7


def _never(_: Any) -> Any:
    def faulty(meter: Any, day: int, amount: int) -> Meter:
        if meter is None:
            return Meter(day, amount, amount, amount)
        return Meter(day, meter.in_day + amount, meter.in_week + amount, meter.in_month + amount)

    return faulty


def _swapped(it: Exchange) -> None:
    it.edit(
        items=[
            {**item, "period_start": item["period_end"], "period_end": item["period_start"]}
            for item in it.json["items"]
        ]
    )


MUTANTS = (
    mutant("never-resets", "windows never end", replacing(metering._used, _never), 66),
    mutant("resets-an-hour-late", "windows end an hour late", _meters_read(lambda now: now - HOUR), 67),
    mutant(
        "resets-a-moment-late", "at the very end of a window it has not ended", _meters_read(lambda now: now - 1), 67
    ),
    mutant("month-of-30-days", "a month has 30 days", _numbering("month", lambda day: day // 30), 68),
    mutant("window-swapped", "windows end before they start", on_answer(USAGE, _swapped, 200), 69),
    mutant("berlin-time", "windows are those of Berlin", _meters_read(_in_berlin), 96),
    mutant("no-leap-day", "29 February belongs to March", _numbering("month", _without_leap_days), 96),
    mutant("week-ends-with-year", "a week ends where the year does", _numbering("week", _weeks_of_years), 96),
    mutant("week-from-sunday", "weeks begin on Sundays", _numbering("week", lambda day: (day + 4) // 7)),
)
