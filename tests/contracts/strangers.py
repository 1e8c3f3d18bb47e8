"""Servers that are no implementation of anything: they hang, they babble, they lead elsewhere."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

Act = Callable[[socket.socket, bytes], None]
PATIENCE = 30.0


class Stranger:
    """Serves every connection in a thread of its own: `act` gets it with each request that came."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self.heads: list[bytes] = []
        self.is_over = threading.Event()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nobody listens any more."""
        if not self.is_over.is_set():
            self.is_over.set()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(PATIENCE)
            try:
                while asked := _whole(connection):
                    self.heads.append(asked)
                    self._act(connection, asked)
            except OSError:
                return

    # -- ways to be ----------------------------------------------------------------------------------------------------

    @classmethod
    def hanging(cls) -> Self:
        """Takes everything and says nothing."""
        return cls(lambda connection, head: None)

    @classmethod
    def saying(cls, data: bytes) -> Self:
        """Says the same to everybody, and hangs up."""

        def act(connection: socket.socket, head: bytes) -> None:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_RDWR)

        return cls(act)

    @classmethod
    def dripping(cls, data: bytes, gap: float) -> Self:
        """Says one byte after the other, for ever: no single wait is long."""

        def act(connection: socket.socket, head: bytes) -> None:
            for n in range(len(data) + 10_000):
                connection.sendall(data[n : n + 1] or b" ")
                time.sleep(gap)

        return cls(act)


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def proxy(url: str, instead: Callable[[bytes], bytes | None]) -> Iterator[Stranger]:
    """Passes what it is asked on to a server, unless `instead` has another answer (b"" for none at all)."""
    host, _, port = url.removeprefix("http://").rpartition(":")

    def act(connection: socket.socket, head: bytes) -> None:
        other = instead(head)
        if other is None:
            with socket.create_connection((host, int(port)), PATIENCE) as upstream:
                upstream.sendall(head)
                connection.sendall(_whole(upstream))
        elif other:
            connection.sendall(other)

    with Stranger(act) as stranger:
        yield stranger


def _whole(connection: socket.socket) -> bytes:
    """One message with a Content-Length or without a body; b"" once there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    fields: Mapping[bytes, bytes] = {name.lower(): value.strip() for name, _, value in lines}
    while len(body) < int(fields.get(b"content-length", b"0")):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
