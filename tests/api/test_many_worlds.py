"""A thousand worlds at once: each ends where its own requests lead to, as if it had been alone."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mock_server.app import create_app, create_mock
from mock_server.http.delivery import ConnectionLost
from mock_server.http.mock import Mock, Options
from tests.server import Server

from .client import ACME, WALL, Answer, Client

NOW = "2026-03-01T00:00:00Z"
SOME, MANY = 1_000, 5_000


class Turns:
    """Stands in for sleeping: a delay is over once the loop has gone round so many times, and nobody waits for it."""

    def __init__(self, rounds: int = 3) -> None:
        self.rounds = rounds

    async def __call__(self, seconds: float) -> None:
        for _ in range(self.rounds):
            await asyncio.sleep(0)


def fresh(
    sleep: Callable[[float], Awaitable[None]] | None = None, options: Options | None = None
) -> tuple[Mock, Client]:
    mock = create_mock(options, wall=lambda: WALL, fresh_seed=lambda: 7, sleep=sleep or Turns())
    return mock, Client(create_app(mock))


BRIEF = 4


def story(name: str, seed: int) -> list[tuple[str, str, Any, str | None]]:
    """What one world is asked, in order: (method, path, body, key). The same for the same seed, but for its name."""
    draw = random.Random(seed)
    control, api = f"/_mock/worlds/{name}", f"/w/{name}/api/v1"
    steps: list[tuple[str, str, Any, str | None]] = [
        ("POST", "/_mock/worlds", {"name": name, "seed": seed, "now": NOW}, None),
        ("POST", f"{control}/snapshots", {"id": "begun"}, None),
    ]
    tier, override = draw.choice(["starter", "pro"]), {"subject_type": "org", "subject_id": ACME}
    rest: list[tuple[str, str, Any, str | None]] = [
        ("POST", f"{api}/orgs/{ACME}/billing/checkout", {"tier_slug": tier}, "demo-owner"),
        *(("POST", f"{api}/zones", {"name": f"{name[0]}{n}"}, "demo-owner") for n in range(draw.randint(1, 5))),
        ("GET", f"{api}/zones", None, "demo-owner"),
        ("GET", f"{api}/orgs/{ACME}/billing/usage", None, "demo-reader"),
        ("GET", f"{api}/orgs/{ACME}/billing/plan", None, "wrong"),
        (
            "POST",
            f"{api}/admin/quota_overrides",
            override | {"quota_key": "devices", "limit_value": seed},
            "demo-operator",
        ),
        ("POST", f"{control}/clock", {"advance": f"PT{draw.randint(1, 99)}H"}, None),
        ("POST", f"{control}/usage", {"org": ACME, "key": "door_opens", "amount": draw.randint(1, 40)}, None),
        ("PATCH", f"{control}/settings", {"warn_days": seed % 50}, None),
        ("POST", f"{control}/faults", {"when": "before", "do": "delay", "probability": 0.5, "delay": SLOW}, None),
        ("POST", f"{control}/faults", {"when": "after", "do": "answer", "status": 503, "count": 1, "skip": 2}, None),
        ("POST", f"{control}/faults", {"when": "after", "do": "lose", "operation": "create_zone", "count": 1}, None),
    ]
    draw.shuffle(rest)
    at = draw.randrange(len(rest))
    rest.insert(at, ("POST", f"{control}/snapshots/begun/restore", None, None))
    return [*steps, *rest]


SLOW = {"distribution": "uniform", "min_ms": 1, "max_ms": 500}


async def drive(client: Client, name: str, seed: int) -> list[tuple[int, bytes, str]]:
    """The answers of one world, in order. One that a fault has lost is told by its status, 0."""
    answers = []
    for method, path, body, key in story(name, seed):
        answers.append(await told(client, method, path, body, key))
    return answers


async def told(client: Client, method: str, path: str, body: Any, key: str | None) -> tuple[int, bytes, str]:
    more = {} if body is None else {"json": body}
    try:
        answer = await client.ask(method, path, key=key, **more)
    except ConnectionLost:
        return 0, b"", ""
    # The control API's own request ids count all its calls, whichever world they are about.
    is_control = path.startswith("/_mock")
    return answer.status, answer.body, "" if is_control else answer.headers["x-request-id"]


async def held(client: Client, name: str) -> dict[str, Any]:
    """All that the control API knows of a world, but when the machine saw it happen."""
    base = f"/_mock/worlds/{name}"
    found = {
        part: (await client.ask("GET", f"{base}/{part}")).json for part in ("state", "faults", "snapshots", "requests")
    }
    found["requests"]["requests"] = [{**each, "milliseconds": 0} for each in found["requests"]["requests"]]
    return found


async def alone(name: str, seed: int) -> tuple[Any, Any]:
    _, client = fresh()
    return await drive(client, name, seed), await held(client, name)


@pytest.mark.parametrize("number", [SOME, pytest.param(MANY, marks=pytest.mark.slow)])
def test_worlds_that_are_driven_at_once_are_as_if_each_were_alone(number: int) -> None:
    mock, client = fresh()
    names = [f"w-{n}" for n in range(number)]

    async def all_of_them() -> None:
        answers = dict(
            zip(names, await asyncio.gather(*(drive(client, n, i + 1) for i, n in enumerate(names))), strict=True)
        )
        for n in random.Random(number).sample(range(number), 25):
            asked, kept = await alone(names[n], n + 1)
            assert answers[names[n]] == asked
            assert await held(client, names[n]) == kept
        listed = (await client.ask("GET", "/_mock/worlds")).json["worlds"]
        assert {each["name"]: each["seed"] for each in listed} == {"demo": 7} | {
            name: n + 1 for n, name in enumerate(names)
        }
        for name in names:
            journal = (await client.ask("GET", f"/_mock/worlds/{name}/requests")).json
            assert all(each["path"].startswith(f"/w/{name}/") for each in journal["requests"])
            assert sorted(each["number"] for each in journal["requests"]) == list(range(1, journal["answered"] + 1))

    asyncio.run(all_of_them())
    demo, *others = mock.worlds
    ids = [zone for world in others for zone in world.state.apis["openapp"].held_by(ACME).zones.live]
    assert len(ids) == len(set(ids)) > number / 2
    assert (demo.requests, demo.state is demo.initial) == (0, True)
    assert not mock.breaches


def test_waits_see_only_what_happens_in_their_own_world() -> None:
    """As many as may wait at once, each for three requests to its world; all else goes on meanwhile."""
    forever = asyncio.Event

    async def never(seconds: float) -> None:
        await forever().wait()

    mock, client = fresh(never)
    names = [f"w-{n}" for n in range(200)]

    async def all_of_them() -> None:
        for n, name in enumerate(names):
            await client.ask("POST", "/_mock/worlds", json={"name": name, "seed": n, "now": NOW})
        waits = [
            asyncio.ensure_future(client.ask("GET", f"/_mock/worlds/{name}/requests", query=b"wait=60&at_least=3"))
            for name in names
        ]
        await asyncio.sleep(0)
        refused = await client.ask("GET", "/_mock/worlds/demo/requests", query=b"wait=60")
        assert (refused.status, refused.code) == (409, "too_many_waiting")
        for _ in range(2):
            await asyncio.gather(*(client.ask("GET", f"/w/{name}/api/v1/plans") for name in names))
        await Turns(20)(0)
        assert not any(each.done() for each in waits)
        await asyncio.gather(*(client.ask("GET", f"/w/{name}/api/v1/plans") for name in names[::2]))
        await asyncio.gather(*waits[::2])
        assert not any(each.done() for each in waits[1::2])
        await asyncio.gather(*(client.ask("DELETE", f"/_mock/worlds/{name}") for name in names[1::2]))
        gone = await asyncio.gather(*waits[1::2])
        assert {(each.status, each.code) for each in gone} == {(404, "unknown_world")}
        for name, wait in zip(names[::2], waits[::2], strict=True):
            lines = wait.result().json["requests"]
            assert [each["path"] for each in lines] == [f"/w/{name}/api/v1/plans"] * 3
        assert mock.waiting == 0
        assert all(world.listeners == () for world in mock.worlds)

    asyncio.run(all_of_them())
    assert not mock.breaches


def test_a_wait_for_a_world_that_is_deleted_and_made_anew_does_not_tell_of_the_old_one() -> None:
    async def never(seconds: float) -> None:
        await asyncio.Event().wait()

    _, client = fresh(never)

    async def all_of_it() -> None:
        await client.ask("POST", "/_mock/worlds", json={"name": "w"})
        await client.ask("GET", "/w/w/api/v1/plans")
        wait = asyncio.ensure_future(client.ask("GET", "/_mock/worlds/w/requests", query=b"wait=9&at_least=2"))
        await Turns()(0)
        await client.ask("DELETE", "/_mock/worlds/w")
        await client.ask("POST", "/_mock/worlds", json={"name": "w"})
        answer = await wait
        assert (answer.status, answer.code) == (404, "unknown_world")

    asyncio.run(all_of_it())


def test_of_many_that_create_at_once_as_many_succeed_as_the_quota_allows() -> None:
    mock, client = fresh()

    async def all_of_them() -> list[Answer]:
        slow = {"when": "before", "do": "delay", "delay": SLOW}
        assert (await client.ask("POST", "/_mock/worlds/demo/faults", json=slow)).status == 201
        return await asyncio.gather(
            *(client.ask("POST", "/api/v1/zones", key="demo-owner", json={"name": f"z{n}"}) for n in range(40))
        )

    answers = asyncio.run(all_of_them())
    assert sorted(each.status for each in answers) == [200] * 3 + [429] * 37
    assert len({each.headers["x-mock-request"] for each in answers}) == 40
    assert len({each.json["id"] for each in answers if each.status == 200}) == 3
    assert not mock.breaches


@pytest.mark.parametrize("seed", range(3))
def test_a_world_may_be_reset_restored_or_deleted_while_requests_are_under_way(seed: int) -> None:
    """Each is answered, and none is found in a journal that was not there when it came."""
    mock, client = fresh()
    draw = random.Random(seed)
    base = "/_mock/worlds/w"
    commands: list[tuple[str, str, Any]] = [
        ("POST", f"{base}/reset", None),
        ("POST", f"{base}/snapshots", {}),
        ("POST", f"{base}/snapshots/snapshot-1/restore", None),
        ("DELETE", f"{base}/requests", None),
        ("DELETE", base, None),
        ("POST", "/_mock/worlds", {"name": "w", "seed": seed, "now": NOW}),
        ("POST", f"{base}/faults", {"when": "before", "do": "delay", "delay": SLOW}),
        ("POST", f"{base}/faults", {"when": "after", "do": "delay", "delay": SLOW}),
        ("POST", f"{base}/faults", {"when": "duplicate", "do": "repeat", "count": 2}),
        ("DELETE", f"{base}/faults", None),
        ("POST", f"{base}/clock", {"advance": "P40D"}),
        ("GET", f"{base}/requests?wait=5&at_least=9", None),
        ("GET", f"{base}/audit", None),
    ]

    async def some(number: int) -> None:
        for n in range(number):
            if draw.random() < 0.6:
                answer = await client.ask("POST", "/w/w/api/v1/zones", key="demo-owner", json={"name": f"z{n}"})
            else:
                method, path, body = draw.choice(commands)
                path, _, query = path.partition("?")
                more = {} if body is None else {"json": body}
                answer = await client.ask(method, path, query=query.encode(), **more)
            assert answer.status < 500, answer.body
            await Turns(draw.randrange(3))(0)

    async def all_of_it() -> None:
        await client.ask("POST", "/_mock/worlds", json={"name": "w", "seed": seed, "now": NOW})
        await asyncio.gather(*(some(40) for _ in range(20)))

    asyncio.run(all_of_it())
    assert not mock.breaches
    world = mock.worlds.get("w")
    if world is not None:
        numbers = [entry.number for entry in world.journal]
        assert len(numbers) == len(set(numbers))
        assert all(number <= world.journal.opened for number in numbers)
        assert world.listeners == ()
    assert mock.worlds._journal_bytes == sum(each.journal_bytes for each in mock.worlds)


def test_under_load_the_worlds_that_are_made_by_themselves_make_room_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The default world never goes, and an answer is always that of the world that was asked."""
    monkeypatch.setattr("mock_server.store.worlds.MOST_WORLDS", 12)
    ticks = iter(range(WALL, WALL + 10**9))
    mock = create_mock(Options(auto_worlds=True), wall=lambda: next(ticks), fresh_seed=lambda: 7, sleep=Turns())
    client = Client(create_app(mock))

    async def visit(name: str, draw: random.Random) -> None:
        for n in range(6):
            zone = await client.ask("POST", f"/w/{name}/api/v1/zones", key="demo-owner", json={"name": f"{name} {n}"})
            assert zone.status in (200, 429), zone.body
            listed = await client.ask("GET", f"/w/{name}/api/v1/zones", key="demo-owner")
            assert listed.status == 200, listed.body
            assert all(each["name"]["en"].startswith(f"{name} ") for each in listed.json["items"]), listed.body
            assert len(mock.worlds) <= 12
            assert mock.worlds.get("demo") is not None
            await Turns(draw.randrange(3))(0)

    async def all_of_them() -> None:
        await client.ask("POST", "/api/v1/zones", key="demo-owner", json={"name": "of the default world"})
        await asyncio.gather(*(visit(f"w-{n}", random.Random(n)) for n in range(150)))
        stays = await client.ask("GET", "/api/v1/zones", key="demo-owner")
        assert [each["name"]["en"] for each in stays.json["items"]] == ["of the default world"]

    asyncio.run(all_of_them())
    assert not mock.breaches
    assert mock.worlds._journal_bytes == sum(each.journal_bytes for each in mock.worlds)


