"""A load generator of our own, for machines without wrk: PORT CONNECTIONS SECONDS REQUEST.

Each connection sends the request again as soon as the whole answer is there, until the time is over.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import cast

from .asked import HOST

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"
GRACE = 10.0


class Connection(asyncio.Protocol):
    """`latencies` in seconds. `ended` is set when the time is over, or when the connection broke."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.ended = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.not_2xx = self.broken = 0
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_whole(self._received):
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent_at)
        self.not_2xx += self._received[9:10] != b"2"
        self._received = b""
        if now < self.until:
            self._send()
        else:
            self._transport.close()
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.broken += 1
            self._end()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self.request)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _is_whole(received: bytes) -> bool:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(received, 0, end + 2)
    return received.endswith(_LAST_CHUNK) if length is None else len(received) >= end + 4 + int(length[1])


async def run(port: int, connections: int, seconds: float, request: bytes) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: Connection(request, started + seconds), HOST, port))[1]
        for _ in range(connections)
    ]
    _, waiting = await asyncio.wait([each.ended for each in made], timeout=seconds + GRACE)
    lasted = time.perf_counter() - started
    latencies = sorted(latency for each in made for latency in each.latencies) or [0.0]
    return {
        "requests": sum(len(each.latencies) for each in made),
        "seconds": lasted,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "not_2xx": sum(each.not_2xx for each in made),
        "broken": sum(each.broken for each in made) + len(waiting),
    }


if __name__ == "__main__":
    import uvloop

    port, connections, seconds, request = sys.argv[1:5]
    measured = uvloop.run(run(int(port), int(connections), float(seconds), request.encode()))
    print("BENCH " + json.dumps(measured))
