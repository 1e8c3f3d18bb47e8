"""What a law does, as data: calls and moves of the clock, with every id named by the step that gave it.

So a sequence can be done again elsewhere, where the ids are others, and with steps left out. In a text, `{{3#/id}}` is
what the answer to step 3 has at `/id`, `{{org}}` a name of the place, `{{now+P1D}}` a moment as RFC 3339, `{{try}}` what
is another in each try (for ids that a target remembers for longer than a try lasts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from mock_server.engine.instants import add_duration, format_instant

from .carrying import USUAL

NAME = re.compile(r"\{\{([^{}]+)\}\}")
_STEP = re.compile(r"\{\{(\d+)#")


class Call(msgspec.Struct, frozen=True, tag="call", omit_defaults=True):
    """A call of an operation. `caller`: a role, a token, or None. `json` is JSON text; `body` any other body, as latin-1.

    `signing`: the body is an event that is signed when it is sent, in this way (see `contracts.signing`). `carried`: how
    the credential is sent (see `contracts.carrying`).
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
    carried: str = USUAL


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


def in_sequence(steps: Sequence[tuple[int, Step]], more: Any = None) -> tuple[list[Step], Any]:
    """The steps numbered from 1 on, with what names them (in `more` too) renamed: what is left once some were left out."""
    places = {number: n for n, (number, _) in enumerate(steps, 1)}
    text = text_of([[step for _, step in steps], more])
    data, more = json.loads(_STEP.sub(lambda found: f"{{{{{places.get(int(found[1]), 0)}#", text))
    return msgspec.convert(data, list[Step]), more


def text_of(value: Any) -> str:
    """Steps, or anything made of them, as JSON in ASCII: half a surrogate pair can be said in no other way."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))


def steps_of(text: str) -> list[Step]:
    """The steps again. Raises ValueError."""
    return msgspec.convert(json.loads(text), list[Step])


def moment(name: str, now: int) -> str | None:
    """What `now+P1D` means at an instant; None if the name is none of this kind."""
    if name == "now":
        return format_instant(now)
    if name.startswith("now+"):
        return format_instant(add_duration(now, name[4:]))
    if name.startswith("now-"):
        return format_instant(now - (add_duration(now, name[4:]) - now))
    return None
