"""Calendar windows in UTC: which day, ISO week or month an instant lies in, where it starts and ends."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from .instants import DAY, Instant, format_instant, from_datetime, to_datetime

Calendar = Literal["day", "week", "month"]


class Window(msgspec.Struct, frozen=True):
    """A half-open stretch of time `[start, end)` with a label that is stable for its whole length."""

    label: str
    start: Instant
    end: Instant
    start_text: str = ""
    end_text: str = ""


def window_at(calendar: Calendar, now: Instant) -> Window:
    """The day, ISO week (from Monday) or month that `now` lies in.

    Labels: `day:2026-04-17`, `week:2026-W16`, `month:2026-04`.
    """
    return _window_of_day(calendar, now // DAY)


def number_of(calendar: Calendar, day: int) -> int:
    """Which day, ISO week or month it is that a day (counted from 1970) lies in: two days in one have the same number."""
    if calendar == "day":
        return day
    # 1970-01-01 was a Thursday.
    return (day + 3) // 7 if calendar == "week" else _month_of_day(day)


@lru_cache(maxsize=1024)
def _month_of_day(day: int) -> int:
    moment = to_datetime(day * DAY)
    return moment.year * 12 + moment.month


@lru_cache(maxsize=1024)
def _window_of_day(calendar: Calendar, day: int) -> Window:
    midnight = to_datetime(day * DAY)
    if calendar == "day":
        start, end, label = midnight, midnight + timedelta(days=1), midnight.date().isoformat()
    elif calendar == "week":
        start = midnight - timedelta(days=midnight.weekday())
        end = start + timedelta(days=7)
        year, week, _ = midnight.isocalendar()
        label = f"{year:04d}-W{week:02d}"
    else:
        start = midnight.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
        label = f"{start.year:04d}-{start.month:02d}"
    edges = from_datetime(start), from_datetime(end)
    return Window(f"{calendar}:{label}", *edges, *map(format_instant, edges))
