"""The oracle that we have: the mock itself, in this process, in worlds whose clocks stand still until they are moved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.types import Message

from mock_server.app import create_app, create_mock
from mock_server.engine.instants import format_instant, parse_instant
from mock_server.engine.world import forked
from mock_server.fixtures import Located, find, read_yaml
from mock_server.http.mock import Mock
from mock_server.scenarios import Scenario, initial_state
from mock_server.store.worlds import World

from .http import Answer, Request
from .target import Target, TargetError

WALL = parse_instant("2026-01-01T00:00:00Z")
ROOMY = 1_000_000
"""How many organizations may hang below the one under which tries make theirs."""


class Reference:
    """The model of one API behind its bundle. Made once for a run; `close` it in the end."""

    def __init__(self, target: Target) -> None:
        self._wall = WALL
        self.mock: Mock = create_mock(wall=lambda: self._wall, fresh_seed=lambda: 1)
        self.app = create_app(self.mock)
        self.loop = asyncio.new_event_loop()
        self._numbers = count(1)
        self._scenario, self._names, self._credentials, self.webhook_secret = _scenario(target)
        self._first = {}  # type: dict[int, World]

    def twin(self, now: int) -> ReferenceTwin:
        """A fresh place. Raises TargetError if the facts of the target make no world."""
        first = self._first.get(now)
        if first is None:
            try:
                state = initial_state(self._scenario, self.mock.apis, 1, self._wall, now=now)
            except ValueError as error:
                raise TargetError(f"the model cannot be set up as the target is said to be: {error}") from None
            first = World(f"base-{now}", "contract", state, self._wall)
            self._first = {now: first}
        return self._place(first)

    def _place(self, origin: World) -> ReferenceTwin:
        world = self.mock.worlds.add(f"twin-{next(self._numbers)}", "contract", forked(origin.state), self._wall)
        return ReferenceTwin(self, world, self._names, self._credentials)

    def ask(self, method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Answer:
        return self.loop.run_until_complete(self._asked(method, path, headers, body))

    async def _asked(self, method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if not any(name == b"host" for name, _ in raw):
            raw.append((b"host", b"127.0.0.1"))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("latin-1"),
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": raw,
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 80),
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, *rest = messages
        given = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return Answer(start["status"], given, b"".join(each.get("body", b"") for each in rest))

    def close(self) -> None:
        self.loop.close()


class ReferenceTwin:
    """A world of the reference."""

    def __init__(
        self, reference: Reference, world: World, names: Mapping[str, str], credentials: Mapping[str, str]
    ) -> None:
        self.names: Mapping[str, str] = dict(names)
        self.credentials: Mapping[str, str] = credentials
        self.webhook_secret = reference.webhook_secret
        self._reference, self._world = reference, world
        self._forked_from: tuple[str, ...] = ()

    @property
    def now(self) -> int:
        return self._world.state.clock.now

    def send(self, request: Request) -> Answer:
        api = self._reference.mock.served["openapp"].api
        path = f"/w/{self._world.name}{api.base_paths[0]}{request.target}"
        headers = tuple((name, self._here(value)) for name, value in request.headers)
        return self._reference.ask(request.method, path, headers, request.body or b"")

    def _here(self, value: str) -> str:
        """A key that was made before this fork names the world that it was made in."""
        secret, at, world = value.rpartition("@")
        return f"{secret}@{self._world.name}" if at and world in self._forked_from else value

    def move(self, to: int) -> None:
        if to > self.now:
            self._control("POST", "/clock", {"set": format_instant(to)})

    def consume(self, org: str, key: str, amount: int) -> Answer:
        return self._control("POST", "/usage", {"org": org, "key": key, "amount": amount})

    def _control(self, method: str, path: str, body: Any) -> Answer:
        headers = (("content-type", "application/json"),)
        target = f"/_mock/worlds/{self._world.name}{path}"
        return self._reference.ask(method, target, headers, json.dumps(body).encode())

    def fork(self) -> ReferenceTwin:
        twin = self._reference._place(self._world)
        twin.names = dict(self.names)
        twin._forked_from = (*self._forked_from, self._world.name)
        return twin

    def close(self) -> None:
        self._reference.mock.worlds.remove(self._world.name)


def _scenario(target: Target) -> tuple[Scenario, dict[str, str], dict[str, str], str]:
    """What the reference starts from, what its ids are called, and its credentials by role."""
    control = target.ports.control
    document = read_yaml(find("worlds", control.scenario if control is not None else "demo"))
    part = document.value["apis"]["openapp"]
    part["catalog"] = (
        str(find("catalogs", target.facts.catalog)) if target.facts.catalog != "openapp" else part["catalog"]
    )
    part["settings"] = {**part.get("settings", {}), **target.facts.settings}
    names = {"org": part["orgs"][0]["id"], "other_org": part["orgs"][1]["id"]}
    if part["orgs"][0].get("portals"):
        names["portal"] = part["orgs"][0]["portals"][0]["id"]
    secret = part.get("webhook_secrets", {}).get("stripe", "")
    secret = secret[0] if isinstance(secret, list) else secret
    if control is not None:
        credentials = dict(target.credentials)
    else:
        credentials = {role: f"demo-{'globex' if role == 'other' else role}" for role in target.credentials}
        part["overrides"] = [
            *part.get("overrides", []),
            {"org": names["org"], "quota_key": "organizations", "limit": ROOMY},
        ]
    located = Located(document.file, document.value, None)
    return Scenario("contract", located), names, credentials, secret
