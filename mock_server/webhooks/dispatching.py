"""Sends what worlds owe: concurrently to many endpoints, in order for each subject, again when it fails.

Nothing here knows a world's rules. A happening becomes a delivery for every endpoint that wants it in the very step in
which it happens (`hear`); workers take what is due at the world's time; what came of an attempt goes back into the
world's records. Time is the world's: in a frozen world a retry waits until somebody moves the clock, and `advance` stops
at each due attempt, lets it go out, and goes on.

A world may change under an attempt: reset, gone back, deleted. Its records are then others, or have abandoned what they
owed; so whoever has waited looks whether they are still the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial

import msgspec

from mock_server.engine.clock import moved
from mock_server.engine.instants import LATEST, SECOND, Instant
from mock_server.engine.kernel import JOBS_AT_ONCE, AgendaOverrun, Fallen, Jobs, advance, settle_some
from mock_server.engine.outbox import Happening
from mock_server.engine.world import WorldState
from mock_server.store.deliveries import Deliveries
from mock_server.store.endpoints import Attempt, Delivery, Endpoint
from mock_server.store.worlds import World

from .drafts import Request
from .owing import owe
from .posting import Answered, HttpPost, Post, Unanswered
from .preparing import prepared, told
from .retrying import manner_of

MOST_AT_ONCE = 64
"""Attempts under way in one world; beyond that each endpoint still has one."""
TICK_S = 1.0
PATIENCE_S = 3.0
"""So long in all an advance waits for attempts that were under way before it: one of them may be waiting for it, if a
receiver moves the clock before it answers."""
LONGEST_KEPT_ANSWER = 1_000
JOB = "webhook_attempt"

Ready = tuple[Endpoint, Delivery]
Task = asyncio.Task[None]
Attempts = frozenset[tuple[str, int]]


class WebhookDispatcher:
    """`now_in` gives a world's time after all that was due has been done; `wall` the machine's."""

    def __init__(
        self,
        worlds: Iterable[World],
        now_in: Callable[[World], Instant],
        wall: Callable[[], Instant],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        post: Post | None = None,
    ) -> None:
        self._worlds, self._now_in, self._wall, self._sleep = worlds, now_in, wall, sleep
        self._post: Post = post or HttpPost()
        self._under_way: dict[Deliveries, set[Task]] = {}
        self._ticker: Task | None = None
        self._watching: list[tuple[Deliveries, list[Fallen]]] = []
        self._is_stopping = False

    # -- what is owed -------------------------------------------------------------------------------------------------

    def listen(self, world: World) -> None:
        """From now on what happens in the world is owed to its endpoints."""
        world.heard = partial(self.hear, world)
        self.wake(world)

    def hear(self, world: World, happenings: list[Happening]) -> None:
        """Each to every endpoint that wants it."""
        for endpoint in world.deliveries.endpoints:
            wanted = [each for each in happenings if not endpoint.is_passing and endpoint.wants(each.topic)]
            if wanted:
                self.owe(world, endpoint, wanted)
        self.wake(world)

    def owe(self, world: World, endpoint: Endpoint, happenings: list[Happening]) -> list[Delivery]:
        """To one endpoint, in order, unless it is to misbehave."""
        made = owe(world.deliveries, world.state.seed, endpoint, happenings)
        world.deliveries.sweep(endpoint.id)
        return made

    # -- sending it ---------------------------------------------------------------------------------------------------

    def wake(self, world: World) -> None:
        """Begin what is due in the world and not begun yet. Outside of an event loop the next tick does that."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._is_stopping or world.is_gone or not world.has_deliveries:
            return
        deliveries, now = world.deliveries, self._time_of(world)
        while ready := deliveries.ready(now, only_idle=len(self._tasks_of(deliveries)) >= MOST_AT_ONCE):
            taken = [ready]
            task = loop.create_task(self._work(world, deliveries, taken))
            self._under_way.setdefault(deliveries, set()).add(task)
            task.add_done_callback(partial(self._ended, deliveries, taken, now))
        if self._ticker is None or self._ticker.done() or self._ticker.get_loop() is not loop:
            self._ticker = loop.create_task(self._tick())

    def _ended(self, deliveries: Deliveries, taken: list[Ready], at: Instant, task: Task) -> None:
        # A task that was cancelled before its first step has not even looked at what it was given.
        for _, delivery in taken:
            deliveries.put_back(delivery, at)
        tasks = self._under_way.get(deliveries, set())
        tasks.discard(task)
        if not tasks:
            self._under_way.pop(deliveries, None)

    def _tasks_of(self, deliveries: Deliveries) -> Collection[Task]:
        return self._under_way.get(deliveries, ())

    async def settle(self, world: World) -> None:
        """Until nothing that is due at the world's time is left, and nothing is under way."""
        if not world.has_deliveries:
            return
        deliveries = world.deliveries
        while _is_of(deliveries, world):
            self.wake(world)
            if not (tasks := self._tasks_of(deliveries)):
                return
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    async def advance(self, world: World, until: Instant, jobs: Jobs) -> list[Fallen]:
        """Move the world's clock to `until`, doing what falls due and sending what is due, each at its instant.

        Ends early if the world is reset, put back or deleted meanwhile. Raises AgendaOverrun before anything has happened.
        """
        advance(world.state, until, jobs)
        deliveries = world.deliveries
        generation, older, patience = deliveries.generation, deliveries.trying, PATIENCE_S
        timeline: list[Fallen] = []
        watching = (deliveries, timeline)
        self._watching.append(watching)
        try:
            while True:
                patience = await self._settle_for(world, deliveries, older, patience)
                if not _is_of(deliveries, world) or deliveries.generation != generation:
                    return timeline
                now, first = self._time_of(world), world.state.agenda.first()
                due = deliveries.next_due()
                job_at = first.at if first is not None and first.at <= until else None
                ahead = [each for each in (job_at, due) if each is not None and now < each <= until]
                if now >= until and job_at is None:
                    return timeline
                target = now if job_at is not None and job_at <= now else min([*ahead, until])
                timeline += world.transact(partial(self._step, until=target, jobs=jobs))
        finally:
            self._watching = [each for each in self._watching if each is not watching]

    async def _settle_for(self, world: World, deliveries: Deliveries, older: Attempts, patience: float) -> float:
        """`settle`, but for no longer than `patience` where only `older` attempts are under way. Gives what is left of it."""
        clock = asyncio.get_running_loop().time
        while _is_of(deliveries, world):
            self.wake(world)
            if not (tasks := self._tasks_of(deliveries)):
                break
            if deliveries.trying - older:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            elif patience > 0:
                began = clock()
                await asyncio.wait(tasks, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                patience -= clock() - began
            else:
                break
        return patience

    def _step(self, state: WorldState, until: Instant, jobs: Jobs) -> tuple[WorldState, list[Fallen]]:
        state, timeline = settle_some(state, until, jobs, JOBS_AT_ONCE)
        return msgspec.structs.replace(state, clock=moved(state.clock, until, self._wall())), timeline

    async def stop(self, grace_s: float) -> int:
        """Let what is under way come to an end, at most so long. Gives how many deliveries are still owed."""
        self._is_stopping = True
        tasks = [task for each in self._under_way.values() for task in each]
        if self._ticker is not None:
            self._ticker.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._post.close()
        return sum(len(world.deliveries) for world in self._worlds if world.has_deliveries)

    async def _tick(self) -> None:
        """While there are endpoints, time passes in their worlds even if nobody asks them anything."""
        while True:
            await self._sleep(TICK_S)
            with_endpoints = [world for world in self._worlds if world.has_deliveries and world.deliveries.endpoints]
            if not with_endpoints:
                return
            for world in with_endpoints:
                if world.state.clock.mode == "running":
                    try:
                        self._now_in(world)
                    except AgendaOverrun:
                        continue  # whoever asks the world something is told
                self.wake(world)

    async def _work(self, world: World, deliveries: Deliveries, taken: list[Ready]) -> None:
        """One attempt after the other, as long as there is something to do."""
        ready: Ready | None = taken.pop()
        while ready is not None:
            await self._attempt(world, deliveries, *ready)
            if self._is_stopping or not _is_of(deliveries, world):
                return
            ready = deliveries.ready(self._time_of(world))

    async def _attempt(self, world: World, deliveries: Deliveries, endpoint: Endpoint, delivery: Delivery) -> None:
        at, started = self._time_of(world), self._wall()
        try:
            if _is_of(deliveries, world) and deliveries.owes(delivery):
                request, came = await self._sent(world, endpoint, delivery, at, started)
                self._closed(world, deliveries, endpoint, delivery, request, came, at, started)
        finally:
            # Nothing is lost if the loop ends meanwhile; once the attempt is closed this does nothing.
            deliveries.put_back(delivery, at)

    async def _sent(
        self, world: World, endpoint: Endpoint, delivery: Delivery, at: Instant, started: Instant
    ) -> tuple[Request | None, Answered | Unanswered]:
        request: Request | None = None
        try:
            request = prepared(world.name, world.state.seed, endpoint, delivery, at, started)
            return request, await self._post(request, endpoint.timeout_ms / 1000)
        except Exception as error:
            return request, Unanswered(f"it could not be sent: {error}"[:300])

    def _closed(
        self,
        world: World,
        deliveries: Deliveries,
        endpoint: Endpoint,
        delivery: Delivery,
        request: Request | None,
        came: Answered | Unanswered,
        at: Instant,
        started: Instant,
    ) -> None:
        manner = manner_of(endpoint.scheme)
        status, headers = (came.status, came.headers) if isinstance(came, Answered) else (None, {})
        is_delivered = status is not None and manner.is_success(status)
        wait = None if is_delivered else manner.wait(endpoint.retries, delivery.tried, status, headers)
        now = max(at, self._time_of(world))
        attempt = Attempt(
            number=delivery.tried,
            at=at,
            sent_at=started,
            status=status,
            error=came.reason if isinstance(came, Unanswered) else None,
            seconds=(self._wall() - started) / SECOND,
            headers=() if request is None else request.headers,
            answer=came.body[:LONGEST_KEPT_ANSWER] if isinstance(came, Answered) else "",
            damages=delivery.damages,
        )
        retry_at = None if wait is None else min(now + wait * SECOND, LATEST)
        deliveries.close(delivery, attempt, retry_at, delivered=is_delivered, gone=manner.heeds and status == 410)
        for watched, timeline in self._watching:
            if watched is deliveries:
                timeline.append(Fallen(at, delivery.id, delivery.happening.api, JOB, told(delivery, attempt)))

    def _time_of(self, world: World) -> Instant:
        return min(world.state.clock.read(self._wall()), LATEST)


def _is_of(deliveries: Deliveries, world: World) -> bool:
    """Whether these are the world's records, and there is that world."""
    return not world.is_gone and world.has_deliveries and world.deliveries is deliveries
