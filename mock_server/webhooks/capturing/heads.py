"""Reading the heads of HTTP/1 messages without losing a letter of them. Pure.

Parsers for servers give header names in lower case, refuse bytes that some senders send, and drop the body of a request
that offers an upgrade (as Java's client does). A capture needs all three, and only this much of HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from mock_server.webhooks.captures import LONGEST_NAME, LONGEST_PATH, LONGEST_VALUE, MOST_HEADERS
from mock_server.webhooks.headers import Headers, values

LARGEST_HEAD = 64 * 1024
CHUNKED = -1
"""Instead of a length: the body comes in chunks."""
BAD_REQUEST, URI_TOO_LONG, HEAD_TOO_LARGE, NOT_IMPLEMENTED, VERSION = 400, 414, 431, 501, 505

_METHOD = re.compile(rb"[A-Z][A-Z-]{0,31}")
_TARGET = re.compile(rb"/[!-~\x80-\xff]*")
_ABSOLUTE = re.compile(rb"(https?://[!-.0-~]+)(/[!-~\x80-\xff]*)?", re.IGNORECASE)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: ([^\x00]*))?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")


class Malformed(ValueError):
    """What came is no HTTP/1 that can be kept; `status` is what a client is told. The message says why."""

    def __init__(self, reason: str, status: int = BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


class RequestHead(Struct, frozen=True):
    """`url` is the whole URL where the request line had one. `length`: of the body in bytes, or CHUNKED."""

    method: str
    path: str
    headers: Headers
    length: int
    url: str = ""
    keeps_alive: bool = True
    expects_continue: bool = False


class AnswerHead(Struct, frozen=True):
    """`length`: None where only the end of the connection ends the body."""

    status: int
    reason: str
    headers: Headers
    length: int | None


def request_head(raw: bytes) -> RequestHead:
    """`raw` ends with an empty line. Raises Malformed."""
    first, headers = _parts(raw)
    words = first.split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/"):
        raise Malformed("the first line is no request line")
    method, target, version = words
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed("only HTTP/1.1 and HTTP/1.0 are understood", VERSION)
    if not _METHOD.fullmatch(method):
        raise Malformed("the method is none")
    if method == b"CONNECT":
        raise Malformed("this is no proxy for tunnels", NOT_IMPLEMENTED)
    url = b""
    if (absolute := _ABSOLUTE.fullmatch(target)) is not None:
        url, target = target, absolute[2] or b"/"
    if len(target) > LONGEST_PATH or len(url) > LONGEST_PATH:
        raise Malformed(f"the path is longer than {LONGEST_PATH} bytes", URI_TOO_LONG)
    if not _TARGET.fullmatch(target):
        raise Malformed("what is asked for is no path")
    length = _length(headers)
    said = {token.lower() for token in tokens(headers, "connection")}
    return RequestHead(
        method.decode(),
        target.decode("latin-1"),
        headers,
        0 if length is None else length,
        url.decode("latin-1"),
        "close" not in said if version == b"HTTP/1.1" else "keep-alive" in said,
        version == b"HTTP/1.1" and any(value.lower() == "100-continue" for value in values(headers, "expect")),
    )


def answer_head(raw: bytes, method: str) -> AnswerHead:
    """The same for the answer to a `method` request. Raises Malformed."""
    first, headers = _parts(raw)
    found = _STATUS.fullmatch(first)
    if found is None:
        raise Malformed("the first line is no status line")
    status = int(found[1])
    has_none = method == "HEAD" or status in (204, 304) or status < 200
    return AnswerHead(status, (found[2] or b"").decode("latin-1"), headers, 0 if has_none else _length(headers))


def chunk_size(line: bytes) -> int:
    """Of the chunk that `line`, without its end, begins. Raises Malformed."""
    found = _CHUNK.fullmatch(line)
    if found is None:
        raise Malformed("the size of a chunk cannot be read")
    return int(found[1], 16)


def tokens(headers: Headers, name: str) -> list[str]:
    return [token.strip() for value in values(headers, name) for token in value.split(",")]


def _parts(raw: bytes) -> tuple[bytes, Headers]:
    lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if len(lines) - 1 > MOST_HEADERS:
        raise Malformed(f"there are more than {MOST_HEADERS} headers", HEAD_TOO_LARGE)
    if b"\n" in raw.replace(b"\r\n", b"") or any(b"\r" in line for line in lines):
        raise Malformed("a line does not end with CR LF")
    return lines[0], tuple(map(_header, lines[1:]))


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t")
    if not colon or not _NAME.fullmatch(name) or b"\x00" in value:
        raise Malformed("a header line cannot be read")
    if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
        raise Malformed(f"a header is longer than {LONGEST_VALUE} bytes", HEAD_TOO_LARGE)
    return name.decode(), value.decode("latin-1")


def _length(headers: Headers) -> int | None:
    """Two answers to where a body ends would be an invitation to smuggle a request."""
    lengths, codings = values(headers, "content-length"), values(headers, "transfer-encoding")
    if codings:
        if lengths:
            raise Malformed("Content-Length and Transfer-Encoding exclude each other")
        if [each.lower() for each in codings] != ["chunked"]:
            raise Malformed("the only Transfer-Encoding that is understood is chunked", NOT_IMPLEMENTED)
        return CHUNKED
    if not lengths:
        return None
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0].encode("latin-1")):
        raise Malformed("Content-Length is not one number")
    return int(lengths[0])


def head_of(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a head."""
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers), "", ""]).encode("latin-1")
