"""The provider's webhook: trusted by its signature alone, tolerant of repeats, disorder and what it does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_server.http.mock import Mock

from .client import ACME, GLOBEX, World
from .recipes import SIGNED_AT, signed, webhook

GLOBEX_SUBSCRIPTION = "sub_demo_globex"


def event(kind: str, thing: dict[str, Any], event_id: str = "evt_1", created: int = SIGNED_AT) -> bytes:
    return json.dumps(
        {"id": event_id, "object": "event", "type": kind, "created": created, "data": {"object": thing}}
    ).encode()


def subscription(status: str = "active", price: str = "price_pro_monthly", **more: Any) -> dict[str, Any]:
    return {
        "id": "sub_acme",
        "object": "subscription",
        "customer": "cus_acme",
        "status": status,
        "metadata": {"org_id": ACME},
        "items": {"data": [{"price": {"id": price}}]},
        **more,
    }


def tier(world: World, key: str = "demo-owner", org: str = ACME) -> str:
    slug: str = world.billing("GET", "plan", key, org).json["tier_id"]
    return slug


def status(world: World, key: str = "demo-globex", org: str = GLOBEX) -> str:
    found: str = world.billing("GET", "plan", key, org).json["subscription"]["status"]
    return found


def test_a_new_subscription_sets_the_tier_by_its_price(world: World) -> None:
    answer = webhook(world, event("customer.subscription.created", subscription()))
    assert answer.status == 200
    (seen,) = answer.json["events"]
    assert (seen["kind"], seen["status"], seen["tier_slug"]) == ("subscription_created", "active", "pro")
    assert (seen["external_customer_id"], seen["external_subscription_id"]) == ("cus_acme", "sub_acme")
    assert seen["raw"]["data"]["object"]["id"] == "sub_acme"
    assert tier(world) == "pro"


def test_metadata_names_the_tier_before_the_price_does(world: World) -> None:
    thing = subscription(metadata={"org_id": ACME, "tier_slug": "business"})
    webhook(world, event("customer.subscription.created", thing))
    assert tier(world) == "business"


def test_an_unpublished_tier_can_be_had_by_contract(world: World) -> None:
    webhook(world, event("customer.subscription.created", subscription(price="price_enterprise_2024")))
    assert tier(world) == "enterprise-2024"


@pytest.mark.parametrize("shape", ["older", "newer"])
def test_invoices_of_both_shapes_find_their_subscription(world: World, shape: str) -> None:
    older = {"subscription": GLOBEX_SUBSCRIPTION}
    newer = {"parent": {"subscription_details": {"subscription": GLOBEX_SUBSCRIPTION}}}
    thing = older if shape == "older" else newer
    webhook(world, event("invoice.payment_failed", thing, "evt_a"))
    assert status(world) == "past_due"
    assert tier(world, "demo-globex", GLOBEX) == "pro"
    webhook(world, event("invoice.paid", thing, "evt_b"))
    assert status(world) == "active"


def test_cancelling_brings_back_the_default_tier(world: World) -> None:
    thing = {"id": GLOBEX_SUBSCRIPTION, "status": "canceled"}
    webhook(world, event("customer.subscription.deleted", thing))
    assert (tier(world, "demo-globex", GLOBEX), status(world)) == ("free", "canceled")


def test_news_of_a_subscription_that_was_replaced_changes_nothing(world: World) -> None:
    webhook(world, event("customer.subscription.created", subscription(), "evt_a"))
    webhook(world, event("customer.subscription.deleted", subscription(id="sub_older"), "evt_b"))
    assert tier(world) == "pro"


@pytest.mark.parametrize("kind", ["invoice.paid", "invoice.payment_failed", "customer.subscription.updated"])
def test_what_comes_after_the_end_does_not_bring_it_back(world: World, kind: str) -> None:
    webhook(world, event("customer.subscription.deleted", {"id": GLOBEX_SUBSCRIPTION}, "evt_a"))
    thing = {"id": GLOBEX_SUBSCRIPTION, "subscription": GLOBEX_SUBSCRIPTION, "status": "active"}
    webhook(world, event(kind, thing, "evt_b"))
    assert (tier(world, "demo-globex", GLOBEX), status(world)) == ("free", "canceled")


def test_an_invoice_that_takes_back_an_older_plan_does_not_undo_the_newer(world: World) -> None:
    webhook(world, event("customer.subscription.created", subscription(), "evt_a"))
    webhook(world, event("customer.subscription.updated", subscription(price="price_business_monthly"), "evt_b"))
    lines = [
        {"amount": -500, "proration": True, "price": {"id": "price_pro_monthly"}},
        {"amount": 900, "price": {"id": "price_business_monthly"}},
    ]
    invoice = {"subscription": "sub_acme", "lines": {"data": lines}}
    answer = webhook(world, event("invoice.paid", invoice, "evt_c"))
    assert answer.json["events"][0]["tier_slug"] == "business"
    assert tier(world) == "business"


class TestPending:
    @pytest.fixture
    def waiting(self, world: World) -> Any:
        world.settings(checkout="hosted")
        return world.billing("POST", "checkout", json={"tier_slug": "pro"}).json

    def checkout(self, world: World) -> Any:
        return world.billing("POST", "checkout", json={"tier_slug": "pro"}).json

    def test_the_provider_calls_it_by_another_id_and_ours_stays(self, world: World, waiting: Any) -> None:
        webhook(world, event("customer.subscription.created", subscription("incomplete"), "evt_a"))
        assert self.checkout(world) == waiting
        page = waiting["checkout_url"].removeprefix("http://127.0.0.1:4010")
        assert world.client.request("GET", page).status == 200
        paid = subscription("active", metadata={}, items={})
        webhook(world, event("customer.subscription.updated", paid, "evt_b"))
        assert tier(world) == "pro"
        assert world.billing("GET", "plan").json["subscription"]["external_id"] == "sub_acme"

    @pytest.mark.parametrize("state", ["incomplete_expired", "canceled"])
    def test_given_up_it_waits_no_longer(self, world: World, waiting: Any, state: str) -> None:
        webhook(world, event("customer.subscription.created", subscription("incomplete"), "evt_a"))
        webhook(world, event("customer.subscription.updated", subscription(state), "evt_b"))
        assert world.billing("GET", "plan").json["subscription"] is None
        assert self.checkout(world)["external_id"] != waiting["external_id"]

    def test_somebody_elses_invoice_does_not_pay_for_it(self, world: World, waiting: Any) -> None:
        webhook(world, event("invoice.paid", {"subscription": "sub_other", "metadata": {"org_id": ACME}}))
        assert tier(world) == "free"

    def test_an_id_with_odd_letters_still_makes_a_link(self, world: World) -> None:
        odd = subscription("incomplete", id="sub a/b?c#d")
        webhook(world, event("customer.subscription.created", odd))
        url = world.billing("GET", "plan").json["subscription"]["checkout_url"]
        assert url.endswith("/checkout/sub%20a%2Fb%3Fc%23d")
        assert world.client.request("GET", url.removeprefix("http://127.0.0.1:4010")).status == 200


def test_a_repeated_event_answers_the_same_and_changes_nothing(mock: Mock, world: World) -> None:
    body = event("customer.subscription.created", subscription())
    first = webhook(world, body)
    state = mock.worlds.get("still").state  # type: ignore[union-attr]
    assert webhook(world, body).json == first.json
    assert mock.worlds.get("still").state is state  # type: ignore[union-attr]


def test_a_repeated_event_id_is_recognised_whatever_else_it_says(world: World) -> None:
    webhook(world, event("customer.subscription.created", subscription()))
    webhook(world, event("customer.subscription.updated", subscription(price="price_business_monthly")))
    assert tier(world) == "pro"


def test_an_older_event_that_comes_late_changes_nothing(world: World) -> None:
    newer = subscription(price="price_business_monthly")
    webhook(world, event("customer.subscription.updated", newer, "evt_b", SIGNED_AT - 10))
    webhook(world, event("customer.subscription.created", subscription(), "evt_a", SIGNED_AT - 20))
    assert tier(world) == "business"


@pytest.mark.parametrize(
    "body",
    [
        event("customer.subscription.created", subscription(metadata={})),
        event("customer.subscription.created", subscription(metadata={"org_id": "nobody"})),
        event("customer.subscription.created", subscription(price="price_unknown")),
        event("customer.subscription.created", subscription(metadata={"org_id": ACME, "tier_slug": "gold"})),
        event("customer.subscription.created", subscription(status="of a new kind")),
        event("invoice.paid", {"subscription": "sub_of_nobody"}),
        event("customer.subscription.updated", subscription(id=GLOBEX_SUBSCRIPTION)),
        event("customer.created", {"id": "cus_1"}),
        event("a.type.from.the.future", {}),
    ],
)
def test_what_matches_nothing_is_accepted_and_changes_nothing(mock: Mock, world: World, body: bytes) -> None:
    before = mock.worlds.get("still").state.apis["openapp"]  # type: ignore[union-attr]
    answer = webhook(world, body)
    assert answer.status == 200
    assert len(answer.json["events"]) == 1
    assert mock.worlds.get("still").state.apis["openapp"] is before  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["customer.subscription.created", "invoice.paid", "checkout.session.completed"])
@pytest.mark.parametrize(
    "thing",
    [
        {"items": 5, "lines": {"data": 7}, "metadata": [], "parent": "x", "subscription": 3, "customer": {}},
        {"items": {"data": [None, 1, {"price": 5, "plan": None, "pricing": []}]}, "subscription": {"id": 5}},
        {"client_reference_id": "x" * 10_000, "status": {}, "customer": {"id": "cus_1"}},
    ],
)
def test_members_of_unexpected_shapes_are_survived(world: World, kind: str, thing: dict[str, Any]) -> None:
    assert webhook(world, event(kind, thing)).status == 200


class TestSignature:
    BODY = event("customer.created", {"id": "cus_1"})

    def post(self, world: World, headers: dict[str, str], body: bytes | None = None) -> Any:
        answer = world.call("POST", "/billing/webhooks/stripe", None, body=body or self.BODY, headers=headers)
        return answer.status, answer.json.get("error_code")

    def test_a_missing_one(self, world: World) -> None:
        assert self.post(world, {}) == (400, "signature_missing")

    @pytest.mark.parametrize("header", ["", "t=,v1=", "v1=abc", "t=1709164800", "t=abc,v1=abc", "t=1709164800,v1=abc"])
    def test_one_that_is_none(self, world: World, header: str) -> None:
        assert self.post(world, {"stripe-signature": header}) == (400, "signature_invalid")

    def test_a_wrong_secret(self, world: World) -> None:
        assert self.post(world, signed(self.BODY, SIGNED_AT, "whsec_other")) == (400, "signature_invalid")

    def test_a_changed_byte(self, world: World) -> None:
        changed = self.BODY.replace(b"cus_1", b"cus_2")
        assert self.post(world, signed(self.BODY, SIGNED_AT), changed) == (400, "signature_invalid")

    def test_a_body_that_was_parsed_and_written_again(self, world: World) -> None:
        again = json.dumps(json.loads(self.BODY), separators=(",", ":")).encode()
        assert self.post(world, signed(self.BODY, SIGNED_AT), again) == (400, "signature_invalid")

    @pytest.mark.parametrize(
        ("age", "expected"), [(300, (200, None)), (301, (400, "signature_expired")), (-9999, (200, None))]
    )
    def test_age_is_measured_on_the_clock_of_the_world(self, world: World, age: int, expected: Any) -> None:
        assert self.post(world, signed(self.BODY, SIGNED_AT - age)) == expected

    def test_the_tolerance_is_a_setting(self, world: World) -> None:
        world.settings(webhook_tolerance_s=0)
        assert self.post(world, signed(self.BODY, SIGNED_AT - 10**6)) == (200, None)

    def test_during_a_rotation_any_of_several_may_match(self, world: World) -> None:
        good = signed(self.BODY, SIGNED_AT)["Stripe-Signature"]
        timestamp, mac = good.split(",")
        assert self.post(world, {"stripe-signature": f"{timestamp},v1={'0' * 64},{mac},v0=ignored"}) == (200, None)

    @pytest.mark.parametrize(
        "body", [b"not json", b"[]", b"{}", b'{"id":1,"type":"x"}', b'{"id":"a","type":"b","data":{}}', b"\xff"]
    )
    def test_a_signed_body_that_is_no_event(self, world: World, body: bytes) -> None:
        assert self.post(world, signed(body, SIGNED_AT), body) == (400, "invalid_payload")

    def test_the_body_is_not_looked_at_before_the_signature_holds(self, world: World) -> None:
        assert self.post(world, {"stripe-signature": "t=1,v1=0"}, b"not json")[1] == "signature_invalid"

    def test_any_media_type_will_do(self, world: World) -> None:
        headers = {**signed(self.BODY, SIGNED_AT), "content-type": "application/octet-stream"}
        assert self.post(world, headers) == (200, None)

    def test_an_unknown_provider_is_404(self, world: World) -> None:
        assert webhook(world, self.BODY, provider="nobody").status == 404
