"""The over-capacity lifecycle: the same however time passes, gone at once when it has no reason any more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mock_server.apis.openapp.model.degradation import degradation_status
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.engine import kernel
from mock_server.engine.decisions import Refused
from mock_server.engine.instants import DAY, LATEST, SECOND, Instant
from mock_server.engine.kernel import advance
from mock_server.engine.world import WorldState

from .acting import ACME, JOBS, POLICIES, Command, act, commands, domain, everything, happened, histories, world
from .soundness import check, days_of, over
from .test_resources import closure

STAGES = ("warned", "degraded", "marked_for_delete")
lengths = st.fixed_dictionaries(
    {"warn_days": st.integers(0, 9), "degrade_days": st.integers(1, 9), "purge_days": st.integers(0, 9)}
)
instants = st.lists(st.integers(0, 60 * DAY) | st.integers(0, 60).map(lambda n: n * DAY), max_size=12)
policies = st.sampled_from(POLICIES)


def status(state: WorldState) -> dict[str, Any]:
    return degradation_status(domain(state), domain(state).orgs[ACME], state.clock.now)


def at(state: WorldState, instant: Instant) -> WorldState:
    return advance(state, instant, JOBS)[0]


@given(lengths, policies, instants)
def test_the_stage_is_a_function_of_the_time(days: dict[str, int], policy: str, waits: list[int]) -> None:
    """As long as it lasts: in cycles of warn + degrade + purge days since it began."""
    state = happened(world(), [("settings", {"lifecycle_enabled": False}), ("policy", 0, policy), ("settings", days)])
    state, _ = act(state, ("settings", {"lifecycle_enabled": True}))
    began, warn, degrade = state.clock.now, days["warn_days"] * DAY, days["degrade_days"] * DAY
    cycle = warn + degrade + days["purge_days"] * DAY
    seen: tuple[int, float] = (0, 0.0)
    for wait in sorted(waits):
        state = at(state, began + wait)
        check(state)
        shown, (round_, rest) = status(state), divmod(wait, cycle)
        if ACME not in domain(state).lifecycles:
            assert round_ >= 1, "only what is deleted at the end can have ended it"
            break
        stage = STAGES[0] if rest < warn else STAGES[1] if rest < warn + degrade else STAGES[2]
        level = {STAGES[0]: 0.0, STAGES[2]: 1.0}.get(stage, (rest - warn) / degrade)
        assert shown["stage"] == stage
        assert shown["degradation_level"] == pytest.approx(level, abs=1e-6)
        assert (round_, level) >= seen, "it only ever grows, within a cycle"
        seen = (round_, level)
        assert domain(state).lifecycles[ACME].since == began


@given(histories, st.integers(0, 200), st.lists(st.integers(0, 200 * 86_400), max_size=15))
def test_one_step_equals_many(history: list[Command], days: int, stops: list[int]) -> None:
    """Agenda, timeline of the outside, revision and all: nothing random is drawn when something falls due."""
    state = happened(world(), history)
    end = state.clock.now + days * DAY
    at_once, fallen = advance(state, end, JOBS)
    start, many = state.clock.now, []
    for stop in [*sorted(start + s * SECOND for s in stops if start + s * SECOND <= end), end]:
        state, more = advance(state, stop, JOBS)
        many += more
        check(state)
    assert state == at_once
    assert many == fallen


@given(histories, st.lists(st.integers(0, 90 * 86_400), max_size=15))
def test_looking_in_between_changes_nothing(history: list[Command], stops: list[int]) -> None:
    state = watched = world()
    start = state.clock.now
    for command in history:
        before = watched.clock.now
        state, _ = act(state, command)
        for stop in sorted(start + s * SECOND for s in stops):
            if command[0] == "wait" and before < stop < before + command[1] * SECOND:
                watched = at(watched, stop)
        if command[0] == "wait":
            watched = at(watched, before + command[1] * SECOND)
        else:
            watched, _ = act(watched, command)
    assert watched == state


def flags(state: WorldState) -> set[tuple[str, str]]:
    return {(each["resource"], each["id"]) for each in status(state)["flagged"]}


def is_over(state: WorldState) -> bool:
    settings = domain(state).settings
    return settings.lifecycle_enabled and bool(over(domain(state), ACME, state.clock.now))


@given(histories, st.sampled_from(["free", "starter"]))
def test_up_and_down_again_is_as_before(history: list[Command], tier: str) -> None:
    state, _ = act(happened(world(), history), ("tier", 0, tier))
    before = flags(state)
    up, outcome = act(state, ("tier", 0, "business"))
    assert not isinstance(outcome, Refused)
    check(up)
    state, outcome = act(up, ("tier", 0, tier))
    assert not isinstance(outcome, Refused)
    check(state)
    # A stage may last no time at all, and what was to be deleted at its end is gone then.
    assume(all(days_of(domain(state), stage) for stage in STAGES))
    assert flags(state) == before
    if not is_over(up) and is_over(state):
        assert (status(state)["stage"], domain(state).lifecycles[ACME].since) == ("warned", state.clock.now)


def is_free(state: WorldState) -> bool:
    keys = {item.key for item in state.agenda}
    return status(state)["stage"] == "none" and f"openapp/lifecycle:{ACME}" not in keys


@given(histories, st.sampled_from(["override", "delete", "settings"]), st.integers(0, 40))
def test_back_within_capacity_ends_it_at_once(history: list[Command], way: str, days: int) -> None:
    state, _ = act(happened(world(), history), ("wait", days * 86_400))
    assume(is_over(state))
    while is_over(state):
        key, (count, limit) = next(iter(over(domain(state), ACME, state.clock.now).items()))
        assert not is_free(state)
        if way == "settings":
            state, _ = act(state, ("settings", {"lifecycle_enabled": False}))
        elif way == "override" or key in ("org_users", "organizations"):
            state, _ = act(state, ("limit", 0, key, count, None))
        else:
            rows = sorted(everything(domain(state), key, "live"), key=lambda row: row.serial)
            numbers = [n for n, row in enumerate(rows) if row.org_id == ACME and n % len(rows) < 7]
            if not numbers:
                state, _ = act(state, ("limit", 0, key, limit + 1, None))
            else:
                state, outcome = act(state, ("delete", key, numbers[-1], True))
                assert not isinstance(outcome, Refused)
        check(state)
    assert is_free(state)
    assert is_free(at(state, state.clock.now + 1))


@given(lengths, lengths, st.integers(0, 40 * 86_400))
def test_changed_settings_hold_at_once(first: dict[str, int], then: dict[str, int], wait: int) -> None:
    """The stage that has begun ends when it would have, had they always been so; if that has passed, now."""
    state = happened(world(), [("settings", first), ("wait", wait)])
    assume(is_over(state))
    before, now = domain(state).lifecycles[ACME], state.clock.now
    state, _ = act(state, ("settings", then))
    check(state)
    after = domain(state).lifecycles.get(ACME)
    end = before.entered_at + days_of(domain(state), before.stage) * DAY
    if end > now:
        assert after == before
        assert status(at(state, end - 1))["stage"] == before.stage
        assert domain(at(state, end)).lifecycles.get(ACME) != before
    else:
        assert after is None or after.stage != before.stage or after.entered_at == now
        assert after is None or after.entered_at == now


@given(st.lists(commands, min_size=5, max_size=25), policies)
def test_what_is_marked_goes_with_what_hangs_on_it(history: list[Command], policy: str) -> None:
    state, _ = act(happened(world(), history), ("policy", 0, policy))
    for _ in range(3):
        lifecycle = domain(state).lifecycles.get(ACME)
        assume(lifecycle is not None)
        assert lifecycle is not None
        end = lifecycle.entered_at + days_of(domain(state), lifecycle.stage) * DAY
        before = at(state, end - 1)
        assume(domain(before).lifecycles.get(ACME) == lifecycle)
        state, fallen = advance(before, end, JOBS)
        check(state)
        if lifecycle.stage != STAGES[2]:
            assume(domain(state).settings.purge_days > 0 and domain(state).lifecycles[ACME].entered_at == end)
            continue
        assume(sum(each.job != "script_moves_on" for each in fallen) == 1)
        gone = set().union(*(closure(domain(before), flag.kind, flag.id) for flag in lifecycle.flags))
        was, left = ({r.id for kind in KINDS for r in everything(domain(s), kind, "live")} for s in (before, state))
        assert was - left == gone
        assert left <= was
        for org_id in domain(before).orgs:
            assert domain(state).held_by(org_id).users == domain(before).held_by(org_id).users
            assert domain(state).held_by(org_id).children == domain(before).held_by(org_id).children
        assert domain(state).orgs == domain(before).orgs


@given(policies, st.integers(0, 30))
def test_people_are_never_flagged_nor_deleted(policy: str, limit: int) -> None:
    state = happened(world(), [("user", (0,)), ("limit", 0, "org_users", 0, None), ("policy", 0, policy)])
    users = domain(state).held_by(ACME).users
    for _ in range(8):
        state, _ = act(state, ("wait", 20 * 86_400))
        check(state)
        assert {kind for kind, _ in flags(state)} <= set(KINDS)
        assert domain(state).held_by(ACME).users == users
        assert status(state)["over_capacity"]


@pytest.mark.parametrize("days", [0, 60])
def test_time_has_an_end(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage cannot end after the last instant there is; so at that instant stages must not end without end."""
    monkeypatch.setattr(kernel, "MOST_JOBS", 1_000)
    state = at(world("demo"), LATEST - days * DAY)
    state, _ = act(state, ("limit", 0, "org_users", 0, None))
    state = at(state, LATEST)
    assert status(state)["over_capacity"]
