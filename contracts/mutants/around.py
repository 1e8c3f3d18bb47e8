"""Faults around the whole app: answers of the OpenApp API changed on their way out, or given in its place.

They act behind the server's own check of its answers, so that what breaks the contract is really served. The control
API is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.http.addressing import CONTROL, WORLD_PREFIX
from mock_server.http.routes import split_path

from .mutant import Install

NO_ID = "01J9ZC3M4N5P6Q7R8S9T0V1W99"
"""The request id of an answer that the server itself has not seen."""


class Exchange:
    """A request to OpenApp and the answer to it. `path` are the segments below the base path."""

    def __init__(self, scope: Scope, path: list[str]) -> None:
        self.method: str = scope["method"]
        self.path = path
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.raw_query: bytes = scope["query_string"]
        self.asked = Headers(raw=scope["headers"])
        self.sent = b""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    @property
    def json(self) -> Any:
        """The answer's body; None if it is not JSON."""
        return _read(self.body)

    @property
    def sent_json(self) -> Any:
        """The request's body; None if it is not JSON."""
        return _read(self.sent)

    @property
    def code(self) -> str | None:
        """The error code of a refusal."""
        body = self.json
        return body.get("error_code") if isinstance(body, dict) else None

    def header(self, name: str) -> str | None:
        return Headers(raw=self.headers).get(name)

    def put(self, value: Any) -> None:
        """Another body."""
        self.body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        if self.header("content-type") is None:
            self.set("content-type", "application/json")

    def edit(self, **members: Any) -> None:
        """Other members in a body that is an object."""
        self.put({**self.json, **members})

    def set(self, name: str, value: str) -> None:
        self.drop(name)
        self.headers.append((name.lower().encode(), value.encode()))

    def drop(self, name: str) -> None:
        self.headers = [(each, value) for each, value in self.headers if each.lower() != name.lower().encode()]

    def refuse(self, status: int, code: str, message: str) -> None:
        """A refusal in OpenApp's envelope in place of the answer."""
        request_id = self.header("x-request-id") or self.asked.get("x-correlation-id") or NO_ID
        self.headers = [(b"x-request-id", request_id.encode())]
        self.status = status
        self.put({"message": message, "error_code": code, "code": code, "correlationId": request_id})

    def crash(self) -> None:
        self.refuse(500, "internal_error", "Internal server error.")

    def clear(self, status: int) -> None:
        """An answer without a body."""
        self.status, self.body = status, b""
        self.drop("content-type")


Change = Callable[[Exchange], None]


def on_answer(where: str, change: Change, *statuses: int) -> Install:
    """`change` to each answer to `where` ("GET /devices/{id}", "* *" for any), perhaps only of some statuses."""

    def install(app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if (exchange := _exchange(where, scope)) is None:
                await app(scope, receive, send)
                return
            await _answered(app, exchange, scope, receive)
            if exchange.status and (not statuses or exchange.status in statuses):
                change(exchange)
            if exchange.status:
                await _send(exchange, send)

        return around

    return install


def instead(where: str, answer: Callable[[Exchange], bool]) -> Install:
    """Requests to `where` for which `answer` gives an answer of its own, and says so, never reach the server."""

    def install(app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if (exchange := _exchange(where, scope)) is None:
                await app(scope, receive, send)
                return
            messages = [await receive()]
            while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
                messages.append(await receive())
            exchange.sent = b"".join(each.get("body", b"") for each in messages)
            if answer(exchange):
                await _send(exchange, send)
                return
            waiting = iter(messages)

            async def again() -> Message:
                return next(waiting, None) or await receive()

            await app(scope, again, send)

        return around

    return install


def openapp_path(scope: Scope) -> list[str] | None:
    """The segments below OpenApp's base path, without what chooses a world; None for the control API."""
    path = split_path(scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape"))
    if path[0] == CONTROL:
        return None
    if path[0] == WORLD_PREFIX:
        path = path[2:]
    if path[:1] == ["openapp"]:
        path = path[1:]
    return path[2:] if path[:2] == ["api", "v1"] else path


def matches(where: str, method: str, path: Sequence[str]) -> bool:
    wanted_method, _, template = where.partition(" ")
    if wanted_method not in ("*", method):
        return False
    wanted = template.strip("/").split("/")
    return template == "*" or (
        len(wanted) == len(path) and all(a == b or a.startswith("{") for a, b in zip(wanted, path, strict=True))
    )


def _exchange(where: str, scope: Scope) -> Exchange | None:
    path = openapp_path(scope) if scope["type"] == "http" else None
    if path is None or not any(matches(each, scope["method"], path) for each in where.split(", ")):
        return None
    return Exchange(scope, path)


async def _answered(app: ASGIApp, exchange: Exchange, scope: Scope, receive: Receive) -> None:
    async def heard() -> Message:
        message = await receive()
        exchange.sent += message.get("body", b"")
        return message

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status, exchange.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            exchange.body += message.get("body", b"")

    await app(scope, heard, keep)


async def _send(exchange: Exchange, send: Send) -> None:
    if exchange.method != "HEAD":
        exchange.drop("content-length")
        if exchange.body or exchange.status not in (204, 304):
            exchange.set("content-length", str(len(exchange.body)))
    await send({"type": "http.response.start", "status": exchange.status, "headers": exchange.headers})
    await send({"type": "http.response.body", "body": exchange.body})


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
