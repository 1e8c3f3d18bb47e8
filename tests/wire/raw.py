"""Exact bytes to a server and one parsed response back, over a plain TCP socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any

TIMEOUT = 5.0
ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
OWNER = "X-API-Key: demo-owner"
JSON = "Content-Type: application/json"
HOST = "Host: localhost"
CHECKOUT = f"/api/v1/orgs/{ACME}/billing/checkout"
PLAN = f"/api/v1/orgs/{ACME}/billing/plan"
PORTAL = f"/api/v1/orgs/{ACME}/billing/portal"
STATUS = "/api/v1/status"
WORLDS = "/_mock/worlds"
BUY_PRO = b'{"tier_slug":"pro"}'


class NoAnswer(AssertionError):
    """The server closed the connection, or was silent for TIMEOUT seconds, before a whole response had come."""


class Reply:
    """One response: status, headers with lower-case names in their order, body."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes, interim: list[int]) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.interim = interim

    def header(self, name: str) -> str | None:
        """The only value of a header, None without one."""
        values = [value for each, value in self.headers if each == name]
        assert len(values) < 2, f"{name} stands {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:300]!r}>"


class Connection:
    """One TCP connection; requests go out as they are, responses come in one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._read = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """A server may answer and close before it has taken everything, so what it leaves unread is no error."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def finish(self) -> None:
        """Say that nothing more will come, and keep listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def reply(self, *, to_head: bool = False) -> Reply:
        interim: list[int] = []
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            version, status = head[0].split(" ")[:2]
            assert version == "HTTP/1.1", head[0]
            headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:-2])]
            if not status.startswith("1"):
                break
            interim.append(int(status))
        length = next((int(value) for name, value in headers if name == "content-length"), 0)
        assert "transfer-encoding" not in dict(headers), "answers are sent in one piece"
        body = b"" if to_head or status in ("204", "304") else self._exactly(length)
        return Reply(int(status), headers, body, interim)

    def is_closed(self) -> bool:
        """Whether the server closes without sending anything more. Waits for it."""
        if self._read:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _more(self) -> bytes:
        try:
            data = self.socket.recv(65_536)
        except (TimeoutError, ConnectionResetError) as error:
            raise NoAnswer(f"{error!r} after {self._read[:200]!r}") from None
        if not data:
            raise NoAnswer(f"closed after {self._read[:200]!r}")
        return data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._read += self._more()
        end = self._read.index(mark) + len(mark)
        taken, self._read = self._read[:end], self._read[end:]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._read += self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken


def request(
    method: str = "GET",
    target: str | bytes = STATUS,
    headers: Iterable[str | bytes] = (HOST,),
    body: bytes | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """The bytes of a request. `body` adds its Content-Length; text goes out as Latin-1."""
    lines = [b" ".join((_raw(method), _raw(target), _raw(version))), *map(_raw, headers)]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + (body or b"")


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def exchange(port: int, data: bytes, *, finish: bool = False, to_head: bool = False) -> Reply:
    """One request and its response on a connection of its own."""
    with Connection(port) as connection:
        connection.send(data)
        if finish:
            connection.finish()
        return connection.reply(to_head=to_head)


def post(port: int, path: str, body: bytes, *headers: str | bytes) -> Reply:
    """A POST of a JSON body by the owner."""
    return exchange(port, request("POST", path, (HOST, OWNER, JSON, *headers), body))


def get(port: int, path: str | bytes, *headers: str | bytes) -> Reply:
    return exchange(port, request("GET", path, (HOST, *headers)))


def check_refused(reply: Reply, status: int | tuple[int, ...], code: str | None = None) -> None:
    """It is a refusal in the error envelope, with the request id inside and outside."""
    assert reply.status in ((status,) if isinstance(status, int) else status), reply
    assert reply.header("content-type") == "application/json", reply.headers
    body = reply.json
    assert (
        {"message", "error_code", "code", "correlationId"}
        <= body.keys()
        <= {
            "message",
            "error_code",
            "code",
            "correlationId",
            "details",
        }
    )
    assert body["error_code"] == body["code"]
    assert body["correlationId"] == reply.header("x-request-id")
    assert body["message"].strip()
    if code is not None:
        assert body["code"] == code, reply


def is_not_http(reply: Reply) -> bool:
    """Whether this is what the server says by itself to bytes that it cannot read as HTTP."""
    return reply.status == 400 and reply.body == b"Invalid HTTP request received."


def _raw(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text
