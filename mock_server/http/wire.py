"""HTTP/1.1 on the wire: uvicorn's httptools protocol, with four things put right and one added.

- An offer to upgrade (`Upgrade: h2c`, as some clients send by default) is ignored, and the request's body is read. The
  parser would stop before the body and take its bytes for the next request.
- White space around a header's value is not part of it.
- A head has a largest size, and what trails a chunked body is not part of it.
- Garbage behind a complete request does not swallow that request's answer.
- The app can close or reset a request's connection without an answer, as a fault may want it to.
"""

from __future__ import annotations

import socket
import struct
from functools import partial

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .delivery import HANG_UP

LARGEST_HEAD = 256 * 1024
MOST_HEADERS = 1_000
_OF_UPGRADES = (b"upgrade", b"http2-settings")


class HeadTooLarge(ValueError):
    """The request's target and headers are larger than is read."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head_size = 0
    _is_past_head = False
    _is_broken = False
    _is_tunnel = False

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._is_tunnel or self._is_broken:
            return
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offered:
                if self.parser.get_method() == b"CONNECT":
                    # What follows is not for us to read; the answer is a refusal and ends the connection.
                    self._is_tunnel = True
                    self.cycle.keep_alive = False
                    return
                data = self._head_without_offer() + data[offered.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self._refuse()
                return

    def on_message_begin(self) -> None:
        self._head_size = 0
        self._is_past_head = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_past_head:
            return  # a trailer behind a chunked body is no header
        self._count(len(name) + len(value))
        if len(self.headers) >= MOST_HEADERS:
            raise HeadTooLarge
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        if not self._is_offer():
            self._is_past_head = True
            super().on_headers_complete()
            self.scope["extensions"] = {HANG_UP: partial(self._hang_up, self.cycle)}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        if not self._is_offer():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_broken and not self.pipeline and not self.transport.is_closing() and self._is_idle():
            self.send_400_response("Invalid HTTP request received.")

    def _hang_up(self, cycle: RequestResponseCycle, is_reset: bool) -> None:
        # To uvicorn it is as if the client had gone: then it neither expects an answer nor sends one of its own.
        cycle.disconnected = True
        if is_reset:
            at_once = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.transport.abort()
        else:
            self.transport.close()

    def _is_offer(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self) -> None:
        if self._is_idle() or self.cycle.more_body:
            self.send_400_response("Invalid HTTP request received.")
        else:
            self._is_broken = True

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > LARGEST_HEAD:
            raise HeadTooLarge

    def _head_without_offer(self) -> bytes:
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                kept = b", ".join(token for token in tokens if token.lower() not in _OF_UPGRADES)
                head += [name, b": ", kept, b"\r\n"]
            elif name not in _OF_UPGRADES:
                head += [name, b": ", value, b"\r\n"]
        return b"".join([*head, b"\r\n"])
