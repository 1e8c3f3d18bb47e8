"""What a customer sees, and what the provider may do to us."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
from shop.events import fact_of

from contracts.fixtures import Clock, Inbox, Replay, World

from .conftest import WHSEC

FAILED = "Your last payment failed. Please look after your card."


def account(shop: httpx.Client) -> Any:
    return shop.get("/accounts/acme").json()


def buy(shop: httpx.Client, tier: str) -> httpx.Response:
    return shop.post("/accounts/acme/plan", json={"tier": tier})


def outcomes(world: World) -> list[str]:
    """What the shop said to each webhook, in the order in which they were sent."""
    answers = [world.control("GET", f"/deliveries/{each['id']}")["attempts"] for each in world.settle()]
    said = sorted((attempt["sent_at"], attempt["answer"]) for attempts in answers for attempt in attempts)
    return [answer.partition('":"')[2].rstrip('"}') for _, answer in said]


# -- plans ------------------------------------------------------------------------------------------------------------


def test_an_upgrade_counts_once_the_webhook_has_come(shop: httpx.Client, connected: World) -> None:
    assert shop.get("/accounts/acme/report").status_code == 403
    assert buy(shop, "pro").status_code == 202
    connected.settle()
    assert account(shop) == {"plan": "pro", "banner": None}
    assert shop.get("/accounts/acme/report").status_code == 200


@pytest.mark.mockbill(settings={"checkout": "hosted"})
def test_who_has_not_paid_has_nothing(shop: httpx.Client, connected: World) -> None:
    assert buy(shop, "pro").json()["pay_at"].startswith("http")
    connected.settle()
    assert account(shop)["plan"] == "free"
    connected.emit("subscription.created", tier_slug="pro", status="active")
    assert account(shop)["plan"] == "pro"


def test_no_plan_of_that_name(shop: httpx.Client, connected: World) -> None:
    assert buy(shop, "gold").status_code == 400


def test_billing_is_down_for_a_moment(shop: httpx.Client, connected: World) -> None:
    connected.fault(when="before", do="answer", status=503, count=1)
    assert buy(shop, "pro").status_code == 503
    assert buy(shop, "pro").status_code == 202


def test_an_answer_is_lost_after_the_work_was_done(shop: httpx.Client, connected: World) -> None:
    connected.fault(when="after", do="lose", operation="post_org_billing_checkout", count=1)
    assert buy(shop, "pro").status_code == 503
    connected.settle()
    assert account(shop)["plan"] == "pro"


# -- payments ---------------------------------------------------------------------------------------------------------


def test_a_failed_payment_is_told_until_it_is_paid(shop: httpx.Client, connected: World, mockbill_clock: Clock) -> None:
    buy(shop, "pro")
    mockbill_clock.advance("P1M")
    connected.emit("invoice.failed", amount=4900)
    assert account(shop) == {"plan": "pro", "banner": FAILED}
    mockbill_clock.advance("P3D")
    connected.emit("invoice.paid", amount=4900)
    assert account(shop)["banner"] is None


# -- what providers do ------------------------------------------------------------------------------------------------


def test_each_webhook_comes_twice(shop: httpx.Client, mockbill_world: World, hooks: str) -> None:
    mockbill_world.notify(hooks, secret=WHSEC, misbehave={"kinds": ["duplicate"]})
    buy(shop, "pro")
    assert sorted(outcomes(mockbill_world)) == ["applied", "applied", "repeated", "repeated"]
    assert account(shop)["plan"] == "pro"


def test_the_older_event_comes_last(shop: httpx.Client, connected: World, mockbill_clock: Clock) -> None:
    connected.emit("invoice.failed", mutate=["delay"])
    mockbill_clock.advance("PT1S")
    connected.emit("invoice.paid")
    mockbill_clock.advance("PT1M")
    assert outcomes(connected) == ["applied", "older"]
    assert account(shop)["banner"] is None


@pytest.mark.parametrize("damage", ["tamper", "wrong_secret", "missing_header", "truncate", "old", "future"])
def test_what_is_not_from_the_provider_does_nothing(shop: httpx.Client, connected: World, damage: str) -> None:
    (delivery,) = connected.emit("invoice.failed", mutate=[damage])
    assert delivery["status"] == 400
    assert account(shop)["banner"] is None


def test_the_gauntlet(hooks: str) -> None:
    """Forged, old, damaged and unusual webhooks, some forty: none is taken that should not be, and none is a 500."""
    command = [sys.executable, "-m", "mock_server", "webhook", "gauntlet", "--to", hooks, "--provider", "stripe"]
    done = subprocess.run([*command, "--secret", WHSEC, "--seed", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_webhook_that_failed_is_sent_again(
    webhook_inbox: Inbox, mockbill_world: World, mockbill_clock: Clock
) -> None:
    """Not the shop's own: this is what it relies on when it is down for a while."""
    webhook_inbox.listen(mockbill_world, secret=WHSEC, retries=[60, 600])
    webhook_inbox.answer(500, times=2)
    mockbill_world.emit("invoice.failed")
    mockbill_clock.advance("PT11M")
    first, *others = webhook_inbox.wait_for("invoice.payment_failed", count=3)
    assert [each.answered for each in (first, *others)] == [500, 500, 200]
    assert all(each.verified and each.body == first.body for each in others)


def test_we_understand_what_an_upgrade_sends(shop: httpx.Client, webhook_inbox: Inbox, mockbill_world: World) -> None:
    webhook_inbox.listen(mockbill_world, secret=WHSEC, events=["subscription.*"])
    buy(shop, "business")
    fact = fact_of(webhook_inbox.wait_for("customer.subscription.created").body)
    assert fact is not None
    assert (fact.about, fact.value) == ("plan", "business")


def test_a_declined_card_of_last_spring(shop: httpx.Client, hooks: str, webhook_replay: Replay) -> None:
    """This one was answered 500: its metadata are not where newer invoices have them. Captured in staging."""
    answer = webhook_replay("captures/2026-05-17-card-declined.json", to=hooks, secret=WHSEC)
    assert answer.json == {"outcome": "applied"}
    assert account(shop)["banner"] == FAILED


# -- limits -----------------------------------------------------------------------------------------------------------


def test_translations_are_used_up_and_come_back(
    shop: httpx.Client, mockbill_world: World, mockbill_clock: Clock
) -> None:
    asked = {"title": "Front door", "locale": "de"}
    mockbill_world.use("ai_requests", 9)
    assert shop.post("/accounts/acme/translations", json=asked).status_code == 200
    refused = shop.post("/accounts/acme/translations", json=asked)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "86400")
    mockbill_clock.advance("P1D")
    assert shop.post("/accounts/acme/translations", json=asked).status_code == 200


@pytest.mark.mockbill(scenario="over-capacity")
def test_too_much_for_the_plan(shop: httpx.Client, connected: World, mockbill_clock: Clock) -> None:
    fell_due = mockbill_clock.advance("P8D")
    assert any("degraded" in each.outcome for each in fell_due)
    assert account(shop)["banner"] == "You have more than your plan allows. It is slow until you upgrade."
    buy(shop, "business")
    connected.settle()
    assert account(shop) == {"plan": "business", "banner": None}
