"""/_mock/health and /_mock/worlds...: what runs here; making, forking, resetting and forgetting worlds."""

from __future__ import annotations

from typing import Any

import msgspec

import mock_server
from mock_server.api import Api
from mock_server.engine.clock import going_on
from mock_server.engine.instants import Instant, InvalidTime, format_instant, parse_instant
from mock_server.engine.kernel import MOST_JOBS
from mock_server.engine.problems import ProblemType
from mock_server.engine.world import forked
from mock_server.fixtures import FixtureError
from mock_server.http.addressing import unknown_world
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import DEFAULT_WORLD, MOST_WAITING, Mock
from mock_server.store.deliveries import MOST_EMISSIONS, MOST_ENDPOINTS, MOST_KEPT, MOST_PENDING
from mock_server.store.faults import MOST_FAULTS
from mock_server.store.journal import LONGEST_BODY, MOST_BYTES, MOST_BYTES_OF_ALL, MOST_ENTRIES
from mock_server.store.snapshots import MOST_SNAPSHOTS
from mock_server.store.worlds import MOST_WORLDS, TooManyWorlds, World, WorldExists

from .problems import (
    DEFAULT_WORLD_STAYS,
    INVALID_SCENARIO,
    INVALID_TIME,
    TOO_MANY_WORLDS,
    UNKNOWN_API,
    WORLD_EXISTS,
)

BOUNDS = {
    "worlds": MOST_WORLDS,
    "snapshots": MOST_SNAPSHOTS,
    "faults": MOST_FAULTS,
    "journal_entries": MOST_ENTRIES,
    "journal_bytes": MOST_BYTES,
    "journal_bytes_of_all": MOST_BYTES_OF_ALL,
    "journal_body_bytes": LONGEST_BODY,
    "waiting": MOST_WAITING,
    "jobs": MOST_JOBS,
    "webhook_endpoints": MOST_ENDPOINTS,
    "webhook_emissions": MOST_EMISSIONS,
    "deliveries_owed": MOST_PENDING,
    "deliveries_kept": MOST_KEPT,
}


async def get_health(call: Call) -> Reply:
    mock = call.mock
    apis = [
        {
            "name": name,
            "title": api.title,
            "base_url": f"{call.base_url}/{name}{api.base_paths[0]}",
            "is_root": name == mock.options.root_api,
        }
        for name, api in mock.apis.items()
    ]
    return Reply(
        {
            "status": "ok",
            "version": mock_server.__version__,
            "worlds": len(mock.worlds),
            "contract_breaches": len(mock.breaches),
            "bounds": BOUNDS,
            "apis": apis,
        }
    )


async def list_worlds(call: Call) -> Reply:
    return Reply({"worlds": [summary(call.mock, world) for world in call.mock.worlds]})


async def create_world(call: Call) -> Reply:
    body, mock = call.body, call.mock
    scenario = body.get("scenario", mock.options.scenario)
    now = None if body.get("now") is None else instant("now", body["now"])
    try:
        world = mock.create_world(body["name"], scenario, body.get("seed"), now, body.get("clock"), body.get("options"))
    except FixtureError as error:
        raise Refusal(INVALID_SCENARIO(scenario=scenario, reason=str(error))) from None
    except (WorldExists, TooManyWorlds) as error:
        raise _not_added(error, body["name"]) from None
    return _created(call, world)


async def get_world(call: Call) -> Reply:
    return Reply(summary(call.mock, world_of(call)))


async def delete_world(call: Call) -> Reply:
    world = world_of(call)
    if world.name == DEFAULT_WORLD:
        raise Refusal(DEFAULT_WORLD_STAYS(world=world.name))
    call.mock.worlds.remove(world.name)
    return Reply(None, 204)


async def reset_world(call: Call) -> Reply:
    world = world_of(call)
    call.mock.reset_world(world)
    return Reply(summary(call.mock, world))


async def fork_world(call: Call) -> Reply:
    parent, name, mock = world_of(call), call.body["name"], call.mock
    now, wall = mock.now_in(parent), mock.wall()
    # A reset of the new world leads back to now, not to when the first one began.
    state = msgspec.structs.replace(forked(parent.state), clock=going_on(parent.state.clock, now, wall))
    try:
        world = mock.worlds.add(name, parent.scenario, state, wall)
    except (WorldExists, TooManyWorlds) as error:
        raise _not_added(error, name) from None
    return _created(call, world)


def world_of(call: Call) -> World:
    """The world that the path names. Raises Refusal (404)."""
    name = call.path["world"]
    world = call.mock.worlds.get(name)
    if world is None:
        raise Refusal(unknown_world(name, call.base_url))
    world.used_at = call.mock.wall()
    return world


def named_api(call: Call) -> Api:
    """The API that the query names, else the root API. Raises Refusal (400)."""
    return served_api(call, call.query.get("api"))


def served_api(call: Call, name: str | None) -> Api:
    """The API of that name, None for the root API. Raises Refusal (400)."""
    name = call.mock.options.root_api if name is None else name
    api = call.mock.apis.get(name)
    if api is None:
        raise Refusal(UNKNOWN_API(api=name, apis=", ".join(call.mock.apis)))
    return api


def summary(mock: Mock, world: World) -> dict[str, Any]:
    now, state = mock.now_in(world), world.state
    return {
        "name": world.name,
        "scenario": world.scenario,
        "seed": state.seed,
        "revision": state.revision,
        "clock": {"now": format_instant(now), "mode": state.clock.mode},
        "requests": world.requests,
        "scheduled": len(state.agenda),
        "snapshots": len(world.snapshots) if world.has_snapshots else 0,
        "faults": len(world.faults) if world.has_faults else 0,
        "prefix": f"/w/{world.name}",
    }


def instant(field: str, text: str, refusal: ProblemType = INVALID_TIME) -> Instant:
    """The instant that a member of the body names. Raises Refusal (400)."""
    try:
        return parse_instant(text)
    except InvalidTime as error:
        raise Refusal(refusal(field=field, reason=str(error))) from None


def _created(call: Call, world: World) -> Reply:
    location = f"{call.base_url}/_mock/worlds/{world.name}"
    return Reply(summary(call.mock, world), 201, (("Location", location),))


def _not_added(error: WorldExists | TooManyWorlds, name: str) -> Refusal:
    if isinstance(error, WorldExists):
        return Refusal(WORLD_EXISTS(world=name))
    return Refusal(TOO_MANY_WORLDS(most=MOST_WORLDS))
