"""Where a request wants to go: which world, which API, and what is left of the path."""

from __future__ import annotations

import re

import msgspec
from starlette.datastructures import Headers
from starlette.types import Scope

from mock_server.api import Token
from mock_server.engine.problems import Problem
from mock_server.store.worlds import WORLD_NAME

from .exchange import Refusal
from .mock import DEFAULT_WORLD, Mock
from .problems import INVALID_WORLD, UNKNOWN_WORLD, WORLDS_DISAGREE

CONTROL = "_mock"
WORLD_PREFIX = "w"
WORLD_HEADER = "x-mock-world"
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?", re.ASCII)
_PUBLIC_URL = re.compile(
    r"https?://(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::([0-9]{1,5}))?(?:/[A-Za-z0-9._~%/-]*)?",
    re.ASCII,
)


class Address(msgspec.Struct, frozen=True):
    """`mount` is the part of the path that led here ("", "/w/blue", "/w/blue/openapp"); `rest` what follows, decoded.

    `names_api` tells whether the path named the API or the root API was assumed.
    """

    api: str
    mount: str
    rest: list[str]
    world: str | None
    names_api: bool


def address_of(mock: Mock, segments: list[str]) -> Address:
    """Read the path as far as worlds and APIs go. Raises Refusal for a world prefix that cannot be one."""
    world = None
    mount = ""
    if segments[0] == WORLD_PREFIX and len(segments) > 1:
        world, mount, segments = segments[1], f"/{WORLD_PREFIX}/{segments[1]}", segments[2:] or [""]
        check_name(world)
    if segments[0] in mock.served:
        return Address(segments[0], f"{mount}/{segments[0]}", segments[1:] or [""], world, True)
    return Address(mock.options.root_api, mount, segments, world, False)


def world_name(address: Address, headers: Headers, token: Token | None) -> str:
    """The one world that path, header and secret agree on. Raises Refusal when two of them differ."""
    named = headers.getlist(WORLD_HEADER)
    if address.world is not None:
        named = [address.world, *named]
    if token is not None and token.world is not None:
        named = [*named, token.world]
    if not named:
        return DEFAULT_WORLD
    if any(name != named[0] for name in named):
        raise Refusal(WORLDS_DISAGREE(named=", ".join(repr(name[:64]) for name in named[:5])))
    check_name(named[0])
    return named[0]


def check_name(name: str) -> None:
    if not WORLD_NAME.fullmatch(name):
        raise Refusal(INVALID_WORLD(world=name[:64].encode("ascii", "backslashreplace").decode()))


def unknown_world(name: str, origin: str) -> Problem:
    """Names the command that would create it."""
    body = f'{{"name":"{name}"}}'
    command = f"curl -X POST {origin}/{CONTROL}/worlds -H 'Content-Type: application/json' -d '{body}'"
    return UNKNOWN_WORLD(world=name, command=command)


def origin_of(scope: Scope, headers: Headers, public_url: str | None) -> str:
    """Scheme and host as the client used them, for links; `public_url` overrides. No trailing slash."""
    if public_url is not None:
        return public_url.rstrip("/")
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("127.0.0.1", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{scope.get('scheme', 'http')}://{host}"


def is_public_url(text: str) -> bool:
    """Whether links can start with `text`: scheme, host, perhaps a port and a path, and nothing else."""
    match = _PUBLIC_URL.fullmatch(text)
    return match is not None and int(match[1] or 0) <= 65_535


def base_url(mock: Mock, scope: Scope, headers: Headers, address: Address, world: str) -> str:
    """Where links of this API and this world start, however the client named the world."""
    prefix = "" if address.world is not None or world == DEFAULT_WORLD else f"/{WORLD_PREFIX}/{world}"
    return origin_of(scope, headers, mock.options.public_url) + prefix + address.mount


def is_loopback(host: str) -> bool:
    """Whether a Host header (or a listening address) names this machine itself."""
    has_port = host.count(":") == 1 or "]:" in host
    name, _, port = host.rpartition(":") if has_port else (host, "", "")
    if not (port.isascii() and port.isdigit()) and has_port:
        return False
    name = name.strip("[]").lower()
    return (
        name in ("localhost", "::1")
        or name.endswith(".localhost")
        or re.fullmatch(r"127(\.\d{1,3}){3}", name) is not None
    )
