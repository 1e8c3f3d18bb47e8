"""The same story told by each payment provider, in its own words: what it changes, what is refused and what ignored."""

from __future__ import annotations

import html
import json
import re
import shlex
from typing import Any

import msgspec
import pytest

from mock_server.apis.openapp.model.providers import PROVIDERS
from mock_server.http.mock import Mock
from tests.unit.apis.openapp.telling import KINDS, PRICES, SECRETS, TELLERS, News, body_of, signed

from .client import ACME, GLOBEX, Answer, World
from .recipes import SIGNED_AT

HERE = "http://127.0.0.1:4010"
BASIC = News(org=ACME, at=SIGNED_AT, id="70001")
OTHER = {"stripe": "paddle", "paddle": "lemonsqueezy", "lemonsqueezy": "square", "square": "stripe"}

pytestmark = pytest.mark.parametrize("provider", TELLERS)


def url_of(world: World, provider: str, base: str = "/api/v1") -> str:
    return f"{HERE}/w/{world.name}{base}/billing/webhooks/{provider}"


def post(world: World, provider: str, body: bytes, headers: dict[str, str]) -> Answer:
    return world.call("POST", f"/billing/webhooks/{provider}", None, body=body, headers=headers)


def tell(world: World, provider: str, news: News, **changes: Any) -> Any:
    """What it was understood to say."""
    body = body_of(provider, msgspec.structs.replace(news, **changes))
    answer = post(world, provider, body, signed(provider, body, SIGNED_AT, url=url_of(world, provider)))
    assert answer.status == 200, answer.body
    (seen,) = answer.json["events"]
    assert seen["raw"] == json.loads(body)
    assert seen["provider"] == answer.json["provider"] == provider
    return seen


def shown(world: World, org: str = ACME) -> tuple[str, str | None]:
    plan = world.billing("GET", "plan", "demo-operator", org).json
    return plan["tier_id"], plan["subscription"] and plan["subscription"]["status"]


def state_of(mock: Mock) -> Any:
    return mock.worlds.get("still").state.apis["openapp"]  # type: ignore[union-attr]


def told(mock: Mock, topic: str) -> list[Any]:
    happenings = mock.worlds.get("still").state.outbox.happenings  # type: ignore[union-attr]
    return [each.data for each in happenings if each.topic == topic]


def test_a_life(world: World, provider: str) -> None:
    """Bought, upgraded, not paid, paid, over."""
    prices = PRICES[provider]
    seen = tell(world, provider, BASIC, price=prices["pro"])
    assert (seen["kind"], seen["status"], seen["tier_slug"]) == ("subscription_created", "active", "pro")
    assert seen["external_subscription_id"] == "70001"
    assert seen["external_customer_id"].endswith("7")
    assert shown(world) == ("pro", "active")
    assert world.billing("GET", "plan").json["subscription"]["provider"] == provider
    seen = tell(world, provider, BASIC, kind="updated", price=prices["business"], number=2, org=None)
    assert (seen["kind"], seen["tier_slug"]) == ("subscription_updated", "business")
    assert shown(world) == ("business", "active")
    seen = tell(world, provider, BASIC, kind="failed", number=3, org=None)
    assert (seen["kind"], seen["status"], seen["external_subscription_id"]) == ("invoice_failed", "past_due", "70001")
    assert shown(world) == ("business", "past_due")
    assert tell(world, provider, BASIC, kind="paid", number=4, org=None)["kind"] == "invoice_paid"
    assert shown(world) == ("business", "active")
    seen = tell(world, provider, BASIC, kind="canceled", status="canceled", number=5, org=None)
    assert (seen["kind"], seen["status"]) == ("subscription_canceled", "canceled")
    assert shown(world) == ("free", "canceled")
    for n, kind in enumerate(("updated", "paid"), 6):
        tell(world, provider, BASIC, kind=kind, number=n, tier="pro")
        assert shown(world) == ("free", "canceled")


@pytest.mark.parametrize("status", ["active", "past_due", "canceled", "pending"])
def test_states(world: World, provider: str, status: str) -> None:
    theirs = {"lemonsqueezy": {"canceled": "expired"}}.get(provider, {}).get(status, status)
    if status == "pending" and provider in ("paddle", "lemonsqueezy"):
        return  # such a subscription does not exist there
    tell(world, provider, BASIC, tier="pro")
    seen = tell(world, provider, BASIC, kind="updated", status=theirs, number=2)
    assert seen["status"] == status
    assert shown(world)[1] == ("active" if status == "pending" else status)


