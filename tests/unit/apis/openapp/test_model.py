"""OpenApp's model under any sequence of commands: what must hold afterwards, whatever happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.degradation import set_policy
from mock_server.apis.openapp.model.overrides import list_overrides, upsert_override
from mock_server.apis.openapp.model.plans import billing_plan
from mock_server.apis.openapp.model.quotas import QUOTAS
from mock_server.apis.openapp.model.state import OpenApp
from mock_server.apis.openapp.model.usage import usage
from mock_server.apis.openapp.model.webhook_ingress import receive
from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import SECOND, format_instant
from mock_server.engine.kernel import Jobs, advance, decide
from mock_server.engine.world import WorldState
from mock_server.scenarios import initial_state, read_scenario
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

from .telling import KINDS, TELLERS, URL, News, body_of, signed

ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
START = 1_709_164_800 * SECOND
ROOT = Caller("root", None, frozenset({OPERATOR}))
JOBS: Jobs = {("openapp", name): job for name, job in API.jobs.items()}
ORGS = (ACME, GLOBEX)
TIERS = ["free", "starter", "pro", "business"]

orgs = st.sampled_from([ACME, GLOBEX])
checkouts = st.tuples(st.just("checkout"), orgs, st.sampled_from([*TIERS, "gold", "enterprise-2024"]))
modes = st.tuples(st.just("mode"), st.sampled_from(["instant", "hosted"]))
policies = st.tuples(st.just("policy"), orgs, st.sampled_from(["newest_first", "manual"]))
waits = st.tuples(st.just("wait"), st.integers(0, 40))
overrides = st.tuples(
    st.just("override"),
    orgs,
    st.sampled_from(["devices", "door_opens"]),
    st.integers(0, 9),
    st.one_of(st.none(), st.integers(-5, 30)),
)
events = st.tuples(
    st.just("event"),
    st.integers(0, 5),  # event id
    st.sampled_from(
        [
            "checkout.session.completed",
            "customer.subscription.created",
            "customer.subscription.updated",
            "customer.subscription.deleted",
            "invoice.paid",
            "invoice.payment_failed",
            "ping",
        ]
    ),
    st.sampled_from(["sub_demo_globex", "sub_a", "sub_b", "the current one", "the pending one"]),
    st.one_of(st.none(), orgs),
    st.one_of(st.none(), st.sampled_from([*TIERS, "gold"])),
    st.sampled_from(["active", "past_due", "incomplete", "canceled", "strange"]),
    st.integers(-50, 5),  # age of the provider's time
)
news = st.tuples(
    st.just("news"),
    st.sampled_from(sorted(TELLERS)),
    st.integers(0, 5),  # event id
    st.sampled_from(KINDS),
    st.sampled_from(["sub_demo_globex", "71", "72", "the current one", "the pending one"]),
    st.one_of(st.none(), orgs),
    st.one_of(st.none(), st.sampled_from([*TIERS, "gold"])),
    st.sampled_from(["active", "past_due", "pending", "canceled", "strange"]),
    st.integers(-50, 5),  # age of the provider's time
)
modes_and_providers = st.one_of(modes, st.tuples(st.just("provider"), st.sampled_from(sorted(TELLERS))))
histories = st.lists(
    st.one_of(checkouts, modes_and_providers, policies, waits, overrides, events, news, news), max_size=20
)


def world() -> WorldState:
    return initial_state(read_scenario("demo"), {"openapp": API}, 7, START, now=START)


def domain(state: WorldState) -> OpenApp:
    found: OpenApp = state.apis["openapp"]
    return found


def step(state: WorldState, command: tuple[Any, ...]) -> WorldState:
    """The world after one command, with what holds for every single command asserted on the way."""
    kind, *args = command
    if kind == "wait":
        return advance(state, state.clock.now + args[0] * 86_400 * SECOND, JOBS)[0]
    if kind in ("mode", "provider"):
        settings = msgspec.structs.replace(
            domain(state).settings, **{"checkout" if kind == "mode" else "provider": args[0]}
        )
        changed = msgspec.structs.replace(domain(state), settings=settings)
        return msgspec.structs.replace(state, apis=state.apis.insert("openapp", changed))
    after, outcome = decide(state, "openapp", lambda s, c: perform(kind, args, s, c), state.clock.now)
    if isinstance(outcome, Refused):
        assert after is state
    elif kind == "checkout":
        again, repeated = decide(after, "openapp", lambda s, c: perform(kind, args, s, c), state.clock.now)
        assert again is after, "asking again changes nothing"
        assert isinstance(repeated, Accepted)
        assert repeated.reply == outcome.reply, "and answers the same"
    elif kind in ("event", "news"):
        again, repeated = decide(after, "openapp", lambda s, c: perform(kind, args, s, c), state.clock.now)
        assert again is after, "a repeated event changes nothing"
        for before, now in (
            (domain(state).orgs[org].subscription, domain(after).orgs[org].subscription) for org in ORGS
        ):
            if before is not None and now is not None and before.external_id == now.external_id:
                assert before.provider_time <= now.provider_time, "what is older comes too late"
                assert before.plan_time <= now.plan_time
                assert before.status != "canceled" or now.status == "canceled"
                assert before.provider == now.provider
    return after


def perform(kind: str, args: list[Any], state: OpenApp, context: Context) -> Accepted[OpenApp, Any] | Refused:
    if kind == "checkout":
        return checkout(state, context, ROOT, *args)
    if kind == "policy":
        return set_policy(state, context, ROOT, *args)
    if kind == "override":
        org, key, limit, days = args
        expires = None if days is None else format_instant(context.now + days * 86_400 * SECOND)
        body = {"subject_type": "org", "subject_id": org, "quota_key": key, "limit_value": limit, "expires_at": expires}
        return upsert_override(state, context, body)
    if kind == "news":
        provider, number, told, external, org, tier, status, age = args
        at = context.now // SECOND + age
        about = News(told, external_id(state, external, org), status, org, tier, None, at, number)
        body = body_of(provider, about)
        headers = signed(provider, body, context.now // SECOND)
        return receive(state, context, provider, headers, body, json.loads, [URL])
    body = json.dumps(stripe_event(state, context, *args)).encode()
    headers = {
        name.lower(): value
        for name, value in stripe.SCHEME.sign(Message(body), "whsec_demo", context.now // SECOND).headers
    }
    return receive(state, context, "stripe", headers, body, json.loads)


def external_id(state: OpenApp, external: str, org: str | None) -> str:
    held = state.orgs[org or GLOBEX]
    chosen = {"the current one": held.subscription, "the pending one": held.pending}.get(external)
    return chosen.external_id if chosen is not None else external


def stripe_event(
    state: OpenApp, context: Context, number: int, kind: str, external: str, org: str | None, tier: str | None,
    status: str, age: int,
) -> Mapping[str, Any]:  # fmt: skip
    metadata = {"tier_slug": tier} if tier else {}
    if org is not None:
        metadata["org_id"] = org
    id_name = "id" if kind.startswith("customer.") else "subscription"
    thing = {
        id_name: external_id(state, external, org),
        "status": status,
        "metadata": metadata,
        "payment_status": "paid",
    }
    return {"id": f"evt_{number}", "type": kind, "created": context.now // SECOND + age, "data": {"object": thing}}


@given(histories)
def test_what_holds_after_any_history(history: list[tuple[Any, ...]]) -> None:
    state = world()
    for command in history:
        state = step(state, command)
        check(domain(state))


def check(state: OpenApp) -> None:
    known = {}
    for org in state.orgs.values():
        assert org.tier_slug in state.catalog.tiers
        for subscription in (org.subscription, org.pending):
            if subscription is not None:
                assert subscription.tier_slug in state.catalog.tiers
                assert subscription.external_id not in known
                known[subscription.external_id] = org.id
        if org.subscription is not None:
            canceled = org.subscription.status == "canceled"
            assert org.tier_slug == ("free" if canceled else org.subscription.tier_slug)
            assert org.subscription.status != "pending"
        if org.pending is not None:
            assert org.pending.status == "pending"
            assert org.subscription is None or org.pending.external_id != org.subscription.external_id
    assert dict(state.by_external_id.items()) == known


@given(histories)
def test_the_state_survives_being_kept_and_put_back(history: list[tuple[Any, ...]]) -> None:
    state = world()
    for command in history:
        state = step(state, command)
    kept = json.loads(json.dumps(API.dump(domain(state))))
    again = API.load(kept)
    assert again == domain(state)
    assert json.loads(json.dumps(API.dump(again))) == kept


@given(histories)
def test_reports_agree_with_each_other(history: list[tuple[Any, ...]]) -> None:
    state = world()
    for command in history:
        state = step(state, command)
    context = state.context(state.clock.now)
    listed = {
        (each["subject_id"], each["quota_key"], each["period"]): each
        for each in list_overrides(domain(state), context)["overrides"]
    }
    for org in (ACME, GLOBEX):
        report, plan = usage(domain(state), context, ROOT, org), billing_plan(domain(state), context, ROOT, org, "")
        assert isinstance(report, dict)
        assert isinstance(plan, dict)
        assert report["tier_slug"] == plan["tier_id"]
        tier = domain(state).catalog.tiers[plan["tier_id"]]
        for item in report["items"]:
            override = listed.get((org, item["key"], item["period"]))
            limit = item["limit"]
            if override is not None and override["active"]:
                assert limit == {"value": override["limit_value"], "source": {"kind": "override", "id": override["id"]}}
            elif item["period"] in tier.quotas.get(item["key"], {}):
                expected = tier.quotas[item["key"]][item["period"]]
                assert limit == {"value": expected, "source": {"kind": "tier", "slug": tier.slug}}
            else:
                assert limit == {"value": None, "source": {"kind": "default"}}
        assert {item["key"] for item in report["items"]} == QUOTAS.keys()


@given(histories, st.integers(0, 60), st.lists(st.integers(0, 60), max_size=6))
def test_one_step_of_time_equals_many(history: list[tuple[Any, ...]], days: int, stops: list[int]) -> None:
    state = world()
    for command in history:
        state = step(state, command)
    start = state.clock.now
    at_once, _ = advance(state, start + days * 86_400 * SECOND, JOBS)
    for stop in [*sorted(s for s in stops if s <= days), days]:
        state, _ = advance(state, start + stop * 86_400 * SECOND, JOBS)
    assert state == at_once
