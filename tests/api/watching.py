"""What tests of the journal and of faults ask a world, and a machine whose time passes only as far as they let it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message

from mock_server.app import create_app, create_mock
from mock_server.http.delivery import ConnectionLost
from mock_server.http.mock import Mock, Options

from .client import WALL, Answer, Client, NoAnswer, World

NOW = 1_709_164_800_000_000
"""2024-02-29T00:00:00Z, where the worlds of these tests stand still."""


def world_of(mock: Mock, name: str = "still", seed: int = 7, scenario: str = "demo") -> World:
    mock.create_world(name, scenario, seed=seed, now=NOW)
    return World(Client(create_app(mock)), name)


def new_world(
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    wall: Callable[[], int] = lambda: WALL,
    seed: int = 7,
    options: Options | None = None,
) -> tuple[Mock, World]:
    mock = create_mock(options, wall=wall, fresh_seed=lambda: 7, sleep=sleep)
    return mock, world_of(mock, seed=seed)


def journal(world: World, query: str = "") -> Any:
    answer = world.control("GET", "/requests", query=query.encode())
    assert answer.status == 200, answer.body
    return answer.json


def numbers(world: World, query: str = "") -> list[int]:
    return [line["number"] for line in journal(world, query)["requests"]]


def entry(world: World, number: int | str | Answer) -> Any:
    """By its number, or that of an answer."""
    if isinstance(number, Answer):
        number = number.headers["x-mock-request"]
    answer = world.control("GET", f"/requests/{number}")
    assert answer.status == 200, answer.body
    return answer.json


def newest(world: World) -> Any:
    return entry(world, numbers(world, "limit=1")[0])


def add_fault(world: World, **body: Any) -> Any:
    answer = world.control("POST", "/faults", json=body)
    assert answer.status == 201, answer.body
    return answer.json


def faults(world: World) -> Any:
    return world.control("GET", "/faults").json["faults"]


def audit(world: World) -> Any:
    answer = world.control("GET", "/audit")
    assert answer.status == 200, answer.body
    return answer.json


def zones(world: World) -> list[str]:
    """The names of the zones there are."""
    return [each["name"]["en"] for each in world.call("GET", "/zones").json["items"]]


def make_zone(world: World, name: str = "Attic", **more: Any) -> Answer:
    return world.call("POST", "/zones", json={"name": name}, **more)


def lost(world: World, method: str, path: str, key: str | None = "demo-owner", **more: Any) -> list[Message]:
    """A call whose connection a fault closes; gives what was sent until then."""
    sent: list[Message] = []
    with pytest.raises(ConnectionLost):
        world.call(method, path, key, sent=sent, **more)
    return sent


def left(world: World, method: str, path: str, body: bytes = b"", **more: Any) -> None:
    """A call by a client that goes as soon as it has said everything. The mock's `sleep` must be `never`."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    if body:
        more["headers"] = {"content-type": "application/json", **more.get("headers", {})}
    with pytest.raises(NoAnswer):
        world.call(method, path, receive=receive, **more)


async def never(_: float) -> None:
    """Time that does not pass."""
    await asyncio.Event().wait()


class Sleeper:
    """Time that passes at once; `slept` notes how much of it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
