"""A real server for the real client libraries, and a world of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.server import Server

from .opinions import objections
from .proxy import Recorder, running
from .sdk import Sdk
from .session import Client, Conversation
from .world import World

MakeWorld = Callable[..., World]
Connect = Callable[..., Client]


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


@pytest.fixture(scope="session")
def judge() -> Iterator[Conversation]:
    """The models of the generation that the mock emulates: they know every resource."""
    with Sdk("1.0.1").talk("judge_each") as judge:
        yield judge


@pytest.fixture
def recorder(server: Server, judge: Conversation) -> Iterator[Recorder]:
    """Stands in for the server. When the test ends, the models judge every answer that went through it."""
    with running(Recorder(server.port)) as recorder:
        yield recorder
    assert objections(judge, recorder.exchanges) == []


@pytest.fixture
def connect(sdk: Sdk, recorder: Recorder) -> Iterator[Connect]:
    """`connect(secret)` or `connect(token)`: a client of the library that lives until the test ends."""
    with ExitStack() as until_the_end:

        def made(key: str, base_url: str = "") -> Client:
            api_key = key if "_openapp_" in key else f"{recorder.url}_openapp_{key}"
            talk = sdk.talk("session", recorder.url, api_key=api_key, base_url=base_url)
            return Client(until_the_end.enter_context(talk))

        yield made


@pytest.fixture
def still(make_world: MakeWorld) -> World:
    """Its clock stands until the test moves it."""
    return make_world(now="2026-03-01T00:00:00Z")
