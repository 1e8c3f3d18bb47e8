"""A receiver of webhooks that does next to nothing: `python -m tests.bench.receiver --fail 0.05 --seed 7`.

Prints its port. `POST` of anything is answered 200, or 503 in a share of the attempts that depends on the seed, the event
and how often it has come, not on when it comes. It records what it accepted, in that order; `GET /` tells.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from hashlib import blake2b
from typing import Any, cast

import httptools
import uvloop

from .asked import HOST

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"


class Record:
    """`accepted`: subject and sequence of each event that was answered 200, in the order of the answers."""

    def __init__(self, share: float, seed: int) -> None:
        self.limit, self.seed = int(share * 2**32), seed
        self.came: Counter[tuple[str, int]] = Counter()
        self.accepted: list[tuple[str, int]] = []
        self.refused = 0
        self.connections = 0

    def takes(self, body: bytes) -> bool:
        data = json.loads(body)["data"]
        event = (data["subject"], data["sequence"])
        self.came[event] += 1
        if _drawn(f"{self.seed}/{event}/{self.came[event]}") < self.limit:
            self.refused += 1
            return False
        self.accepted.append(event)
        return True

    def told(self) -> bytes:
        facts: dict[str, Any] = {
            "accepted": self.accepted,
            "refused": self.refused,
            "attempts": self.came.total(),
            "connections": self.connections,
        }
        body = json.dumps(facts).encode()
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Connection(asyncio.Protocol):
    def __init__(self, record: Record) -> None:
        self.record, self.body = record, b""
        self.parser = httptools.HttpRequestParser(self)
        record.connections += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        body, self.body = self.body, b""
        if self.parser.get_method() == b"GET":
            self.transport.write(self.record.told())
        else:
            self.transport.write(OK if self.record.takes(body) else BUSY)


def _drawn(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest())


async def main(share: float, seed: int) -> None:
    record = Record(share, seed)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(record), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    uvloop.run(main(given.fail, given.seed))
