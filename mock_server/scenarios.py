"""Scenarios: named starting states of worlds, read from `fixtures/worlds/` (format 1) or from a user's file.

A world that was saved (`mockbill worlds save`) is a scenario too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from rpds import HashTrieMap

from mock_server.api import Api
from mock_server.engine.agenda import Agenda
from mock_server.engine.clock import Clock, frozen, running
from mock_server.engine.decisions import Schedule
from mock_server.engine.instants import Instant, InvalidTime, format_instant, parse_instant
from mock_server.engine.kernel import AgendaOverrun, settle
from mock_server.engine.outbox import Outbox
from mock_server.engine.world import WorldState
from mock_server.fixtures import FixtureError, Located, find, read_json, read_yaml
from mock_server.saves import SavedWorld, read_save, with_saved


class WorldFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`clock`: `running`, or the instant at which the world stands still. `apis`: one part for each API, its own format."""

    mockbill_world: Annotated[int, Meta(ge=1, le=1)]
    title: str
    apis: dict[str, Any]
    clock: str = "running"
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class Scenario:
    """A world file that has been read and checked as far as its shape goes."""

    def __init__(self, name: str, document: Located[Any]) -> None:
        self.name = name
        self.document = document
        self.saved: SavedWorld | None = None
        self.loaded: WorldState | None = None
        """The saved world once it was read: worlds made of it share what they do not change."""
        if isinstance(document.value, dict) and "mockbill_save" in document.value:
            self.saved = _read_save(document)
            seed = self.saved.states[0].seed if self.saved.states else None
            self.file = WorldFile(1, f"saved, once {self.saved.scenario}", {}, seed=seed)
        else:
            self.file = document.convert(WorldFile)
        self.frozen_at: Instant | None = None
        if self.file.clock != "running":
            try:
                self.frozen_at = parse_instant(self.file.clock)
            except InvalidTime as error:
                raise FixtureError(document.place("$.clock"), f"neither `running` nor an instant: {error}") from None


def read_scenario(name: str) -> Scenario:
    """By its name in `fixtures/worlds/` or its path. Raises FixtureError."""
    path = find("worlds", name)
    return Scenario(name, read_json(path) if path.suffix == ".json" else read_yaml(path))


def initial_state(
    scenario: Scenario,
    apis: Mapping[str, Api],
    seed: int,
    wall: Instant,
    *,
    now: Instant | None = None,
    clock: Literal["frozen", "running"] | str | None = None,
    options: Mapping[str, int] | None = None,
) -> WorldState:
    """The first state of a world. `now` freezes it there unless `clock` says running. Raises FixtureError.

    Every API that is served gets a part, an empty one where the scenario has none for it. `options` are for scenarios
    that make up what they hold.
    """
    named = scenario.file.apis if scenario.saved is None else {each.api: each for each in scenario.saved.states}
    for name in named:
        if name not in apis:
            place = scenario.document.place(f"$.apis.{name}")
            raise FixtureError(place, f"there is no API {name!r}; there are: {', '.join(sorted(apis))}")
    at = now if now is not None else scenario.frozen_at if scenario.frozen_at is not None else wall
    is_frozen = (now is not None or scenario.frozen_at is not None) if clock is None else clock == "frozen"
    shown: Clock = frozen(at) if is_frozen else running(at, wall)
    domains: HashTrieMap[str, Any] = HashTrieMap()
    agenda = Agenda()
    for name, api in apis.items():
        part = (
            scenario.document.part("apis", name)
            if name in scenario.file.apis
            else Located(scenario.document.file, {}, None)
        )
        started = api.initial_state(part, at, seed, options or {})
        domains = domains.insert(name, started.state)
        for effect in started.effects:
            if isinstance(effect, Schedule):
                agenda = agenda.put(effect.key, effect.at, effect.job)
    state = WorldState(seed, shown, domains, agenda=agenda)
    if scenario.saved is not None:
        return _gone_on(scenario, scenario.saved, state, apis, wall, now=now, clock=clock)
    jobs = {(name, job): function for name, api in apis.items() for job, function in api.jobs.items()}
    # What began before the start has gone on until then; the outside has heard of it already.
    try:
        state, _ = settle(state, at, jobs)
    except AgendaOverrun as error:
        raise FixtureError(scenario.document.file, f"too much has happened before the start: {error}") from None
    return msgspec.structs.replace(state, outbox=Outbox())


def _read_save(document: Located[Any]) -> SavedWorld:
    try:
        return read_save(document.value)
    except ValueError as error:
        raise FixtureError(document.file, str(error)) from None


def _gone_on(
    scenario: Scenario,
    saved: SavedWorld,
    state: WorldState,
    apis: Mapping[str, Api],
    wall: Instant,
    *,
    now: Instant | None,
    clock: str | None,
) -> WorldState:
    """The saved world, at the time it was saved at, or at a later `now`. What its past owes to the outside stays owed."""
    jobs = {(name, job): function for name, api in apis.items() for job, function in api.jobs.items()}
    seed = state.seed
    try:
        if scenario.loaded is None or len(saved.states) < len(apis):
            for each in saved.states:
                state = with_saved(state, each, apis[each.api], wall)
            scenario.loaded = state
        state = scenario.loaded
        at = state.clock.now if now is None else now
        if at < state.clock.now:
            raise ValueError(f"it was saved at {format_instant(state.clock.now)}, and its time does not go back")
        state, _ = settle(state, at, jobs)
    except (AgendaOverrun, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise FixtureError(scenario.document.file, f"the saved world cannot be used: {error}") from None
    mode = clock if clock is not None else "frozen" if now is not None else state.clock.mode
    shown: Clock = frozen(at) if mode == "frozen" else running(at, wall)
    return msgspec.structs.replace(state, clock=shown, seed=seed)
