"""Reading and writing instants and durations. All instants are in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_ISO_DURATION = re.compile(
    r"P(?!$)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII
)
_COMPACT = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_instant(text: str) -> datetime:
    """Raises ValueError (OverflowError is made one) for what is no instant that Python can hold."""
    found = _INSTANT.fullmatch(text)
    if not found:
        raise ValueError("not an RFC 3339 date-time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    micros = int((found[7] or "0")[:6].ljust(6, "0"))
    zone = UTC
    if found[9]:
        if int(found[10]) > 23 or int(found[11]) > 59:
            raise ValueError("no such offset")
        offset = timedelta(hours=int(found[10]), minutes=int(found[11]))
        zone = timezone(-offset if found[9] == "-" else offset)
    leap = second == 60
    try:
        instant = datetime(year, month, day, hour, minute, 59 if leap else second, micros, zone).astimezone(UTC)
        return instant + timedelta(seconds=1) if leap else instant
    except OverflowError as error:
        raise ValueError("out of range") from error


def is_instant(text: str) -> bool:
    try:
        read_instant(text)
    except ValueError:
        return False
    return True


def show(instant: datetime) -> str:
    text = instant.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    if instant.microsecond:
        text += f".{instant.microsecond:06}".rstrip("0")
    return text + "Z"


def read_duration(text: str, compact: bool = False) -> timedelta:
    try:
        short = _COMPACT.fullmatch(text) if compact else None
        if short:
            return timedelta(**{_UNITS[short[2]]: int(short[1])})
        found = _ISO_DURATION.fullmatch(text)
        if not found:
            raise ValueError("not a duration")
        weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:4])
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(found[5] or 0))
    except OverflowError as error:
        raise ValueError("out of range") from error


def window(period: str, now: datetime) -> tuple[str, datetime | None, datetime | None]:
    """The label, the beginning and the end of the calendar window that `now` lies in."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return f"day:{midnight:%Y-%m-%d}", midnight, midnight + timedelta(days=1)
    if period == "week":
        monday = midnight - timedelta(days=midnight.weekday())
        year, week, _ = monday.isocalendar()
        return f"week:{year:04}-W{week:02}", monday, monday + timedelta(days=7)
    if period == "month":
        first = midnight.replace(day=1)
        return f"month:{first:%Y-%m}", first, (first + timedelta(days=32)).replace(day=1)
    return period, None, None
