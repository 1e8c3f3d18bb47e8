"""Refusals as named values. A problem explains itself: its code, its status, its text and the facts behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .explanations import Check


class ProblemType(msgspec.Struct, frozen=True):
    """One named kind of refusal. Calling it with facts gives a Problem: `UNKNOWN_TIER(tier_slug="gold")`.

    `text` is a format string over those facts; a fact that it does not name is still shown in `details`, and one whose
    name starts with an underscore only in the text. `check` is which check refuses so.
    """

    code: str
    status: int
    text: str
    check: Check = "state"

    def __call__(self, **facts: Any) -> Problem:
        return Problem(self, facts)


class Problem(msgspec.Struct, frozen=True):
    """A refusal of one request. `headers` are extra response headers (name, value)."""

    type: ProblemType
    facts: Mapping[str, Any] = {}
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def message(self) -> str:
        return self.type.text.format_map(self.facts)

    def with_headers(self, *headers: tuple[str, str]) -> Problem:
        return msgspec.structs.replace(self, headers=(*self.headers, *headers))
