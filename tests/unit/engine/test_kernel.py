"""What the kernel promises: no trace of a refusal, one step equals many, forks do not meet, the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.engine import kernel
from mock_server.engine.decisions import Accepted, Job, Refused, Schedule
from mock_server.engine.instants import SECOND, InvalidTime
from mock_server.engine.kernel import AgendaOverrun, advance, decide, settle
from mock_server.engine.world import WorldState

from .toys import JOBS, START, TOY, Command, Tally, commands, perform, world

histories = st.lists(st.one_of(commands, st.integers(0, 90)), max_size=25)
"""Commands, and numbers of seconds to advance by."""


def run(state: WorldState, history: list[Command | int]) -> WorldState:
    for step in history:
        if isinstance(step, int):
            state, _ = advance(state, state.clock.now + step * SECOND, JOBS)
        else:
            state, _ = decide(state, TOY, lambda s, c, step=step: perform(step, s, c), state.clock.now)
    return state


@given(histories)
def test_a_refused_command_leaves_the_very_same_state(history: list[Command | int]) -> None:
    state = run(world(), history)
    after, outcome = decide(state, TOY, lambda s, c: perform(Command("refuse", 0, 0), s, c), state.clock.now)
    assert isinstance(outcome, Refused)
    assert after is state


@given(histories)
def test_a_decision_that_changes_nothing_leaves_the_very_same_state(history: list[Command | int]) -> None:
    state = run(world(), history)
    after, _ = decide(state, TOY, lambda s, c: Accepted(s, "only looked"), state.clock.now)
    assert after is state


@given(histories, st.integers(0, 500), st.lists(st.integers(0, 500), max_size=12))
def test_one_step_equals_many(history: list[Command | int], total: int, stops: list[int]) -> None:
    start = run(world(), history)
    until = start.clock.now + total * SECOND
    at_once, timeline = advance(start, until, JOBS)
    state, lines = start, []
    for stop in [*sorted(s for s in stops if s <= total), total]:
        state, more = advance(state, start.clock.now + stop * SECOND, JOBS)
        lines += more
    assert state == at_once
    assert lines == timeline


@given(histories)
def test_the_timeline_is_in_time_order(history: list[Command | int]) -> None:
    start = run(world(), history)
    _, timeline = advance(start, start.clock.now + 1_000 * SECOND, JOBS)
    assert [line.at for line in timeline] == sorted(line.at for line in timeline)


@given(histories, histories, histories)
def test_forks_do_not_meet(common: list[Any], left: list[Any], right: list[Any]) -> None:
    parent = run(world(), common)
    kept = run(world(), common)
    one = run(parent, left)
    other = run(parent, right)
    assert parent == kept
    assert one == run(run(world(), common), left)
    assert other == run(run(world(), common), right)


@given(histories, histories)
def test_restoring_is_exact(before: list[Any], after: list[Any]) -> None:
    snapshot = run(world(), before)
    once = run(snapshot, after)
    assert run(snapshot, after) == once


@given(histories, st.integers(0, 2**53), st.integers(0, 2**53))
def test_ids_depend_on_the_seed(history: list[Any], one: int, other: int) -> None:
    same = run(world(one), history) == run(world(one), history)
    assert same
    lines = run(world(one), [Command("add", 0, 0)]).apis[TOY]
    assert (lines == run(world(other), [Command("add", 0, 0)]).apis[TOY]) == (one == other)


def test_nothing_due_leaves_the_very_same_state() -> None:
    state = run(world(), [Command("schedule", 1, 30)])
    after, timeline = settle(state, START + 29 * SECOND, JOBS)
    assert after is state
    assert timeline == []


def test_a_job_that_schedules_itself_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MOST_JOBS", 50)

    def forever(state: Tally, args: Any, context: Any) -> Accepted[Tally, str]:
        return Accepted(state, "", (Schedule("forever", context.now, Job(TOY, "forever")),))

    state, _ = decide(world(), TOY, lambda s, c: forever(s, {}, c), START)
    with pytest.raises(AgendaOverrun):
        settle(state, START, {(TOY, "forever"): forever})


def test_time_beyond_what_can_be_held_is_refused() -> None:
    with pytest.raises(InvalidTime):
        advance(world(), 2**62, JOBS)


SCRIPT = """
import msgspec, sys
from tests.unit.engine.toys import *
from tests.unit.engine.test_kernel import run
history = [Command("add", 1, 3), Command("schedule", 3, 20), 15, Command("emit", 2, 2), Command("refuse", 0, 0),
           Command("schedule", 2, 1), Command("remember", 1, 500), 90, Command("cancel", 3, 0), 300]
state = run(world(), history)
print(msgspec.json.encode([state.apis[TOY], list(state.agenda), list(state.outbox.happenings), state.revision]).hex())
"""


def test_the_same_seed_and_commands_give_the_same_bytes_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 500
