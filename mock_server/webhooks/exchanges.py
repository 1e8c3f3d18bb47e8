"""One connection to a receiver of requests, and what is read from it. The parser is httptools', as in the server.

An answer is parsed as it comes in and not after the request has been written: a receiver may answer, and close, before it
has read the whole request, and what it said would be lost with the connection.
"""

from __future__ import annotations

import asyncio
import select
from typing import Literal

import httptools

LARGEST_HEAD = 64 * 1024
"""Of all heads together, those of 1xx answers too."""
LARGEST_KEPT = 64 * 1024
LARGEST_READ = 10 * 1024 * 1024
"""An answer that is longer counts as it is, and the connection is given up."""
SWITCHING_PROTOCOLS, LAST_1XX = 101, 199
WITHOUT_BODY = (101, 204, 304)

Complaint = tuple[Literal["closed", "malformed"], str]


class Exchange:
    """Reads one answer. `done` is set when it is complete, or when it is clear that it will never be."""

    def __init__(self, method: str, done: asyncio.Future[None]) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.complaint: Complaint | None = None
        self.keeps_alive = False
        self._is_head = method == "HEAD"
        self._done = done
        self._parser = httptools.HttpResponseParser(self)
        self._is_in_body = False
        self._has_length = False
        self._head_size = self._read = 0

    @property
    def is_done(self) -> bool:
        return self._done.done()

    def feed(self, data: bytes) -> None:
        if self.is_done:
            self.keeps_alive = False
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
            self.keeps_alive = False
        except httptools.HttpParserError as error:
            self.keeps_alive = False
            self._fail("malformed", f"what came is no HTTP/1 answer: {str(error)[:120]}")
        if self.is_done:
            return
        if not self._is_in_body and self._read > LARGEST_HEAD:
            self._fail("malformed", f"the head of the answer is longer than {LARGEST_HEAD} bytes")
        elif self._read > LARGEST_READ + LARGEST_HEAD:
            self._finish()

    def ended(self, error: Exception | None) -> None:
        """Nothing more will come."""
        self.keeps_alive = False
        if self._is_in_body and not self._has_length and error is None:
            self._finish()
        elif self._is_in_body:
            self._fail("closed", "the connection ended in the middle of the answer")
        else:
            why = "was closed" if error is None else "broke"
            self._fail("closed", f"the connection {why} {'after a part of' if self._read else 'without'} an answer")

    # -- what the parser calls ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_done:
            self.keeps_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_done:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > LARGEST_HEAD:
            self._fail("malformed", f"the head of the answer is longer than {LARGEST_HEAD} bytes")
        elif not self._is_in_body:
            lower = name.lower()
            self._has_length = self._has_length or lower in (b"content-length", b"transfer-encoding")
            self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self.is_done:
            return
        self.status = self._parser.get_status_code()
        if self.status <= LAST_1XX and self.status != SWITCHING_PROTOCOLS:
            return
        self._is_in_body = True
        if self._is_head or self.status in WITHOUT_BODY:
            self.keeps_alive = self._parser.should_keep_alive() and self.status != SWITCHING_PROTOCOLS
            self._finish()

    def on_body(self, body: bytes) -> None:
        if not self.is_done:
            self.body += body[: LARGEST_KEPT - len(self.body)]

    def on_message_complete(self) -> None:
        if self.is_done:
            return
        if self._is_in_body:
            self.keeps_alive = self._parser.should_keep_alive()
            self._finish()
            return
        # It was a 1xx: the answer proper is still to come.
        self.headers.clear()
        self._has_length = False
        self.status = 0

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _fail(self, reason: Literal["closed", "malformed"], explanation: str) -> None:
        if not self._done.done():
            self.complaint = (reason, explanation)
            self._done.set_result(None)


class Connection(asyncio.Protocol):
    """`among`: where it stands as long as it is open. `ended`: set when the socket is closed."""

    def __init__(self, among: set[Connection]) -> None:
        self._among = among
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._written: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._early = bytearray()
        self._is_spent = False
        self._is_ended = False

    @property
    def is_usable(self) -> bool:
        """Whether another request may follow."""
        return not self._is_spent and self._transport is not None and not self._transport.is_closing()

    def is_quiet(self) -> bool:
        """Whether nothing has come, not even the end, that the event loop has not told of yet."""
        assert self._transport is not None
        place = self._transport.get_extra_info("socket").fileno()
        if not hasattr(select, "poll"):
            return not select.select([place], [], [], 0)[0]
        poll = select.poll()
        poll.register(place, select.POLLIN)
        return not poll.poll(0)

    async def exchanged(self, method: str, head: bytes, body: bytes, cut: int | None = None) -> Exchange:
        """Writes a request and reads its answer. What is not written by then is left to `all_written`."""
        transport = self._transport
        assert transport is not None
        done = self._loop.create_future()
        exchange = self._exchange = Exchange(method, done)
        if not transport.is_closing():
            transport.write(head + (body if cut is None else body[:cut]))
        if self._early:
            exchange.feed(bytes(self._early))
            transport.resume_reading()
        if self._is_ended:
            exchange.ended(None)
        if cut is not None:
            self._is_spent = True
            if transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()
        await done
        self._is_spent = self._is_spent or not exchange.keeps_alive
        self._exchange = None
        return exchange

    async def all_written(self, seconds: float) -> None:
        """After an answer that came early: gives the receiver so long to take the rest of the request."""
        transport = self._transport
        assert transport is not None
        if transport.get_write_buffer_size() and not transport.is_closing():
            self._written = self._loop.create_future()
            # Asks to be told when nothing is left.
            transport.set_write_buffer_limits(high=0)
            if transport.get_write_buffer_size():
                await asyncio.wait((self._written,), timeout=max(seconds, 0))
        self._is_spent = self._is_spent or transport.get_write_buffer_size() > 0

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- what the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.feed(data)
            return
        # Over a new connection somebody answers before anything is asked; over a kept one this makes it useless.
        self._is_spent = True
        self._early += data
        if self._transport is not None and len(self._early) > LARGEST_HEAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._is_spent = self._is_ended = True
        if self._exchange is not None:
            self._exchange.ended(None)
        return False

    def resume_writing(self) -> None:
        self._all_is_written()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_spent = self._is_ended = True
        self._among.discard(self)
        if self._exchange is not None:
            self._exchange.ended(error)
        self._all_is_written()
        if not self.ended.done():
            self.ended.set_result(None)

    def _all_is_written(self) -> None:
        if self._written is not None and not self._written.done():
            self._written.set_result(None)
