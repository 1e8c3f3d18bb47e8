"""One connection to a target: bytes out, bytes in, and an end to waiting.

`http.client` of the standard library, because laws must decide every header themselves, and because a client that
follows redirects, retries or decodes would hide what the target did.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec

LARGEST_ANSWER = 8 * 1024 * 1024
Headers = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True):
    """`target`: path and query as they go over the wire, percent-encoded, below the base URL."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None


class Answer(msgspec.Struct, frozen=True, dict=True):
    """`headers`: names in lower case. `seconds`: from sending the request to the last byte."""

    status: int
    headers: Headers
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """The first value of a header (its name in lower case), None if it is missing."""
        return next((value for each, value in self.headers if each == name), None)

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The body as a JSON value; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class NoAnswer(Exception):
    """No HTTP answer came; the message says what came instead."""


class Stopped(Exception):
    """The run is over: its calls or its time are spent, or it was interrupted. `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Allowance:
    """How many calls a run may make, how fast, and until when. Shared by all clients of a run."""

    def __init__(self, calls: int, rate: float | None, seconds: float | None) -> None:
        self.calls = 0
        self._most, self._gap = calls, 0.0 if rate is None else 1.0 / rate
        self._end = None if seconds is None else time.monotonic() + seconds
        self._next = 0.0
        self._lock = threading.Lock()
        self.interrupted = threading.Event()

    @property
    def is_over(self) -> bool:
        return self.interrupted.is_set() or (self._end is not None and time.monotonic() >= self._end)

    def take(self) -> None:
        """One call more. Waits if calls come too fast. Raises Stopped."""
        with self._lock:
            if self.interrupted.is_set():
                raise Stopped("interrupted")
            if self.calls >= self._most:
                raise Stopped(f"the budget of {self._most} calls is spent")
            if self._end is not None and time.monotonic() >= self._end:
                raise Stopped("the time is spent")
            self.calls += 1
            if not self._gap:
                return
            start = max(self._next, time.monotonic())
            self._next = start + self._gap
        self.interrupted.wait(max(0.0, start - time.monotonic()))


class Line:
    """A kept connection to a host, opened when it is first needed."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self.authority = parts.netloc.rpartition("@")[2]
        self._secure = parts.scheme == "https"
        self._host, self._port, self._timeout = parts.hostname or "", parts.port, timeout
        self._connection: http.client.HTTPConnection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def connection(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=self._timeout)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Client:
    """Sends requests to one base URL, one after the other. Not for several threads: each takes its own."""

    def __init__(self, url: str, allowance: Allowance, timeout: float = 10.0, line: Line | None = None) -> None:
        self.url = url.rstrip("/")
        self.base_path = urlsplit(url).path.rstrip("/")
        self._allowance, self._timeout = allowance, timeout
        self._line = line or Line(url, timeout)

    def at(self, path: str) -> Client:
        """Another base path on the same host, over the same connection."""
        parts = urlsplit(self.url)
        return Client(f"{parts.scheme}://{parts.netloc}{path}", self._allowance, self._timeout, self._line)

    def another(self) -> Client:
        """The same base URL over a connection of its own, for another thread."""
        return Client(self.url, self._allowance, self._timeout)

    def open(self) -> None:
        """Connect now, so that the next request need not wait for it. Raises NoAnswer."""
        try:
            self._line.connection()
        except OSError as error:
            raise NoAnswer(_text(error)) from None

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status. Raises NoAnswer or Stopped."""
        self._allowance.take()
        reused = self._line.is_open
        try:
            return self._exchanged(request)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            # A kept connection may have been closed while it was idle: then nothing has been answered to this request.
            if not reused:
                raise NoAnswer(_text(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NoAnswer(_text(error)) from None
        try:
            return self._exchanged(request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NoAnswer(_text(error)) from None

    def _exchanged(self, request: Request) -> Answer:
        connection = self._line.connection()
        started = time.monotonic()
        with _Watch(connection, self._timeout):
            connection.putrequest(
                request.method, self.base_path + request.target, skip_host=True, skip_accept_encoding=True
            )
            connection.putheader("Host", self._line.authority)
            for name, value in request.headers:
                connection.putheader(name, value.encode("latin-1"))
            if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(request.body or b"")))
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            body = response.read(LARGEST_ANSWER + 1)
        if len(body) > LARGEST_ANSWER:
            self.close()
            raise NoAnswer(f"an answer of more than {LARGEST_ANSWER} bytes")
        if response.will_close or not response.isclosed():
            self.close()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(response.status, headers, body, time.monotonic() - started)

    def close(self) -> None:
        self._line.close()


class _Watch:
    """Ends a call that takes too long as a whole: a target that sends a byte now and then never runs into a timeout
    of the socket. One thread watches all calls of the process.
    """

    _calls: dict[int, tuple[float, http.client.HTTPConnection]] = {}
    _lock = threading.Lock()
    _thread: threading.Thread | None = None

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection, self._end, self._seconds = connection, time.monotonic() + seconds, seconds

    def __enter__(self) -> None:
        with self._lock:
            self._calls[id(self)] = (self._end, self._connection)
            if _Watch._thread is None:
                _Watch._thread = threading.Thread(target=self._look, name="contract-watch", daemon=True)
                _Watch._thread.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._calls.pop(id(self), None)
        if kind is not None and issubclass(kind, Exception) and time.monotonic() >= self._end:
            raise NoAnswer(f"no whole answer within {self._seconds:g} s") from None

    @classmethod
    def _look(cls) -> None:
        while True:
            time.sleep(0.25)
            now = time.monotonic()
            with cls._lock:
                for end, connection in cls._calls.values():
                    if now >= end and connection.sock is not None:
                        try:
                            connection.sock.shutdown(socket.SHUT_RDWR)
                        except OSError:
                            pass


def _text(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return f"the body ended after {len(error.partial)} bytes, before its announced end"
    if isinstance(error, http.client.HTTPException):
        return f"not an HTTP answer: {type(error).__name__} {str(error)[:200]}"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).lower()
