"""The captured webhooks of `fixtures/webhooks/stripe`, sent byte for byte: in their order, in any other, twice, damaged.

Two stories: Acme subscribes, upgrades, fails to pay, recovers, goes down and cancels (Stripe's older shapes); Globex
fails to pay and recovers (the newer ones). Between them, news of somebody whom nobody here knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mock_server.engine.instants import SECOND, format_instant
from mock_server.http.mock import Mock
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import Capture, load_capture

from .client import ACME, GLOBEX, Answer, Client, World
from .recipes import signed

CAPTURES = {path.stem: load_capture(path) for path in (FIXTURES / "webhooks" / "stripe").glob("*.json")}
NAMES = sorted(CAPTURES, key=lambda name: (CAPTURES[name].received_at, name))
STORIES = {ACME: "acme", GLOBEX: "globex"}
WITHOUT_EFFECT = ["acme-01-customer-created", "stranger-01-subscription-updated", "stranger-02-trial-will-end"]
AFTERWARDS: dict[str, tuple[str, str | None]] = {
    "acme-01-customer-created": ("free", None),
    "acme-02-checkout-session-completed": ("pro", "active"),
    "acme-03-subscription-created": ("pro", "active"),
    "acme-04-invoice-paid": ("pro", "active"),
    "acme-05-subscription-upgraded": ("business", "active"),
    "acme-06-invoice-payment-succeeded": ("business", "active"),
    "acme-07-invoice-payment-failed": ("business", "past_due"),
    "acme-08-subscription-past-due": ("business", "past_due"),
    "acme-09-invoice-paid": ("business", "active"),
    "acme-10-subscription-recovered": ("business", "active"),
    "acme-11-subscription-downgraded": ("starter", "active"),
    "acme-12-subscription-deleted": ("free", "canceled"),
    "globex-01-invoice-paid": ("pro", "active"),
    "globex-02-invoice-payment-failed": ("pro", "past_due"),
    "globex-03-subscription-past-due": ("pro", "past_due"),
    "globex-04-invoice-payment-succeeded": ("pro", "active"),
    "globex-05-invoice-paid": ("pro", "active"),
    "globex-06-subscription-recovered": ("pro", "active"),
}
"""Tier and subscription status of the organization that the story is about, once it has been told so far."""


def story(org: str) -> list[str]:
    return [name for name in NAMES if name.startswith(STORIES[org])]


def event_of(name: str) -> Any:
    return json.loads(CAPTURES[name].body)


def created(name: str) -> int:
    seconds: int = event_of(name)["created"]
    return seconds


def send(world: World, capture: Capture, body: bytes | None = None) -> Answer:
    path = f"/w/{world.name}{capture.path}"
    return world.client.request(
        capture.method, path, headers=capture.headers, body=capture.body if body is None else body
    )


def deliver(world: World, name: str) -> Any:
    """What the event was understood to say."""
    answer = send(world, CAPTURES[name])
    assert answer.status == 200, answer.body
    (seen,) = answer.json["events"]
    assert seen["raw"] == event_of(name)
    return seen


def wait_for(world: World, name: str) -> None:
    at = format_instant(CAPTURES[name].received_at)
    assert world.control("POST", "/clock", json={"set": at}).status == 200


def shown(world: World, org: str) -> tuple[str, str | None]:
    plan = world.billing("GET", "plan", "demo-operator", org).json
    return plan["tier_id"], plan["subscription"]["status"] if plan["subscription"] is not None else None


def pay_in_checkout(world: World) -> None:
    world.settings(checkout="hosted")
    world.billing("POST", "checkout", json={"tier_slug": "pro"})


def state_of(world: World) -> Any:
    return world.client.app.mock.worlds.get(world.name).state  # type: ignore[attr-defined]


@contextmanager
def forked(world: World, name: str = "once-more") -> Iterator[World]:
    assert world.control("POST", "/fork", json={"name": name}).status == 201
    try:
        yield World(world.client, name)
    finally:
        world.client.request("DELETE", f"/_mock/worlds/{name}")


@pytest.fixture
def world(mock: Mock, client: Client) -> World:
    """As it was when the first capture came in."""
    mock.create_world("told", "demo", seed=7, now=CAPTURES[NAMES[0]].received_at)
    return World(client, "told")


@pytest.fixture
def timeless(world: World) -> World:
    """A world that takes signatures of any age."""
    world.settings(webhook_tolerance_s=0)
    return world


@pytest.mark.parametrize("before", [None, pay_in_checkout], ids=["unasked", "from a hosted checkout"])
def test_the_stories_in_their_order(world: World, before: Callable[[World], None] | None) -> None:
    if before is not None:
        before(world)
    now = {org: shown(world, org) for org in STORIES}
    for name in NAMES:
        wait_for(world, name)
        seen = deliver(world, name)
        for org, prefix in STORIES.items():
            if name.startswith(prefix) and name not in WITHOUT_EFFECT:
                now[org] = AFTERWARDS[name]
                assert seen["status"] == AFTERWARDS[name][1]
            assert shown(world, org) == now[org], name
    assert now == {ACME: ("free", "canceled"), GLOBEX: ("pro", "active")}


def test_a_checkout_keeps_the_id_that_its_client_knows(world: World) -> None:
    pay_in_checkout(world)
    waiting = world.billing("GET", "plan").json["subscription"]
    deliver(world, "acme-02-checkout-session-completed")
    paid = world.billing("GET", "plan").json["subscription"]
    assert paid["subscription_id"] == waiting["subscription_id"]
    assert paid["external_id"] == event_of("acme-03-subscription-created")["data"]["object"]["id"]
    assert (paid["checkout_url"], paid["pending"]) == (None, None)


class TestRepeated:
    def test_at_once_it_is_answered_alike_and_changes_nothing(self, world: World) -> None:
        for name in NAMES:
            wait_for(world, name)
            first = deliver(world, name)
            after = state_of(world)
            assert [deliver(world, name) for _ in range(2)] == [first] * 2
            assert state_of(world) is after

    @settings(max_examples=25)
    @given(st.data())
    def test_any_earlier_ones_at_any_time_change_nothing(self, timeless: World, data: st.DataObject) -> None:
        with forked(timeless) as world:
            for n, name in enumerate(NAMES, 1):
                wait_for(world, name)
                deliver(world, name)
                after = state_of(world).apis["openapp"]
                for again in data.draw(st.lists(st.sampled_from(NAMES[:n]), max_size=3)):
                    deliver(world, again)
                    assert state_of(world).apis["openapp"] is after


class TestOutOfOrder:
    """Every order is answered 200, but not every order can end alike.

    What is older than the newest that was applied changes nothing. So the newest of all has the last word, if
    it can be applied when it comes: an end or a failure needs a subscription that is known by then. Which plan holds
    only the subscription's own events say, so after an invoice's last word the plan may be an older one.
    """

    @pytest.mark.parametrize("before", [None, pay_in_checkout], ids=["unasked", "from a hosted checkout"])
    @pytest.mark.parametrize("org", STORIES, ids=STORIES.values())
    @given(st.data())
    def test_the_newest_event_has_the_last_word(
        self, timeless: World, org: str, before: Callable[[World], None] | None, data: st.DataObject
    ) -> None:
        told = story(org)[: data.draw(st.integers(2, len(story(org))), "how much of the story")]
        order, last = data.draw(st.permutations(told), "order"), told[-1]
        with forked(timeless) as world:
            if before is not None:
                before(world)
            is_known = org == GLOBEX
            for name in order:
                if name == last:
                    assume(is_known or AFTERWARDS[last][1] == "active")
                seen = deliver(world, name)
                is_known = is_known or (seen["status"] == "active" and seen["tier_slug"] is not None)
            tier, status = shown(world, org)
        assert status == AFTERWARDS[last][1]
        if not event_of(last)["type"].startswith("invoice."):
            assert tier == AFTERWARDS[last][0]

    @given(order=st.permutations(NAMES))
    def test_what_is_older_than_what_was_applied_changes_at_most_the_plan(
        self, timeless: World, order: list[str]
    ) -> None:
        newest = dict.fromkeys(STORIES.values(), 0)
        with forked(timeless) as world:
            for name in order:
                before = state_of(world).apis["openapp"]
                deliver(world, name)
                after = state_of(world).apis["openapp"]
                about = name.split("-")[0]
                if after is not before and created(name) < newest[about]:
                    # An invoice had overtaken the news of the plan: the rest is as the invoice left it.
                    was, now = (
                        [world.orgs[o].subscription for o, p in STORIES.items() if p == about]
                        for world in (before, after)
                    )
                    assert [(s.status, s.provider_time) for s in was] == [(s.status, s.provider_time) for s in now]
                    assert [s.plan_time for s in was] < [s.plan_time for s in now]
                assert all(before.orgs[o] is after.orgs[o] for o, prefix in STORIES.items() if prefix != about)
                if after is not before:
                    newest[about] = max(newest[about], created(name))

    @given(order=st.permutations(NAMES))
    def test_stories_do_not_disturb_each_other(self, timeless: World, order: list[str]) -> None:
        with forked(timeless) as world:
            for name in order:
                deliver(world, name)
            together = {org: shown(world, org) for org in STORIES}
        for org, prefix in STORIES.items():
            with forked(timeless) as world:
                for name in order:
                    if name.startswith(prefix):
                        deliver(world, name)
                assert shown(world, org) == together[org]

    def test_news_of_a_subscription_that_was_replaced_comes_too_late(self, timeless: World) -> None:
        late = "acme-11-subscription-downgraded"
        for name in story(ACME):
            if name != late:
                deliver(timeless, name)
        resubscribed(timeless)
        before = timeless.billing("GET", "plan").json
        assert (before["tier_id"], before["subscription"]["external_id"]) == ("pro", "sub_again")
        deliver(timeless, late)
        assert timeless.billing("GET", "plan").json == before


def resubscribed(world: World) -> None:
    """A day after its cancellation Acme takes pro again, as a new subscription."""
    event = event_of("acme-03-subscription-created")
    event |= {"id": "evt_again", "created": created("acme-12-subscription-deleted") + 86_400}
    event["data"]["object"]["id"] = "sub_again"
    post(world, event)


def post(world: World, event: Any) -> Any:
    body = json.dumps(event).encode()
    answer = world.call("POST", "/billing/webhooks/stripe", None, body=body, headers=signed(body, event["created"]))
    assert answer.status == 200, answer.body
    return answer.json["events"][0]


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
@pytest.mark.parametrize("told", ["before", "in between", "afterwards"])
def test_an_unknown_customer_or_type_changes_nothing_but_what_is_remembered(
    timeless: World, name: str, told: str
) -> None:
    rest = [each for each in NAMES if each not in WITHOUT_EFFECT]
    for each in rest[: {"before": 0, "in between": 6, "afterwards": len(rest)}[told]]:
        deliver(timeless, each)
    before = timeless.control("GET", "/state").json
    seen = deliver(timeless, name)
    assert (seen["kind"] == "other") == (name != "stranger-01-subscription-updated")
    after = timeless.control("GET", "/state").json
    *known, remembered = after.pop("memory")
    assert known == before.pop("memory")
    assert (remembered["scope"], remembered["key"]) == ("openapp/webhook/stripe", event_of(name)["id"])
    assert after.pop("revision") == before.pop("revision") + 1
    assert after == before


class TestDamaged:
    @settings(max_examples=300)
    @given(st.sampled_from(NAMES), st.data())
    def test_one_byte_flipped_anywhere_is_refused(self, timeless: World, name: str, data: st.DataObject) -> None:
        body = bytearray(CAPTURES[name].body)
        body[data.draw(st.integers(0, len(body) - 1), "place")] ^= data.draw(st.integers(1, 255), "bits")
        before = state_of(timeless)
        answer = send(timeless, CAPTURES[name], bytes(body))
        assert (answer.status, answer.code) == (400, "signature_invalid")
        assert state_of(timeless) is before

    @pytest.mark.parametrize("name", NAMES)
    def test_cut_short_lengthened_or_written_anew_it_is_refused(self, timeless: World, name: str) -> None:
        body = CAPTURES[name].body
        anew = json.dumps(json.loads(body), indent=2).encode(), json.dumps(json.loads(body)).encode()
        for other in (b"", body[:-1], body + b"\n", body.replace(b"\n", b"\r\n"), *anew):
            if other != body:
                assert send(timeless, CAPTURES[name], other).code == "signature_invalid"

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(("late", "expected"), [(300, None), (301, "signature_expired")])
    def test_its_age_counts_on_the_clock_of_the_world(
        self, mock: Mock, client: Client, name: str, late: int, expected: str | None
    ) -> None:
        mock.create_world("late", "demo", seed=7, now=CAPTURES[name].received_at + late * SECOND)
        assert send(World(client, "late"), CAPTURES[name]).json.get("error_code") == expected


def test_an_invoice_for_an_upgrade_names_the_new_plan_in_both_shapes(world: World) -> None:
    older = event_of("acme-06-invoice-payment-succeeded")
    newer = json.loads(json.dumps(older))
    for line in newer["data"]["object"]["lines"]["data"]:
        line["pricing"] = {"price_details": {"price": line.pop("price")["id"]}, "type": "price_details"}
        line["parent"] = {"subscription_item_details": {"proration": line.pop("proration")}}
        del line["plan"]
    newer["id"] = "evt_newer"
    assert [post(world, event)["tier_slug"] for event in (newer, older)] == ["business", "business"]


@pytest.mark.parametrize(("mode", "payment"), [("setup", "no_payment_required"), ("payment", "paid")])
def test_a_session_that_sells_no_subscription_does_not_pay_for_the_one_that_waits(
    world: World, mode: str, payment: str
) -> None:
    pay_in_checkout(world)
    before = world.billing("GET", "plan").json
    event = event_of("acme-02-checkout-session-completed")
    event["data"]["object"] |= {
        "mode": mode,
        "payment_status": payment,
        "subscription": None,
        "invoice": None,
        "metadata": {"org_id": ACME},
    }
    post(world, event)
    assert world.billing("GET", "plan").json == before
