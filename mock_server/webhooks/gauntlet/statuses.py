"""Which statuses of an answer are meant: `2xx`, `200,204`, `400-403`."""

from __future__ import annotations

import re

import msgspec

_ONE = re.compile(r"([1-5])(?:xx|(\d\d)(?:-([1-5])(\d\d))?)", re.ASCII | re.IGNORECASE)


class InvalidStatuses(ValueError):
    """The text names no statuses."""


class Statuses(msgspec.Struct, frozen=True):
    """`text` is how they were written."""

    text: str
    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: int) -> bool:
        return any(first <= status <= last for first, last in self.ranges)


def statuses_of(text: str) -> Statuses:
    """Raises InvalidStatuses."""
    ranges = []
    for part in text.split(","):
        found = _ONE.fullmatch(part.strip())
        if found is None:
            raise InvalidStatuses(f"{part.strip()[:40]!r} is no status; write 2xx, 204 or 400-403, several with commas")
        if found[2] is None:
            ranges.append((int(found[1]) * 100, int(found[1]) * 100 + 99))
        else:
            first = int(found[1] + found[2])
            ranges.append((first, int(found[3] + found[4]) if found[3] else first))
    return Statuses(text.strip(), tuple(ranges))
