"""A server for each module, and names for worlds that no other test uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.server import Server

from .raw import WORLDS, post

_numbers = count()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a server listens. At the end it must still be well, with no breach of contract and no traceback."""
    with Server() as server:
        yield server.port


@pytest.fixture
def fresh_name() -> str:
    return f"world-{next(_numbers)}"


@pytest.fixture
def frozen_world(port: int, fresh_name: str) -> str:
    """A world whose clock stands still, so that the same request has the same answer."""
    body = f'{{"name":"{fresh_name}","seed":7,"now":"2026-03-01T00:00:00Z"}}'.encode()
    assert post(port, WORLDS, body).status == 201
    return fresh_name
