"""What one running mock is made of: its options, its APIs, its worlds, and what went wrong in it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.types import ASGIApp

from mock_server import machine
from mock_server.api import Api
from mock_server.engine.clock import going_on
from mock_server.engine.instants import LATEST, Instant
from mock_server.engine.kernel import JOBS_AT_ONCE, MOST_JOBS, AgendaOverrun, Jobs, settle, settle_some
from mock_server.engine.world import WorldState
from mock_server.fixtures import FixtureError
from mock_server.scenarios import Scenario, initial_state
from mock_server.store.worlds import World, Worlds
from mock_server.webhooks.dispatching import WebhookDispatcher
from mock_server.webhooks.posting import Post

from .check import ResponseCheck
from .contract import Contract
from .routes import Routes

DEFAULT_WORLD = "demo"
MOST_WAITING = 200
"""Requests of the control API that wait for news at once."""


def _never_back(wall: Callable[[], Instant]) -> Callable[[], Instant]:
    """The machine's clock as far as it goes forward: what has happened in a world does not happen again."""
    latest = 0

    def read() -> Instant:
        nonlocal latest
        latest = max(latest, wall())
        return latest

    return read


class Options(msgspec.Struct, frozen=True):
    """How a mock was started. `control_token` is asked for under /_mock unless it is None.

    `allow_remote`: webhooks may go to other machines too.
    """

    root_api: str = "openapp"
    scenario: str = "demo"
    strict: bool = False
    auto_worlds: bool = False
    public_url: str | None = None
    control_token: str | None = None
    allow_remote: bool = False


class Served:
    """An API with its bundle, its routes and its Connexion app, each made when first asked for."""

    def __init__(self, api: Api, bundle: Callable[[], bytes], build: Callable[[Served], ASGIApp]) -> None:
        self.api = api
        self._load, self._build = bundle, build
        self._bytes: bytes | None = None
        self._contract: Contract | None = None
        self._routes: Routes | None = None
        self._app: ASGIApp | None = None

    @property
    def bundle_bytes(self) -> bytes:
        if self._bytes is None:
            self._bytes = self._load()
        return self._bytes

    @property
    def contract(self) -> Contract:
        if self._contract is None:
            self._contract = Contract(self.api.name, msgspec.json.decode(self.bundle_bytes))
        return self._contract

    @property
    def routes(self) -> Routes:
        if self._routes is None:
            self._routes = Routes(
                self.contract.operations.values(), self.api.base_paths, tuple(self.api.aliases.items())
            )
        return self._routes

    @property
    def app(self) -> ASGIApp:
        if self._app is None:
            self._app = self._build(self)
        return self._app


class Mock:
    """Everything that a request may need, handed from layer to layer instead of kept in globals."""

    def __init__(
        self,
        options: Options,
        served: Mapping[str, Served],
        control: Served,
        scenarios: Callable[[str], Scenario],
        wall: Callable[[], Instant] = machine.wall,
        fresh_seed: Callable[[], int] = machine.fresh_seed,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        post: Post | None = None,
    ) -> None:
        self.options = options
        self.served = served
        self.control = control
        self.scenarios = scenarios
        self.wall = _never_back(wall)
        self.fresh_seed = fresh_seed
        self.sleep = sleep
        """Lets so many seconds pass, for answers that come late."""
        self.port: int | None = None
        """Where this mock listens, once it does."""
        self.waiting = 0
        """How many requests of the control API wait for news."""
        self.worlds = Worlds()
        self.webhooks = WebhookDispatcher(self.worlds, self.now_in, self.wall, post=post)
        """Sends what the worlds owe to their endpoints."""
        self._probed: set[str] = set()
        self.check = ResponseCheck()
        self.breaches: deque[str] = deque(maxlen=100)
        """Answers of ours that broke a contract, and failures that nobody asked for; the newest 100."""
        self.jobs: Jobs = {
            (name, job): function for name, each in served.items() for job, function in each.api.jobs.items()
        }
        self.create_world(DEFAULT_WORLD, options.scenario)

    @property
    def apis(self) -> Mapping[str, Api]:
        return {name: each.api for name, each in self.served.items()}

    def create_world(
        self,
        name: str,
        scenario: str,
        seed: int | None = None,
        now: Instant | None = None,
        clock: str | None = None,
        options: Mapping[str, int] | None = None,
    ) -> World:
        """A new world in its first state. Raises FixtureError, WorldExists or TooManyWorlds."""
        wall = self.wall()
        chosen = self.scenarios(scenario)
        if seed is None:
            seed = self.fresh_seed() if chosen.file.seed is None else chosen.file.seed
        state = initial_state(chosen, self.apis, seed, wall, now=now, clock=clock, options=options)
        if scenario not in self._probed or options:
            for api in self.apis:
                if (complaint := self._unsavable(api, state) or self.complaint_about(api, state)) is not None:
                    raise FixtureError(chosen.document.file, f"{api} could not keep its contract: {complaint}")
            self._probed.add(scenario)
        return self.worlds.add(name, scenario, state, wall)

    def reset_world(self, world: World) -> None:
        """Back to how the world began. Its clock too, unless that simply follows the machine's."""
        state, clock = world.initial, world.initial.clock
        after = going_on(clock, clock.now, self.wall())
        self.worlds.reset(world, state if after is clock else msgspec.structs.replace(state, clock=after))

    def _unsavable(self, api: str, state: WorldState) -> str | None:
        """Why the state could not be put back once it has been saved."""
        domain = state.apis[api]
        try:
            self.apis[api].load(self.apis[api].dump(domain))
        except ValueError as error:
            return str(error)
        return None

    def complaint_about(self, api: str, state: WorldState) -> str | None:
        """What would break the API's contract if this state were served; None if nothing would.

        Types and references have been checked when the state was read. This catches what is left.
        """
        served = self.served[api]
        try:
            for operation, body in served.api.probe(state.apis[api], state.context(state.clock.now)):
                if (breach := self.check.body_breach(served.contract.operations[operation], body)) is not None:
                    return f"{operation}: {breach}"
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def create_automatically(self, name: str) -> World:
        """A world that a request named and nobody created (`--auto-worlds`); the one idle longest makes room."""
        if self.worlds.is_full:
            self.worlds.remove_oldest_idle(keep=DEFAULT_WORLD)
        return self.create_world(name, self.options.scenario)

    def now_in(self, world: World) -> Instant:
        """The world's time at this moment, after all that was due until then has been done."""
        wall = self.wall()
        state = world.state
        now = min(state.clock.read(wall), LATEST)
        first = state.agenda.first()
        if first is None or first.at > now:
            return now
        if world.heard is None:
            world.transact(lambda before: settle(before, now, self.jobs))
        else:
            self._settle_heard(world, now)
        return now

    def _settle_heard(self, world: World, now: Instant) -> None:
        """In small steps, so that none of them brings more than the outbox keeps. Raises AgendaOverrun."""
        done = 0
        while fallen := world.transact(lambda before: settle_some(before, now, self.jobs, JOBS_AT_ONCE)):
            done += len(fallen)
            if done > MOST_JOBS:
                raise AgendaOverrun(f"more than {MOST_JOBS} jobs have fallen due")
