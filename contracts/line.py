"""One kept connection to a host, and an end to waiting for it."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from urllib.parse import urlsplit

from .machine import pause, stopwatch


class NoAnswer(Exception):
    """No HTTP answer came; the message says what came instead."""


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
        if self._connection is not None and _is_stale(self._connection.sock):
            self.close()
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=self._timeout)
            try:
                connection.connect()
            except BaseException:
                connection.close()
                raise
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_stale(sock: socket.socket | None) -> bool:
    """Whether the other end has closed it while it was idle: then there is something to read, namely its end."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])


class Watch:
    """Ends a call that takes too long as a whole: a target that sends a byte now and then never runs into a timeout
    of the socket. One thread watches all calls of the process.
    """

    _calls: dict[int, tuple[float, http.client.HTTPConnection]] = {}
    _lock = threading.Lock()
    _thread: threading.Thread | None = None
    hurry = False
    """Whether the calls that are under way are to end at once."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection, self._end, self._seconds = connection, stopwatch() + seconds, seconds

    def __enter__(self) -> None:
        with self._lock:
            self._calls[id(self)] = (self._end, self._connection)
            if Watch._thread is None:
                Watch._thread = threading.Thread(target=self._look, name="contract-watch", daemon=True)
                Watch._thread.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._calls.pop(id(self), None)
        if kind is not None and issubclass(kind, TimeoutError):
            return
        # What was cut off at the end can look like a whole answer.
        if (kind is None or issubclass(kind, Exception)) and stopwatch() >= self._end:
            raise NoAnswer(f"no whole answer within {self._seconds:g} s") from None

    @classmethod
    def _look(cls) -> None:
        while True:
            pause(0.25)
            now = stopwatch()
            with cls._lock:
                hurry, Watch.hurry = Watch.hurry, False
                for end, connection in cls._calls.values():
                    if (hurry or now >= end) and connection.sock is not None:
                        try:
                            connection.sock.shutdown(socket.SHUT_RDWR)
                        except OSError:
                            pass
