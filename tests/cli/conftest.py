"""A running mock, and a world of its own for each test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import Server
from tests.wire.raw import ACME, HOST, JSON, Reply, exchange, request

from .command import Ran, inside
from .fakes import Fake

NUMBERS = itertools.count(1)
START = "2026-03-01T00:00:00Z"


class World:
    """A world of a running mock, frozen at START, with the command line and the billing API at hand."""

    def __init__(self, server: Server | Fake, name: str) -> None:
        self.server, self.name, self.url = server, name, server.url

    def run(self, *arguments: str, env: dict[str, str] | None = None, stdin: bytes | None = None) -> Ran:
        """A command with the environment set to this mock and world."""
        given = {"MOCKBILL_URL": self.server.url, "MOCKBILL_WORLD": self.name, **(env or {})}
        return inside(*arguments, env=given, stdin=stdin)

    def said(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        ran = self.run(*arguments)
        assert (ran.code, ran.errors) == (0, ""), ran
        return ran.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.said(*arguments, "--json"))

    def call(self, method: str, path: str, body: Any = None, key: str = "demo-owner") -> Reply:
        """A request to the billing API, as a client makes it."""
        headers = (HOST, f"X-API-Key: {key}", JSON)
        content = None if body is None else json.dumps(body).encode()
        assert isinstance(self.server, Server)
        return exchange(self.server.port, request(method, f"/w/{self.name}/api/v1{path}", headers, content))

    def buy(self, tier: str = "pro") -> Reply:
        return self.call("POST", f"/orgs/{ACME}/billing/checkout", {"tier_slug": tier})

    def zone(self, name: str = "Attic") -> Reply:
        return self.call("POST", "/zones", {"name": name})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def world(server: Server) -> World:
    name = f"test-{next(NUMBERS)}"
    ran = inside("worlds", "create", name, "--seed", "7", "--now", START, "--url", server.url)
    assert ran.code == 0, ran
    return World(server, name)
