"""What worlds cost in time and memory, inside one process: `python -m tests.bench.worlds` prints it as JSON.

It runs in a process of its own, so that nothing else adds to what is resident.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.datastructures import Headers

from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.state import OpenApp, Org
from mock_server.app import create_app, create_mock
from mock_server.control.worlds import fork_world
from mock_server.engine.callers import Caller
from mock_server.engine.kernel import decide
from mock_server.engine.world import forked
from mock_server.http.exchange import Call
from mock_server.http.mock import DEFAULT_WORLD, Mock
from mock_server.store.worlds import MOST_WORLDS, World

from .asked import BASE, CHECKOUT, ORG, SECRET
from .processes import ROOT, BenchError, resident

API = "openapp"
START = 1_790_000_000_000_000
SIZES = (0, 10_000, 100_000)
BATCHES, BATCH = 25, 200


@dataclass(frozen=True)
class Cost:
    """Microseconds each, in a world with so many organizations. `handled` is a fork as the control API does it."""

    organizations: int
    fork: float
    handled: float
    snapshot: float
    reset: float


@dataclass(frozen=True)
class Memory:
    """Resident bytes that so many forked worlds take, after what `step` says."""

    step: str
    worlds: int
    resident: int


@dataclass(frozen=True)
class Worlds:
    costs: list[Cost]
    memory: list[Memory]


def measure() -> Worlds:
    command = [sys.executable, "-m", "tests.bench.worlds"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode != 0:
        raise BenchError(f"the worlds could not be measured: {result.stderr[-1000:]}")
    values = json.loads(result.stdout)
    return Worlds([Cost(**each) for each in values["costs"]], [Memory(**each) for each in values["memory"]])


def costs(mock: Mock, organizations: int) -> Cost:
    parent = _grown(mock, organizations)
    changed = _with_orgs(mock, parent, 1, "another")
    cost = Cost(
        len(parent.state.apis[API].orgs),
        fork=_per_world(mock, lambda name: mock.worlds.add(name, parent.scenario, forked(parent.state), 0)),
        handled=_per_world(mock, _fork_by_handler(mock, parent)),
        snapshot=_median([_seconds(lambda: [parent.state for _ in range(BATCH)]) for _ in range(BATCHES)]),
        reset=_median([_seconds_of_resets(mock, parent, changed) for _ in range(BATCHES)]),
    )
    mock.worlds.remove(parent.name)
    return cost


def memory(mock: Mock) -> list[Memory]:
    """Many forks of the first world, then one checkout in each of them, then one request to each."""
    parent = mock.worlds.get(DEFAULT_WORLD)
    assert parent is not None
    count = MOST_WORLDS - len(mock.worlds)
    steps: list[Memory] = []
    gc.collect()
    before = resident()
    if before is None:
        return []

    def step(name: str) -> None:
        gc.collect()
        steps.append(Memory(name, count, (resident() or 0) - before))

    worlds = [mock.worlds.add(f"fork-{n}", parent.scenario, forked(parent.state), 0) for n in range(count)]
    step("forked")
    caller = mock.apis[API].identify(parent.state.apis[API], SECRET, 0)
    assert isinstance(caller, Caller)
    for world in worlds:
        _check_out(mock, world, caller)
    step("and one checkout in each")
    asyncio.run(_ask_each(mock, worlds))
    step("and one request to each, journaled")
    return steps


def _grown(mock: Mock, organizations: int) -> World:
    demo = mock.worlds.get(DEFAULT_WORLD)
    assert demo is not None
    return mock.worlds.add("grown", demo.scenario, _with_orgs(mock, demo, organizations, "org"), 0)


def _with_orgs(mock: Mock, world: World, count: int, prefix: str) -> Any:
    state = world.state
    domain: OpenApp = state.apis[API]
    orgs = domain.orgs
    for n in range(count):
        org = Org(f"{prefix}-{n}", {"en": f"Organization {n}"}, domain.catalog.default.slug, START, START, n)
        orgs = orgs.insert(org.id, org)
    return msgspec.structs.replace(state, apis=state.apis.insert(API, msgspec.structs.replace(domain, orgs=orgs)))


def _per_world(mock: Mock, make: Callable[[str], object]) -> float:
    names = [f"fork-{n}" for n in range(BATCH)]
    batches: list[float] = []
    for _ in range(BATCHES):
        batches.append(_seconds(lambda: [make(name) for name in names]))
        for name in names:
            mock.worlds.remove(name)
    return _median(batches)


def _fork_by_handler(mock: Mock, parent: World) -> Callable[[str], object]:
    control = mock.control
    operation = next(each for each in control.contract.operations.values() if each.id == "fork_world")

    def fork(name: str) -> object:
        call = Call(mock, control.api, operation, Headers())
        call.path, call.body = {"world": parent.name}, {"name": name}
        try:
            fork_world(call).send(None)
        except StopIteration as ended:
            return ended.value
        raise AssertionError("the handler waited for something")

    return fork


def _seconds_of_resets(mock: Mock, parent: World, changed: Any) -> float:
    forks = [mock.worlds.add(f"fork-{n}", parent.scenario, parent.state, 0) for n in range(BATCH)]
    for fork in forks:
        fork.transact(lambda _: (changed, None))
    started = time.perf_counter()
    for fork in forks:
        mock.reset_world(fork)
    seconds = time.perf_counter() - started
    assert all(fork.state is parent.state for fork in forks)
    for fork in forks:
        mock.worlds.remove(fork.name)
    return seconds


def _check_out(mock: Mock, world: World, caller: Caller) -> None:
    now = mock.now_in(world)
    world.transact(
        lambda state: decide(state, API, lambda domain, context: checkout(domain, context, caller, ORG, "pro"), now)
    )
    assert world.state.apis[API].orgs[ORG].tier_slug == "pro"


async def _ask_each(mock: Mock, worlds: list[World]) -> None:
    app, path = create_app(mock), BASE + CHECKOUT.path
    body = {"type": "http.request", "body": CHECKOUT.body.encode(), "more_body": False}
    statuses: list[int] = []

    async def receive() -> Any:
        return body

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for world in worlds:
        headers = {"host": "localhost", **CHECKOUT.headers, "x-mock-world": world.name}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": CHECKOUT.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await app(scope, receive, send)
    assert statuses == [200] * len(worlds), statuses[:3]


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - started
    del result  # kept until here, so that freeing it is not timed
    return seconds


def _median(batches: list[float]) -> float:
    return statistics.median(batches) / BATCH * 1e6


if __name__ == "__main__":
    # Memory first: what the timings leave behind could be used again by the forks and hide their cost.
    of_memory = memory(create_mock())
    mock = create_mock()
    everything = Worlds([costs(mock, size) for size in SIZES], of_memory)
    print(msgspec.json.encode(everything).decode())
