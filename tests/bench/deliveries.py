"""Webhooks sent per second, and whether any is lost: `python -m tests.bench.deliveries`.

The dispatcher runs in this process, on uvloop as `mockbill serve` runs it, without the rest of the server; a receiver that
does next to nothing runs in another. Both share the machine's cores. Each delivery is rendered, signed (Standard Webhooks)
and posted with httpx over connections that are kept alive.

fast    every attempt succeeds
flaky   5 % of the attempts fail, drawn from a seed; the world's clock is frozen, and moved until all retries are done

Ends with 1 if a delivery was lost or came twice, if the order of a subject was not kept, or if `fast` was slower than the
aim.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import uvloop

from mock_server.app import create_mock
from mock_server.engine.instants import DAY, Instant, parse_instant
from mock_server.engine.outbox import Happening
from mock_server.http.mock import Mock
from mock_server.store.deliveries import Endpoint
from mock_server.store.worlds import World

from .asked import HOST
from .processes import ROOT, environment, resident
from .results import this_machine
from .table import _aligned as aligned

AIM = 2_000
FAIL = 0.05
NOW: Instant = parse_instant("2026-03-01T00:00:00Z")
RETRIES = (5, 300, 1800, 7200, 18000)
MOST_FOR_THE_RETRIES = 30 * DAY


@dataclass(frozen=True)
class Measured:
    """`lost`, `doubled` and `disordered` count what the receiver accepted never, twice, and before what had come earlier.
    `busy`: processor time of the dispatcher's process, in seconds."""

    name: str
    deliveries: int
    subjects: int
    concurrency: int
    attempts: int
    seconds: float
    busy: float
    connections: int
    lost: int
    doubled: int
    disordered: int
    memory: int | None

    @property
    def rate(self) -> float:
        return self.attempts / self.seconds

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)


@contextmanager
def receiver(fail: float, seed: int) -> Iterator[int]:
    """Its port."""
    command = [sys.executable, "-m", "tests.bench.receiver", "--fail", str(fail), "--seed", str(seed)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


async def sent(mock: Mock, world: World, endpoint: Endpoint, count: int, subjects: int) -> tuple[float, float]:
    """Owe so many deliveries, send them all, and give how long the sending took, and how long this process was busy."""
    happenings = [
        Happening(n + 1, NOW, "openapp", "invoice.paid", subject, {"subject": subject, "sequence": n // subjects})
        for n in range(count)
        for subject in (f"subject-{n % subjects}",)
    ]
    mock.webhooks.owe(world, endpoint, happenings)
    started, busy = time.perf_counter(), time.process_time()
    mock.webhooks.wake(world)
    await mock.webhooks.settle(world)
    if len(world.deliveries):
        await mock.webhooks.advance(world, NOW + MOST_FOR_THE_RETRIES, mock.jobs)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    await mock.webhooks.stop(1)
    return seconds, busy


def measured(name: str, count: int, subjects: int, concurrency: int, fail: float, seed: int) -> Measured:
    with receiver(fail, seed) as port:
        mock = create_mock()
        world = mock.create_world("bench", "demo", seed=seed, now=NOW)
        asked = Endpoint(
            "bench",
            f"http://{HOST}:{port}/hooks",
            "standard-webhooks",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            RETRIES,
            concurrency=concurrency,
            disable_after=None,
        )
        endpoint = world.deliveries.add(asked)
        seconds, busy = uvloop.run(sent(mock, world, endpoint, count, subjects))
        with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=30) as answer:
            told = json.load(answer)
    came: dict[str, list[int]] = defaultdict(list)
    for subject, sequence in told["accepted"]:
        came[subject].append(sequence)
    distinct = {subject: set(sequences) for subject, sequences in came.items()}
    return Measured(
        name,
        count,
        subjects,
        concurrency,
        told["attempts"],
        seconds,
        busy,
        told["connections"] - 1,
        lost=count - sum(map(len, distinct.values())),
        doubled=sum(len(each) - len(distinct[subject]) for subject, each in came.items()),
        disordered=sum(each != sorted(each) for each in came.values()),
        memory=resident(),
    )


def lines(found: list[Measured]) -> Iterator[str]:
    machine = this_machine()
    yield f"{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}"
    yield from ("", "Webhooks to one receiver on the same machine (dispatcher in this process, receiver in another)")
    rows = [
        (
            "run",
            "deliveries",
            "subjects",
            "at once",
            "attempts",
            "attempts/s",
            "busy us",
            "lost",
            "doubled",
            "disordered",
            "MB",
        )
    ]
    rows += [
        (
            each.name,
            f"{each.deliveries:,}",
            f"{each.subjects:,}",
            f"{each.connections}",
            f"{each.attempts:,}",
            f"{each.rate:,.0f}",
            f"{each.busy / each.attempts * 1e6:,.0f}",
            f"{each.lost}",
            f"{each.doubled}",
            f"{each.disordered}",
            "-" if each.memory is None else f"{each.memory / 2**20:.0f}",
        )
        for each in found
    ]
    yield from aligned(rows)
    yield from ("", f"aim: {AIM:,} deliveries per second, none lost or doubled, the order of each subject kept")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=50_000)
    parser.add_argument("--subjects", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    runs = [("fast", 0.0), ("flaky", FAIL)]
    found = [
        measured(name, given.deliveries, given.subjects, given.concurrency, fail, given.seed) for name, fail in runs
    ]
    if given.json:
        print(json.dumps({"machine": asdict(this_machine()), "runs": [{**asdict(e), "rate": e.rate} for e in found]}))
    else:
        print("\n".join(lines(found)))
    return int(not all(each.is_right for each in found) or found[0].rate < AIM)


if __name__ == "__main__":
    sys.exit(main())
