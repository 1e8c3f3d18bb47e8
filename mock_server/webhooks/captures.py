"""The file of one captured webhook request: read and written, byte for byte.

    {
      "mockbill_capture": 1,
      "provider": "stripe",                   the name of a signature scheme, or "unknown"
      "title": "invoice.paid",
      "received_at": "2026-11-21T18:31:50.123456Z",
      "redacted": true,                       only where it is so: the signature does not fit the body any more
      "request": {
        "method": "POST",
        "path": "/hooks?team=7",              as it stood in the request line
        "url": "https://me.example/hooks",    only where it is known: the URL that the provider called
        "headers": [["Content-Type", "application/json"]]
      },
      "body": {"text": "..."},                or {"base64": "..."} for bytes that are no text
      "answer": {                             only where there was one: what the application said to it
        "status": 200, "headers": [], "body": {"text": "ok"}
      }
    }

Headers are in the order and the letter case that they came in; each of their letters stands for one byte (Latin-1).
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mock_server.engine.instants import Instant, InvalidTime, checked, format_instant, parse_instant

LARGEST_BODY = 10 * 1024 * 1024
LARGEST_ANSWER = 1024 * 1024
"""Of an application's answer a capture keeps no more bytes than this."""
LARGEST_FILE = 40 * 1024 * 1024
"""Room for both at their largest: in JSON no text is more than doubled, and base64 takes less."""
LONGEST_REASON = 300
LONGEST_TITLE = 200
MOST_HEADERS = 100
LONGEST_NAME, LONGEST_VALUE, LONGEST_PATH = 256, 8192, 8192
UNKNOWN = "unknown"

# A replay writes these into a request: nothing may end a line early. `\Z`, because `$` would let a newline follow.
# Space around a value belongs to the line and not to the value (RFC 9112, 5.1).
METHOD = r"^[A-Z][A-Z-]{0,31}\Z"
PATH = rf"^/[!-~\x80-\xff]{{0,{LONGEST_PATH - 1}}}\Z"
URL = rf"^https?://[!-~\x80-\xff]{{1,{LONGEST_PATH + 256}}}\Z"
NAME = rf"^[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{LONGEST_NAME}}}\Z"
VALUE = r"^(?:[^\x00\r\n\t \u0100-\U0010ffff](?:[^\x00\r\n\u0100-\U0010ffff]*[^\x00\r\n\t \u0100-\U0010ffff])?)?\Z"

HeaderName = Annotated[str, Meta(pattern=NAME)]
HeaderValue = Annotated[str, Meta(pattern=VALUE, max_length=LONGEST_VALUE)]
Headers = Annotated[tuple[tuple[HeaderName, HeaderValue], ...], Meta(max_length=MOST_HEADERS)]

# With one of these a body is no text for people. They are also those that JSON would make more than twice as long.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c]")
# Nobody would see these on a screen, or they would turn the direction of what follows: they are spelled out.
_UNREADABLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class RequestPart(Struct, frozen=True, forbid_unknown_fields=True):
    method: Annotated[str, Meta(pattern=METHOD)]
    path: Annotated[str, Meta(pattern=PATH)]
    headers: Headers
    url: Annotated[str, Meta(pattern=URL)] | UnsetType = UNSET


