"""A real server for the real client libraries, and a world of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.server import Server

from .sdk import Sdk
from .world import World

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One for all tests of this process; that no answer broke a contract is asserted when it stops."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def make_world(server: Server, numbers: Iterator[int]) -> MakeWorld:
    """`make_world(now="2026-03-01T00:00:00Z")`: one that stands still."""
    return lambda **how: World(server.url, f"client-{next(numbers)}", **how)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Its clock runs with the machine's."""
    return make_world()


@pytest.fixture(scope="session", params=["2.0.0", "1.0.1"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """The newest release, whose helpers cover less, and the newest of the generation that the mock emulates."""
    return Sdk(request.param)


@pytest.fixture(scope="session")
def old_sdk() -> Sdk:
    """The last release that sends its key as a bearer token."""
    return Sdk("0.1.61")
