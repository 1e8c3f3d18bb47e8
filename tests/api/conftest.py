"""The app in process: a client for it, worlds that stand still, and the assertion that no answer broke a contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock, Options

from .client import WALL, Client, World
from .posting import NobodyThere


@pytest.fixture
def options() -> Options:
    """Overridden by tests that start the mock differently."""
    return Options()


@pytest.fixture
def mock(options: Options) -> Iterator[Mock]:
    mock = create_mock(options, wall=lambda: WALL, fresh_seed=lambda: 7, post=NobodyThere())
    yield mock
    assert list(mock.breaches) == []


@pytest.fixture
def client(mock: Mock) -> Client:
    return Client(create_app(mock))


@pytest.fixture
def world(mock: Mock, client: Client) -> World:
    """The world `still`, frozen in the middle of a leap-year February."""
    mock.create_world("still", "demo", seed=7, now=1_709_164_800_000_000)  # 2024-02-29T00:00:00Z
    return World(client, "still")
