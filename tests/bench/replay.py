"""Captures replayed as fast as they go: `python -m tests.bench.replay --captures 10000`.

Writes that many captures (signed for Stripe, about 1 KiB each), replays them with `mockbill webhook replay --speed max` to a
small receiver in another process that reads each request whole and answers 200, and prints captures per second: one after
the other, many at a time, and re-signed. Ends with 1 if the receiver got another number than were sent, or one was not
answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture, written
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message

from .asked import HOST
from .processes import ROOT, environment
from .results import this_machine

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LIMIT_S = 300
THEN = 1_700_000_000
WAYS = {
    "one after the other": ("--concurrency", "1"),
    "16 at a time": ("--concurrency", "16"),
    "16 at a time, re-signed": ("--concurrency", "16", "--resign", "--secret", "whsec_demo"),
}


@dataclass(frozen=True)
class Measured:
    """`per_second`: of sending alone; `seconds` of the whole command, with starting it and reading the files."""

    way: str
    sent: int
    received: int
    unexpected: int
    per_second: int
    seconds: float


class Receiving(asyncio.Protocol):
    """Reads requests that have a Content-Length, and answers each."""

    received = 0

    def __init__(self) -> None:
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            length = int(head.rpartition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._read) < end + 4 + length:
                return
            self._read = self._read[end + 4 + length :]
            Receiving.received += 1
            self._transport.write(OK)


async def receive() -> None:
    """Until standard input ends; a line there is answered with how many came since the last."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(Receiving.received, flush=True)
        Receiving.received = 0
    server.close()


def write_captures(folder: Path, count: int) -> None:
    scheme = scheme_named("stripe")
    for number in range(count):
        body = json.dumps({"id": f"evt_{number}", "type": "invoice.paid", "data": "x" * 900}).encode()
        headers = (
            ("Host", "me.example"),
            ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            ("Content-Type", "application/json; charset=utf-8"),
            *scheme.sign(Message(body), "whsec_demo", THEN + number).headers,
            ("Content-Length", str(len(body))),
        )
        at = (THEN + number) * SECOND
        capture = Capture("stripe", "invoice.paid", at, "POST", "/hooks", headers, body)
        (folder / f"{number:06}.json").write_bytes(written(capture))


def measured(way: str, folder: Path, receiver: subprocess.Popen[str], port: int) -> Measured:
    command = [
        sys.executable,
        "-m",
        "mock_server",
        "webhook",
        "replay",
        str(folder),
        "--to",
        f"http://{HOST}:{port}/hooks",
    ]
    started = time.perf_counter()
    ran = subprocess.run(
        [*command, "--speed", "max", "--json", *WAYS[way]],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    seconds = time.perf_counter() - started
    if not ran.stdout:
        raise SystemExit(f"the replay failed: {ran.stderr[-2000:].decode(errors='replace')}")
    found: dict[str, Any] = json.loads(ran.stdout)
    return Measured(
        way,
        found["sent"],
        _received(receiver),
        found["unexpected"],
        round(found["sent"] / found["seconds"]),
        round(seconds, 2),
    )


def _received(receiver: subprocess.Popen[str]) -> int:
    assert receiver.stdin is not None
    assert receiver.stdout is not None
    receiver.stdin.write("\n")
    receiver.stdin.flush()
    return int(receiver.stdout.readline())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description=__doc__)
    parser.add_argument("--captures", type=int, default=10_000)
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        asyncio.run(receive())
        return 0
    command = [sys.executable, "-m", "tests.bench.replay", "--receive"]
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as receiver,
    ):
        assert receiver.stdout is not None
        port = int(receiver.stdout.readline())
        write_captures(Path(name), arguments.captures)
        runs = [measured(way, Path(name), receiver, port) for way in WAYS]
    print(json.dumps({"runs": [asdict(each) for each in runs], "machine": asdict(this_machine())}, indent=2))
    return int(any(each.unexpected or not each.sent == each.received == arguments.captures for each in runs))


if __name__ == "__main__":
    sys.exit(main())
