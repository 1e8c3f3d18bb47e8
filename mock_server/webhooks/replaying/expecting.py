"""What a receiver is expected to say, and whether it did. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from mock_server.webhooks.outgoing import Answer, NoAnswer

USUAL = "2xx"
_PART = re.compile(r"[1-9](?:xx|[0-9][0-9])|any|none", re.ASCII)


class InvalidExpectation(ValueError):
    """The text says nothing that can be expected; the message says what does."""


class Expectation(Struct, frozen=True):
    """Any of these: a status, a class of them (`2xx`), `any` answer, or `none`."""

    parts: tuple[str, ...]

    def is_met(self, answered: Answer | NoAnswer) -> bool:
        if isinstance(answered, NoAnswer):
            return "none" in self.parts
        status = str(answered.status)
        return any(part in ("any", status, f"{status[0]}xx") for part in self.parts)

    def __str__(self) -> str:
        return " or ".join(self.parts)


def expectation(text: str) -> Expectation:
    """`2xx,400` or `2xx|400`. Raises InvalidExpectation."""
    parts = tuple(part.strip().lower() for part in re.split(r"[,|]", text))
    if not all(map(_PART.fullmatch, parts)):
        raise InvalidExpectation(
            "expected is a status (200), a class (2xx), any, none, or several of these with commas"
        )
    return Expectation(tuple(dict.fromkeys(parts)))
