"""Sending one webhook with httpx, and what came back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

import httpx
import msgspec

from .drafts import Request
from .targets import is_this_machine
from .tls import tls_for

MOST_CONNECTIONS = 400
"""At once, over all worlds; a process may as a rule have about a thousand files open. Who has to wait loses no time by it."""
KEPT_S = 1.0
"""So long: shorter than receivers keep theirs, so that none is closed just when it is used again."""
LONGEST_ANSWER = 64 * 1024
"""More than this of an answer is not read: nothing in it matters."""

Idle = tuple[float, httpx.AsyncHTTPTransport]
"""Since when, by the loop's clock."""
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_S)
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Answered(msgspec.Struct, frozen=True):
    """`headers` by lower-case name; `body` is the beginning of it, as text."""

    status: int
    headers: Mapping[str, str]
    body: str


class Unanswered(msgspec.Struct, frozen=True):
    """`reason` in a few words: refused, timeout, closed, ..."""

    reason: str


class Post(Protocol):
    async def __call__(self, request: Request, timeout_s: float) -> Answered | Unanswered: ...

    async def close(self) -> None: ...


class HttpPost:
    """Over HTTP: redirects are answers, no proxies, no cookies, and no header is added but Host and Content-Length.

    Each connection is a transport of its own: one pool for all would look at every connection for every request, twice.
    Bound to the event loop in which it is first used; in another one it begins anew.
    """

    def __init__(self) -> None:
        self._idle: dict[str, list[Idle]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._tidying: asyncio.Task[None] | None = None

    async def __call__(self, request: Request, timeout_s: float) -> Answered | Unanswered:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._idle, self._loop, self._room = {}, loop, asyncio.Semaphore(MOST_CONNECTIONS)
        async with self._room:
            return await self._posted(request, timeout_s)

    async def _posted(self, request: Request, timeout_s: float) -> Answered | Unanswered:
        transport: httpx.AsyncHTTPTransport | None = None
        is_whole = False
        try:
            url, origin = _parsed(request.url)
            sent = httpx.Request(request.method, url, headers=list(request.headers), content=request.body)
            transport = self._taken(origin, url)
            async with asyncio.timeout(timeout_s):
                response = await transport.handle_async_request(sent)
                try:
                    body, is_whole = await _beginning(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            return Unanswered(f"no answer within {timeout_s:g} s")
        except httpx.ConnectError as error:
            return Unanswered(f"cannot connect: {_text(error)}")
        except Exception as error:
            # Whatever the client makes of a strange address or answer, it is the receiver's failure.
            return Unanswered(f"the connection failed: {_text(error)}")
        finally:
            if transport is not None and is_whole:
                self._keep(origin, transport)
            elif transport is not None:
                await transport.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answered(response.status_code, headers, body)

    async def close(self) -> None:
        idle, self._idle = self._idle, {}
        if self._tidying is not None:
            self._tidying.cancel()
        if self._loop is asyncio.get_running_loop():
            for _, transport in (each for kept in idle.values() for each in kept):
                await transport.aclose()

    def _taken(self, origin: str, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        if kept := self._idle.get(origin):
            return kept.pop()[1]
        context = tls_for(is_this_machine(url.host)) if url.scheme == "https" else _NO_TLS
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=_ONE)

    def _keep(self, origin: str, transport: httpx.AsyncHTTPTransport) -> None:
        loop = asyncio.get_running_loop()
        self._idle.setdefault(origin, []).append((loop.time(), transport))
        if self._tidying is None or self._tidying.done() or self._tidying.get_loop() is not loop:
            self._tidying = loop.create_task(self._tidy(loop))

    async def _tidy(self, loop: asyncio.AbstractEventLoop) -> None:
        """While there are any, close those that nothing has gone over for a while."""
        while self._idle:
            await asyncio.sleep(KEPT_S)
            until = loop.time() - KEPT_S
            old = [each for kept in self._idle.values() for each in kept if each[0] <= until]
            self._idle = {
                origin: left for origin, kept in self._idle.items() if (left := [e for e in kept if e[0] > until])
            }
            for _, transport in old:
                await transport.aclose()


@lru_cache(1_000)
def _parsed(url: str) -> tuple[httpx.URL, str]:
    """And what tells one connection from another. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    return parsed, f"{parsed.scheme}://{parsed.netloc.decode()}"


async def _beginning(response: httpx.Response) -> tuple[str, bool]:
    """And whether that is all of it."""
    body, is_whole = b"", True
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        body += chunk
        if len(body) > LONGEST_ANSWER:
            is_whole = False
            break
    return body[:LONGEST_ANSWER].decode("utf-8", "replace"), is_whole


def _text(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
