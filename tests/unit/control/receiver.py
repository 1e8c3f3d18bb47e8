"""A server that keeps what comes in byte for byte, for seeing what a client really sends."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

Answer = tuple[int, Any]


class Received(NamedTuple):
    """Header names as they came."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Receiver:
    """`with Receiver(answer) as receiver:` listens on `receiver.url`; `answer` gives status and JSON for a request."""

    def __init__(self, answer: Callable[[Received], Answer] = lambda _: (200, {})) -> None:
        self.answer = answer
        self.received: list[Received] = []

    def __enter__(self) -> Receiver:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                request = _read(connection)
                self.received.append(request)
                status, value = self.answer(request)
                body = json.dumps(value).encode()
                head = (
                    f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                    f"Location: {self.url}{request.target}/{_name_in(request.body)}\r\nConnection: close\r\n\r\n"
                )
                connection.sendall(head.encode() + (b"" if request.method == "HEAD" else body))


def _read(connection: socket.socket) -> Received:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ")
    headers = [(name, value.strip(b" ")) for name, _, value in (field.partition(b":") for field in fields)]
    length = next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)
    while len(body) < length:
        body += _more(connection)
    return Received(method, target, headers, body)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    assert data, "the client closed the connection in the middle of its request"
    return data


def _name_in(body: bytes) -> str:
    found = re.search(rb'"name": "([a-z0-9-]+)"', body)
    return found[1].decode() if found else "-"
