"""A world, a dispatcher and a receiver without a server: time is virtual, and what is posted is recorded."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from mock_server.engine.clock import running
from mock_server.engine.decisions import Accepted, Context, Effect, Emit, Job, Schedule
from mock_server.engine.instants import SECOND, Instant
from mock_server.engine.kernel import Jobs, decide, settle
from mock_server.engine.outbox import Happening
from mock_server.engine.world import WorldState
from mock_server.store.deliveries import Delivery, Endpoint
from mock_server.store.worlds import World
from mock_server.webhooks.dispatching import WebhookDispatcher
from mock_server.webhooks.drafts import Request
from mock_server.webhooks.posting import Answered, Unanswered
from tests.unit.engine.toys import START, TOY, Tally
from tests.unit.engine.toys import world as toy_world

WALL = 1_790_000_000 * SECOND
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
URL = "http://127.0.0.1:9/hooks"
OK = Answered(200, {}, "ok")
BUSY = Answered(503, {}, "busy")
NOBODY = Unanswered("cannot connect: nobody is there")

Answers = Callable[[str, int], Answered | Unanswered]
"""By what is sent (`data.key`) and how often that has come, this time included."""


class Sent(msgspec.Struct, frozen=True):
    """One request that came: what it says, the how-manieth it is, and the world's time then."""

    key: str
    number: int
    at: Instant
    request: Request


class Receiver:
    """`on_request` runs while the request is being answered."""

    def __init__(self, answers: Answers = lambda key, number: OK) -> None:
        self.answers = answers
        self.sent: list[Sent] = []
        self.count: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.turns = 1
        self.on_request: Callable[[Sent], Awaitable[None]] | None = None
        self.timeouts: list[float] = []
        self.is_closed = False
        self.site: Site

    async def __call__(self, request: Request, timeout_s: float) -> Answered | Unanswered:
        self.timeouts.append(timeout_s)
        key = key_of(request)
        self.count[key] += 1
        sent = Sent(key, self.count[key], self.site.now, request)
        self.sent.append(sent)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            if self.on_request is not None:
                await self.on_request(sent)
        finally:
            self.at_once -= 1
        return self.answers(key, sent.number)

    async def close(self) -> None:
        self.is_closed = True

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.sent]


class Site:
    """One world (`world`), or more; `wall` is the machine's time and moves only by hand."""

    def __init__(self, receiver: Receiver, seed: int = 7) -> None:
        self.wall = WALL
        self.receiver = receiver
        receiver.site = self
        self.world = World("w", "toy", toy_world(seed), WALL)
        self.worlds = [self.world]
        self.ticks: asyncio.Queue[float] | None = None
        self.dispatcher = WebhookDispatcher(self.worlds, self._now_in, lambda: self.wall, self._sleep, receiver)
        self._numbers = 0

    @property
    def now(self) -> Instant:
        return self.world.state.clock.read(self.wall)

    def add(self, name: str = "shop", **more: Any) -> Endpoint:
        usual = {"url": URL, "scheme": "standard-webhooks", "secret": SECRET, "retries": (5, 60), "disable_after": None}
        endpoint = self.world.deliveries.add(Endpoint(id=name, **{**usual, **more}))
        self.dispatcher.listen(self.world)
        return endpoint

    def tell(self, endpoint: Endpoint, *keys: str, subject: str = "acme", at: Instant | None = None) -> list[Delivery]:
        """Owe the endpoint one happening for each key, and begin to send."""
        happenings = [self.happening(key, subject, at) for key in keys]
        made = self.dispatcher.owe(self.world, endpoint, happenings)
        self.dispatcher.wake(self.world)
        return made

    def happening(self, key: str, subject: str = "acme", at: Instant | None = None) -> Happening:
        self._numbers += 1
        return Happening(self._numbers, self.now if at is None else at, TOY, "toy.rang", subject, {"key": key})

    def act(self, *effects: Effect) -> None:
        """A command of the world that leads to these effects."""

        def command(state: Tally, context: Context) -> Accepted[Tally, None]:
            return Accepted(Tally((*state.lines, "act")), None, effects)

        self.world.transact(lambda state: decide(state, TOY, command, self.now))

    async def advance(self, seconds: float) -> list[Any]:
        return await self.dispatcher.advance(self.world, self.now + round(seconds * SECOND), JOBS)

    async def settle(self) -> None:
        await self.dispatcher.settle(self.world)

    def run_with_the_machine(self) -> None:
        self.world.transact(lambda state: (msgspec.structs.replace(state, clock=running(self.now, self.wall)), None))

    def _now_in(self, world: World) -> Instant:
        now = world.state.clock.read(self.wall)
        world.transact(lambda state: settle(state, now, JOBS))
        return now

    async def _sleep(self, seconds: float) -> None:
        """The ticker stands still unless a test turns it."""
        if self.ticks is None:
            await asyncio.Event().wait()
        else:
            await self.ticks.get()


def key_of(request: Request) -> str:
    try:
        key: str = json.loads(request.body)["data"]["key"]
    except (ValueError, KeyError):
        return "damaged"
    return key


def emit(key: str, subject: str = "acme", topic: str = "toy.rang") -> Emit:
    return Emit(topic, subject, {"key": key})


def later(key: str, seconds: int, subject: str = "acme", times: int = 1) -> Schedule:
    """A job that emits then, and again as long after that as often as said."""
    args = {"key": key, "subject": subject, "every": seconds, "times": times}
    return Schedule(f"bill/{key}", START + seconds * SECOND, Job(TOY, "bill", args))


def _bill(state: Tally, args: Mapping[str, Any], context: Context) -> Accepted[Tally, str]:
    left = args["times"] - 1
    effects: list[Effect] = [emit(f"{args['key']}-{left}", args["subject"])]
    if left:
        again = {**args, "times": left}
        effects.append(Schedule(f"bill/{args['key']}", context.now + args["every"] * SECOND, Job(TOY, "bill", again)))
    return Accepted(Tally((*state.lines[-50:], "bill")), "billed", tuple(effects))


JOBS: Jobs = {(TOY, "bill"): _bill}

__all__ = ["BUSY", "JOBS", "NOBODY", "OK", "START", "Receiver", "Sent", "Site", "WorldState", "emit", "key_of", "later"]
