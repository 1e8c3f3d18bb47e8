"""Request bodies: bytes read up to a limit, and JSON read strictly, every refusal with its reason."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive

from .exchange import Refusal
from .problems import INVALID_REQUEST, TOO_LARGE

DEEPEST_NESTING = 64
LONGEST_NUMBER = 400
_MOST_MESSAGES = 3


class ClientGone(Exception):
    """The client closed the connection before it had sent the whole body."""


class InvalidJson(ValueError):
    """The bytes are not JSON as we accept it; the message completes "refused because ..."."""


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body. Raises Refusal(TOO_LARGE) as soon as it is known to exceed `limit`, ClientGone if it breaks off."""
    if (coding := headers.get("transfer-encoding", "chunked").lower()) != "chunked":
        raise Refusal(INVALID_REQUEST(reason=f"Transfer-Encoding {coding[:60]!r} is not supported", place="header"))
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise Refusal(TOO_LARGE(limit=limit))
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise Refusal(TOO_LARGE(limit=limit))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def disconnected(receive: Receive) -> bool:
    """A server says `http.disconnect` once the client is gone; one that goes on saying other things cannot tell."""
    for _ in range(_MOST_MESSAGES):
        if (await receive())["type"] == "http.disconnect":
            return True
    return False


def parse_json(raw: bytes, deepest: int = DEEPEST_NESTING) -> Any:
    """The JSON value in `raw`. Raises InvalidJson.

    Stricter than the standard decoder: UTF-8 without a byte order mark, no NaN or Infinity, no number beyond what a
    double or 400 digits hold, no key twice, no lone surrogate, at most `deepest` levels deep.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8 (byte {error.start})") from None
    if text.startswith("\ufeff"):
        raise InvalidJson("the body starts with a byte order mark, which JSON does not allow")
    if raw.count(b"[") + raw.count(b"{") > deepest and _depth(text) > deepest:
        raise InvalidJson(f"the body is nested more than {deepest} levels deep")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    if b"\\u" in raw:
        _refuse_lone_surrogates(value)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidJson(f"the key {twice[:60]!r} stands twice in one object")
    return value


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise InvalidJson(f"the body holds a number of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidJson(f"the number {text[:60]} is beyond what can be represented")
    return value


def _constant(text: str) -> Any:
    raise InvalidJson(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _depth(text: str) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidJson("the body holds half of a surrogate pair (\\ud800 to \\udfff)") from None
