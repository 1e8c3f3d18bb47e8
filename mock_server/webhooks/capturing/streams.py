"""Whole HTTP/1 messages from a stream, none larger than it may be."""

from __future__ import annotations

from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from collections.abc import Callable

from mock_server.webhooks.captures import LARGEST_BODY

from .heads import CHUNKED, HEAD_TOO_LARGE, LARGEST_HEAD, Malformed, chunk_size

TOO_LARGE = 413
_END = b"\r\n\r\n"
_PIECE = 64 * 1024
LONGEST_TRAILER = 8 * 1024

Claims = Callable[[int], None]
"""Told before so many bytes more are held; may raise."""


class Ended(Exception):
    """The other side closed the connection before all of a message had come."""


async def read_head(reader: StreamReader, begun: bytes = b"") -> bytes:
    """With the empty line at its end. Raises Malformed and Ended."""
    try:
        head = begun + await reader.readuntil(_END)
    except IncompleteReadError:
        raise Ended from None
    except LimitOverrunError:
        raise Malformed(f"the head is larger than {LARGEST_HEAD} bytes", HEAD_TOO_LARGE) from None
    # Some clients end a body with an empty line that is no part of it (RFC 9112, 2.2).
    while head.startswith(b"\r\n") and len(head) > len(_END):
        head = head[2:]
    return head


async def read_body(reader: StreamReader, length: int | None, claim: Claims = lambda _: None) -> bytes:
    """`length` is a number of bytes, CHUNKED, or None: all until the end. Raises Malformed and Ended."""
    try:
        if length is None:
            return await _to_the_end(reader, claim)
        if length == CHUNKED:
            return await _chunks(reader, claim)
        check_size(length)
        claim(length)
        return await reader.readexactly(length)
    except IncompleteReadError:
        raise Ended from None


def check_size(size: int) -> None:
    """Raises Malformed."""
    if size > LARGEST_BODY:
        raise Malformed(f"the body is larger than {LARGEST_BODY} bytes", TOO_LARGE)


async def _to_the_end(reader: StreamReader, claim: Claims) -> bytes:
    body = bytearray()
    while piece := await reader.read(_PIECE):
        check_size(len(body) + len(piece))
        claim(len(piece))
        body += piece
    return bytes(body)


async def _chunks(reader: StreamReader, claim: Claims) -> bytes:
    body = bytearray()
    while size := chunk_size(await _line(reader)):
        check_size(len(body) + size)
        claim(size)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise Malformed("a chunk is longer than it says")
    trailers = 0
    while line := await _line(reader):
        trailers += len(line) + 2
        if trailers > LONGEST_TRAILER:
            raise Malformed("the trailer is too long", HEAD_TOO_LARGE)
    return bytes(body)


async def _line(reader: StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\r\n")
    except LimitOverrunError:
        raise Malformed("a line between chunks is too long") from None
    if len(line) > LONGEST_TRAILER:
        raise Malformed("a line between chunks is too long")
    return line[:-2]
