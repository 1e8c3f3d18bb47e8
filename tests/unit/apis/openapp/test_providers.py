"""Whatever a provider sends is an event or is none, and never a fault of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.providers import (
    PROVIDERS,
    InvalidEvent,
    ProviderEvent,
    paddle,
    read_event,
    square,
    stripe,
)
from mock_server.apis.openapp.model.providers import lemonsqueezy as ls
from mock_server.apis.openapp.model.state import Settings, SubscriptionStatus
from mock_server.engine.decisions import Accepted
from mock_server.engine.kernel import decide

from .acting import ACME, ROOT, domain, world
from .telling import KINDS, SECRETS, TELLERS, News, body_of

ROOT_FOLDER = Path(__file__).resolve().parents[4]
CATALOG = domain(world("demo")).catalog
MEANINGS = {
    "subscription_created", "subscription_updated", "subscription_canceled", "invoice_paid", "invoice_failed", "other",
}  # fmt: skip
MODULES = {"stripe": stripe, "paddle": paddle, "lemonsqueezy": ls, "square": square}

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300)
    | st.sampled_from(["active", "ACTIVE", "pro", ACME, "2024-02-29T00:00:00Z", "9999-99-99T00:00:00Z", "x" * 300, ""])
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
providers = st.sampled_from(sorted(PROVIDERS))
news = st.builds(
    News,
    kind=st.sampled_from(KINDS),
    id=st.sampled_from(["7", "12345678"]),
    status=st.sampled_from(["active", "past_due", "paused", "canceled", "cancelled", "unheard of"]),
    org=st.none() | st.just(ACME),
    tier=st.sampled_from([None, "pro", "gold"]),
    price=st.sampled_from([None, "1003", "9"]),
    at=st.integers(86_400, 4_000_000_000),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        below += places(each, (*path, key))
    return [path, *below]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value[path[0]] = put(value[path[0]], path[1:], new)
    return value


def judged(provider: str, payload: Any) -> ProviderEvent | InvalidEvent:
    try:
        return read_event(provider, payload, json.dumps(payload).encode(), CATALOG)
    except InvalidEvent as invalid:
        return invalid


def check(found: ProviderEvent | InvalidEvent, provider: str, payload: Any) -> None:
    if isinstance(found, InvalidEvent):
        assert str(found)
        return
    view = found.view()
    assert view["kind"] in MEANINGS
    assert (view["provider"], view["raw"]) == (provider, payload)
    assert 0 < len(found.id) <= 255
    assert 0 <= found.created < 2**53
    assert found.status in (None, *get_args(SubscriptionStatus))
    assert found.tier_slug is None or found.tier_slug in CATALOG.tiers
    if found.price_id is not None and found.tier_slug is not None:
        assert found.price_id in CATALOG.tiers[found.tier_slug].provider_prices[provider]
    for each in (found.customer, found.external_id, found.org_id, found.invoice_id):
        assert each is None or 0 < len(each) <= 255
    if found.money is not None:
        assert 0 <= found.money.amount < 2**53
        assert re.fullmatch("[a-z]{3}", found.money.currency)
    if found.kind == "other":
        assert (found.external_id, found.status, found.tier_slug) == (None, None, None)


@given(providers, st.dictionaries(st.text(max_size=12), values, max_size=5) | values)
def test_any_json_is_judged(provider: str, payload: Any) -> None:
    check(judged(provider, payload), provider, payload)


@given(providers, news, st.data())
def test_an_event_with_anything_anywhere_is_judged(provider: str, about: News, data: st.DataObject) -> None:
    payload = TELLERS[provider](about)
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(places(payload)))
        payload = put(payload, path, data.draw(values))
    check(judged(provider, payload), provider, payload)


@given(providers, news)
def test_what_is_told_is_what_is_read(provider: str, about: News) -> None:
    found = judged(provider, TELLERS[provider](about))
    assert isinstance(found, ProviderEvent)
    assert found.created == about.at
    if about.kind == "ping":
        assert found.kind == "other"
        return
    wanted = {"canceled": "subscription_canceled", "paid": "invoice_paid", "failed": "invoice_failed"}
    status = found.status
    if provider != "square" or status != "canceled":
        assert found.kind == wanted.get(about.kind, f"subscription_{about.kind}")
    certain = {"canceled": "canceled", "paid": "active", "failed": "past_due"}
    assert about.kind not in certain or status == certain[about.kind]
    assert (found.external_id, found.org_id) == (about.id, about.org)
    if about.tier is not None:
        assert found.tier_slug == (about.tier if about.tier in CATALOG.tiers else None)
    assert (found.invoice_id is not None) == about.is_invoice == (found.money is not None)


@given(providers, news, news)
def test_events_have_ids_of_their_own(provider: str, one: News, other: News) -> None:
    """The same event has the same id; Lemon Squeezy's come from their bytes alone."""
    found = [judged(provider, TELLERS[provider](each)) for each in (one, one, other)]
    first, again, another = (each.id for each in found if isinstance(each, ProviderEvent))
    assert first == again
    if provider == "lemonsqueezy":
        assert (first == another) == (body_of(provider, one) == body_of(provider, other))


@pytest.mark.parametrize("provider", ["paddle", "lemonsqueezy", "square"])
def test_an_invoice_of_no_subscription_is_another_event(provider: str) -> None:
    payload = TELLERS[provider](News("paid", "7", org=ACME, tier="pro"))
    things = {
        "paddle": lambda: payload["data"],
        "lemonsqueezy": lambda: payload["data"]["attributes"],
        "square": lambda: payload["data"]["object"]["invoice"],
    }
    things[provider]()["subscription_id"] = None
    found = judged(provider, payload)
    assert isinstance(found, ProviderEvent)
    assert (found.kind, found.status) == ("other", None)


