"""A million requests against one server, and its memory meanwhile: `python -m tests.bench.soak --requests 1000000`.

Eight connections each work in worlds of their own: reads, checkouts up and down, overrides, zones created, deleted and
purged, doors of a metered quota, refusals of every kind, and now and then the control API: clocks moved, snapshots,
forks, faults, the journal read and exported. Whatever grows without a bound shows in the server's resident memory. Ends
with 1 if that grew by more than a tenth after the first tenth of the requests, or if any answer was not as it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

from .asked import BASE, HOST, ORG
from .processes import Server
from .results import this_machine
from .servers import mockbill

CONNECTIONS = 8
SAMPLES = 40
MOST_GROWTH = 0.1
WARM_UP = 0.1

Asked = tuple[str, str, str | None, Any, int]
"""Method, path, key, JSON body, status that is right."""


@dataclass
class Soak:
    """Memory in bytes; `samples` are (requests until then, resident memory)."""

    requests: int = 0
    seconds: float = 0.0
    wrong: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    samples: list[tuple[int, int]] = field(default_factory=list)

    @property
    def warm(self) -> int:
        """Memory once caches, journals and the allocator's pools are filled."""
        return max(memory for requests, memory in self.samples if requests <= self.requests * WARM_UP)

    @property
    def growth(self) -> float:
        """From then on, of the mean of the last tenth."""
        last = [memory for requests, memory in self.samples if requests >= self.requests * (1 - WARM_UP)]
        return sum(last) / len(last) / self.warm - 1


class Connection:
    """One keep-alive connection; asks one thing after the other."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection(HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, key: str | None, body: Any) -> tuple[int, bytes]:
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{self.port}", f"Content-Length: {len(content)}"]
        head += [] if key is None else [f"X-API-Key: {key}"]
        head += [] if body is None else ["Content-Type: application/json"]
        self._writer.write("\r\n".join([*head, "", ""]).encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lower = answer.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 : lower.index(b"\r\n", at)]) if at >= 0 else 0
        return int(answer[9:12]), await self._reader.readexactly(length)


async def life(connection: Connection, world: str, soak: Soak, most: int) -> None:
    """One connection's part: rounds of requests in its world until `most` were sent by all together."""
    rounds = 0
    while soak.requests < most:
        rounds += 1
        async for status, wanted in _round(connection, f"{world}-{rounds % 4}", rounds):
            soak.requests += 1
            soak.by_status[str(status)] = soak.by_status.get(str(status), 0) + 1
            soak.wrong += status != wanted


async def _round(connection: Connection, world: str, number: int) -> AsyncIterator[tuple[int, int]]:
    if number <= 4:
        asked = ("POST", "/_mock/worlds", None, {"name": world, "now": "2026-03-01T00:00:00Z"}, 201)
        yield (await connection.ask(*asked[:4]))[0], asked[4]
    for asked in _usual(world, number):
        yield (await connection.ask(*asked[:4]))[0], asked[4]
    zone = f"/w/{world}{BASE}/zones"
    status, body = await connection.ask("POST", zone, "demo-owner", {"name": f"Zone {number}"})
    yield status, 200
    zone_id = json.loads(body)["id"]
    yield (await connection.ask("DELETE", f"{zone}/{zone_id}", "demo-owner", None))[0], 200
    yield (await connection.ask("DELETE", f"{zone}/{zone_id}/purge", "demo-owner", None))[0], 200
    if number % 20 == 0:
        for asked in _control(world, number):
            yield (await connection.ask(*asked[:4]))[0], asked[4]


def _usual(world: str, number: int) -> list[Asked]:
    base = f"/w/{world}{BASE}"
    org = f"{base}/orgs/{ORG}/billing"
    override = {"subject_type": "org", "subject_id": ORG, "quota_key": "devices", "limit_value": number % 500 + 5}
    tier = ("pro", "free")[number // 4 % 2]
    return [
        ("GET", f"{base}/plans", None, None, 200),
        ("GET", f"{org}/usage", "demo-reader", None, 200),
        ("POST", f"{org}/checkout", "demo-owner", {"tier_slug": tier}, 200),
        ("GET", f"{org}/plan", "demo-reader", None, 200),
        ("POST", f"{org}/checkout", "demo-owner", {"tier_slug": f"gold-{number}"}, 400),
        ("POST", f"{base}/admin/quota_overrides", "demo-operator", override, 200),
        ("GET", f"{base}/zones", "nobody", None, 401),
        ("POST", f"{org}/checkout", "demo-reader", {"tier_slug": "pro"}, 403),
        ("GET", f"{base}/zones/unknown-{number}", "demo-owner", None, 404),
        ("GET", f"{base}/nothing/{number}", None, None, 404),
        ("PATCH", f"{base}/plans", None, None, 405),
    ]


def _control(world: str, number: int) -> list[Asked]:
    at = f"/_mock/worlds/{world}"
    fault = {"id": "outage", "when": "before", "do": "answer", "status": 503, "operation": "get_plans"}
    return [
        ("POST", f"{at}/snapshots", None, {"id": "here"}, 201),
        ("POST", f"{at}/usage", None, {"org": ORG, "key": "door_opens", "amount": 7}, 200),
        ("POST", f"{at}/clock", None, {"advance": "P1D"}, 200),
        ("GET", f"{at}/clock/agenda?within=P1Y", None, None, 200),
        ("GET", f"{at}/diff?snapshot=here", None, None, 200),
        ("POST", f"{at}/faults", None, fault, 201),
        ("GET", f"/w/{world}{BASE}/plans", None, None, 503),
        ("DELETE", f"{at}/faults/outage", None, None, 204),
        ("GET", f"{at}/requests?status=4xx&limit=5", None, None, 200),
        ("GET", f"{at}/audit", None, None, 200),
        ("POST", f"{at}/fork", None, {"name": f"{world}-fork"}, 201),
        ("GET", f"/w/{world}-fork{BASE}/zones", "demo-owner", None, 200),
        ("DELETE", f"/_mock/worlds/{world}-fork", None, None, 204),
        ("POST", f"{at}/snapshots/here/restore", None, None, 200),
        ("DELETE", f"{at}/snapshots/here", None, None, 204),
        *([("GET", f"{at}/requests/export?format=har&limit=50", None, None, 200)] if number % 100 == 0 else []),
    ]


async def soaked(server: Server, most: int) -> Soak:
    soak = Soak()
    started = time.perf_counter()

    async def part(number: int) -> None:
        async with Connection(server.port) as connection:
            await life(connection, f"soak-{number}", soak, most)

    async def watch() -> None:
        due = 0
        while True:
            if soak.requests >= due:
                soak.samples.append((soak.requests, server.memory or 0))
                due = soak.requests + most // SAMPLES
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(part(number) for number in range(CONNECTIONS)))
    watching.cancel()
    soak.samples.append((soak.requests, server.memory or 0))
    soak.seconds = time.perf_counter() - started
    return soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    most = parser.parse_args().requests
    with Server(mockbill()) as server:
        soak = asyncio.run(soaked(server, most))
    everything = {
        **asdict(soak),
        "by_status": dict(sorted(Counter(soak.by_status).items())),
        "warm_mib": round(soak.warm / 2**20, 1),
        "last_mib": round(soak.samples[-1][1] / 2**20, 1),
        "growth": round(soak.growth, 4),
        "per_second": round(soak.requests / soak.seconds),
        "machine": asdict(this_machine()),
    }
    print(json.dumps(everything))
    return int(soak.wrong > 0 or soak.growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
