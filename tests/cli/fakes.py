"""Servers that are no mockbill: one that answers as its document says, and some that answer nothing sensible."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from mock_server import bundles

LIMIT = 10.0
EXPORTS = {"curl": "text/x-shellscript", "pytest": "text/x-python"}


class Asked(NamedTuple):
    """A request that came in."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str | None


class Reply(NamedTuple):
    """An answer to give."""

    status: int
    body: bytes
    kind: str = "application/json"


def replied(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


@cache
def document() -> Any:
    return json.loads(bundles.load("control"))


def resolved(schema: Any) -> Any:
    """The schema, or the one it refers to."""
    while "$ref" in schema:
        schema = document()["components"][schema["$ref"].split("/")[-2]][schema["$ref"].split("/")[-1]]
    return schema


def example(method: str, path: str, kind: str = "application/json") -> Reply:
    """What the control API's document shows as a successful answer."""
    responses = operation(method, path)["responses"]
    status = next(status for status in responses if status.startswith("2"))
    content = resolved(responses[status]).get("content")
    if content is None:
        return Reply(int(status), b"")
    shown = content[kind]["example"]
    return Reply(int(status), shown.encode() if isinstance(shown, str) else json.dumps(shown).encode(), kind)


def operation(method: str, path: str) -> Any:
    return _matching(path)[method.lower()]


def parameters(method: str, path: str) -> set[str]:
    """The query parameters that the document allows there."""
    item = _matching(path)
    declared = [resolved(each) for each in (*item.get("parameters", ()), *item[method.lower()].get("parameters", ()))]
    return {each["name"] for each in declared if each["in"] == "query"}


def members(method: str, path: str) -> set[str] | None:
    """The members that the document allows in a body there; None if it takes none."""
    body = operation(method, path).get("requestBody")
    if body is None:
        return None
    return set(resolved(body["content"]["application/json"]["schema"]).get("properties", ()))


def _matching(path: str) -> Any:
    for template, item in sorted(document()["paths"].items(), key=lambda entry: "{" in entry[0].split("/")[-1]):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return item
    raise AssertionError(f"the document has no {path}")


class Fake:
    """Answers with `queued` replies for a `METHOD /path`, one after the other, and else with the document's examples.

    Whatever it is asked must be as the document says; leaving the block asserts it.
    """

    def __init__(self, queued: dict[str, list[Reply]] | None = None) -> None:
        self.queued = queued or {}
        self.asked: list[Asked] = []
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = Asked(
                    self.command,
                    url.path.removeprefix("/_mock"),
                    dict(parse_qsl(url.query, keep_blank_values=True)),
                    json.loads(body) if body else None,
                    self.headers.get("authorization"),
                )
                reply = fake.reply(asked)
                self.send_response(reply.status)
                self.send_header("content-length", str(len(reply.body)))
                self.send_header("content-type", reply.kind)
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._any)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        assert self.complaints == []

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if undeclared := set(asked.query) - parameters(asked.method, asked.path):
            self.complaints.append(f"{asked.method} {asked.path} has no {undeclared}")
        allowed = members(asked.method, asked.path)
        if allowed is None and asked.body is not None:
            self.complaints.append(f"{asked.method} {asked.path} takes no body")
        if allowed and (undeclared := set(asked.body) - allowed):
            self.complaints.append(f"{asked.method} {asked.path} takes no {undeclared}")
        queue = self.queued.get(f"{asked.method} {asked.path}")
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        return example(asked.method, asked.path, EXPORTS.get(asked.query.get("format", ""), "application/json"))


class Hostile:
    """Takes connections and does with each what `act` does, which gets the socket once a request has come."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self.act = act

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LIMIT)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(LIMIT)
                try:
                    connection.recv(65_536)
                    self.act(connection)
                except OSError:
                    continue


def saying(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def http(body: bytes, status: str = "200 OK", *headers: bytes) -> bytes:
    head = [f"HTTP/1.1 {status}".encode(), b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*head, b"", body])


def resetting(connection: socket.socket) -> None:
    """Ends the connection with a reset instead of in order."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hanging(connection: socket.socket) -> None:
    """Says nothing until the other side has had enough."""
    while connection.recv(65_536):
        pass