@pytest.mark.parametrize(
    ("provider", "status", "ours"),
    [
        ("stripe", "unpaid", "past_due"), ("stripe", "incomplete_expired", "canceled"), ("paddle", "trialing", "active"),
        ("paddle", "paused", "past_due"), ("lemonsqueezy", "on_trial", "active"), ("lemonsqueezy", "unpaid", "past_due"),
        ("lemonsqueezy", "cancelled", "active"), ("lemonsqueezy", "expired", "canceled"),
        ("square", "DEACTIVATED", "past_due"), ("square", "COMPLETED", "canceled"), ("square", "active", "active"),
    ],
)  # fmt: skip
def test_states(provider: str, status: str, ours: str) -> None:
    found = judged(provider, TELLERS[provider](News("updated", "7", status)))
    assert isinstance(found, ProviderEvent)
    assert found.status == ours


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2024-02-30T00:00:00Z", "2024-02-29", "9999-12-31T23:59:59Z", 7, None]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_time_that_is_none_is_the_oldest(provider: str, time: Any) -> None:
    payload = TELLERS[provider](News())
    holder, name = {
        "stripe": (payload, "created"),
        "paddle": (payload, "occurred_at"),
        "lemonsqueezy": (payload["data"].get("attributes"), "updated_at"),
        "square": (payload, "created_at"),
    }[provider]
    holder[name] = time
    found = judged(provider, payload)
    assert isinstance(found, ProviderEvent)
    assert found.created == (7 if provider == "stripe" and time == 7 else 0)


def test_cancelled_at_lemon_squeezy_is_no_end() -> None:
    payload = lemonsqueezy_named("subscription_cancelled", "cancelled")
    found = judged("lemonsqueezy", payload)
    assert isinstance(found, ProviderEvent)
    assert (found.kind, found.status) == ("subscription_updated", "active")


def lemonsqueezy_named(name: str, status: str) -> dict[str, Any]:
    payload = TELLERS["lemonsqueezy"](News("updated", "7", status))
    payload["meta"]["event_name"] = name
    return payload


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_stands_for_the_rest_of_a_period_names_no_plan_if_a_whole_one_does(provider: str) -> None:
    if provider not in ("stripe", "paddle"):
        return  # one price each
    payload = TELLERS[provider](News("paid", "7", price="x"))
    if provider == "stripe":
        lines = payload["data"]["object"]["lines"]["data"]
        lines[:] = [
            {"proration": True, "amount": 5, "price": {"id": "price_pro_monthly"}},
            {"amount": 9, "price": {"id": "price_business_monthly"}},
        ]
    else:
        payload["data"]["items"] = [
            {"price": {"id": "pri_pro_monthly"}, "proration": {"rate": "0.5"}},
            {"price_id": "pri_enterprise_2024", "status": "inactive"},
            {"price_id": "pri_business_monthly"},
        ]
    found = judged(provider, payload)
    assert isinstance(found, ProviderEvent)
    assert found.tier_slug == "business"


def test_there_is_one_list_of_providers() -> None:
    assert set(get_args(get_type_hints(Settings)["provider"])) == PROVIDERS.keys() == SECRETS.keys()
    secrets = domain(world("demo")).webhook_secrets
    assert {name: secrets[name] for name in secrets} == {name: (secret,) for name, secret in SECRETS.items()}
    for tier in CATALOG.tiers.values():
        assert tier.is_default_for_personal or tier.provider_prices.keys() == PROVIDERS.keys()


@pytest.mark.parametrize("name", MODULES)
def test_the_pages_name_every_event_that_is_understood(name: str) -> None:
    path = yaml.safe_load((ROOT_FOLDER / "spec/openapp/paths/webhooks.yaml").read_text())
    described = re.search(rf"- `{name}` .*?(?=\n- `|\n\n)", path["webhook"]["post"]["description"], re.DOTALL)
    assert described is not None
    column = (ROOT_FOLDER / "docs/apis/openapp.md").read_text()
    for event_type in MODULES[name].KINDS:
        separator = "_" if name == "lemonsqueezy" else "."
        head, _, tail = event_type.rpartition(separator)
        short = [f"`{event_type}`", f"`{separator}{tail}`"]
        short += [f"`_{event_type.removeprefix('subscription_')}`"] if name == "lemonsqueezy" else []
        assert any(each in described[0] for each in short), (head, tail)
        assert any(each in column for each in short), (head, tail)


@given(providers, st.sampled_from(["starter", "pro", "business"]), st.integers(86_400, 4_000_000_000))
def test_the_report_of_a_payment_pays_for_what_is_pending(provider: str, tier: str, now: int) -> None:
    """For every provider, whichever the catalog has prices of."""
    state = world("demo")
    settings = msgspec.structs.replace(domain(state).settings, checkout="hosted", provider=provider)
    state = msgspec.structs.replace(
        state, apis=state.apis.insert("openapp", msgspec.structs.replace(domain(state), settings=settings))
    )
    _, outcome = decide(state, "openapp", lambda s, c: checkout(s, c, ROOT, ACME, tier), state.clock.now)
    assert isinstance(outcome, Accepted)
    found = judged(provider, PROVIDERS[provider].paid(ACME, outcome.reply, CATALOG.tiers[tier], now))
    assert isinstance(found, ProviderEvent)
    assert (found.created, found.status, found.tier_slug, found.org_id) == (now, "active", tier, ACME)
    assert found.external_id == outcome.reply.external_id
