"""Builds the one ASGI app out of its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache

from mock_server import bundles, machine
from mock_server.api import Api
from mock_server.apis.openapp.api import API as OPENAPP
from mock_server.control.api import API as CONTROL
from mock_server.engine.instants import Instant
from mock_server.http.connexion_app import build
from mock_server.http.dispatch import Dispatcher
from mock_server.http.mock import Mock, Options, Served
from mock_server.scenarios import Scenario, read_scenario
from mock_server.webhooks.posting import Post

APIS: dict[str, Api] = {api.name: api for api in (OPENAPP,)}
"""The emulated APIs, in the order in which they are listed."""


class UnknownApi(ValueError):
    """An option names an API that is not there."""


def create_mock(
    options: Options | None = None,
    *,
    wall: Callable[[], Instant] = machine.wall,
    fresh_seed: Callable[[], int] = machine.fresh_seed,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    post: Post | None = None,
) -> Mock:
    """A mock with its first world. Raises FixtureError or UnknownApi.

    `wall`, `fresh_seed` and `sleep` are all that it takes from the machine, and `post` sends webhooks; tests hand in their
    own.
    """
    options = options or Options()
    if options.root_api not in APIS:
        raise UnknownApi(f"there is no API {options.root_api!r}; there are: {', '.join(APIS)}")
    served = {name: _served(api) for name, api in APIS.items()}
    return Mock(options, served, _served(CONTROL), _scenario_reader(), wall, fresh_seed, sleep, post)


def create_app(mock: Mock | None = None) -> Dispatcher:
    """The ASGI app of a mock; without one, of a mock with default options."""
    return Dispatcher(create_mock() if mock is None else mock)


def _served(api: Api) -> Served:
    """The same for every mock of this process: a bundle with what follows from it knows nothing of worlds."""
    if api.name not in _SERVED:
        _SERVED[api.name] = Served(api, lambda: bundles.load(api.name), build)
    return _SERVED[api.name]


_SERVED: dict[str, Served] = {}


def _scenario_reader() -> Callable[[str], Scenario]:
    """A scenario's file is read once for each mock; editing it takes a restart."""
    return cache(read_scenario)
