"""What a target offers beside its API, behind one face each: its clock, its usage."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from mock_server.engine.instants import InvalidTime, format_instant, parse_instant

from .http import Allowance, Answer, Client, NoAnswer, Request
from .target import HttpClock, HttpUsage, PythonClock, TargetError


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since 1970."""

    def move(self, to: int) -> int:
        """Forward to an instant; what it shows then."""

    def close(self) -> None: ...


class PortError(Exception):
    """A port did not do what it is for; the message says what it did."""


class Endpoint:
    """One URL that takes and gives JSON. Its calls are not the target's: they do not count against the budget."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self.url, self._path = url, url[len(origin) :]
        self._headers = tuple(headers.items())
        self._client = Client(origin, Allowance(10**9, None, None), timeout)

    def ask(self, method: str, body: Any = None, below: str = "") -> Answer:
        """Raises PortError unless an answer comes."""
        headers = self._headers if body is None else (*self._headers, ("Content-Type", "application/json"))
        data = None if body is None else json.dumps(body).encode()
        try:
            return self._client.send(Request(method, self._path + below, headers, data))
        except NoAnswer as error:
            raise PortError(f"{method} {self.url}{below}: {error}") from None

    def done(self, method: str, body: Any = None, below: str = "") -> Any:
        """The JSON of a success. Raises PortError."""
        answer = self.ask(method, body, below)
        if answer.status >= 300:
            raise PortError(f"{method} {self.url}{below}: {answer.status} {answer.body[:300]!r}")
        return answer.json

    def close(self) -> None:
        self._client.close()


class EndpointClock:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def now(self) -> int:
        return _shown(self._endpoint.done("GET"), self._endpoint.url)

    def move(self, to: int) -> int:
        return _shown(self._endpoint.done("POST", {"set": format_instant(to)}), self._endpoint.url)

    def close(self) -> None:
        self._endpoint.close()


class CalledClock:
    def __init__(self, call: Callable[[str | None], str], name: str) -> None:
        self._call, self._name = call, name

    def now(self) -> int:
        return self._asked(None)

    def move(self, to: int) -> int:
        return self._asked(format_instant(to))

    def close(self) -> None: ...

    def _asked(self, to: str | None) -> int:
        try:
            return _shown({"now": self._call(to)}, self._name)
        except PortError:
            raise
        except Exception as error:
            raise PortError(f"the clock {self._name} failed: {type(error).__name__}: {error}") from error


def clock_of(port: HttpClock | PythonClock, timeout: float) -> Clock:
    """Raises TargetError if a Python clock is not there."""
    if isinstance(port, HttpClock):
        return EndpointClock(Endpoint(port.url, port.headers, timeout))
    if not isinstance(port.call, str):
        return CalledClock(port.call, getattr(port.call, "__name__", "callable"))
    module, _, function = port.call.partition(":")
    try:
        return CalledClock(getattr(importlib.import_module(module), function), port.call)
    except (ImportError, AttributeError, ValueError) as error:
        raise TargetError(f"ports.clock.call {port.call!r} cannot be imported: {error}") from None


def usage_of(port: HttpUsage, timeout: float) -> Endpoint:
    return Endpoint(port.url, port.headers, timeout)


def _shown(value: Any, where: str) -> int:
    text = value.get("now") if isinstance(value, dict) else None
    try:
        return parse_instant(text if isinstance(text, str) else "")
    except InvalidTime:
        raise PortError(f"{where} did not tell the time as {{'now': '2026-03-01T00:00:00Z'}}: {value!r:.200}") from None
