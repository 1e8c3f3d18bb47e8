"""JSON as it is written: values with their places, changed one by one or laid out anew, and all else left alone. Pure.

Reading JSON into objects and writing it again changes numbers, escapes and spaces. Here every token stays what it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

# Possessive, so that nothing is tried twice: a body may be of 10 MiB.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]++', re.DOTALL)


class NoJson(ValueError):
    """The text is not JSON, or nested too deeply. The message says where."""


class Place(Struct, frozen=True):
    """Where a token stands: the names of the members around it, its own last (lists have none). `role` tells keys."""

    path: tuple[str, ...]
    role: Literal["key", "value"]


_decoded = json.JSONDecoder(strict=False).decode
Change = Callable[[str, Place], str]


def check(raw: bytes) -> str:
    """The text of `raw`, which is JSON. Raises NoJson."""
    try:
        msgspec.json.decode(raw)
        return raw.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NoJson(str(error)) from None


def parsed(body: bytes) -> Any:
    """The value, None for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def string(token: str) -> str:
    """What a token in quotation marks says."""
    return _decoded(token) if "\\" in token else token[1:-1]


def changed(text: str, change: Change) -> str:
    """`text`, which is JSON, with `change` applied to each key and each value that is neither a list nor an object."""
    parts: list[str] = []
    end = 0
    for start, stop, place in _placed(text):
        token = text[start:stop]
        new = change(token, place)
        if new != token:
            parts += [text[end:start], new]
            end = stop
    return "".join([*parts, text[end:]])


def laid_out(text: str) -> str:
    """`text`, which is JSON, over many lines with two spaces a level: as Stripe sends it.

    Strings lose escapes that they do not need; numbers and the order of members stay.
    """
    parts: list[str] = []
    depth, before = 0, ""
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "}]":
            depth -= 1
            if before not in "{[":
                parts.append("\n" + "  " * depth)
        elif before in ("{", "[", ","):
            parts.append("\n" + "  " * depth)
        if piece[0] == '"':
            piece = json.dumps(string(piece), ensure_ascii=False)
        parts.append(": " if piece == ":" else piece)
        if piece in "{[":
            depth += 1
        before = piece
    return "".join(parts)


def _placed(text: str) -> Iterator[tuple[int, int, Place]]:
    path: list[str] = []
    # For every open object or list: whether it is an object, and how long the path was before it.
    open_: list[tuple[bool, int]] = []
    is_key = False
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "{[":
            open_.append((piece == "{", len(path)))
            is_key = piece == "{"
        elif piece in "}]":
            del path[open_.pop()[1] :]
            is_key = False
        elif piece == ",":
            is_object, size = open_[-1]
            if is_object:
                del path[size:]
            is_key = is_object
        elif piece == ":":
            is_key = False
        else:
            if is_key:
                path.append(string(piece))
            yield match.start(), match.end(), Place(tuple(path), "key" if is_key else "value")
