"""Where on the target a law may do as it likes: a world of its own, or an organization of its own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from mock_server.engine.instants import SECOND, format_instant

from .http import Allowance, Client
from .ports import Clock, Endpoint, EndpointClock, PortError, clock_of, usage_of
from .target import ControlPort, Target

WALL_TOLERANCE = 10 * SECOND


class Place(msgspec.Struct, frozen=True):
    """url         base URL of the API there
    names       what `{{org}}` and the like stand for
    clock       None: its time is the machine's
    usage       where a metered quota is consumed with {"org", "key", "amount"}; None without the port
    is_own      whether it is new and the law's alone; else it is the configured organization, as it happens to be
    run         names the run, for what cannot be deleted and must say where it came from
    """

    url: str
    client: Client
    names: Mapping[str, str]
    clock: Clock | None
    usage: Endpoint | None
    is_own: bool = True
    world: str | None = None
    run: str = ""


class Places(Protocol):
    def fresh(self) -> Place:
        """Raises PortError."""

    def leave(self, place: Place) -> None: ...

    def close(self) -> None: ...


class ControlPlaces:
    """A world for each try, forked from one that is made for the run; mockbill's control API makes that cheap."""

    def __init__(self, target: Target, port: ControlPort, allowance: Allowance, now: int, run: str) -> None:
        headers = {} if port.token is None else {"Authorization": f"Bearer {port.token}"}
        self._control = Endpoint(port.url.rstrip("/") + "/_mock/worlds", headers, target.timeout)
        self._headers, self._target, self._base = headers, target, f"contract-{run}"
        origin, path = port.url.rstrip("/"), urlsplit(target.url).path
        self._client = Client(origin, allowance, target.timeout)
        self._allowance, self._api_path, self._numbers = allowance, path, count(1)
        self._port = port
        self.now = now
        try:
            self._control.done(
                "POST", {"name": self._base, "scenario": port.scenario, "seed": 1, "now": format_instant(now)}
            )
            if target.facts.settings:
                self._control.done("PATCH", dict(target.facts.settings), f"/{self._base}/settings")
        except PortError:
            self._control.close()
            raise

    def fresh(self) -> Place:
        name = f"{self._base}-{next(self._numbers)}"
        self._control.done("POST", {"name": name}, f"/{self._base}/fork")
        return self.at(name, self._client)

    def at(self, name: str, client: Client) -> Place:
        worlds = self._control.url
        clock = Endpoint(f"{worlds}/{name}/clock", self._headers, self._target.timeout)
        usage = Endpoint(f"{worlds}/{name}/usage", self._headers, self._target.timeout)
        clock._client = usage._client = self._control._client
        prefixed = f"{self._port.url.rstrip('/')}/w/{name}{self._api_path}"
        return Place(
            prefixed,
            client.at(f"/w/{name}{self._api_path}"),
            _names(self._target),
            EndpointClock(clock),
            usage,
            world=name,
        )

    def leave(self, place: Place) -> None:
        self._control.ask("DELETE", None, f"/{place.world}")

    def close(self) -> None:
        try:
            self._control.ask("DELETE", None, f"/{self._base}")
        finally:
            self._control.close()
            self._client.close()


class SharedPlaces:
    """The configured organization itself; whoever writes there makes an organization of its own below it first."""

    def __init__(self, target: Target, allowance: Allowance, run: str) -> None:
        self._client = Client(target.url, allowance, target.timeout)
        clock = None if target.ports.clock is None else clock_of(target.ports.clock, target.timeout)
        usage = None if target.ports.usage is None else usage_of(target.ports.usage, target.timeout)
        self._place = Place(target.url, self._client, _names(target), clock, usage, is_own=False, run=run)

    def fresh(self) -> Place:
        return self._place

    def leave(self, place: Place) -> None:
        pass

    def close(self) -> None:
        for each in (self._client, self._place.clock, self._place.usage):
            if each is not None:
                each.close()


def places_of(target: Target, allowance: Allowance, now: int, run: str) -> Places:
    """Raises PortError or TargetError."""
    if target.ports.control is not None:
        return ControlPlaces(target, target.ports.control, allowance, now, run)
    return SharedPlaces(target, allowance, run)


def _names(target: Target) -> dict[str, str]:
    found = {"org": target.org, "other_org": target.other_org, "portal": target.portal}
    return {name: value for name, value in found.items() if value is not None}
