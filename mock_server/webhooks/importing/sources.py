"""What every kind of import takes and gives, and which kind a text is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from mock_server.engine.instants import Instant
from mock_server.webhooks.captures import Answer, Capture
from mock_server.webhooks.capturing.recognising import provider_of, title_of

LARGEST_SOURCE = 64 * 1024 * 1024
MOST_CAPTURES = 10_000
MOST_NOTES = 20
POST = "POST"

Kind = Literal["har", "curl", "stripe-event"]
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_CURL = re.compile(rb"\s*(?:\$\s+)?curl(?:\.exe)?\s", re.IGNORECASE)
_SAFE = "!$&'()*+,/:;=?@[]~%#"


class ImportProblem(ValueError):
    """The text cannot be imported. The message says why."""


class Imported(Struct, frozen=True):
    """`notes`: what was left out, or is not as it was sent; for people."""

    captures: tuple[Capture, ...]
    notes: tuple[str, ...] = ()


class Sent(Struct, frozen=True):
    """A request as a source tells it. `url`: the whole of it, or "" where the source has none."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: Instant
    answer: Answer | None = None


def kind_of(raw: bytes) -> Kind:
    """Raises ImportProblem for what is none of them."""
    if _CURL.match(raw):
        return "curl"
    try:
        whole = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        whole = None
    if isinstance(whole, dict):
        if isinstance(whole.get("log"), dict):
            return "har"
        if whole.get("object") in ("event", "v2.core.event", "list"):
            return "stripe-event"
        if "mockbill_capture" in whole:
            raise ImportProblem("it is a capture already")
    raise ImportProblem("it is no HAR file, no curl command and no Stripe event; --from says which it is meant to be")


def json_of(raw: bytes) -> dict[str, Any]:
    """The object in `raw`. Raises ImportProblem."""
    try:
        whole = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ImportProblem(f"it is not JSON: {str(error)[:200]}") from None
    if not isinstance(whole, dict):
        raise ImportProblem("it is JSON, but no object")
    return whole


def capture_of(sent: Sent, provider: str | None) -> Capture:
    """Raises ImportProblem for a URL that is none."""
    path, url = _places(sent.url)
    return Capture(
        provider or provider_of(sent.headers),
        title_of(sent.headers, sent.body, sent.method, path),
        sent.received_at,
        sent.method,
        path,
        sent.headers,
        sent.body,
        url,
        sent.answer,
    )


def cleaned(headers: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], int]:
    """Headers that can be sent, and how many were left out.

    HTTP/2 has what stood in the first line as headers with a colon before their names. Browsers put values of one name
    together with line feeds between.
    """
    kept: list[tuple[str, str]] = []
    left_out = 0
    for name, value in headers:
        if name.startswith(":"):
            continue
        for line in re.split(r"[\r\n]+", value):
            text = line.encode("utf-8", "surrogateescape").decode("latin-1") if not _is_latin(line) else line
            if _NAME.fullmatch(name) and "\x00" not in text:
                kept.append((name, text.strip(" \t")))
            else:
                left_out += 1
    return tuple(kept), left_out


def _is_latin(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)


def _places(url: str) -> tuple[str, str]:
    """Path with query, and the URL without its fragment."""
    if not url:
        return "/", ""
    try:
        whole = quote(url, safe=_SAFE, errors="surrogateescape")
        parts = urlsplit(whole)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_one = False
    if not is_one:
        raise ImportProblem(f"{url[:100]!r} is no URL of the form http://... or https://...")
    query = f"?{parts.query}" if parts.query else ""
    return (parts.path or "/") + query, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"
