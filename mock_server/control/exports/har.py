"""HAR 1.2, as browsers' tools and most HTTP tools read it. What HAR has no place for stands in members with `_`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import mock_server
from mock_server.engine.instants import format_instant
from mock_server.http.masking import CREDENTIAL_HEADERS, MASK
from mock_server.store.journal import Entry, RawHeaders, is_cut

from .again import by_faults, percent_encoded, text_of, value_of, whole_target
from .slices import Slice

_UNKNOWN = -1
_UNTYPED = "application/octet-stream"
_NOT_IN_A_URI = re.compile(r"%(?![0-9A-Fa-f]{2})|[^\w.~!$&'()*+,;=:@/?%-]", re.ASCII)
"""What clients send all the same; other tools insist on a URI by the book (RFC 3986), and mean the same by it."""


def har(part: Slice) -> dict[str, Any]:
    # HAR wants the order in which requests were made; the journal keeps that in which they were answered.
    entries = sorted(part.entries, key=lambda entry: (entry.received_at, entry.number))
    creator = {"name": "mockbill", "version": mock_server.__version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(part, each) for each in entries]}}


def _entry(part: Slice, entry: Entry) -> dict[str, Any]:
    milliseconds = round(entry.seconds * 1000, 3)
    return {
        "startedDateTime": format_instant(entry.received_at),
        "time": milliseconds,
        "request": _request(part, entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_mockbill": {
            "number": entry.number,
            "world": part.world,
            "at": format_instant(entry.at),
            "operation": entry.operation,
            "caller": entry.caller,
            "problem": entry.problem,
            "faults": list(entry.faults),
            "delivery": entry.delivery,
        },
    }


def _request(part: Slice, entry: Entry) -> dict[str, Any]:
    pairs = parse_qsl(entry.query, keep_blank_values=True, errors="replace")
    request = {
        "method": entry.method,
        "url": part.origin + _NOT_IN_A_URI.sub(percent_encoded, whole_target(entry)),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(entry.headers),
        "queryString": [{"name": _clean(name), "value": _clean(value)} for name, value in pairs],
        "headersSize": _UNKNOWN,
        "bodySize": entry.body_size,
    }
    if entry.body:
        request["postData"] = _post_data(entry)
    return request


def _post_data(entry: Entry) -> dict[str, Any]:
    data: dict[str, Any] = {"mimeType": _media_type(entry.headers), "text": ""}
    comments = []
    try:
        data["text"] = entry.body.decode()
    except UnicodeDecodeError:
        data["_base64"] = base64.b64encode(entry.body).decode()
        comments.append("The body is not UTF-8, which is all that `text` can hold: it stands in `_base64`.")
    comments += _cut(entry.body, entry.body_size)
    return data | _comment(comments)


def _response(entry: Entry) -> dict[str, Any]:
    lost = entry.delivery == "lost" or not entry.status
    body = b"" if lost or entry.method == "HEAD" else entry.answer
    size = entry.answer_size if body else 0
    location = value_of(entry.answer_headers, b"location") or b""
    response = {
        "status": 0 if lost else entry.status,
        "statusText": "" if lost else _phrase(entry.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [] if lost else _headers(entry.answer_headers),
        "content": _content(entry, body, size),
        "redirectURL": "" if lost else text_of(location),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if lost else size,
    }
    error = _error(entry)
    return response if error is None else {**response, "_error": error}


def _content(entry: Entry, body: bytes, size: int) -> dict[str, Any]:
    content: dict[str, Any] = {"size": size, "mimeType": _media_type(entry.answer_headers)}
    if body:
        try:
            content["text"] = body.decode()
        except UnicodeDecodeError:
            content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return content | _comment(_cut(body, size))


def _error(entry: Entry) -> str | None:
    if entry.delivery == "lost":
        return f"{by_faults(entry)} closed the connection without an answer"
    if entry.delivery == "truncated":
        return f"{by_faults(entry)} closed the connection before the whole answer was sent"
    if entry.delivery == "client_gone":
        return "the client did not wait for the answer"
    return None if entry.status else "there was no answer"


def _headers(headers: RawHeaders) -> list[dict[str, str]]:
    return [{"name": text_of(name), "value": text_of(_without_secret(name, value))} for name, value in headers]


def _without_secret(name: bytes, value: bytes) -> bytes:
    """The journal has masked it; a file that goes to others had better not rely on that."""
    return MASK if value and name.lower() in CREDENTIAL_HEADERS and MASK not in value else value


def _media_type(headers: RawHeaders) -> str:
    return text_of(value_of(headers, b"content-type") or _UNTYPED.encode())


def _cut(kept: bytes, size: int) -> list[str]:
    return [f"Only the first {len(kept)} of {size} bytes were kept."] if is_cut(kept, size) else []


def _comment(sentences: Iterable[str]) -> dict[str, str]:
    text = " ".join(sentences)
    return {"comment": text} if text else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _clean(text: str) -> str:
    """Without lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()
