"""The implementation under test: where it is, who may call it, and what a run may do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

Role = Literal["owner", "reader", "member", "other", "operator", "revoked"]
ROLES: tuple[Role, ...] = ("owner", "reader", "member", "other", "operator", "revoked")
May = Literal["read-only", "own-objects", "full"]
Need = Literal[
    "writes",
    "full",
    "clock",
    "webhook-secret",
    "usage",
    "portal",
    "owner",
    "reader",
    "member",
    "other",
    "operator",
    "revoked",
]


class ControlPort(msgspec.Struct, frozen=True):
    """A mockbill's control API: worlds of its own for the run, their clocks, usage. `scenario`: what they start from."""

    url: str
    scenario: str = "demo"
    token: str | None = None


class HttpClock(msgspec.Struct, frozen=True):
    """GET `url` answers `{"now": ...}`, POST `{"set": "<RFC 3339>"}` moves the clock forward and answers the same."""

    url: str
    headers: Mapping[str, str] = {}


class PythonClock(msgspec.Struct, frozen=True):
    """`call` is a `module:function`, called with an RFC 3339 text to move to or None to ask; gives the time as text."""

    call: str | Callable[[str | None], str]


class HttpUsage(msgspec.Struct, frozen=True):
    """POST `url` with `{"org", "key", "amount"}` consumes a metered quota as the product itself would."""

    url: str
    headers: Mapping[str, str] = {}


class Ports(msgspec.Struct, frozen=True):
    """What a target offers beside its API. `control` stands for clock and usage too."""

    control: ControlPort | None = None
    clock: HttpClock | PythonClock | None = None
    usage: HttpUsage | None = None
    webhook_secret: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What the contract leaves to an implementation: its plans (a catalog file) and its settings, in the model's terms."""

    catalog: str = "openapp"
    settings: Mapping[str, Any] = {}


class Target(msgspec.Struct, frozen=True):
    """What a `contract.toml` says.

    url         the base URL, with the API's base path
    credentials by role; `other` belongs to an organization that `owner` must not reach
    org         the owner's organization; `other_org` that of `other`; `portal` a public portal of `org`
    may         `read-only`; `own-objects`: writes to what the run created; `full`: writes to `org` itself too
    calls, rate, timeout    at most so many calls, calls a second, and seconds for one call
    """

    url: str
    api: str = "openapp"
    credentials: Mapping[str, str] = {}
    org: str | None = None
    other_org: str | None = None
    portal: str | None = None
    may: May = "read-only"
    allowed_hosts: tuple[str, ...] = ()
    calls: int = 50_000
    rate: float | None = None
    timeout: float = 10.0
    ports: Ports = Ports()
    facts: Facts = Facts()
    extra_headers: Mapping[str, str] = {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no report may show."""
        found = [*self.credentials.values(), self.ports.webhook_secret, *self.extra_headers.values()]
        found += [self.ports.control.token if self.ports.control else None]
        for port in (self.ports.clock, self.ports.usage):
            found += list(port.headers.values()) if isinstance(port, HttpClock | HttpUsage) else []
        return tuple(sorted((each for each in found if each), key=len, reverse=True))

    @property
    def offers(self) -> frozenset[Need]:
        """The needs of laws that this target meets."""
        met: set[Need] = set()
        if "owner" in self.credentials and (self.org or self.ports.control):
            met |= {"owner"} if self.may == "read-only" else {"owner", "writes"}
        if self.may == "full" or self.ports.control is not None:
            met.add("full")
        if self.ports.control is not None or self.ports.clock is not None:
            met.add("clock")
        if self.ports.control is not None or self.ports.usage is not None:
            met.add("usage")
        if self.ports.webhook_secret is not None:
            met.add("webhook-secret")
        if self.portal is not None:
            met.add("portal")
        met |= {role for role in ("reader", "member", "other", "operator", "revoked") if role in self.credentials}
        return frozenset(met)


class TargetError(ValueError):
    """The target's description cannot be used; the message names file, line and member, and says why."""