def test_the_tier_by_name_comes_before_the_price(world: World, provider: str) -> None:
    assert tell(world, provider, BASIC, tier="business", price=PRICES[provider]["pro"])["tier_slug"] == "business"
    assert shown(world)[0] == "business"


def test_a_repeat_changes_nothing(mock: Mock, world: World, provider: str) -> None:
    first = tell(world, provider, BASIC, tier="pro")
    after, outside = state_of(mock), len(told(mock, "subscription.created"))
    assert tell(world, provider, BASIC, tier="pro") == first
    assert state_of(mock) is after
    assert len(told(mock, "subscription.created")) == outside


def test_what_comes_too_late_changes_nothing(mock: Mock, world: World, provider: str) -> None:
    tell(world, provider, BASIC, tier="business", number=2, at=SIGNED_AT - 10)
    before = state_of(mock)
    for kind in ("updated", "failed", "canceled"):
        tell(world, provider, BASIC, kind=kind, tier="pro", number=KINDS.index(kind) + 3, at=SIGNED_AT - 20)
        assert state_of(mock) is before
    assert not told(mock, "invoice.failed")


@pytest.mark.parametrize(
    "changes",
    [
        {"org": None}, {"org": "nobody"}, {"tier": "gold"}, {"tier": None}, {"status": "unheard of"},
        {"kind": "ping"}, {"kind": "failed"}, {"org": None, "kind": "paid"},
    ],
    ids=str,
)  # fmt: skip
def test_what_matches_nothing_changes_nothing(mock: Mock, world: World, provider: str, changes: dict[str, Any]) -> None:
    before = state_of(mock)
    tell(world, provider, BASIC, **{"tier": "pro", **changes})
    assert state_of(mock) is before
    assert not told(mock, "invoice.paid") + told(mock, "invoice.failed")


def test_another_providers_subscription_is_not_its_own(mock: Mock, world: World, provider: str) -> None:
    tell(world, OTHER[provider], BASIC, tier="pro")
    before = state_of(mock)
    for n, org in enumerate((ACME, GLOBEX, None), 2):
        tell(world, provider, BASIC, kind="updated", tier="business", number=n, org=org)
        assert state_of(mock) is before
    tell(world, provider, BASIC, id="70002", tier="business", number=9)
    assert shown(world) == ("business", "active")


def test_invoices_are_told_of_with_what_they_come_to(mock: Mock, world: World, provider: str) -> None:
    tell(world, provider, BASIC, price=PRICES[provider]["business"])
    tell(world, provider, BASIC, kind="failed", number=2)
    tell(world, provider, BASIC, kind="paid", number=3)
    (failed,), (paid,) = told(mock, "invoice.failed"), told(mock, "invoice.paid")
    assert {name: value for name, value in paid.items() if failed[name] != value} == {}
    assert paid["invoice_id"].endswith("7")
    ours = world.billing("GET", "plan").json["subscription"]["subscription_id"]
    assert {name: value for name, value in paid.items() if name not in ("invoice_id", "price_id")} == {
        "org_id": ACME,
        "org_name": "Acme Doors",
        "external_id": "70001",
        "subscription_id": ours,
        "provider": provider,
        "tier_slug": "business",
        "amount": 700,
        "currency": "eur",
    }
    (created,) = told(mock, "subscription.created")
    assert (created["price_id"], created["previous_tier_slug"]) == (PRICES[provider]["business"], "free")


