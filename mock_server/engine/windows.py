"""Calendar windows in UTC: which day, ISO week or month an instant lies in, where it starts and ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from .instants import Instant, from_datetime, to_datetime

Calendar = Literal["day", "week", "month"]


class Window(msgspec.Struct, frozen=True):
    """A half-open stretch of time `[start, end)` with a label that is stable for its whole length."""

    label: str
    start: Instant
    end: Instant


def window_at(calendar: Calendar, now: Instant) -> Window:
    """The day, ISO week (from Monday) or month that `now` lies in.

    Labels: `day:2026-04-17`, `week:2026-W16`, `month:2026-04`.
    """
    midnight = to_datetime(now).replace(hour=0, minute=0, second=0, microsecond=0)
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
    return Window(f"{calendar}:{label}", from_datetime(start), from_datetime(end))
