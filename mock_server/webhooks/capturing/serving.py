"""The sockets: connections that stay open, take turns, are not too many, and do not dawdle."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from .heads import CHUNKED, LARGEST_HEAD, Malformed, RequestHead, head_of, request_head
from .recording import UNAVAILABLE, Recorder, Said, ours
from .streams import Ended, check_size, read_body, read_head

TIMED_OUT = 408
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PIECE = 64 * 1024


class Limits(Struct, frozen=True):
    """`idle`: seconds that a connection may wait for its next request; `receiving`: for all of it to come once it has
    begun; `lingering`: that a client has to read a refusal; `stopping`: for what is under way at the end.
    `connections` at once; `memory`: bytes of bodies that are held at once.
    """

    idle: float = 75.0
    receiving: float = 30.0
    lingering: float = 2.0
    stopping: float = 2.0
    connections: int = 256
    memory: int = 256 * 1024 * 1024


class Busy(Exception):
    """All the memory there is for bodies is taken."""


class Server:
    def __init__(self, recorder: Recorder, limits: Limits) -> None:
        self.recorder, self.limits = recorder, limits
        self.done = asyncio.Event()
        """Set to stop."""
        self._open: dict[asyncio.Task[None], str] = {}
        self._held = 0

    async def serve(self, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        """Until `done` is set, and then until what is under way has ended."""
        server = await asyncio.start_server(self._connected, sock=listener, limit=LARGEST_HEAD)
        try:
            on_ready()
            await self.done.wait()
        finally:
            server.close()
            await self._finish()

    async def _finish(self) -> None:
        """A request that has come whole is answered; one that is still coming has a moment; the rest are hung up on."""
        self._cancel("waiting")
        receiving = [task for task, state in self._open.items() if state == "receiving"]
        if receiving:
            await asyncio.wait(receiving, timeout=self.limits.stopping)
        self._cancel("waiting", "receiving")
        if self._open:
            await asyncio.wait(self._open, timeout=self.recorder.options.patience + self.limits.stopping)
        left = list(self._open)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=self.limits.stopping)

    def _cancel(self, *states: str) -> None:
        for task, state in self._open.items():
            if state in states:
                task.cancel()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        is_one_too_many = len(self._open) >= self.limits.connections
        self._open[task] = "waiting"
        try:
            if is_one_too_many:
                self.recorder.tell(f"not captured: there are {self.limits.connections} connections already")
                await self._refuse(reader, writer, ours(UNAVAILABLE, "too many connections at once"))
            else:
                while await self._exchange(reader, writer, task):
                    self._open[task] = "waiting"
        except (OSError, asyncio.CancelledError):
            # The client has gone, or the server stops.
            pass
        finally:
            del self._open[task]
            writer.close()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter, task: asyncio.Task[None]) -> bool:
        """One request and its answer; whether another may follow."""
        try:
            async with asyncio.timeout(self.limits.idle):
                begun = await reader.read(1)
        except TimeoutError:
            return False
        if not begun or self.done.is_set():
            return False
        self._open[task] = "receiving"
        with self._memory() as claim:
            came = await self._received(reader, writer, begun, claim)
            if came is None:
                return False
            head, body = came
            self._open[task] = "answering"
            said = await self.recorder.take(head, body)
            if self.recorder.is_full:
                self.done.set()
            keeps_alive = head.keeps_alive and not self.done.is_set()
            await _write(writer, said, keeps_alive=keeps_alive, to_head=head.method == "HEAD", limits=self.limits)
        return keeps_alive

    async def _received(
        self, reader: StreamReader, writer: StreamWriter, begun: bytes, claim: Callable[[int], None]
    ) -> tuple[RequestHead, bytes] | None:
        """None if it was refused, or never came whole."""
        try:
            async with asyncio.timeout(self.limits.receiving):
                if not (begun.isupper() or begun == b"\r"):
                    is_tls = begun == b"\x16"
                    raise Malformed("this server speaks HTTP without TLS" if is_tls else "this is no HTTP request")
                head = request_head(await read_head(reader, begun))
                if head.length != CHUNKED:
                    check_size(head.length)
                if head.expects_continue and head.length:
                    writer.write(CONTINUE)
                return head, await read_body(reader, head.length, claim)
        except Malformed as error:
            status, why = error.status, str(error)
        except TimeoutError:
            status, why = TIMED_OUT, f"the request did not come whole within {self.limits.receiving:g} s"
        except Busy:
            status, why = UNAVAILABLE, "too many large bodies at once"
        except Ended:
            self.recorder.tell("not captured: the client closed the connection within a request")
            return None
        self.recorder.tell(f"not captured: {why}")
        await self._refuse(reader, writer, ours(status, f"the webhook was not captured: {why}"))
        return None

    async def _refuse(self, reader: StreamReader, writer: StreamWriter, said: Said) -> None:
        """What the client still sends is thrown away: a connection with unread bytes is reset, and the answer lost."""
        await _write(writer, said, keeps_alive=False, to_head=False, limits=self.limits)
        with contextlib.suppress(TimeoutError, OSError):
            writer.write_eof()
            async with asyncio.timeout(self.limits.lingering):
                while await reader.read(_PIECE):
                    pass

    @contextmanager
    def _memory(self) -> Iterator[Callable[[int], None]]:
        """Claims of one request, given back at its end."""
        claimed = 0

        def claim(size: int) -> None:
            nonlocal claimed
            if self._held + size > self.limits.memory:
                raise Busy
            self._held += size
            claimed += size

        try:
            yield claim
        finally:
            self._held -= claimed


async def _write(writer: StreamWriter, said: Said, *, keeps_alive: bool, to_head: bool, limits: Limits) -> None:
    headers = said.headers if keeps_alive else (*said.headers, ("Connection", "close"))
    head = head_of(f"HTTP/1.1 {said.status} {said.reason}", headers)
    writer.write(head if to_head else head + said.body)
    try:
        async with asyncio.timeout(limits.receiving):
            await writer.drain()
    except TimeoutError:
        writer.transport.abort()
        raise ConnectionResetError from None


def run(
    recorder: Recorder, listener: socket.socket, on_ready: Callable[[], None], limits: Limits | None = None
) -> None:
    """Until SIGINT, SIGTERM or the limit. A second signal does not wait for what is under way."""

    async def main() -> None:
        server = Server(recorder, Limits() if limits is None else limits)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def signalled() -> None:
            if server.done.is_set():
                task.cancel()
            server.done.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, signalled)
        await server.serve(listener, on_ready)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main())
