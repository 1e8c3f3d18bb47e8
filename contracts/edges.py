"""Ends of the calendar's windows, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mock_server.engine.instants import from_datetime, to_datetime

EDGES = ("day", "week", "month", "year", "leap-day")


def end_of(edge: str, now: int) -> int:
    """The instant at which the window that `now` is in ends. `leap-day`: when the next 29 February ends."""
    at = to_datetime(now)
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    if edge == "day":
        return from_datetime(midnight + timedelta(days=1))
    if edge == "week":
        return from_datetime(midnight + timedelta(days=7 - midnight.weekday()))
    if edge == "month":
        return from_datetime(datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC))
    if edge == "year":
        return from_datetime(datetime(at.year + 1, 1, 1, tzinfo=UTC))
    if edge == "leap-day":
        year = next(
            year for year in range(at.year, at.year + 9) if _is_leap(year) and datetime(year, 3, 1, tzinfo=UTC) > at
        )
        return from_datetime(datetime(year, 3, 1, tzinfo=UTC))
    raise ValueError(f"no such edge: {edge}; there are: {', '.join(EDGES)}")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
