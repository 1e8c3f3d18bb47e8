"""Requests as they go out, byte for byte, and what comes of them. Pure: `sending` puts them on the wire."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from .drafts import Request
from .targets import InvalidTarget
from .targets import checked as checked_target

_URL = re.compile(r"(https?)://([^/?#]*)([!-~\x80-\xff]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ENDS_A_LINE = re.compile(r"[\x00\r\n\u0100-\U0010ffff]")


class InvalidRequest(ValueError):
    """A method or a header that would not come out as one. The message says which, without its value."""


class Outgoing(Struct, frozen=True):
    """A request as it goes out.

    url      where to; what follows its host is the request's target, letter by letter ("/" if nothing does)
    headers  all of them in their order and case, Host and Content-Length included; each letter is one byte (Latin-1)
    body     the bytes that follow the headers
    cut      only so many of them are sent; then this side of the connection is closed
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: int | None = None


class Answer(Struct, frozen=True):
    """`body`: the first 64 KiB of it. `seconds`: from the first attempt to connect to the last byte that was read."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float


class NoAnswer(Struct, frozen=True):
    """reason

    refused       no connection could be made
    timeout       no whole answer in time
    closed        the connection ended before the answer did
    malformed     what came is no HTTP/1 answer
    unresolvable  nobody knows the host's name
    """

    reason: Literal["refused", "timeout", "closed", "malformed", "unresolvable"]
    explanation: str
    seconds: float


class Target(Struct, frozen=True):
    """Who is called: what connections are kept by."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


@lru_cache(maxsize=256)
def parted(url: str) -> tuple[Target, str]:
    """Who is called, and the request's target. Raises InvalidTarget."""
    found = _URL.fullmatch(url)
    if found is None:
        raise InvalidTarget("it is not of the form http://host[:port]/path")
    scheme, authority, rest = found[1].lower(), found[2], found[3]
    parts = checked_target(f"{scheme}://{authority}/", allow_remote=True)
    assert parts.hostname is not None
    target = Target(scheme, parts.hostname, parts.port or (443 if scheme == "https" else 80))
    return target, rest if rest.startswith("/") else f"/{rest}"


def with_framing(request: Request) -> Outgoing:
    """`request` with Host before its headers and Content-Length after them, each unless it has one. Raises InvalidTarget.

    One that says `Transfer-Encoding: chunked` gets its body as a chunk, and no Content-Length.
    """
    names = [name.lower() for name, _ in request.headers]
    headers = request.headers
    if "host" not in names:
        headers = (("Host", parted(request.url)[0].authority), *headers)
    body = request.body
    if "transfer-encoding" in names:
        body = chunked(body)
    elif "content-length" not in names:
        headers = (*headers, ("Content-Length", str(len(body))))
    return Outgoing(request.method, request.url, headers, body)


def chunked(body: bytes) -> bytes:
    """All of it as one chunk, with what ends chunks."""
    return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


def head_of(outgoing: Outgoing, target: str) -> bytes:
    """The bytes before the body. Raises InvalidRequest: nothing in it may end a line early."""
    if not _TOKEN.fullmatch(outgoing.method):
        raise InvalidRequest("the method is none")
    for name, value in outgoing.headers:
        if not _TOKEN.fullmatch(name):
            raise InvalidRequest(f"{name[:60]!r} is not the name of a header")
        if _ENDS_A_LINE.search(value):
            raise InvalidRequest(f"the value of {name[:60]} has letters that no header can carry")
    lines = [f"{outgoing.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in outgoing.headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")
