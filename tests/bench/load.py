"""Load on a server, from wrk if there is one, else from `generator.py`; either way from a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .asked import HOST, Asked
from .processes import ROOT, BenchError, Server

CONNECTIONS = 16
WRK_HINT = "wrk is not on PATH; with it less of the machine goes to the load generator (Debian: apt-get install wrk)"

_REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nBENCH {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"not_2xx":%d,"broken":%d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What came back: `p50` and `p99` in seconds; `broken` counts connections and requests without an answer."""

    requests: int
    seconds: float
    p50: float
    p99: float
    not_2xx: int
    broken: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@cache
def wrk() -> str | None:
    return shutil.which("wrk")


def generator() -> str:
    return "wrk, 1 thread" if wrk() else "tests/bench/generator.py (asyncio)"


def load(server: Server, asked: Asked, seconds: int) -> Load:
    """Raises BenchError if any answer was not 2xx or did not come: a rate of errors says nothing."""
    # wrk counts from 400 on; a look before and after finds answers that are neither 2xx nor errors.
    server.check(asked)
    measured = Load(**(_by_wrk if wrk() else _by_generator)(server, asked, seconds))
    server.check(asked)
    if measured.not_2xx or measured.broken or not measured.requests:
        raise BenchError(
            f"{server.kind.name}, {asked.line}: of {measured.requests} answers {measured.not_2xx} were not 2xx, "
            f"and {measured.broken} times the connection broke"
        )
    return measured


def together(rounds: list[Load]) -> Load:
    """Several rounds as one; the percentiles are the means of the rounds' percentiles."""
    return Load(
        sum(each.requests for each in rounds),
        sum(each.seconds for each in rounds),
        sum(each.p50 for each in rounds) / len(rounds),
        sum(each.p99 for each in rounds) / len(rounds),
        sum(each.not_2xx for each in rounds),
        sum(each.broken for each in rounds),
    )


def _by_wrk(server: Server, asked: Asked, seconds: int) -> dict[str, Any]:
    lines = [f"wrk.method = {json.dumps(asked.method)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in asked.headers.items()]
    if asked.body:
        lines.append(f"wrk.body = {json.dumps(asked.body)}")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        script.write_text("\n".join(lines) + _REPORT)
        url = f"http://{HOST}:{server.port}{server.kind.base}{asked.path}"
        options = ["-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s", "-s", str(script)]
        return _run([str(wrk()), *options, url], seconds)


def _by_generator(server: Server, asked: Asked, seconds: int) -> dict[str, Any]:
    head = f"{asked.method} {server.kind.base}{asked.path} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\n"
    fields = asked.headers | ({"Content-Length": str(len(asked.body))} if asked.body else {})
    request = head + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n" + asked.body
    arguments = [str(server.port), str(CONNECTIONS), str(seconds), request]
    return _run([sys.executable, "-m", "tests.bench.generator", *arguments], seconds)


def _run(command: list[str], seconds: int) -> dict[str, Any]:
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 30, check=False)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{command[0]} did not end by itself") from None
    report = next((line for line in result.stdout.splitlines() if line.startswith("BENCH ")), None)
    if result.returncode != 0 or report is None:
        raise BenchError(f"{command[0]} failed: {(result.stderr or result.stdout)[-500:]}")
    measured: dict[str, Any] = json.loads(report.removeprefix("BENCH "))
    return measured