class BodyPart(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two: `text`, whose UTF-8 are the bytes, or `base64` for bytes that are no text."""

    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET


class AnswerPart(Struct, frozen=True, forbid_unknown_fields=True):
    status: Annotated[int, Meta(ge=100, le=999)]
    headers: Headers
    body: BodyPart
    cut: bool = False


FORMAT = 1


class CaptureFile(Struct, frozen=True, forbid_unknown_fields=True):
    mockbill_capture: Literal[1]
    provider: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
    title: Annotated[str, Meta(min_length=1, max_length=LONGEST_TITLE)]
    received_at: str
    request: RequestPart
    body: BodyPart
    redacted: bool = False
    answer: AnswerPart | UnsetType = UNSET


class Answer(Struct, frozen=True):
    """What the application said to a webhook. `cut`: its body was longer, and only this much of it is kept."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False


class Capture(Struct, frozen=True):
    """A webhook as it came in. `headers` in the order and the letter case they had, `body` the very bytes.

    `url`: the URL that the provider called, "" where nobody knows it. `answer`: None if there was none.
    `redacted`: something was replaced after it came, so that its signature does not fit any more.
    """

    provider: str
    title: str
    received_at: Instant
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str = ""
    answer: Answer | None = None
    redacted: bool = False


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
        written_in = json.loads(raw.decode(), object_pairs_hook=_format_without_repeats)
        if type(written_in) is int and written_in != FORMAT:
            raise ValueError(f"a capture of format {written_in}, and this mockbill reads {FORMAT}")
        return _capture(msgspec.json.decode(raw, type=CaptureFile))
    except (ValueError, RecursionError) as error:
        raise CaptureError(name, str(error)) from None


def load_capture(path: Path) -> Capture:
    """The capture in a file. Raises CaptureError, also for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CaptureError(str(path), f"cannot be read: {reason}") from None
    return read_capture(raw, str(path))


def written(capture: Capture) -> bytes:
    """The file of a capture: `read_capture` gives the same again. Equal captures make equal files.

    Raises CaptureError for one that no file can hold.
    """
    try:
        checked(capture.received_at)
        file = msgspec.convert(_builtins(capture), CaptureFile)
        _capture(file)
        return _text(file).encode()
    except (msgspec.ValidationError, InvalidTime, ValueError) as error:
        raise CaptureError("the capture", str(error)) from None


def _capture(file: CaptureFile) -> Capture:
    request, answer = file.request, file.answer
    return Capture(
        file.provider,
        file.title,
        parse_instant(file.received_at),
        request.method,
        request.path,
        request.headers,
        _bytes(file.body, "$.body", LARGEST_BODY),
        request.url if isinstance(request.url, str) else "",
        None
        if isinstance(answer, UnsetType)
        else Answer(answer.status, answer.headers, _bytes(answer.body, "$.answer.body", LARGEST_ANSWER), answer.cut),
        file.redacted,
    )


def _format_without_repeats(pairs: list[tuple[str, Any]]) -> Any:
    """Which format an object says that it has."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members.get("mockbill_capture")


def _bytes(body: BodyPart, place: str, largest: int) -> bytes:
    if isinstance(body.text, str) and body.base64 is UNSET:
        content = body.text.encode()
    elif isinstance(body.base64, str) and body.text is UNSET:
        content = b64decode(body.base64, validate=True)
    else:
        raise ValueError(f"a body is either `text` or `base64` - at `{place}`")
    if len(content) > largest:
        raise ValueError(f"a body of more than {largest} bytes - at `{place}`")
    return content


def _builtins(capture: Capture) -> dict[str, Any]:
    """What the file says, in its order."""
    answer = capture.answer
    whole: dict[str, Any] = {
        "mockbill_capture": 1,
        "provider": capture.provider,
        "title": capture.title,
        "received_at": format_instant(capture.received_at),
        "request": {
            "method": capture.method,
            "path": capture.path,
            **({"url": capture.url} if capture.url else {}),
            "headers": capture.headers,
        },
        "body": _body(capture.body),
    }
    if capture.redacted:
        whole["redacted"] = True
    if answer is not None:
        whole["answer"] = {"status": answer.status, "headers": answer.headers, "body": _body(answer.body)}
        if answer.cut:
            whole["answer"]["cut"] = True
    return whole


def _body(body: bytes) -> dict[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or _CONTROL.search(text):
        return {"base64": b64encode(body).decode()}
    return {"text": text}


def _text(file: CaptureFile) -> str:
    members = [
        '"mockbill_capture": 1',
        f'"provider": {_string(file.provider)}',
        f'"title": {_string(file.title)}',
        f'"received_at": {_string(file.received_at)}',
    ]
    if file.redacted:
        members.append('"redacted": true')
    request, answer = file.request, file.answer
    asked = [f'"method": {_string(request.method)}', f'"path": {_string(request.path)}']
    if isinstance(request.url, str):
        asked.append(f'"url": {_string(request.url)}')
    members.append(f'"request": {_object([*asked, _headers(request.headers)], 1)}')
    members.append(_content(file.body, 1))
    if isinstance(answer, AnswerPart):
        said = [f'"status": {answer.status}', _headers(answer.headers), _content(answer.body, 2)]
        if answer.cut:
            said.append('"cut": true')
        members.append(f'"answer": {_object(said, 1)}')
    return _object(members, 0) + "\n"


def _object(members: list[str], depth: int) -> str:
    inner, outer = "  " * (depth + 1), "  " * depth
    return "{\n" + ",\n".join(inner + each for each in members) + f"\n{outer}}}"


def _headers(headers: tuple[tuple[str, str], ...]) -> str:
    if not headers:
        return '"headers": []'
    lines = ",\n".join(f"      [{_string(name)}, {_string(value)}]" for name, value in headers)
    return f'"headers": [\n{lines}\n    ]'


def _content(body: BodyPart, depth: int) -> str:
    key, value = ("text", body.text) if isinstance(body.text, str) else ("base64", body.base64)
    member = f'"{key}": {_string(str(value))}'
    return f'"body": {_object([member], depth)}'


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
