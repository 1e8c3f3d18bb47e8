"""How a world's state changes: by a decision of a model, and by time passing.

Every function here is pure. A refused decision gives back the very state it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from .agenda import Item
from .clock import moved
from .decisions import Accepted, Context, Effect, Emit, Refused, Remember, Schedule
from .instants import Instant
from .outbox import MOST_HAPPENINGS
from .world import WorldState

D = TypeVar("D")
R = TypeVar("R")

Decide = Callable[[D, Context], "Accepted[D, R] | Refused"]
JobFunction = Callable[[Any, Mapping[str, Any], Context], "Accepted[Any, Any]"]
Jobs = Mapping[tuple[str, str], JobFunction]
"""(API, job name) -> what to do when it falls due: a decision that cannot refuse."""

MOST_JOBS = 250_000
"""At most so many in one go: it takes seconds, and nothing else is answered meanwhile."""
JOBS_AT_ONCE = 300
"""So many between two looks at what they emitted; the outbox keeps more than they do."""


class Fallen(msgspec.Struct, frozen=True):
    """A line of the timeline: what fell due, when, and what came of it in a few words."""

    at: Instant
    key: str
    api: str
    job: str
    outcome: str


class AgendaOverrun(ValueError):
    """More than MOST_JOBS jobs would fall due in one go."""


def decide(
    state: WorldState, api: str, function: Decide[D, R], now: Instant
) -> tuple[WorldState, Accepted[D, R] | Refused]:
    """Apply one decision of `api`'s model at `now`. Nothing changed, or refused: the same state, untouched."""
    domain: D = state.apis[api]
    outcome = function(domain, state.context(now))
    if isinstance(outcome, Refused) or (outcome.state is domain and not outcome.effects):
        return state, outcome
    return _applied(state, api, outcome, now), outcome


def advance(state: WorldState, until: Instant, jobs: Jobs, wall: Instant = 0) -> tuple[WorldState, list[Fallen]]:
    """Do all that falls due up to and including `until`, in time order, then let the clock show `until`.

    In one step or in many, the end state is the same.
    """
    state, timeline = settle(state, until, jobs)
    return msgspec.structs.replace(state, clock=moved(state.clock, until, wall)), timeline


def settle(state: WorldState, until: Instant, jobs: Jobs) -> tuple[WorldState, list[Fallen]]:
    """Do all that falls due up to and including `until`; the clock is left alone. Nothing due: the same state.

    Raises AgendaOverrun.
    """
    timeline: list[Fallen] = []
    return settle_seeing(state, until, jobs, lambda _, __, fallen: timeline.append(fallen)), timeline


def settle_some(state: WorldState, until: Instant, jobs: Jobs, most: int) -> tuple[WorldState, list[Fallen]]:
    """`settle`, but no more than `most` jobs, and fewer if they emit much: it all stands in the outbox that comes."""
    timeline: list[Fallen] = []
    enough = state.outbox.next + MOST_HAPPENINGS // 2
    while (first := state.agenda.first()) is not None and first.at <= until:
        if len(timeline) == most or state.outbox.next >= enough:
            break
        state, fallen = _done(state, jobs)
        timeline.append(fallen)
    return state, timeline


def settle_seeing(
    state: WorldState, until: Instant, jobs: Jobs, see: Callable[[WorldState, Item, Fallen], None]
) -> WorldState:
    """The same, showing each item, the state that it found, and what came of it."""
    done = 0
    while (first := state.agenda.first()) is not None and first.at <= until:
        if done == MOST_JOBS:
            raise AgendaOverrun(f"more than {MOST_JOBS} jobs fall due until then; go there in smaller steps")
        before, done = state, done + 1
        state, fallen = _done(state, jobs)
        see(before, first, fallen)
    return state


def one_job(state: WorldState, item: Item, jobs: Jobs) -> Fallen:
    """What would come of an item if it were the next to fall due."""
    return _outcome_of(state, item, jobs)[1]


def _done(state: WorldState, jobs: Jobs) -> tuple[WorldState, Fallen]:
    item: Item
    item, agenda = state.agenda.take()
    state = msgspec.structs.replace(state, agenda=agenda)
    outcome, fallen = _outcome_of(state, item, jobs)
    return _applied(state, item.job.api, outcome, item.at), fallen


def _outcome_of(state: WorldState, item: Item, jobs: Jobs) -> tuple[Accepted[Any, Any], Fallen]:
    job = item.job
    outcome = jobs[job.api, job.name](state.apis[job.api], job.args, state.context(item.at))
    return outcome, Fallen(item.at, item.key, job.api, job.name, str(outcome.reply))


def _applied(state: WorldState, api: str, outcome: Accepted[Any, Any], now: Instant) -> WorldState:
    agenda, outbox, memory = state.agenda, state.outbox, state.memory
    if len(outbox) > MOST_HAPPENINGS:
        outbox = outbox.trimmed()
    effect: Effect
    for effect in outcome.effects:
        if isinstance(effect, Schedule):
            agenda = agenda.put(effect.key, max(effect.at, now), effect.job)
        elif isinstance(effect, Emit):
            outbox = outbox.put(now, api, effect.topic, effect.subject, effect.data)
        elif isinstance(effect, Remember):
            memory = memory.remember(effect.scope, effect.key, effect.record, now)
        else:
            agenda = agenda.drop(effect.key)
    return WorldState(
        state.seed,
        state.clock,
        state.apis.insert(api, outcome.state),
        state.revision + 1,
        agenda,
        outbox,
        memory,
    )
