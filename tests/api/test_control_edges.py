"""Where the control API's parts meet: forks and time, the end of time, numbers at their limit, clients that go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock

from .client import ACME, WALL, Client, World

HOUR = 3_600_000_000


class Machine:
    """A mock on a machine whose clock the test moves, and on which no delay ever ends."""

    def __init__(self) -> None:
        self.wall = WALL
        self.mock: Mock = create_mock(wall=lambda: self.wall, fresh_seed=lambda: 7, sleep=self._never)
        self.client = Client(create_app(self.mock))

    async def _never(self, seconds: float) -> None:
        await asyncio.Event().wait()

    def world(self, name: str, **body: Any) -> World:
        assert self.client.request("POST", "/_mock/worlds", json={"name": name, **body}).status == 201
        return World(self.client, name)


def test_a_fork_of_a_running_world_goes_back_to_when_it_was_forked() -> None:
    machine = Machine()
    world = machine.world("w", now="2026-03-01T00:00:00Z", clock="running")
    machine.wall += HOUR
    forked = world.control("POST", "/fork", json={"name": "fork"}).json
    machine.wall += HOUR
    again = machine.client.request("POST", "/_mock/worlds/fork/reset").json
    assert again["clock"] == forked["clock"] == {"now": "2026-03-01T01:00:00Z", "mode": "running"}


def test_a_running_world_stops_at_the_end_of_time() -> None:
    machine = Machine()
    world = machine.world("w", now="9998-12-30T23:59:59Z", clock="running")
    for hours in (1, 9_000):
        machine.wall += hours * HOUR
        for method, path, body in (
            ("GET", "", None),
            ("POST", "/snapshots", {"id": f"after-{hours}"}),
            ("POST", f"/snapshots/after-{hours}/restore", None),
            ("GET", "/clock/agenda", None),
            ("POST", "/clock", {"mode": "running"}),
        ):
            answer = world.control(method, path, **({} if body is None else {"json": body}))
            assert answer.status in (200, 201), answer.body
        assert world.control("GET", "/clock").json["now"] == "9998-12-31T00:00:00Z"
    assert not machine.mock.breaches


def test_the_key_of_a_client_that_did_not_wait_is_masked() -> None:
    machine = Machine()
    world = World(machine.client, "demo")
    slow = {"when": "before", "do": "delay", "delay": {"distribution": "fixed", "ms": 1_000}}
    assert world.control("POST", "/faults", json=slow).status == 201

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    with pytest.raises(AssertionError):
        asyncio.run(machine.client.ask("GET", "/api/v1/orgs", key="demo-owner", receive=gone))
    entry = world.control("GET", "/requests/1")
    assert entry.json["delivery"] == "client_gone"
    assert b"demo-owner" not in entry.body


@pytest.mark.parametrize("member", ["revision", "next_number"])
def test_a_state_at_the_limit_of_its_numbers_is_refused_or_served(member: str) -> None:
    machine = Machine()
    world = World(machine.client, "demo")
    document = world.control("GET", "/state").json
    document[member] = 2**53 - 1
    assert world.control("PUT", "/state", json=document).status == 400
    document[member] = 2**52
    assert world.control("PUT", "/state", json=document).status == 200
    override = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
    override["expires_at"] = "2099-01-01T00:00:00Z"
    assert world.call("POST", "/admin/quota_overrides", "demo-operator", json=override).status == 200
    assert world.control("GET").status == 200
    assert world.control("GET", "/state").status == 200


def test_a_request_that_was_under_way_when_its_world_was_reset_leaves_no_unexplained_trace() -> None:
    over = asyncio.Event()

    async def until_then(seconds: float) -> None:
        await over.wait()

    client = Client(create_app(create_mock(wall=lambda: WALL, fresh_seed=lambda: 7, sleep=until_then)))
    slow = {"when": "before", "do": "delay", "delay": {"distribution": "fixed", "ms": 1_000}}

    async def all_of_it() -> tuple[int, int]:
        await client.ask("POST", "/_mock/worlds/demo/faults", json=slow)
        late = asyncio.ensure_future(client.ask("POST", "/api/v1/zones", key="demo-owner", json={"name": "late"}))
        while not client.app.mock.worlds.get("demo").requests:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        await client.ask("POST", "/_mock/worlds/demo/reset")
        over.set()
        await late
        world = (await client.ask("GET", "/_mock/worlds/demo")).json
        return world["revision"], world["requests"]

    revision, requests = asyncio.run(all_of_it())
    assert (revision > 0) == (requests > 0)
