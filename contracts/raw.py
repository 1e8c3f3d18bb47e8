"""Bytes over a socket, for what no HTTP client would send: and what came back, as far as it is HTTP."""

from __future__ import annotations

import selectors
import socket
import ssl
from urllib.parse import urlsplit

import msgspec

from .http import Answer, Headers
from .machine import stopwatch

LARGEST = 4 * 1024 * 1024
_STEP = 64 * 1024


class Exchange(msgspec.Struct, frozen=True):
    """answers     final ones, whole ones only, in order
    interim     statuses of the 1xx ones
    is_closed   the other side has closed the connection
    is_garbage  what came is not HTTP
    """

    answers: tuple[Answer, ...]
    interim: tuple[int, ...]
    is_closed: bool
    is_garbage: bool
    seconds: float

    @property
    def status(self) -> int | None:
        return self.answers[0].status if self.answers else None

    @property
    def in_words(self) -> str:
        if self.is_garbage:
            return "something that is not HTTP"
        if not self.answers:
            return "a closed connection" if self.is_closed else f"nothing for {self.seconds:.1f} s"
        return ", then ".join(f"status {each.status}" for each in self.answers)


class Unreachable(OSError):
    """No connection could be made."""


class Wire:
    """One connection."""

    def __init__(self, url: str, timeout: float) -> None:
        """Raises Unreachable."""
        parts = urlsplit(url)
        self.host = parts.netloc.rpartition("@")[2]
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            self._socket = socket.create_connection((parts.hostname or "", port), timeout)
            if parts.scheme == "https":
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=parts.hostname)
        except OSError as error:
            raise Unreachable(str(error)) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._came = bytearray()
        self._is_closed = False

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def exchange(
        self, data: bytes, seconds: float, *, answers: int = 1, interim: int = 0, linger: float = 0.0
    ) -> Exchange:
        """Send, reading meanwhile, until so many final answers (or one, or so many interim ones) have come, the
        connection is closed or the time is up. `linger`: how long to wait for more than was wanted.
        """
        started = stopwatch()
        end, left = started + seconds, memoryview(data)
        final, early, is_garbage = parsed(bytes(self._came))
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while not (self._is_closed or is_garbage) and stopwatch() < end and len(self._came) < LARGEST:
                has_come = len(final) >= answers or (interim and (final or len(early) >= interim))
                if has_come and (final or not left):
                    if not linger:
                        break
                    end, linger, answers = min(end, stopwatch() + linger), 0.0, LARGEST
                if not left:
                    selector.modify(self._socket, selectors.EVENT_READ)
                for _, ready in selector.select(max(0.0, end - stopwatch())):
                    if ready & selectors.EVENT_READ:
                        self._receive()
                        final, early, is_garbage = parsed(bytes(self._came))
                    elif left:
                        left = left[self._send(left) :]
        return Exchange(tuple(final), tuple(early), self._is_closed, is_garbage, stopwatch() - started)

    def _receive(self) -> None:
        try:
            chunk = self._socket.recv(_STEP)
        except (TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            chunk = b""
        self._came += chunk
        self._is_closed = not chunk

    def _send(self, left: memoryview) -> int:
        try:
            return self._socket.send(left[:_STEP])
        except (TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError:
            # It may have answered before it closed: what came is still to be read.
            return len(left)


def parsed(data: bytes) -> tuple[list[Answer], list[int], bool]:
    """Whole final answers, the statuses of interim ones, and whether something there is not HTTP."""
    final: list[Answer] = []
    interim: list[int] = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        words = lines[0].split(b" ", 2)
        if not words[0].startswith(b"HTTP/1."[: len(words[0])]) or (end and (len(words) < 2 or not words[1].isdigit())):
            return final, interim, True
        if not end:
            return final, interim, False
        status, headers = int(words[1]), _headers(lines[1:])
        if status < 200:
            interim.append(status)
            data = rest
            continue
        body = _body(status, dict(headers), rest)
        if body is None:
            return final, interim, False
        final.append(Answer(status, headers, body[0]))
        data = body[1]
    return final, interim, False


def _headers(lines: list[bytes]) -> Headers:
    pairs = (line.partition(b":") for line in lines)
    return tuple((name.strip().lower().decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in pairs)


def _body(status: int, headers: dict[str, str], rest: bytes) -> tuple[bytes, bytes] | None:
    """The body and what follows; None if it is not whole. One without an announced end goes on for ever."""
    if status in (204, 304):
        return b"", rest
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunked(rest)
    length = headers.get("content-length", "")
    if not length.isdigit():
        return rest, b""
    return None if len(rest) < int(length) else (rest[: int(length)], rest[int(length) :])


def _chunked(rest: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line, end, after = rest.partition(b"\r\n")
        if not end:
            return None
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return body, b""
        if len(after) < size + 2:
            return None
        if size == 0:
            _, end, rest = (b"", b"\r\n", after[2:]) if after.startswith(b"\r\n") else after.partition(b"\r\n\r\n")
            return (body, rest) if end else None
        body, rest = body + after[:size], after[size + 2 :]
