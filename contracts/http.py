"""One connection to a target: bytes out, bytes in, and an end to waiting.

`http.client` of the standard library, because laws must decide every header themselves, and because a client that
follows redirects, retries or decodes would hide what the target did.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from .line import Line, NoAnswer, Watch
from .machine import stopwatch

__all__ = ("NoAnswer",)

LARGEST_ANSWER = 8 * 1024 * 1024
GONE = "the target is gone"
MOST_SILENCES = 5
LONGEST_SILENCE = 30.0
"""So many times after each other that nobody listens, or seconds in which nothing but silence came, end a run."""
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


class Stopped(Exception):
    """The run is over: its calls or its time are spent, or it was interrupted. `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(Exception):
    """A request that this run may not send; the message says what it would have changed."""


class Guard(Protocol):
    """Stands in front of every request of a run (see `contracts.guard`)."""

    def before(self, base_path: str, request: Request) -> None:
        """Raises NotAllowed."""

    def after(self, base_path: str, request: Request, answer: Answer | None) -> None:
        """What came of it; None if no answer did."""


class Allowance:
    """How many calls a run may make, which, how fast, and until when. Shared by all clients of a run."""

    def __init__(self, calls: int, rate: float | None, seconds: float | None, guard: Guard | None = None) -> None:
        self.calls = 0
        self.guard = guard
        self._most, self._gap = calls, 0.0 if rate is None else 1.0 / rate
        self._end = None if seconds is None else stopwatch() + seconds
        self._next = 0.0
        self._silences, self._silence = 0, 0.0
        self._gone: str | None = None
        self._was_there = False
        self._asked_before: tuple[str, Request] | None = None
        self._lock = threading.Lock()
        self.interrupted = threading.Event()

    @property
    def is_over(self) -> bool:
        return self.over is not None

    @property
    def over(self) -> str | None:
        """Why no call more may be made; None if one may."""
        if self.interrupted.is_set():
            return "interrupted"
        if self._gone is not None:
            return self._gone
        if self.calls >= self._most:
            return f"the budget of {self._most} calls is spent"
        return "the time is spent" if self._end is not None and stopwatch() >= self._end else None

    def interrupt(self) -> None:
        """Ends the run as soon as may be: calls that are under way are given up."""
        self.interrupted.set()
        Watch.hurry = True

    def answered(self, client: Client, request: Request) -> None:
        """The target is there."""
        self._silences, self._silence, self._was_there = 0, 0.0, True
        if request.method == "GET":
            self._asked_before = (client.url, request)

    def not_answered(self, client: Client, seconds: float, was_reached: bool, reason: str) -> bool:
        """After how long nothing came. Whether to try again: where nobody listens who did before, after a while.

        Raises Stopped once the target is gone. A call that hangs is a finding; a target that nobody reaches any more,
        or that does not answer what it has answered before, is not there.
        """
        if self.interrupted.is_set():
            raise Stopped("interrupted")
        if not was_reached and self._was_there:
            self._silences += 1
            if self._silences < MOST_SILENCES:
                self.interrupted.wait(0.2 * self._silences)
                return True
            self._gone = f"{GONE}: {reason}"
            raise Stopped(self._gone)
        self._silence += seconds
        if self._silence >= LONGEST_SILENCE and self._gone is None:
            self._gone = f"{GONE}: {reason}"
            if not client.is_there(self._asked_before):
                raise Stopped(self._gone)
            self._gone, self._silence = None, 0.0
        return False

    def take(self) -> None:
        """One call more. Waits if calls come too fast. Raises Stopped."""
        with self._lock:
            if (reason := self.over) is not None:
                raise Stopped(reason)
            self.calls += 1
            if not self._gap:
                return
            start = max(self._next, stopwatch())
            self._next = start + self._gap
        self.interrupted.wait(max(0.0, start - stopwatch()))


class Client:
    """Sends requests to one base URL, one after the other. Not for several threads: each takes its own."""

    def __init__(self, url: str, allowance: Allowance, timeout: float = 10.0, line: Line | None = None) -> None:
        self.url = url.rstrip("/")
        self.base_path = urlsplit(url).path.rstrip("/")
        self._allowance, self._timeout = allowance, timeout
        self._line = line or Line(url, timeout)
        self._hold: Callable[[], None] | None = None

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

    def hold(self, until: Callable[[], None]) -> None:
        """The next request is made ready, and sent as soon as this returns."""
        self._hold = until

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status. Raises NoAnswer, Stopped or NotAllowed."""
        guard = self._allowance.guard
        if guard is None:
            return self._sent(request)
        guard.before(self.base_path, request)
        answer = None
        try:
            answer = self._sent(request)
        finally:
            guard.after(self.base_path, request, answer)
        return answer

    def _sent(self, request: Request) -> Answer:
        self._allowance.take()
        while True:
            reused, started = self._line.is_open, stopwatch()
            try:
                answer = self._exchanged(request)
            except (NoAnswer, OSError, http.client.HTTPException, ValueError) as error:
                was_reached, reason = self._line.is_open, _text(error)
                self.close()
                is_over = self._allowance.interrupted.is_set()
                if reused and not is_over and isinstance(error, _CLOSED) and request.method in ("GET", "HEAD"):
                    # It may have been closed just now, as idle. What may have done something is not sent again.
                    continue
                if self._allowance.not_answered(self, stopwatch() - started, was_reached, reason):
                    continue
                raise NoAnswer(reason) from None
            self._allowance.answered(self, request)
            return answer

    def is_there(self, asked: tuple[str, Request] | None) -> bool:
        """Whether the target still answers what it has answered before, over a connection of its own."""
        if asked is None:
            return False
        client = Client(asked[0], Allowance(1, None, None), self._timeout)
        try:
            client.send(asked[1])
        except (NoAnswer, Stopped):
            return False
        finally:
            client.close()
        return True

    def _exchanged(self, request: Request) -> Answer:
        connection = self._line.connection()
        started = stopwatch()
        with Watch(connection, self._timeout):
            connection.putrequest(
                request.method, self.base_path + request.target, skip_host=True, skip_accept_encoding=True
            )
            connection.putheader("Host", self._line.authority)
            for name, value in request.headers:
                connection.putheader(name, value.encode("latin-1"))
            if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(request.body or b"")))
            hold, self._hold = self._hold, None
            if hold is not None:
                hold()
                started = stopwatch()
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            body = response.read(LARGEST_ANSWER + 1)
        if len(body) > LARGEST_ANSWER:
            self.close()
            raise NoAnswer(f"an answer of more than {LARGEST_ANSWER} bytes")
        if response.length:
            # Read up to a size, `http.client` does not say that less came than was announced.
            raise http.client.IncompleteRead(body, response.length)
        if response.will_close or not response.isclosed():
            self.close()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(response.status, headers, body, stopwatch() - started)

    def close(self) -> None:
        self._line.close()


_CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


def _text(error: Exception) -> str:
    if isinstance(error, NoAnswer):
        return str(error)
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
