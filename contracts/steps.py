"""What a law does, as data: calls and moves of the clock, with every id named by the step that gave it.

So a sequence can be done again elsewhere, where the ids are others, and with steps left out. In a text, `{{3#/id}}` is
what the answer to step 3 has at `/id`, `{{org}}` a name of the place, `{{now+P1D}}` a moment as RFC 3339.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import add_duration, format_instant

NAME = re.compile(r"\{\{([^{}]+)\}\}")


class Call(msgspec.Struct, frozen=True, tag="call", omit_defaults=True):
    """A call of an operation. `caller`: a role, a token, or None. `json` is JSON text; `body` any other body, as latin-1.

    `event`: the body is JSON text that is signed when it is sent; `signing` says how (see `contracts.signing`).
    """

    operation: str
    caller: str | None = None
    path: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    json: Any = msgspec.UNSET
    body: str | None = None
    media_type: str | None = None
    signing: Mapping[str, Any] | None = None


class Move(msgspec.Struct, frozen=True, tag="move", omit_defaults=True):
    """A move of the clock: by `by` (ISO 8601), or to the end of the `edge` that now is in (day, week, month, year,
    leap-day), `seconds` later.
    """

    by: str | None = None
    edge: str | None = None
    seconds: int = 0

    @property
    def title(self) -> str:
        if self.by is not None:
            return f"the clock moves by {self.by}"
        beside = "" if not self.seconds else f", {abs(self.seconds)} s {'before' if self.seconds < 0 else 'after'}"
        return f"the clock moves to the end of the {self.edge}{beside}"


class Consume(msgspec.Struct, frozen=True, tag="consume", omit_defaults=True):
    """`amount` of a metered quota is used up by the usage port."""

    key: str
    amount: int


Step = Call | Move | Consume


class Unresolved(LookupError):
    """A step names what no step before it has given."""


def filled(value: Any, name: Callable[[str], Any]) -> Any:
    """The value with every `{{name}}` replaced. A text that is nothing but a name takes whatever the name stands for."""
    if isinstance(value, str):
        if "{{" not in value:
            return value
        whole = NAME.fullmatch(value)
        return name(whole[1]) if whole else NAME.sub(lambda match: str(name(match[1])), value)
    if isinstance(value, Mapping):
        return {filled(key, name): filled(each, name) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, name) for each in value]
    return value


def named(value: Any, names: Mapping[str, str]) -> Any:
    """The reverse: every text that is exactly a known value becomes its `{{name}}`."""
    if isinstance(value, str):
        return f"{{{{{names[value]}}}}}" if value in names else value
    if isinstance(value, Mapping):
        return {named(key, names): named(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [named(each, names) for each in value]
    return value


def moment(name: str, now: int) -> str | None:
    """What `now+P1D` means at an instant; None if the name is none of this kind."""
    if name == "now":
        return format_instant(now)
    if name.startswith("now+"):
        return format_instant(add_duration(now, name[4:]))
    if name.startswith("now-"):
        return format_instant(now - (add_duration(now, name[4:]) - now))
    return None
