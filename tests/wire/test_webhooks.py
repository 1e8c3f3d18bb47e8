"""Webhooks between real processes: the bytes that a receiver gets, and what happens to them when the server stops."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message, Verified
from tests.server import Server

from .raw import ACME, HOST, JSON, Reply, exchange, request

SECRET = "whsec_demo"
AT_MOST = 1.5
"""Seconds until a server has ended, whatever hangs."""
PATIENCE = 10.0


class Receiver:
    """A raw receiver. With `answer` None it takes requests and says nothing."""

    def __init__(self, answer: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") -> None:
        self.answer = answer
        self.heard: list[bytes] = []
        self._open: list[socket.socket] = []
        self._news = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/hooks?a=b"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> list[bytes]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.heard) >= count, PATIENCE), self.heard
            return list(self.heard)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        came = b""
        while True:
            try:
                data = connection.recv(65_536)
            except OSError:
                return
            if not data:
                return
            came += data
            head, found, body = came.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0) if found else 0
            if found and len(body) >= length:
                with self._news:
                    self.heard.append(came)
                    self._news.notify_all()
                came = b""
                if self.answer is not None:
                    connection.sendall(self.answer)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def control(port: int, method: str, path: str, body: Any = None) -> Reply:
    content = None if body is None else json.dumps(body).encode()
    return exchange(port, request(method, f"/_mock/worlds/demo{path}", (HOST, JSON), content))


def add(port: int, receiver: Receiver, **more: Any) -> None:
    reply = control(port, "POST", "/webhook-endpoints", {"id": "shop", "url": receiver.url, "secret": SECRET, **more})
    assert reply.status == 201, reply


def buy(port: int) -> None:
    body = b'{"tier_slug":"pro"}'
    path = f"/api/v1/orgs/{ACME}/billing/checkout"
    assert exchange(port, request("POST", path, (HOST, JSON, "X-API-Key: demo-owner"), body)).status == 200


def test_what_a_receiver_gets_byte_for_byte_and_idle_connections_do_not_keep_the_server(receiver: Receiver) -> None:
    with Server() as server:
        add(server.port, receiver, scheme="stripe")
        buy(server.port)
        created, paid = receiver.wait_for(2)
        listed = control(server.port, "GET", "/deliveries?wait=10").json
        assert [each["state"] for each in listed["deliveries"]] == ["delivered", "delivered"]
        assert server.seconds_to_stop(signal.SIGTERM) < 1.0
    for heard, kind in ((created, "customer.subscription.created"), (paid, "invoice.paid")):
        head, _, body = heard.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == "POST /hooks?a=b HTTP/1.1"
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert sorted(headers) == ["content-length", "content-type", "host", "stripe-signature", "user-agent"]
        assert len(lines) == 5
        assert headers["host"] == receiver.url.split("/")[2]
        assert int(headers["content-length"]) == len(body)
        assert json.loads(body)["type"] == kind
        verified = scheme_named("stripe").verify(Message(body), headers, [SECRET], int(time.time()))
        assert isinstance(verified, Verified)


def test_stopping_amid_attempts_is_quick_and_says_how_many_are_owed(receiver: Receiver) -> None:
    receiver.answer = None
    with Server() as server:
        add(server.port, receiver, order="none")
        assert control(server.port, "POST", "/webhooks/emit", {"event": "invoice.paid", "count": 20}).status == 200
        receiver.wait_for(8)
        started = time.perf_counter()
        errors = server.stop(signal.SIGTERM)
        assert time.perf_counter() - started < AT_MOST
        assert server.process.returncode == 0
    assert "20 webhook deliveries were still owed" in errors
    assert "Traceback" not in errors
    assert SECRET not in errors


def test_stopping_lets_an_attempt_come_to_its_end(receiver: Receiver) -> None:
    receiver.answer = None
    with Server() as server:
        add(server.port, receiver)
        control(server.port, "POST", "/webhooks/emit", {"event": "invoice.paid"})
        receiver.wait_for(1)
        threading.Timer(0.3, lambda: receiver._open[0].sendall(b"HTTP/1.1 204 No\r\n\r\n")).start()
        errors = server.stop()
    assert "owed" not in errors


def test_a_retry_comes_by_itself_in_a_world_that_runs(port: int, receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    add(port, receiver, retries=[1], scheme="svix")
    control(port, "POST", "/webhooks/emit", {"event": "invoice.paid"})
    first, second = receiver.wait_for(2)
    (line,) = control(port, "GET", "/deliveries?wait=10").json["deliveries"]
    assert (line["state"], line["tried"]) == ("failed", 2)
    ids = [each.split(b"svix-id: ")[1].split(b"\r\n")[0] for each in (first, second)]
    assert ids[0] == ids[1]
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]
