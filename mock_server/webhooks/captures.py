"""Reading the files of `fixtures/webhooks/`: one captured webhook request each, byte for byte."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mock_server.engine.instants import Instant, parse_instant

LARGEST_FILE = 8 * 1024 * 1024
LONGEST_REASON = 300

# A replay writes these into a request: nothing may end a line early. `\Z`, because `$` would let a newline follow.
HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"^(?:[!-~](?:[ -~\t]*[!-~])?)?\Z", max_length=8192)]


class RequestPart(Struct, frozen=True, forbid_unknown_fields=True):
    method: Annotated[str, Meta(pattern=r"^[A-Z]{1,16}\Z")]
    path: Annotated[str, Meta(pattern=r"^/[!-~]{0,2047}\Z")]
    headers: Annotated[tuple[tuple[HeaderName, HeaderValue], ...], Meta(max_length=100)]


class BodyPart(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two: `text`, whose UTF-8 are the bytes, or `base64` for bytes that are no text."""

    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET


class CaptureFile(Struct, frozen=True, forbid_unknown_fields=True):
    mockbill_capture: Literal[1]
    provider: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    received_at: str
    request: RequestPart
    body: BodyPart


class Capture(Struct, frozen=True):
    """A webhook as it came in. `headers` in the order and the letter case they had, `body` the very bytes."""

    provider: str
    title: str
    received_at: Instant
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class CaptureError(ValueError):
    """A file is no capture that can be replayed. The message names the file and says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason[:LONGEST_REASON]}")


def read_capture(raw: bytes, name: str) -> Capture:
    """The capture in `raw`, the content of the file `name`. Raises CaptureError."""
    if len(raw) > LARGEST_FILE:
        raise CaptureError(name, f"the file is larger than {LARGEST_FILE} bytes")
    try:
        # msgspec takes the last of two equal keys, so that is looked at first.
        json.loads(raw.decode(), object_pairs_hook=_without_repeats)
        file = msgspec.json.decode(raw, type=CaptureFile)
        received_at, body = parse_instant(file.received_at), _bytes(file.body)
    except (ValueError, RecursionError) as error:
        raise CaptureError(name, str(error)) from None
    request = file.request
    return Capture(file.provider, file.title, received_at, request.method, request.path, request.headers, body)


def load_capture(path: Path) -> Capture:
    """The capture in a file. Raises CaptureError, also for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise CaptureError(str(path), f"cannot be read: {error.strerror}") from None
    return read_capture(raw, str(path))


def _without_repeats(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice in one object")


def _bytes(body: BodyPart) -> bytes:
    if isinstance(body.text, str) and body.base64 is UNSET:
        return body.text.encode()
    if isinstance(body.base64, str) and body.text is UNSET:
        return b64decode(body.base64, validate=True)
    raise ValueError("a body is either `text` or `base64` - at `$.body`")
