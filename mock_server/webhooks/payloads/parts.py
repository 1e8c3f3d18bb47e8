"""What the shapes are made of: ids, moments and bounded texts, all of which depend on the event alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ulid import ULID

from mock_server.engine.ids import draw
from mock_server.engine.instants import DAY, EARLIEST, LATEST, SECOND, Instant, format_instant

from .event import Event

LARGEST = 64 * 1024
"""Bytes. Held by the bounds below and those of TEXTS, not by cutting."""
LONGEST_TEXT = 200
TEXTS = 3_000
"""Letters of everything that data brings along, where it is passed on as a whole."""
MOST_VALUES = 300
MOST_MEMBERS = 60
DEEPEST = 8
PERIOD = 30 * DAY
_LARGEST_INTEGER = 2**53 - 1
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NOT_IN_A_HEADER = re.compile(r"[^!-~]+")


def known_as(event: Event) -> str:
    """What tells this event from all others, those of other worlds included."""
    return clean(f"{event.world}/{event.api}/{event.id}")


def moment(event: Event) -> Instant:
    return min(max(event.at, EARLIEST), LATEST - 366 * DAY)


def seconds(event: Event) -> int:
    return moment(event) // SECOND


def instant_text(instant: Instant, *, whole: bool = False) -> str:
    """RFC 3339: with microseconds, `2026-03-01T00:00:00.000000Z`, or in whole seconds."""
    text = format_instant(instant // SECOND * SECOND)
    return text if whole else f"{text[:-1]}.{instant % SECOND:06}Z"


def letters(seed: str, count: int = 24) -> str:
    """So many letters and digits, different for different seeds."""
    number = int.from_bytes(draw(0, f"payload/{seed}", size=32), "big")
    found = ""
    while len(found) < count:
        number, digit = divmod(number, len(_ALPHABET))
        found += _ALPHABET[digit]
    return found


def lower_ulid(instant: Instant, seed: str) -> str:
    raw = (instant // 1000).to_bytes(6, "big") + draw(0, f"ulid/{seed}", size=10)
    return str(ULID.from_bytes(raw)).lower()


def uuid(seed: str) -> str:
    """In the form of a random one (version 4)."""
    raw = bytearray(draw(0, f"uuid/{seed}", size=16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def number(seed: str, digits: int = 6) -> int:
    """Of exactly so many digits."""
    low = int(10 ** (digits - 1))
    return low + int.from_bytes(draw(0, f"number/{seed}"), "big") % (9 * low)


def text(data: Mapping[str, Any], key: str, default: str = "") -> str:
    """A text that is there and not empty, cut to LONGEST_TEXT letters; else `default`."""
    value = data.get(key)
    return clean(value[:LONGEST_TEXT]) if isinstance(value, str) and value else default


def amount(data: Mapping[str, Any], key: str) -> int:
    """Minor units; 0 if there is no integer."""
    value = data.get(key)
    return _held(value) if isinstance(value, int) and not isinstance(value, bool) else 0


def currency(data: Mapping[str, Any]) -> str:
    """Three lower-case letters."""
    value = text(data, "currency").lower()
    return value if re.fullmatch("[a-z]{3}", value) else "usd"


def clean(value: str) -> str:
    """Without halves of characters, which UTF-8 cannot write."""
    return value.encode("utf-8", "replace").decode()


def header_text(value: str) -> str:
    """A value that can stand in a header."""
    return _NOT_IN_A_HEADER.sub("-", value[:LONGEST_TEXT]) or "-"


def topic_of(event: Event) -> str:
    return clean(event.topic[:LONGEST_TEXT])


def members(data: Mapping[str, Any]) -> dict[str, Any]:
    """All of `data`, within bounds and in the order of its names: what is too much is left out."""
    return _Bounds().members(data, 0)


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).encode()


def _held(value: int) -> int:
    return min(max(value, -_LARGEST_INTEGER), _LARGEST_INTEGER)


class _Bounds:
    """Counts what has been taken so far."""

    def __init__(self) -> None:
        self.values, self.room = 0, TEXTS

    def members(self, thing: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        # Not the order in which they happen to lie there, which may differ from process to process.
        named = sorted((each for each in thing.items() if isinstance(each[0], str)), key=lambda each: each[0])
        for name, value in named[:MOST_MEMBERS]:
            if self.values < MOST_VALUES and self.room > 0:
                found[self._cut(name)] = self.value(value, depth + 1)
        return found

    def value(self, value: Any, depth: int) -> Any:
        self.values += 1
        if isinstance(value, str):
            return self._cut(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return _held(value)
        if isinstance(value, float):
            return value if abs(value) < float("inf") else None
        if depth >= DEEPEST:
            return None
        if isinstance(value, Mapping):
            return self.members(value, depth)
        if isinstance(value, list | tuple):
            return [self.value(each, depth + 1) for each in value[:MOST_MEMBERS] if self.values < MOST_VALUES]
        return None

    def _cut(self, value: str) -> str:
        cut = clean(value[: min(LONGEST_TEXT * 5, max(self.room, 0))])
        self.room -= len(cut)
        return cut
