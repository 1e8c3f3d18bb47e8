"""What the outside hears: held against usage reports and a count of its own; never a change to what is answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.model import (
    api_keys,
    assistance,
    consumption,
    doors,
    inventory,
    lifetimes,
    organizations,
    portals,
    scripting,
    users,
)
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.consumption import consumed
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.lifecycle import rescheduled
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.portals import view_portal
from mock_server.apis.openapp.model.state import Subscription
from mock_server.apis.openapp.model.thresholds import filled
from mock_server.apis.openapp.model.usage import usage_items
from mock_server.apis.openapp.model.webhook_ingress import receive
from mock_server.engine.decisions import Accepted, Emit, Refused
from mock_server.engine.instants import DAY, SECOND, format_instant
from mock_server.engine.kernel import advance, decide
from mock_server.engine.world import WorldState

from .acting import (
    ACME,
    GLOBEX,
    JOBS,
    ROOT,
    START,
    Command,
    Outcome,
    act,
    commands,
    domain,
    happened,
    histories,
    settings_with,
    world,
)
from .telling import KINDS, SECRETS, TELLERS, URL, News, body_of, signed

KINDS_OF_THINGS = ("integrations", "devices", "entities", "zones", "api_keys")
MEMBERS = {
    "subscription": {
        "org_id", "org_name", "external_id", "subscription_id", "provider", "status", "tier_slug", "previous_tier_slug",
        "price_id",
    },
    "invoice": {
        "org_id", "org_name", "invoice_id", "external_id", "subscription_id", "provider", "tier_slug", "price_id",
        "amount", "currency",
    },
    "quota": {"org_id", "key", "period", "period_label", "current", "limit", "percent"},
    "degradation": {"org_id", "from", "to"},
    "override": {"org_id", "override_id", "quota_key", "period", "limit_value", "expires_at", "reason"},
    "portal": {"org_id"},
}  # fmt: skip
NEWS_OF_QUOTAS = ("quota.warning", "quota.reached")
Level = dict[tuple[str, str, str, str], tuple[int, int | None]]
"""By organization, key, period and label: how much is used, and the limit."""


def emitted(outcome: Outcome | Any) -> list[Emit]:
    effects = outcome.effects if isinstance(outcome, Accepted) else ()
    return [each for each in effects if isinstance(each, Emit)]


def levels(state: WorldState) -> Level:
    found: Level = {}
    for org in domain(state).orgs.values():
        for item in usage_items(domain(state), org, state.clock.now):
            if item["period"] != "per_session":
                place = org.id, item["key"], item["period"], item["period_label"]
                found[place] = item["current"], item["limit"]["value"]
    return found


def crossings(before: Level, after: Level) -> Counter[Any]:
    """The thresholds that lie between two reports, in fractions of hundred."""
    found: Counter[Any] = Counter()
    for place, (now, limit) in after.items():
        was = before.get(place, (0, None))[0]
        for topic, part in zip(NEWS_OF_QUOTAS, (80, 100), strict=True):
            if limit and was / limit * 100 < part - 1e-9 <= now / limit * 100:
                found[topic, *place, now, limit] += 1
    return found


class TestQuotas:
    @given(histories)
    def test_every_crossing_is_told_once_and_nothing_else(self, history: list[Command]) -> None:
        state = world("demo")
        for command in history:
            before = levels(state)
            state, outcome = act(state, command)
            news = [each for each in emitted(outcome) if each.topic in NEWS_OF_QUOTAS]
            if command[0] in ("wait", "settings", "tier", "limit"):
                assert not news, "time and limits cross nothing"
                continue
            told = Counter(
                (e.topic, e.subject, *(e.data[n] for n in ("key", "period", "period_label", "current", "limit")))
                for e in news
                if "session" not in e.data
            )
            assert told == crossings(before, levels(state))

    @given(
        st.lists(st.tuples(st.integers(0, 40 * 86_400), st.integers(1, 12)), max_size=40),
        st.tuples(st.integers(0, 30), st.integers(0, 60), st.integers(0, 120)),
    )
    def test_once_in_each_window(self, uses: list[tuple[int, int]], limits: tuple[int, int, int]) -> None:
        """Counted with the calendar of Python's library, from what was accepted."""
        state = world("demo")
        most = dict(zip(("day", "week", "month"), limits, strict=True))
        for period, limit in most.items():
            body = {"subject_type": "org", "subject_id": ACME, "quota_key": "door_opens", "period": period}
            state, _ = decide(
                state, "openapp", lambda s, c, b=body, n=limit: upsert_override(s, c, {**b, "limit_value": n}), START
            )
        used: Counter[str] = Counter()
        told: list[Emit] = []
        for gap, amount in uses:
            state, _ = advance(state, state.clock.now + gap * SECOND, JOBS)
            state, outcome = decide(
                state, "openapp", lambda s, c, n=amount: consumed(s, c, ACME, "door_opens", n, None), state.clock.now
            )
            told += emitted(outcome)
            labels = labels_at(state.clock.now)
            fits = all(used[labels[period]] + amount <= limit for period, limit in most.items())
            assert isinstance(outcome, Refused) != fits
            if fits:
                used.update(dict.fromkeys(labels.values(), amount))
        expected = Counter(
            (topic, label)
            for label, count in used.items()
            for topic, part in zip(NEWS_OF_QUOTAS, (80, 100), strict=True)
            if count * 100 >= most[label.split(":")[0]] * part
        )
        assert Counter((each.topic, each.data["period_label"]) for each in told) == expected

    @given(st.integers(0, 10**6), st.integers(1, 10**6), st.none() | st.integers(0, 10**6))
    def test_between_two_counts(self, before: int, amount: int, limit: int | None) -> None:
        after = before + amount
        topics = [each.topic for each in filled("o", "k", "day", "day:x", before, after, limit)]
        assert topics == sorted(topics, reverse=True), "the warning first"
        if not limit:
            assert topics == []
        else:
            assert ("quota.reached" in topics) == (before < limit <= after)
            assert ("quota.warning" in topics) == (before * 5 < limit * 4 <= after * 5)

    @given(st.lists(st.tuples(st.sampled_from(["s1", "s2"]), st.integers(1, 9)), max_size=20), st.integers(0, 30))
    def test_once_in_each_session(self, uses: list[tuple[str, int]], limit: int) -> None:
        key = "video_session_duration_seconds"
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": limit}
        state, _ = decide(world("demo"), "openapp", lambda s, c: upsert_override(s, c, body), START)
        used: Counter[str] = Counter()
        told: Counter[tuple[str, str]] = Counter()
        for session, amount in uses:
            state, outcome = decide(
                state, "openapp", lambda s, c, n=amount, i=session: consumed(s, c, ACME, key, n, i), START
            )
            told.update((each.topic, each.data["session"]) for each in emitted(outcome))
            used[session] += 0 if isinstance(outcome, Refused) else amount
        expected = {("quota.warning", each) for each, count in used.items() if count and count * 5 >= limit * 4}
        expected |= {("quota.reached", each) for each, count in used.items() if count and count >= limit}
        assert told == Counter(expected)

    def test_both_at_once(self) -> None:
        state, outcome = decide(
            world("demo"), "openapp", lambda s, c: consumed(s, c, ACME, "door_opens", 50, None), START
        )
        warning, reached = emitted(outcome)
        assert (warning.topic, reached.topic) == NEWS_OF_QUOTAS
        assert reached.data == {
            "org_id": ACME,
            "key": "door_opens",
            "period": "day",
            "period_label": "day:2024-02-29",
            "current": 50,
            "limit": 50,
            "percent": 100,
        }
        assert [each.topic for each in state.outbox.happenings] == list(NEWS_OF_QUOTAS)

    def test_every_operation_that_is_metered_tells(self) -> None:
        """The last use that fits in, by each of its operations."""
        full = [
            ("door_opens", lambda s, c: execute_action(s, c, ROOT, "ent-front-door", "open")),
            ("portal_views", lambda s, c: view_portal(s, c, "portal-demo")),
            ("scripting_executions", lambda s, c: scripting.create_execution(s, c, ROOT, ACME, "x", json.loads)),
            (
                "ai_requests",
                lambda s, c: assistance.translate(
                    s, c, ROOT, ACME, {"title": "x", "body": "y", "target_locales": ["de"]}
                ),
            ),
            (
                "geocoding_requests",
                lambda s, c: assistance.reverse_geocode(s, c, ROOT, ACME, {"lat": 0, "lng": 0}),
            ),
        ]
        for key, call in full:
            body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": 1}
            scenario = "over-capacity" if key == "door_opens" else "demo"
            state, _ = decide(world(scenario), "openapp", lambda s, c, b=body: upsert_override(s, c, b), START)
            state, outcome = decide(state, "openapp", call, START)
            topics = [(each.topic, each.data["key"]) for each in emitted(outcome)]
            assert topics == [(topic, key) for topic in NEWS_OF_QUOTAS]
            state, outcome = decide(state, "openapp", call, START)
            assert isinstance(outcome, Refused)

    @pytest.mark.parametrize(
        ("key", "before", "command"),
        [
            *((kind, [], ("create", kind, 0, 0, None)) for kind in KINDS_OF_THINGS),
            *((kind, [("delete", kind, 0, True)], ("restore", kind, 0)) for kind in ("zones", "devices", "api_keys")),
            ("org_users", [], ("user", (0,))),
            ("organizations", [], ("organization", 0)),
        ],
        ids=str,
    )
    def test_the_last_one_that_there_is_room_for(self, key: str, before: list[Command], command: Command) -> None:
        state = happened(world(), before)
        most = domain(state).held_by(ACME).count(key) + 1
        state = happened(state, [("limit", 0, key, most, None)])
        state, outcome = act(state, command)
        told = [each for each in emitted(outcome) if each.topic == "quota.reached"]
        assert [(each.subject, each.data["key"], each.data["current"]) for each in told] == [(ACME, key, most)]
        assert isinstance(act(state, command)[1], Refused) or command[0] == "restore"

    def test_a_repeat_under_the_same_key_tells_nothing(self) -> None:
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": "door_opens", "limit_value": 1}
        state, _ = decide(world("over-capacity"), "openapp", lambda s, c: upsert_override(s, c, body), START)
        told = []
        for _ in range(2):
            state, outcome = decide(
                state, "openapp", lambda s, c: execute_action(s, c, ROOT, "ent-front-door", "open", b"", "k"), START
            )
            told.append(len(emitted(outcome)))
        assert told == [2, 0]


