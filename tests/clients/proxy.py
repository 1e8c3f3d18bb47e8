"""What stands between a client library and the mock: it hands everything on, and can look at it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, TypeVar

HOP_BY_HOP = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Exchange(NamedTuple):
    method: str
    path: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mock_port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answered(self, exchange: Exchange) -> Exchange | None:
        """What the client gets for it; None: the connection is lost."""
        return exchange


class Recorder(Proxy):
    """Keeps all that was answered, and can let something happen between an answer and its arrival."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.exchanges: list[Exchange] = []
        self.afterwards: dict[tuple[str, str], Callable[[], None]] = {}

    def answered(self, exchange: Exchange) -> Exchange:
        self.exchanges.append(exchange)
        self.afterwards.get((exchange.method, exchange.path), lambda: None)()
        return exchange


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.mock_port, timeout=10)
        connection.request(self.command, self.path, body or None, dict(self.headers))
        answer = connection.getresponse()
        exchange = Exchange(self.command, self.path, answer.status, answer.getheaders(), answer.read())
        connection.close()
        given = self.server.answered(exchange)
        if given is None:
            self.close_connection = True
            return
        self.send_response(given.status)
        for name, value in given.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if given.status != 204:
            self.send_header("Content-Length", str(len(given.body)))
        self.end_headers()
        self.wfile.write(given.body)

    do_GET = do_POST = do_PUT = do_DELETE = _hand_on  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


P = TypeVar("P", bound=Proxy)


@contextmanager
def running(proxy: P) -> Iterator[P]:
    with proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
