"""A toy API for the kernel's tests: a tally that schedules, cancels, emits and remembers as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st
from rpds import HashTrieMap

from mock_server.engine.clock import frozen
from mock_server.engine.decisions import Accepted, Context, Effect, Emit, Job, Refused, Remember, Schedule, Unschedule
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import SECOND
from mock_server.engine.kernel import Jobs
from mock_server.engine.problems import ProblemType
from mock_server.engine.world import WorldState

START = 1_700_000_000 * SECOND
TOY = "toy"
NO = ProblemType("no", 409, "Refused on purpose.")


class Tally(msgspec.Struct, frozen=True):
    lines: tuple[str, ...] = ()


class Command(msgspec.Struct, frozen=True):
    """`kind`: add, refuse, schedule, cancel, emit, remember. `delay` in seconds, `key` picks among a few."""

    kind: str
    key: int
    delay: int


def perform(command: Command, state: Tally, context: Context) -> Accepted[Tally, str] | Refused:
    if command.kind == "refuse":
        return Refused(NO())
    after = Tally((*state.lines, f"{command.kind} {context.id()} {context.random():x} {context.now}"))
    return Accepted(after, context.id(1), _effects(command, context))


def _effects(command: Command, context: Context) -> tuple[Effect, ...]:
    key = f"key{command.key}"
    if command.kind == "schedule":
        job = Job(TOY, "ring", {"again": command.key, "key": key})
        return (Schedule(key, context.now + command.delay * SECOND, job),)
    if command.kind == "cancel":
        return (Unschedule(key),)
    if command.kind == "emit":
        return (Emit("toy.rang", key, {"delay": command.delay}),)
    if command.kind == "remember":
        return (Remember("scope", key, Record("f", context.now + command.delay * SECOND, "r")),)
    return ()


def ring(state: Tally, args: Mapping[str, Any], context: Context) -> Accepted[Tally, str]:
    """Rings, and rings again a while later as often as `again` says; every second time it cancels another."""
    after = Tally((*state.lines, f"ring {args['key']} {context.id()} {context.now}"))
    if args["again"] == 0:
        return Accepted(after, "last")
    job = Job(TOY, "ring", {"again": args["again"] - 1, "key": args["key"]})
    effects: tuple[Effect, ...] = (Schedule(args["key"], context.now + args["again"] * 7 * SECOND, job),)
    if args["again"] % 2:
        effects = (*effects, Unschedule(f"key{args['again'] - 1}"))
    return Accepted(after, "again", effects)


JOBS: Jobs = {(TOY, "ring"): ring}


def world(seed: int = 7) -> WorldState:
    return WorldState(seed, frozen(START), HashTrieMap({TOY: Tally()}))


commands = st.builds(
    Command,
    kind=st.sampled_from(["add", "refuse", "schedule", "cancel", "emit", "remember"]),
    key=st.integers(0, 4),
    delay=st.integers(0, 60),
)
