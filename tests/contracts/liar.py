"""A server in front of a mock that changes what passes: a faulty implementation, made in this process at once.

A `Lie` sees each exchange with the API (not those of the control API) and may change the request, or the answer, or
ask something of its own behind the client's back.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

SECRET = "whsec_demo"
DROPPED = {"host", "content-length", "connection", "transfer-encoding"}


class Exchange:
    """A request on its way to the API, and `send` to get it answered. `path`: below the base path, without the query."""

    def __init__(
        self, upstream: tuple[str, int], method: str, target: str, headers: dict[str, str], body: bytes
    ) -> None:
        self._upstream = upstream
        self.method, self.headers, self.body = method, headers, body
        self.repeated: list[tuple[str, str]] = []
        """Headers that came a second time."""
        path, _, query = target.partition("?")
        self._base, _, rest = path.partition("/api/v1")
        self.path, self.query = rest, dict(parse_qsl(query, keep_blank_values=True))
        self.status = 0
        self.answer_headers: list[tuple[str, str]] = []
        self.answer = b""

    @property
    def key(self) -> str | None:
        return self.headers.get("x-api-key")

    @property
    def world(self) -> str:
        return self._base.rpartition("/")[2]

    @property
    def json(self) -> Any:
        return json.loads(self.answer) if self.answer else None

    @property
    def asked(self) -> Any:
        """The request's body."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def is_a(self, method: str, pattern: str) -> bool:
        return self.method == method and re.fullmatch(pattern, self.path) is not None

    def ask(self, body: Any) -> None:
        """Another body in the request."""
        self.body = json.dumps(body).encode()

    def tell(self, body: Any) -> None:
        """Another body in the answer."""
        self.answer = json.dumps(body).encode()

    def sign(self, at: int) -> None:
        """The body as it is now, signed as the provider would."""
        self.headers.pop("stripe-signature", None)
        ((name, value),) = stripe.SCHEME.sign(Message(self.body), SECRET, at).headers
        self.headers[name.lower()] = value

    def send(self) -> None:
        query = f"?{urlencode(self.query)}" if self.query else ""
        self.status, self.answer_headers, self.answer = self._asked(
            self.method, f"{self._base}/api/v1{self.path}{query}", [*self.headers.items(), *self.repeated], self.body
        )

    def again(self, **changes: Any) -> Exchange:
        """Another request like this one, sent."""
        other = Exchange(self._upstream, self.method, f"{self._base}/api/v1{self.path}", dict(self.headers), self.body)
        other.query = self.query
        for name, value in changes.items():
            setattr(other, name, value)
        other.send()
        return other

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Of the control API, about this world."""
        data = b"" if body is None else json.dumps(body).encode()
        _, _, answer = self._asked(
            method, f"/_mock/worlds/{self.world}{path}", [("content-type", "application/json")], data
        )
        return json.loads(answer)

    def _asked(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[Any], bytes]:
        connection = http.client.HTTPConnection(*self._upstream, timeout=10)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (*headers, ("content-length", str(len(body)))):
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(body or None)
            response = connection.getresponse()
            answer = response.read()
            kept = [each for each in response.getheaders() if each[0].lower() not in DROPPED]
            return response.status, kept, answer
        finally:
            connection.close()


Lie = Callable[[Exchange], None]
"""Gets an exchange that has not been sent, and leaves it sent, or with an answer of its own."""


def honest(it: Exchange) -> None:
    it.send()


class Liar:
    """`with Liar(url) as liar:` stands before the server at `url`; `liar.lie` may be set at any time."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        at = (parts.hostname or "", parts.port or 0)
        self.lie: Lie = honest
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                it = Exchange(at, self.command, self.path, {}, body)
                for name, value in self.headers.items():
                    if name.lower() in it.headers:
                        it.repeated.append((name, value))
                    elif name.lower() not in DROPPED:
                        it.headers[name.lower()] = value
                if "/_mock/" in self.path:
                    headers = list(it.headers.items())
                    it.status, it.answer_headers, it.answer = it._asked(self.command, self.path, headers, body)
                else:
                    liar.lie(it)
                self.send_response_only(it.status)
                for name, value in it.answer_headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(it.answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(it.answer)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_one  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Liar:
        threading.Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
