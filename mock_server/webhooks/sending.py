"""Sends requests byte for byte: what stands in an `Outgoing` is what goes over the wire, and nothing else does.

No header is added, none is changed, no redirect followed, no proxy of the environment used. A request goes out once:
whoever gets a webhook acts on it, so one that may have arrived is never repeated. A kept connection is looked at before it
is written to, and taken only if it was used a moment ago and nothing has come over it since; a peer that closes it in the
instant between that look and the first byte is told as `closed`.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from socket import SOCK_STREAM, gaierror
from types import TracebackType

from msgspec.structs import replace

from mock_server.machine import stopwatch

from .exchanges import Connection
from .outgoing import Answer, NoAnswer, Outgoing, Target, head_of, parted
from .targets import RemoteTarget, is_loopback
from .tls import tls_for

TIMEOUT_S = 10.0
PER_TARGET = 8
LONGEST_IDLE_S = 1.0
"""Usual servers close what is idle for 2 s and more."""
CLOSING_S = 1.0
BAD_REQUEST = 400
"""From here on an answer is a refusal, and the rest of a body that is still being sent is of no use."""


class Sender:
    """Sends to any number of targets, to each over at most `per_target` connections at a time, which it keeps.

    `timeout`: seconds for connecting and the whole answer together; waiting for one of the connections is not counted.
    Belongs to one event loop. Certificates are checked where the target is another machine.
    """

    def __init__(
        self,
        timeout: float = TIMEOUT_S,
        per_target: int = PER_TARGET,
        allow_remote: bool = False,
        clock: Callable[[], float] = stopwatch,
    ) -> None:
        self._timeout, self._per_target, self._allow_remote, self._clock = timeout, per_target, allow_remote, clock
        self._slots: dict[Target, asyncio.Semaphore] = {}
        self._addresses: dict[Target, tuple[str, ...] | OSError] = {}
        self._idle: dict[Target, list[tuple[Connection, float]]] = {}
        self._open: set[Connection] = set()

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ending = [connection.ended for connection in self._open]
        for connection in tuple(self._open):
            connection.abort()
        self._idle.clear()
        if ending:
            await asyncio.wait(ending, timeout=CLOSING_S)

    async def check(self, url: str) -> None:
        """Raises InvalidTarget or RemoteTarget where `send` would. A name that nobody knows is no error yet."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._resolved(parted(url)[0])
        except TimeoutError:
            pass

    async def send(self, outgoing: Outgoing) -> Answer | NoAnswer:
        """Sends it once. Raises InvalidTarget, RemoteTarget or InvalidRequest before anything is sent."""
        target, asked = parted(outgoing.url)
        head = head_of(outgoing, asked)
        async with self._slots.setdefault(target, asyncio.Semaphore(self._per_target)):
            started = self._clock()
            try:
                async with asyncio.timeout(self._timeout) as limit:
                    return await self._sent(target, head, outgoing, started, limit)
            except TimeoutError:
                explanation = f"no whole answer within {self._timeout:g} s"
                return NoAnswer("timeout", explanation, self._clock() - started)

    async def _sent(
        self, target: Target, head: bytes, outgoing: Outgoing, started: float, limit: asyncio.Timeout
    ) -> Answer | NoAnswer:
        connection = self._kept(target) or await self._connected(target)
        if isinstance(connection, NoAnswer):
            return replace(connection, seconds=self._clock() - started)
        try:
            found = await connection.exchanged(outgoing.method, head, outgoing.body, outgoing.cut)
            seconds = self._clock() - started
            if found.complaint is None and found.status < BAD_REQUEST:
                # There is an answer now, and no time limit may take it away any more.
                left = (limit.when() or 0.0) - asyncio.get_running_loop().time()
                limit.reschedule(None)
                await connection.all_written(left)
        except BaseException:
            connection.abort()
            raise
        says_close = any(name.lower() == "connection" and "close" in value.lower() for name, value in outgoing.headers)
        if connection.is_usable and not says_close:
            self._idle.setdefault(target, []).append((connection, self._clock()))
        else:
            connection.abort()
        if found.complaint is not None:
            return NoAnswer(*found.complaint, seconds)
        return Answer(found.status, tuple(found.headers), bytes(found.body), seconds)

    def _kept(self, target: Target) -> Connection | None:
        """The connection that was used last, if nothing has come over it since."""
        idle = self._idle.get(target, [])
        while idle:
            connection, since = idle.pop()
            if connection.is_usable and self._clock() - since < LONGEST_IDLE_S and connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def _connected(self, target: Target) -> Connection | NoAnswer:
        loop = asyncio.get_running_loop()
        addresses = await self._resolved(target)
        if isinstance(addresses, OSError):
            return NoAnswer("unresolvable", f"the name {target.host} cannot be resolved: {_reason(addresses)}", 0.0)
        context = tls_for(all(map(is_loopback, addresses))) if target.scheme == "https" else None
        complaint = ""
        for address in addresses:
            connection = Connection(self._open)
            try:
                await loop.create_connection(
                    lambda connection=connection: connection,
                    address,
                    target.port,
                    ssl=context,
                    server_hostname=target.host if context else None,
                )
            except (OSError, ValueError) as error:
                # ssl.SSLError is an OSError; a host name that no certificate can name is a ValueError.
                complaint = _reason(error)
                continue
            return connection
        return NoAnswer("refused", f"no connection to {target.authority}: {complaint}", 0.0)

    async def _resolved(self, target: Target) -> tuple[str, ...] | OSError:
        """The addresses, or why there are none, asked for once: what was looked at is what is connected to.

        Raises RemoteTarget.
        """
        known = self._addresses.get(target)
        if known is None:
            try:
                found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=SOCK_STREAM)
                known = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
            except OSError as error:
                known = error
            except UnicodeError as error:
                known = OSError(f"it is no name of a host: {error}")
            if isinstance(known, tuple) and not self._allow_remote and not all(map(is_loopback, known)):
                raise RemoteTarget(f"{target.host} is another machine, and requests stay on this one unless allowed")
            self._addresses[target] = known
        return known


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError | gaierror) and error.errno:
        # asyncio's own texts name the address once more.
        return os.strerror(error.errno)
    return ((error.strerror if isinstance(error, gaierror) else None) or str(error) or type(error).__name__)[:200]
