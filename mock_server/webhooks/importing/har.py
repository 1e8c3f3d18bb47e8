"""HAR 1.2 (HTTP Archive): every POST with a body, as a browser or a proxy has kept it. Pure."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from mock_server.engine.instants import Instant, InvalidTime, parse_instant
from mock_server.webhooks.captures import LARGEST_ANSWER, LARGEST_BODY, Answer, Capture, CaptureError, written

from .sources import MOST_CAPTURES, MOST_NOTES, POST, Imported, ImportProblem, Sent, capture_of, cleaned, json_of


def read_har(raw: bytes, now: Instant, provider: str | None = None) -> Imported:
    """`now` stands for times that cannot be read. Raises ImportProblem."""
    log = json_of(raw).get("log")
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ImportProblem("it is no HAR file: there is no list log.entries")
    captures: list[Capture] = []
    notes: list[str] = []
    left_out: Counter[str] = Counter()
    for number, entry in enumerate(entries):
        if len(captures) >= MOST_CAPTURES:
            left_out[f"more than {MOST_CAPTURES} requests"] += len(entries) - number
            break
        try:
            sent, remark = _sent(entry, now)
            capture = capture_of(sent, provider)
            written(capture)
        except _LeftOut as reason:
            left_out[str(reason)] += 1
        except (ImportProblem, CaptureError, TypeError, AttributeError, KeyError, ValueError) as error:
            left_out["a request that cannot be read"] += 1
            notes.append(f"entry {number} was left out: {_why(error)}")
        else:
            captures.append(capture)
            if remark:
                notes.append(f"entry {number}: {remark}")
    notes = [*(f"{count} left out: {reason}" for reason, count in left_out.items()), *notes]
    if not captures:
        raise ImportProblem("; ".join(["there is no POST request with a body in it", *notes[:3]]))
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES} notes more"]
    return Imported(tuple(captures), tuple(notes))


class _LeftOut(Exception):
    """What is no webhook."""


def _why(error: Exception) -> str:
    return (
        str(error)[:200] if isinstance(error, (ImportProblem, CaptureError)) else "it has not the form of a HAR entry"
    )


def _sent(entry: dict[str, Any], now: Instant) -> tuple[Sent, str]:
    request = entry["request"]
    if request["method"] != POST:
        raise _LeftOut("not POST")
    body = _body(request.get("postData"))
    if not body:
        raise _LeftOut("POST without a body that was kept")
    if len(body) > LARGEST_BODY:
        raise _LeftOut(f"a body of more than {LARGEST_BODY} bytes")
    headers, _ = cleaned((each["name"], each["value"]) for each in request.get("headers") or ())
    said = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
    remark = ""
    if said != str(len(body)):
        remark = (
            f"{len(body)} bytes are in the file where Content-Length says {said[:20]}: not the bytes that were sent"
        )
    return Sent(POST, request["url"], headers, body, _time(entry, now), _answer(entry.get("response"))), remark


def _body(data: Any) -> bytes:
    if not isinstance(data, dict):
        return b""
    text = data.get("text")
    if isinstance(text, str) and text:
        return _decoded(text, data.get("encoding"))
    pairs = [(each["name"], each.get("value") or "") for each in data.get("params") or () if "fileName" not in each]
    return urlencode(pairs).encode()


def _decoded(text: str, encoding: Any) -> bytes:
    if encoding != "base64":
        return text.encode()
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ImportProblem("its base64 is none") from None


def _time(entry: dict[str, Any], now: Instant) -> Instant:
    try:
        return parse_instant(entry["startedDateTime"])
    except (InvalidTime, KeyError, TypeError):
        return now


def _answer(response: Any) -> Answer | None:
    """None for a request that nobody answered, and for an answer that cannot be read: it is only shown."""
    try:
        status, content = response["status"], response.get("content") or {}
        headers, _ = cleaned((each["name"], each["value"]) for each in response.get("headers") or ())
        body = _decoded(content.get("text") or "", content.get("encoding"))
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
    if not isinstance(status, int) or not 100 <= status <= 599:
        return None
    return Answer(status, headers[:100], body[:LARGEST_ANSWER], len(body) > LARGEST_ANSWER)
