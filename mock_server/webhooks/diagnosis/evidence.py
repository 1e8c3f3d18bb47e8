"""Everything in the headers of a request that might be a signature, a time or an id, however it is written.

Here nothing is refused: a signature in capitals, in quotes, without its prefix, in the wrong header is still found.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import unquote

import msgspec

from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Scheme

MOST_TOKENS = 32
MOST_TIMES = MOST_IDS = 4
LONGEST_VALUE = 4096
DIGESTS = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
"""Which digest makes signatures of how many bytes."""

_NAME = re.compile(r"signature|hmac|digest|sign(ed|ing)?$", re.ASCII)
_TIME_NAME = re.compile(r"time-?stamp|[-_]time$|^time$", re.ASCII)
_ID_NAME = re.compile(r"[-_]id$", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}")
_URLSAFE = re.compile(r"[0-9A-Za-z_-]+={0,2}")
_LABEL = re.compile(r"([A-Za-z][\w-]{0,31})[=:](?=[^=])", re.ASCII)
_DIGITS = re.compile(r"\d{9,19}", re.ASCII)

Form = Literal["hex", "HEX", "base64", "base64url", "base64-unpadded", "base64url-unpadded", "hex-in-base64"]


class Token(msgspec.Struct, frozen=True):
    """A text in a header that reads as the bytes of a digest. `label`: what stood before it ("v1", "sha256"), or "".

    `bare`: nothing had to be taken off it but its label.
    """

    header: str
    text: str
    raw: bytes
    form: Form
    label: str = ""
    bare: bool = True

    @property
    def digest(self) -> str:
        return DIGESTS[len(self.raw)]


class Evidence(msgspec.Struct, frozen=True):
    tokens: tuple[Token, ...]
    times: tuple[str, ...]
    ids: tuple[str, ...]


def read(headers: Mapping[str, str], own: Scheme) -> Evidence:
    """What stands in `headers` (names in lower case); the scheme's own header comes first."""
    carrying = carriers(headers, own)
    tokens = {(token.raw, token.form): token for name in reversed(carrying) for token in _tokens(name, headers[name])}
    in_order = sorted(tokens.values(), key=lambda token: carrying.index(token.header))[:MOST_TOKENS]
    texts = [headers[name] for name in headers if _TIME_NAME.search(name)] + [headers[name] for name in carrying]
    times = dict.fromkeys(found for text in texts for found in _times(text[:LONGEST_VALUE]))
    ids = dict.fromkeys(value for name, value in headers.items() if _ID_NAME.search(name) and 0 < len(value) <= 256)
    return Evidence(tuple(in_order), tuple(times)[:MOST_TIMES], tuple(ids)[:MOST_IDS])


def token_of(text: str) -> tuple[Token, ...]:
    """The same for a signature that somebody computed and printed."""
    return tuple(_tokens("", text))


def carriers(headers: Mapping[str, str], own: Scheme) -> list[str]:
    """The names of those that may carry a signature: the scheme's own, other schemes', and what sounds like it."""
    known = {scheme.header.lower() for scheme in schemes().values()}
    found = [name for name in headers if name in known or _NAME.search(name)]
    return sorted(found, key=lambda name: (name != own.header.lower(), name not in known))[:16]


def _times(text: str) -> Iterator[str]:
    for part in re.split(r"[\s,;&]+", text):
        value = part.rpartition("=")[2].strip("\"'")
        if _DIGITS.fullmatch(value):
            yield value


def _tokens(header: str, value: str) -> Iterator[Token]:
    value = value[:LONGEST_VALUE]
    seen = set()
    for text, whole in ((value, True), (unquote(value), False)):
        for part in (text, *re.split(r"[\s,;&|]+", text)):
            for token in _reading(header, part, whole):
                if token.raw not in seen:
                    seen.add(token.raw)
                    yield token


def _reading(header: str, part: str, whole: bool) -> Iterator[Token]:
    text = part.strip().strip("\"'`<>[]").strip()
    bare = whole and text == part
    label = ""
    if (found := _LABEL.match(text)) is not None:
        label, text = found[1], text[found.end() :]
    stripped = text.strip("\"'")
    for raw, form in _decoded(stripped):
        yield Token(header, stripped, raw, form, label, bare and stripped == text)


def _decoded(text: str) -> Iterator[tuple[bytes, Form]]:
    if _HEX.fullmatch(text) and len(text) % 2 == 0 and len(text) // 2 in DIGESTS:
        yield bytes.fromhex(text), "hex" if text == text.lower() else "HEX"
        return
    urlsafe = _URLSAFE.fullmatch(text) is not None and ("-" in text or "_" in text)
    if not urlsafe and not _BASE64.fullmatch(text):
        return
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        raw = b64decode(padded, altchars=b"-_" if urlsafe else None, validate=True)
    except (binascii.Error, ValueError):
        return
    if len(raw) in DIGESTS:
        kind: Form = "base64url" if urlsafe else "base64"
        if text != padded:
            kind = "base64url-unpadded" if urlsafe else "base64-unpadded"
        yield raw, kind
    inner = raw.decode("ascii", "replace")
    if _HEX.fullmatch(inner) and len(inner) % 2 == 0 and len(inner) // 2 in DIGESTS:
        yield bytes.fromhex(inner), "hex-in-base64"


def written(raw: bytes, form: Form) -> str:
    """The bytes in that form again."""
    if form in ("hex", "HEX"):
        return raw.hex() if form == "hex" else raw.hex().upper()
    text = b64encode(raw.hex().encode() if form == "hex-in-base64" else raw).decode()
    if form.startswith("base64url"):
        text = text.replace("+", "-").replace("/", "_")
    return text.rstrip("=") if form.endswith("unpadded") else text
