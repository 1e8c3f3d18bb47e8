"""openapp-sdk repeats every method, POST too, on 5xx and lost connections: that must do no harm."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.server import Server

from .sdk import Sdk
from .world import ACME, World

pytestmark = pytest.mark.clients

SENDS = 4
"""One, and three retries: what the library does by default."""


class FlakyProxy(ThreadingHTTPServer):
    """Hands everything on to the mock, but loses the answers to the first POSTs after the mock has acted on them."""

    daemon_threads = True

    def __init__(self, port: int, losses: int, how: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mock_port, self.losses, self.how = port, losses, how
        self.answers: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FlakyProxy

    def do_GET(self) -> None:
        self._hand_on()

    def do_POST(self) -> None:
        self._hand_on()

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.mock_port, timeout=10)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        status, payload = answer.status, answer.read()
        connection.close()
        if self.command == "POST":
            self.server.answers.append(payload)
            if len(self.server.answers) <= self.server.losses:
                if self.server.how == "closed":
                    self.close_connection = True
                    return
                status, payload = 502, b"Bad Gateway"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


@contextmanager
def flaky_proxy(server: Server, losses: int, how: str) -> Iterator[FlakyProxy]:
    with FlakyProxy(server.port, losses, how) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


def test_the_default_retries_of_a_missing_portal_change_nothing(sdk: Sdk, world: World) -> None:
    world.settings(portal="off")
    before = world.summary
    seen = sdk.run("open_portal_and_retry", world.server_url, secret=world.secret("demo-owner"), org=ACME)
    after = world.summary

    assert seen.error("portal")["code"] == "portal_unavailable"
    assert after["requests"] - before["requests"] == 1 + SENDS, "the status probe and every attempt"
    assert after["revision"] == before["revision"]
    assert after["scheduled"] == before["scheduled"]


@pytest.mark.parametrize("how", ["closed", "502"])
def test_a_checkout_whose_answers_are_lost_is_sent_again_and_buys_once(
    sdk: Sdk, world: World, server: Server, how: str
) -> None:
    with flaky_proxy(server, losses=2, how=how) as proxy:
        seen = sdk.run("buy_and_retry", proxy.url, secret=world.secret("demo-owner"), org=ACME, tier="pro")

    assert len(proxy.answers) == 3
    assert len(set(proxy.answers)) == 1, "all three were told of the same subscription"
    assert seen["checkout"]["external_id"].encode() in proxy.answers[0]
    assert world.summary["revision"] == 1


def test_a_hosted_checkout_that_is_sent_again_waits_for_one_payment_only(
    sdk: Sdk, world: World, server: Server
) -> None:
    world.settings(checkout="hosted")
    before = world.summary["revision"]
    with flaky_proxy(server, losses=2, how="502") as proxy:
        seen = sdk.run("buy_and_retry", proxy.url, secret=world.secret("demo-owner"), org=ACME, tier="pro")

    assert (len(proxy.answers), len(set(proxy.answers))) == (3, 1)
    assert seen["checkout"]["status"] == "pending"
    assert seen["checkout"]["checkout_url"].startswith(f"{proxy.url}/"), "the host that the client used"
    assert world.summary["revision"] == before + 1
