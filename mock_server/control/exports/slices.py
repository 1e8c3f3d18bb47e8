"""What is exported: some requests of one world, oldest first, and the world as it was before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.store.journal import Entry


class Slice(msgspec.Struct, frozen=True):
    """`origin` is where the server is reached ("http://127.0.0.1:4010").

    `start` is the world before the first entry, as `{"mockbill_save": 1, "scenario": ..., "states": [...]}` with the
    documents of `GET .../state`; None if that is no longer known.
    """

    world: str
    scenario: str
    seed: int
    origin: str
    entries: tuple[Entry, ...]
    start: Mapping[str, Any] | None = None


def shown(text: str, most: int = 200) -> str:
    """Foreign text on one line, in characters that can be seen: fit for a comment in any language."""
    cut = text if len(text) <= most else text[:most] + "..."
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut).strip()


def title(entry: Entry) -> str:
    """What was asked and by whom, on one line."""
    what = entry.operation or f"{entry.method} {entry.path}"
    return shown(what if entry.caller == "-" else f"{what} by {shown(entry.caller)}", 300)


def extent(part: Slice) -> str:
    """Which requests these are."""
    numbers = [entry.number for entry in part.entries]
    if len(numbers) < 2:
        return f"request {numbers[0]}" if numbers else "no request"
    return f"requests {min(numbers)} to {max(numbers)}"
