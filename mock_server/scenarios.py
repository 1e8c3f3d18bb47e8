"""Scenarios: named starting states of worlds, read from `fixtures/worlds/` (format 1) or from a user's file."""

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
from mock_server.engine.instants import Instant, InvalidTime, parse_instant
from mock_server.engine.kernel import AgendaOverrun, settle
from mock_server.engine.outbox import Outbox
from mock_server.engine.world import WorldState
from mock_server.fixtures import FixtureError, Located, find, read_yaml


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
        self.file = document.convert(WorldFile)
        self.frozen_at: Instant | None = None
        if self.file.clock != "running":
            try:
                self.frozen_at = parse_instant(self.file.clock)
            except InvalidTime as error:
                raise FixtureError(document.place("$.clock"), f"neither `running` nor an instant: {error}") from None


def read_scenario(name: str) -> Scenario:
    """By its name in `fixtures/worlds/` or its path. Raises FixtureError."""
    return Scenario(name, read_yaml(find("worlds", name)))


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
    for name in scenario.file.apis:
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
    jobs = {(name, job): function for name, api in apis.items() for job, function in api.jobs.items()}
    # What began before the start has gone on until then; the outside has heard of it already.
    try:
        state, _ = settle(state, at, jobs)
    except AgendaOverrun as error:
        raise FixtureError(scenario.document.file, f"too much has happened before the start: {error}") from None
    return msgspec.structs.replace(state, outbox=Outbox())
