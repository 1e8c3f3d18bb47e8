"""/_mock/worlds/{world}/clock: a world's time, read and moved."""

from __future__ import annotations

import msgspec

from mock_server.engine.clock import Clock, frozen, running
from mock_server.engine.instants import Instant, InvalidTime, add_duration, format_instant
from mock_server.engine.kernel import AgendaOverrun, Fallen, advance
from mock_server.engine.world import WorldState
from mock_server.http.addressing import unknown_world
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.store.worlds import World

from .problems import CLOCK_GOES_BACK, INVALID_TIME, NOTHING_DUE, TOO_MUCH_DUE
from .worlds import instant, world_of

LONGEST_TIMELINE = 1_000


async def get_clock(call: Call) -> Reply:
    world = world_of(call)
    now = call.mock.now_in(world)
    return Reply({"now": format_instant(now), "mode": world.state.clock.mode})


async def move_clock(call: Call) -> Reply:
    world, mock, body = world_of(call), call.mock, call.body
    now = mock.now_in(world)
    wall = mock.wall()
    timeline: list[Fallen] = []
    if "mode" in body:
        clock = frozen(now) if body["mode"] == "frozen" else running(now, wall)
        world.transact(lambda state: (_with_clock(state, clock), None))
    else:
        wanted = _wanted(body, now, world)
        if wanted < now:
            raise Refusal(CLOCK_GOES_BACK(now=format_instant(now), wanted=format_instant(wanted)))
        try:
            if world.has_deliveries:
                timeline = await mock.webhooks.advance(world, wanted, mock.jobs)
                if world.is_gone:
                    raise Refusal(unknown_world(world.name, call.base_url))
            else:
                timeline = world.transact(lambda state: advance(state, wanted, mock.jobs, wall))
        except AgendaOverrun as error:
            raise Refusal(TOO_MUCH_DUE(reason=str(error))) from None
    after = world.state.clock
    return Reply(
        {
            "now": format_instant(after.now),
            "mode": after.mode,
            "fell_due": len(timeline),
            "timeline": [
                {
                    "at": format_instant(line.at),
                    "api": line.api,
                    "job": line.job,
                    "key": line.key,
                    "outcome": line.outcome,
                }
                for line in timeline[:LONGEST_TIMELINE]
            ],
        }
    )


def _wanted(body: dict[str, str], now: Instant, world: World) -> Instant:
    if "set" in body:
        return instant("set", body["set"])
    if "step" in body:
        first = world.state.agenda.first()
        attempt = world.deliveries.next_due() if world.has_deliveries else None
        ahead = [each for each in (None if first is None else first.at, attempt) if each is not None]
        if not ahead:
            raise Refusal(NOTHING_DUE())
        return max(min(ahead), now)
    try:
        return add_duration(now, body["advance"])
    except InvalidTime as error:
        reason = str(error)
        if body["advance"].startswith("-"):
            reason += ". To go back, restore a snapshot that was taken then"
        raise Refusal(INVALID_TIME(field="advance", reason=reason)) from None


def _with_clock(state: WorldState, clock: Clock) -> WorldState:
    return msgspec.structs.replace(state, clock=clock)
