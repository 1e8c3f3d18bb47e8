"""openapp-sdk repeats every method, POST too, on 5xx and lost connections: that must do no harm."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from tests.server import Server

from .proxy import Exchange, Proxy, running
from .sdk import Sdk
from .world import ACME, World

pytestmark = pytest.mark.clients

SENDS = 4
"""One, and three retries: what the library does by default."""


class FlakyProxy(Proxy):
    """Hands everything on to the mock, but loses the answers to the first POSTs after the mock has acted on them."""

    def __init__(self, port: int, losses: int, how: str) -> None:
        super().__init__(port)
        self.losses, self.how = losses, how
        self.answers: list[bytes] = []

    def answered(self, exchange: Exchange) -> Exchange | None:
        if exchange.method != "POST":
            return exchange
        self.answers.append(exchange.body)
        if len(self.answers) > self.losses:
            return exchange
        return None if self.how == "closed" else exchange._replace(status=502, body=b"Bad Gateway")


def flaky_proxy(server: Server, losses: int, how: str) -> AbstractContextManager[FlakyProxy]:
    return running(FlakyProxy(server.port, losses, how))


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
