"""Instants and durations: how a moment is held, read and written.

An instant is an integer: microseconds since 1970-01-01T00:00:00Z. Integers compare, add and hash the same
everywhere, and no time zone can creep in. Text is RFC 3339 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import isodate

Instant = int

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime(1970, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime(9998, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Instants stay a year inside what `datetime` can hold, so that window edges always can be computed."""

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)


class InvalidTime(ValueError):
    """The text is not a moment or a duration that a world can hold; the message says why."""


def parse_instant(text: str) -> Instant:
    """The instant that an RFC 3339 text names. A leap second counts as the second after it.

    Raises InvalidTime if the text has another form, no offset, or lies outside the years 1970 to 9998.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidTime(f"{text[:60]!r} is not an RFC 3339 instant such as 2026-03-01T00:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = second == 60
    try:
        naive = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    except ValueError as error:
        raise InvalidTime(f"{text!r} is not a date and time that exists: {error}") from None
    instant = (naive - _EPOCH) // _MICROSECOND + (SECOND if leap else 0)
    if match[7]:
        instant += int(match[7][:6].ljust(6, "0"))
    if match[9]:
        offset = (int(match[10]) * 60 + int(match[11])) * 60 * SECOND
        instant += -offset if match[9] == "+" else offset
    return checked(instant)


def format_instant(instant: Instant) -> str:
    """RFC 3339 in UTC, with microseconds only where there are any: 2026-03-01T00:00:00Z."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def to_datetime(instant: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    return (moment - _EPOCH) // _MICROSECOND


def add_duration(start: Instant, text: str) -> Instant:
    """`start` plus an ISO 8601 duration. Years and months are calendar ones (31 January + P1M is the end of February).

    Raises InvalidTime if the text is no duration, is negative, or leads past the year 9998.
    """
    try:
        if text.endswith(("P", "T")):
            raise ValueError("isodate takes PT for no time at all; ISO 8601 does not")
        duration = isodate.parse_duration(text)
    except (isodate.ISO8601Error, ValueError, OverflowError, ArithmeticError, TypeError):
        raise InvalidTime(f"{text[:60]!r} is not an ISO 8601 duration such as P31D, P1M or PT90S") from None
    try:
        end = from_datetime(to_datetime(start) + duration)
    except (ValueError, OverflowError, ArithmeticError, TypeError):
        raise InvalidTime(f"{text[:60]!r} leads out of the years that a world can hold, 1970 to 9998") from None
    if end < start:
        raise InvalidTime(f"{text[:60]!r} goes back in time")
    return checked(end)


def checked(instant: Instant) -> Instant:
    """`instant`, if a world can hold it; else InvalidTime."""
    if not EARLIEST <= instant <= LATEST:
        raise InvalidTime("the moment lies before 1970-01-02 or after 9998-12-31, which a world cannot hold")
    return instant


def format_duration(duration: int) -> str:
    """ISO 8601, of microseconds: P14D, PT1H30M, PT0.5S, P0D."""
    days, rest = divmod(duration, DAY)
    hours, rest = divmod(rest, 3600 * SECOND)
    minutes, rest = divmod(rest, 60 * SECOND)
    seconds = f"{rest / SECOND:.6f}".rstrip("0").rstrip(".")
    time = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M")) if value)
    time += f"{seconds}S" if rest else ""
    date = f"{days}D" if days or not time else ""
    return f"P{date}T{time}" if time else f"P{date}"
