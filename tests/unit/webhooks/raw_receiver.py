"""A receiver of webhooks that knows nothing but sockets: what it says it got is what came over the wire."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TIMEOUT = 5.0

Behave = Callable[[socket.socket, "Receiver"], None]


class Receiver:
    """`requests`: the bytes of each, from the first of its method to the last of its body. `connections`: how many came.

    `behave` has a connection to itself, in a thread; the usual way is to read requests and to say `answer`.
    """

    def __init__(self, answer: bytes = OK, behave: Behave | None = None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = threading.Event()
        self._behave = behave or usual
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Receiver:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(TIMEOUT)
            assert not thread.is_alive()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self, what: Callable[[], None]) -> None:
        thread = threading.Thread(target=what, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(TIMEOUT)
            self._sockets.append(connection)
            self.connections += 1
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._behave(connection, self)


def usual(connection: socket.socket, receiver: Receiver) -> None:
    read = b""
    while (found := one(connection, read)) is not None:
        request, read = found
        receiver.requests.append(request)
        connection.sendall(receiver.answer)


def one(connection: socket.socket, read: bytes = b"") -> tuple[bytes, bytes] | None:
    """A whole request, and what came after it; None when nothing more comes."""
    data = bytearray(read)
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65_536)):
            return None
        data += more
    head = bytes(data[: data.index(b"\r\n\r\n") + 4])
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked\r\n", head):
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65_536)
        return bytes(data), b""
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    size = len(head) + (int(length[1]) if length else 0)
    while len(data) < size:
        if not (more := connection.recv(1 << 20)):
            return bytes(data), b""
        data += more
    return bytes(data[:size]), bytes(data[size:])


def reset(connection: socket.socket) -> None:
    """Ends a connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def certificate(path: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