@pytest.mark.parametrize("number", [SOME, pytest.param(MANY, marks=pytest.mark.slow)])
def test_over_http_worlds_are_as_if_each_were_alone(number: int) -> None:
    def steps(n: int) -> list[tuple[str, str, Any, str | None]]:
        """The whole story for some; of most of them only how it begins, since a client takes longer than the server."""
        return story(f"w-{n}", n + 1)[: None if n in whole else BRIEF]

    def drive_some(url: str, mine: range) -> dict[int, list[tuple[int, bytes, str]]]:
        with httpx.Client(base_url=url, timeout=30) as http:
            return {n: [ask(http, *step) for step in steps(n)] for n in mine}

    whole = set(random.Random(number).sample(range(number), 25))

    with Server() as server, ThreadPoolExecutor(8) as threads:
        parts = [range(start, number, 8) for start in range(8)]
        answers: dict[int, list[tuple[int, bytes, str]]] = {}
        for part in threads.map(lambda mine: drive_some(server.url, mine), parts):
            answers |= part
        for n in whole:
            asked, kept = asyncio.run(alone(f"w-{n}", n + 1))
            assert [untimed(each) for each in answers[n]] == [untimed(each) for each in asked]
            state = httpx.get(f"{server.url}/_mock/worlds/w-{n}/state").json()
            assert state == kept["state"]
        listed = httpx.get(f"{server.url}/_mock/worlds").json()["worlds"]
        assert {each["name"] for each in listed} == {"demo", *(f"w-{n}" for n in range(number))}
        brief = {n for n in answers if n not in whole}
        alike = {each["name"]: each["requests"] for each in listed}
        assert all(alike[f"w-{n}"] == sum(step[1].startswith("/w/") for step in steps(n)) for n in brief)


def ask(http: httpx.Client, method: str, path: str, body: Any, key: str | None) -> tuple[int, bytes, str]:
    try:
        answer = http.request(method, path, json=body, headers={} if key is None else {"x-api-key": key})
    except httpx.RemoteProtocolError:
        return 0, b"", ""
    return answer.status_code, answer.content, "" if path.startswith("/_mock") else answer.headers["x-request-id"]


def untimed(answer: tuple[int, bytes, str]) -> tuple[int, Any, str]:
    """Without what differs from one machine and one port to another."""
    status, body, request_id = answer
    value = json.loads(body) if body else None
    if isinstance(value, dict):
        value = {name: each for name, each in value.items() if name not in ("taken_at", "correlationId")}
    return status, value, request_id
