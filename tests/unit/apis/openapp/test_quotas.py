"""Metered quotas at any instant: counted here again with the calendar of Python's library, from all that was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model.assistance import reverse_geocode, translate
from mock_server.apis.openapp.model.consumption import consumed
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.portals import view_portal
from mock_server.apis.openapp.model.scripting import create_execution
from mock_server.apis.openapp.model.usage import usage
from mock_server.engine.decisions import Accepted, Refused
from mock_server.engine.instants import SECOND, Instant, format_instant, from_datetime
from mock_server.engine.kernel import advance, decide
from mock_server.engine.world import WorldState
from mock_server.http.bodies import parse_json
from mock_server.scenarios import initial_state, read_scenario

from .acting import ACME, JOBS, ROOT, act, domain, everything, happened, world

KEYS = ("door_opens", "voice_invocations", "scripting_executions", "ai_requests", "geocoding_requests", "portal_views")
PERIODS = ("day", "week", "month")
# The end of ISO week 53, of leap years and of others, and of a February with 29 days.
EVES = ("2020-12-27", "2021-01-03", "2024-02-28", "2024-02-29", "2024-12-29", "2026-12-31", "2027-02-28", "2028-12-31")

short = st.integers(0, 3_600 * SECOND)
long = st.sampled_from([1, 2, 7, 28, 29, 30, 31, 366]).map(lambda days: days * 86_400 * SECOND)
edges = st.sampled_from(["to midnight", "just before midnight"])
gaps = st.sampled_from([short] * 4 + [st.integers(0, 86_400 * SECOND)] * 2 + [long, edges]).flatmap(lambda each: each)
keys = st.sampled_from([*KEYS[:3], *KEYS[:2], KEYS[0]])
amounts = st.tuples(st.just("consume"), keys, st.integers(1, 5))
calls = st.tuples(st.just("call"), keys | st.sampled_from(KEYS), st.booleans())
limits = st.tuples(
    st.just("limit"), keys, st.sampled_from(PERIODS), st.integers(0, 12), st.none() | st.integers(-1, 10 * 86_400)
)
steps = st.tuples(gaps, st.sampled_from([amounts, amounts, calls, limits]).flatmap(lambda each: each))
histories = st.lists(steps, min_size=15, max_size=40)
starts = st.tuples(st.sampled_from(EVES), st.integers(0, 86_399))


def moment(instant: Instant) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)


def window(period: str, instant: Instant) -> tuple[str, Instant, Instant]:
    """Label, start and end, from the calendar alone."""
    now = moment(instant)
    day = now.date()
    if period == "day":
        label, start, end = f"day:{day:%Y-%m-%d}", day, day + timedelta(days=1)
    elif period == "week":
        year, week, _ = day.isocalendar()
        start = day.fromisocalendar(year, week, 1)
        label, end = f"week:{year}-W{week:02}", start + timedelta(weeks=1)
    else:
        start, label = day.replace(day=1), f"month:{day:%Y-%m}"
        end = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)
    midnights = [datetime(each.year, each.month, each.day, tzinfo=UTC) for each in (start, end)]
    return label, from_datetime(midnights[0]), from_datetime(midnights[1])


class Book:
    """All that was accepted, and all limits that were set."""

    def __init__(self, tier: dict[str, dict[str, int | None]]) -> None:
        self.tier = tier
        self.uses: list[tuple[Instant, str, int]] = []
        self.overrides: dict[tuple[str, str], tuple[int, Instant | None]] = {}

    def count(self, key: str, period: str, now: Instant) -> int:
        label = window(period, now)[0]
        return sum(n for at, used, n in self.uses if used == key and window(period, at)[0] == label)

    def limit(self, key: str, period: str, now: Instant) -> int | None:
        value, end = self.overrides.get((key, period), (0, 0))
        if (key, period) in self.overrides and (end is None or now < end):
            return value
        return self.tier.get(key, {}).get(period)

    def refusals(self, charges: dict[str, int], now: Instant) -> Iterator[tuple[Instant, str, str, int, int]]:
        """The windows that have no room: end, key, period, count and limit."""
        for key, amount in charges.items():
            for period in PERIODS:
                count, limit = self.count(key, period, now), self.limit(key, period, now)
                if limit is not None and count + amount > limit:
                    yield window(period, now)[2], key, period, count, limit


def carried_out(state: WorldState, step: tuple[Any, ...]) -> tuple[WorldState, Any, dict[str, int]]:
    """The world afterwards, the outcome, and what the step uses of which quota."""
    charges = {step[1]: 1}
    if step[0] == "consume":
        charges = {step[1]: step[2]}
    elif step[1] == "voice_invocations":
        charges = {"door_opens": 1, "voice_invocations": 1}
    after, outcome = decide(state, "openapp", lambda s, c: called(s, c, step), state.clock.now)
    return after, outcome, charges


def called(state: Any, context: Any, step: tuple[Any, ...]) -> Any:
    kind, key, extra = step
    if kind == "consume":
        return consumed(state, context, ACME, key, extra, None)
    if key in ("door_opens", "voice_invocations"):
        door, row = everything(state, "entities")[0], everything(state, "api_keys")[0]
        return execute_action(state, context, ROOT if key == "door_opens" else row.caller, door.id, "open")
    if key == "scripting_executions":
        return create_execution(state, context, ROOT, ACME, "print()", parse_json)
    if key == "ai_requests":
        return translate(state, context, ROOT, ACME, {"title": "t", "body": "b", "target_locales": ["de"]})
    if key == "geocoding_requests":
        return reverse_geocode(state, context, ROOT, ACME, {"lat": 1.5, "lng": 2})
    return view_portal(state, context, "portal-demo")


def limited(state: WorldState, book: Book, step: tuple[Any, ...]) -> WorldState:
    _, key, period, limit, life = step
    now = state.clock.now
    end = None if life is None else now + life * SECOND
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "period": period, "limit_value": limit}
    body["expires_at"] = None if end is None else format_instant(end)
    state, outcome = decide(state, "openapp", lambda s, c: upsert_override(s, c, body), now)
    assert isinstance(outcome, Accepted)
    book.overrides[key, period] = (limit, end)
    return state


def after_gap(now: Instant, gap: int | str) -> Instant:
    if isinstance(gap, int):
        return now + gap
    return window("day", now)[2] - (gap != "to midnight")


def begun(start: tuple[str, int]) -> tuple[WorldState, Book]:
    now = from_datetime(datetime.fromisoformat(f"{start[0]}T00:00:00+00:00")) + start[1] * SECOND
    state = initial_state(read_scenario("demo"), {"openapp": API}, 7, now, now=now)
    commands = (
        ("tier", 0, "starter"),
        *((("create", kind, 0, 0, None)) for kind in ("integrations", "devices", "entities", "api_keys")),
    )
    state, _ = act(happened(state, commands), ("tier", 0, "free"))
    tier = domain(state).catalog.tiers["free"].quotas
    return state, Book({key: dict(limits) for key, limits in tier.items()})


@given(starts, histories)
def test_no_window_ever_holds_more_than_its_limit(start: tuple[str, int], history: list[tuple[Any, Any]]) -> None:
    state, book = begun(start)
    for gap, step in history:
        state, _ = advance(state, after_gap(state.clock.now, gap), JOBS)
        now = state.clock.now
        if step[0] == "limit":
            state = limited(state, book, step)
            continue
        before = state
        state, outcome, charges = carried_out(before, step)
        refusals = sorted(book.refusals(charges, now))
        assert isinstance(outcome, Refused) == bool(refusals)
        if isinstance(outcome, Refused):
            assert state is before, "nothing is used of anything"
            check_refusal(outcome, refusals, charges, now)
            check_next_window(state, book, step, charges, refusals[-1][0])
        else:
            book.uses += ((now, key, amount) for key, amount in charges.items())
        check_report(state, book)


def check_refusal(outcome: Refused, refusals: list[Any], charges: dict[str, int], now: Instant) -> None:
    """It names a window that has no room, one of those that last longest, for until then waiting does not help."""
    details, end = outcome.problem.facts, refusals[-1][0]
    candidates = {(key, period): (count, limit) for at, key, period, count, limit in refusals if at == end}
    assert outcome.problem.type.status == 429
    assert (details["key"], details["period"]) in candidates
    assert (details["current"], details["limit"]) == candidates[details["key"], details["period"]]
    assert details["requested"] == charges[details["key"]]
    label, start, _ = window(details["period"], now)
    assert start <= now < end
    assert details["period_label"] == label
    assert details["resets_at"] == format_instant(end)
    assert outcome.problem.headers == (("Retry-After", str(ceil(Fraction(end - now, SECOND)))),)
    assert details["source"]["kind"] in ("override", "tier")


def check_next_window(state: WorldState, book: Book, step: Any, charges: dict[str, int], resets_at: Instant) -> None:
    """Whoever tries again at resets_at finds every window that had no room empty."""
    later, _ = advance(state, resets_at, JOBS)
    _, outcome, _ = carried_out(later, step)
    refusals = sorted(book.refusals(charges, resets_at))
    assert isinstance(outcome, Refused) == bool(refusals)
    for _, key, period, count, limit in book.refusals(charges, state.clock.now):
        assert book.count(key, period, resets_at) == 0, (count, limit)
    if isinstance(outcome, Refused):
        check_refusal(outcome, refusals, charges, resets_at)
    _, again, _ = carried_out(advance(state, resets_at - 1, JOBS)[0], step)
    expected = bool(list(book.refusals(charges, resets_at - 1)))
    assert isinstance(again, Refused) == expected


def check_report(state: WorldState, book: Book) -> None:
    now = state.clock.now
    report = usage(domain(state), state.context(now), ROOT, ACME)
    assert isinstance(report, dict)
    for item in report["items"]:
        if item["period"] in PERIODS and item["key"] in KEYS:
            label, start, end = window(item["period"], now)
            assert item["current"] == book.count(item["key"], item["period"], now)
            assert item["period_label"] == label
            assert (item["period_start"], item["period_end"]) == (format_instant(start), format_instant(end))


@given(starts, histories)
def test_days_add_up_to_weeks_and_months(start: tuple[str, int], history: list[tuple[Any, Any]]) -> None:
    """Taken from the reports alone: the last one of each day against the last one of its week and month."""
    state, book = begun(start)
    for key in KEYS[:3]:
        for period in PERIODS:
            state = limited(state, book, ("limit", key, period, 30, None))
    last: dict[tuple[str, Instant], int] = {}
    for gap, step in history:
        state, _ = advance(state, after_gap(state.clock.now, gap), JOBS)
        now = state.clock.now
        if step[0] != "limit":
            state, _, _ = carried_out(state, step)
        report = usage(domain(state), state.context(now), ROOT, ACME)
        assert isinstance(report, dict)
        shown = {(i["key"], i["period"]): i["current"] for i in report["items"] if i["key"] in KEYS[:3]}
        for key in KEYS[:3]:
            last[key, window("day", now)[1]] = shown[key, "day"]
            for period in ("week", "month"):
                _, first, end = window(period, now)
                assert shown[key, period] == sum(n for (of, day), n in last.items() if of == key and first <= day < end)


sessions = st.lists(
    st.tuples(gaps, st.integers(0, 5), st.integers(1, 40), st.none() | st.integers(0, 100)), min_size=5, max_size=40
)


@given(sessions)
def test_each_session_has_its_own_seconds(history: list[tuple[Any, int, int, int | None]]) -> None:
    """Whatever the time, no session ever gets more seconds than the limit that holds when it asks."""
    state, used, limit = world(), Counter[str](), None
    for gap, n, amount, new_limit in history:
        state, _ = advance(state, after_gap(state.clock.now, gap), JOBS)
        now, key, name = state.clock.now, "video_session_duration_seconds", f"s{n}"
        if new_limit is not None:
            book = Book({})
            state, limit = limited(state, book, ("limit", key, "per_session", new_limit, None)), new_limit
        before = state
        state, outcome = decide(
            before, "openapp", lambda s, c, n=amount, k=key, name=name: consumed(s, c, ACME, k, n, name), now
        )
        fits = limit is None or used[name] + amount <= limit
        assert isinstance(outcome, Accepted) == fits
        if isinstance(outcome, Accepted):
            used[name] += amount
            assert [(i["period"], i["current"]) for i in outcome.reply] == [("per_session", used[name])]
        else:
            assert state is before
            facts = outcome.problem.facts
            assert (facts["current"], facts["limit"], facts["requested"]) == (used[name], limit, amount)
            assert (facts["session"], facts["key"], facts["period"]) == (name, key, "per_session")
            assert outcome.problem.type.status == 429
            assert outcome.problem.headers == ()
