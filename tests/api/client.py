"""A client that calls the ASGI app directly: no sockets, no threads, the exact bytes in and out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive

ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
WALL = 1_790_000_000_000_000
"""What the machine's clock shows in these tests: some day in September 2026."""

Headers = Iterable[tuple[str, str]] | Mapping[str, str]


class Answer:
    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.raw_headers = headers
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of a refusal."""
        code: str = self.json["error_code"]
        return code


class NoAnswer(AssertionError):
    """The app has sent nothing at all, as it may to a client that has gone."""


class Client:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def request(self, method: str, path: str, **more: Any) -> Answer:
        """`ask`, waited for."""
        return asyncio.run(self.ask(method, path, **more))

    async def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        json: Any = ...,
        body: bytes = b"",
        headers: Headers = (),
        query: bytes = b"",
        receive: Receive | None = None,
        sent: list[Message] | None = None,
    ) -> Answer:
        """`path` goes out byte for byte (percent-encoded by the caller). `key` is sent as X-API-Key.

        `receive` stands for what the client goes on to say; `sent` is filled with what the app sends, even if it fails.
        """
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if json is not ...:
            body = _dumps(json)
            pairs.append(("content-type", "application/json"))
        if key is not None:
            pairs.append(("x-api-key", key))
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.append(("host", "127.0.0.1:4010"))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("latin-1"),
            "root_path": "",
            "query_string": query,
            "headers": raw,
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 4010),
        }
        messages: list[Message] = [] if sent is None else sent

        async def whole() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive or whole, send)
        if not messages:
            raise NoAnswer(f"{method} {path}")
        start, *rest = messages
        return Answer(start["status"], start["headers"], b"".join(each.get("body", b"") for each in rest))


class World:
    """One world of the mock, as its owner, its operator and the control API see it."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def call(self, method: str, path: str, key: str | None = "demo-owner", **more: Any) -> Answer:
        """A call of the OpenApp API; `path` without the base path."""
        return self.client.request(method, f"/w/{self.name}/api/v1{path}", key=key, **more)

    def billing(self, method: str, path: str, key: str | None = "demo-owner", org: str = ACME, **more: Any) -> Answer:
        return self.call(method, f"/orgs/{org}/billing/{path}", key, **more)

    def control(self, method: str, path: str = "", **more: Any) -> Answer:
        return self.client.request(method, f"/_mock/worlds/{self.name}{path}", **more)

    def advance(self, duration: str) -> Any:
        answer = self.control("POST", "/clock", json={"advance": duration})
        assert answer.status == 200, answer.body
        return answer.json

    def settings(self, **values: Any) -> None:
        answer = self.control("PATCH", "/settings", json=values)
        assert answer.status == 200, answer.body


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