def labels_at(instant: int) -> dict[str, str]:
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).date()
    year, week, _ = day.isocalendar()
    return {"day": f"day:{day}", "week": f"week:{year}-W{week:02}", "month": f"month:{day:%Y-%m}"}


@contextmanager
def silent() -> Iterator[None]:
    """A model that tells nothing of quotas."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (assistance, consumption, doors, portals, scripting):
            patch.setattr(module, "crossed", lambda *_: ())
        patch.setattr(consumption, "crossed_in_session", lambda *_: ())
        for module in (api_keys, inventory, lifetimes, organizations, users):
            patch.setattr(module, "filling", lambda *_: ())
        yield


def answers(history: list[Command]) -> tuple[list[Any], Any, WorldState]:
    state, seen = world("demo"), []
    for command in history:
        state, outcome = act(state, command)
        seen.append(outcome.reply if isinstance(outcome, Accepted) else outcome)
    return seen, domain(state), state


@given(histories)
def test_telling_changes_no_answer_and_no_state(history: list[Command]) -> None:
    aloud, there, told = answers(history)
    with silent():
        softly, here, untold = answers(history)
    assert aloud == softly
    assert there == here
    assert msgspec.structs.replace(told, outbox=untold.outbox) == untold


@given(histories, st.lists(commands, max_size=5))
def test_what_is_refused_tells_nothing(history: list[Command], more: list[Command]) -> None:
    state = happened(world(), history)
    for command in more:
        after, outcome = act(state, command)
        if isinstance(outcome, Refused):
            assert after.outbox is state.outbox
        state = after


@given(histories)
def test_it_has_the_members_that_the_page_names_and_is_json(history: list[Command]) -> None:
    for each in happened(world("demo"), history).outbox.happenings:
        data = dict(each.data)
        if each.topic.startswith("quota.") and data["period"] == "per_session":
            assert data.pop("session")
        assert data.keys() == MEMBERS[each.topic.split(".")[0]], each.topic
        assert each.subject == data["org_id"]
        assert json.loads(json.dumps(data)) == data


def test_an_override_that_expires_says_what_it_was() -> None:
    expires = format_instant(START + DAY)
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "zones", "limit_value": 9, "expires_at": expires}
    state, _ = decide(world("demo"), "openapp", lambda s, c: upsert_override(s, c, {**body, "reason": "trial"}), START)
    state, _ = advance(state, START + 2 * DAY, JOBS)
    (expired,) = state.outbox.happenings
    assert (expired.topic, expired.at) == ("override.expired", START + DAY)
    assert {name: expired.data[name] for name in ("quota_key", "period", "limit_value", "expires_at", "reason")} == {
        "quota_key": "zones",
        "period": "lifetime",
        "limit_value": 9,
        "expires_at": expires,
        "reason": "trial",
    }


def bought(state: WorldState, tier: str, org: str = ACME) -> tuple[WorldState, list[Emit]]:
    state, outcome = decide(state, "openapp", lambda s, c: checkout(s, c, ROOT, org, tier), START)
    assert isinstance(outcome, Accepted)
    return state, emitted(outcome)


class TestCheckout:
    def test_a_subscription_and_its_invoice(self) -> None:
        state, (created, invoice) = bought(world("demo"), "pro")
        held = domain(state).orgs[ACME].subscription
        assert held is not None
        about = {
            "org_id": ACME,
            "org_name": "Acme Doors",
            "external_id": held.external_id,
            "subscription_id": held.subscription_id,
            "provider": "stripe",
            "tier_slug": "pro",
            "price_id": "price_pro_monthly",
        }
        assert (created.topic, invoice.topic) == ("subscription.created", "invoice.paid")
        assert created.data == {**about, "status": "active", "previous_tier_slug": "free"}
        invoice_id = invoice.data["invoice_id"]
        assert invoice_id.startswith("in_")
        assert invoice.data == {**about, "invoice_id": invoice_id, "amount": 4900, "currency": "usd"}
        state, (updated, again) = bought(state, "business")
        assert (updated.topic, updated.data["previous_tier_slug"]) == ("subscription.updated", "pro")
        assert again.data["invoice_id"] != invoice_id

    def test_what_costs_nothing_has_no_invoice(self) -> None:
        _, news = bought(world("demo"), "free", GLOBEX)
        assert [each.topic for each in news] == ["subscription.updated"]

    def test_asked_again_or_not_paid_yet_it_tells_nothing(self) -> None:
        state, _ = bought(world("demo"), "pro")
        assert bought(state, "pro")[1] == []
        settings = settings_with(state, {"checkout": "hosted"})
        hosted = state.apis.insert("openapp", msgspec.structs.replace(domain(state), settings=settings))
        assert bought(msgspec.structs.replace(state, apis=hosted), "business")[1] == []


told_events = st.builds(
    News,
    kind=st.sampled_from(KINDS),
    id=st.sampled_from(["71", "72"]),
    status=st.sampled_from(["active", "past_due", "canceled"]),
    org=st.sampled_from([None, ACME, ACME, GLOBEX]),
    tier=st.sampled_from([None, "pro", "business"]),
    at=st.integers(START // SECOND - 30, START // SECOND),
    number=st.integers(0, 30),
)


def visible(subscription: Subscription | None) -> object:
    """What a subscription is to those who are told of it."""
    if subscription is None:
        return None
    return subscription.external_id, subscription.provider, subscription.status, subscription.tier_slug


@given(st.sampled_from(sorted(TELLERS)), st.lists(told_events, min_size=3, max_size=15))
def test_an_invoice_is_told_of_when_its_event_is_applied(provider: str, story: list[News]) -> None:
    state = world("demo")
    for news in story:
        body = body_of(provider, news)
        headers = signed(provider, body, START // SECOND, SECRETS[provider])
        after, outcome = decide(
            state, "openapp", lambda s, c, b=body, h=headers: receive(s, c, provider, h, b, json.loads, [URL]), START
        )
        assert isinstance(outcome, Accepted)
        topics = [each.topic for each in emitted(outcome) if each.topic.startswith(("invoice.", "subscription."))]
        before, now = domain(state).orgs, domain(after).orgs
        changed = [org for org in now if now[org].subscription is not before[org].subscription]
        # What is newer than the last, of a subscription that has not ended, is applied. Of the subscription is told if
        # more than its age has changed, of the invoice always.
        assert len(changed) <= 1
        told = [] if not changed else {"paid": ["invoice.paid"], "failed": ["invoice.failed"]}.get(news.kind, [])
        if any(visible(before[org].subscription) != visible(now[org].subscription) for org in changed):
            assert topics.pop(0).startswith("subscription.")
        assert topics == told
        state = after


def test_of_many_organizations_each_is_told_of_once() -> None:
    """New settings concern all at once: no more than two things of each."""
    state = happened(world(), [("organization", n) for n in range(8)])
    for is_on in (False, True, True):
        settings = settings_with(state, {"lifecycle_enabled": is_on})
        changed = msgspec.structs.replace(domain(state), settings=settings)
        state = msgspec.structs.replace(state, apis=state.apis.insert("openapp", changed))
        state, outcome = decide(state, "openapp", rescheduled, START)
        assert isinstance(outcome, Accepted)
        subjects = [each.subject for each in emitted(outcome)]
        assert len(subjects) == len(set(subjects))
        assert len(outcome.effects) <= 3 * len(domain(state).orgs)