class TestSignature:
    def refused(self, world: World, provider: str, headers: dict[str, str], body: bytes | None = None) -> str:
        answer = post(world, provider, body or body_of(provider, BASIC), headers)
        assert answer.status == 400
        code: str = answer.code
        assert not any(secret.encode() in answer.body for secret in SECRETS.values())
        return code

    def right(self, world: World, provider: str, at: int = SIGNED_AT, **more: Any) -> dict[str, str]:
        return signed(provider, body_of(provider, BASIC), at, **{"url": url_of(world, provider), **more})

    def test_none(self, world: World, provider: str) -> None:
        others = self.right(world, OTHER[provider])
        assert self.refused(world, provider, {}) == "signature_missing"
        assert self.refused(world, provider, others) == "signature_missing"

    def test_of_other_bytes_or_by_another_secret(self, world: World, provider: str) -> None:
        good = self.right(world, provider)
        assert self.refused(world, provider, good, body_of(provider, BASIC) + b"\n") == "signature_invalid"
        wrong = self.right(world, provider, secret="another one")
        assert self.refused(world, provider, wrong) == "signature_invalid"
        assert self.refused(world, provider, dict.fromkeys(good, "x")) == "signature_invalid"

    @pytest.mark.parametrize("age", [-301, -300, 300, 301])
    def test_its_age(self, world: World, provider: str, age: int) -> None:
        is_late = provider in ("stripe", "paddle") and age > 300
        is_early = provider == "paddle" and age < -300
        headers = self.right(world, provider, SIGNED_AT - age)
        if is_late or is_early:
            assert self.refused(world, provider, headers) == "signature_expired"
            world.settings(webhook_tolerance_s=0)
        assert post(world, provider, body_of(provider, BASIC), headers).status == 200

    @pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", b"7", b'{"id": 1, "data": {"object": []}}', b"\xff"])
    def test_of_what_is_no_event(self, world: World, provider: str, body: bytes) -> None:
        headers = signed(provider, body, SIGNED_AT, url=url_of(world, provider))
        assert self.refused(world, provider, headers, body) == "invalid_payload"

    def test_during_a_rotation(self, world: World, provider: str) -> None:
        state = world.control("GET", "/state").json
        both = ["first one", "second one"]
        state["domain"]["webhook_secrets"][provider] = both
        assert world.control("PUT", "/state", json=state).status == 200
        assert world.control("GET", "/state").json["domain"]["webhook_secrets"][provider] == both
        for secret in both:
            headers = self.right(world, provider, secret=secret)
            assert post(world, provider, body_of(provider, BASIC), headers).status == 200
        assert self.refused(world, provider, self.right(world, provider)) == "signature_invalid"


def test_the_url_that_is_signed_leads_here(world: World, provider: str) -> None:
    """In either spelling; another world's, another host's or another provider's does not. Only Square minds."""
    body, right = body_of(provider, BASIC), url_of(world, provider)
    for url in (right, url_of(world, provider, "")):
        assert post(world, provider, body, signed(provider, body, SIGNED_AT, url=url)).status == 200
    wrong = (f"{right}/", f"{right}?x=1", right.replace("http:", "https:"), right.replace("/w/still", ""))
    for url in (*wrong, right.replace("127.0.0.1", "localhost"), right.replace("square", "paddle") + "x"):
        expected = 400 if provider == "square" else 200
        assert post(world, provider, body, signed(provider, body, SIGNED_AT, url=url)).status == expected


def test_a_hosted_checkout_is_paid_by_the_command_on_its_page(mock: Mock, world: World, provider: str) -> None:
    world.settings(checkout="hosted", provider=provider)
    waiting = world.billing("POST", "checkout", json={"tier_slug": "business"}).json
    assert (waiting["provider"], waiting["status"]) == (provider, "pending")
    page = world.client.request("GET", waiting["checkout_url"].removeprefix(HERE)).body.decode()
    is_timed = provider in ("stripe", "paddle")
    assert ("good for 300 s" in page) == is_timed
    command = shlex.split(html.unescape(page.split("<code>")[1].split("</code>")[0]))
    headers = dict(re.split(": ", command[n + 1], maxsplit=1) for n, word in enumerate(command) if word == "-H")
    body = command[command.index("-d") + 1].encode()
    answer = world.client.request("POST", command[3].removeprefix(HERE), body=body, headers=headers)
    assert answer.status == 200, answer.body
    assert shown(world) == ("business", "active")
    plan = world.billing("GET", "plan").json["subscription"]
    assert (plan["subscription_id"], plan["external_id"]) == (waiting["subscription_id"], waiting["external_id"])
    assert told(mock, "subscription.created")[0]["provider"] == provider


def test_an_instant_checkout_is_the_settings_providers(mock: Mock, world: World, provider: str) -> None:
    world.settings(provider=provider)
    assert world.billing("POST", "checkout", json={"tier_slug": "pro"}).json["provider"] == provider
    (invoice,) = told(mock, "invoice.paid")
    first = PROVIDERS[provider] is not None and PRICES[provider]["pro"]
    assert (invoice["price_id"], invoice["amount"], invoice["currency"]) == (first, 4900, "usd")
