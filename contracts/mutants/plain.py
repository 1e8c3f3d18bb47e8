"""Plain `schemathesis run` against a server: what a fuzzer finds that knows the bundle, a credential, and nothing else.

It runs with its defaults and the owner's key. The reference is not free of findings under them: a few operations have
rules that a schema cannot state, so that requests which fit it are refused. Only what is found beyond these counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import httpx
import msgspec

from mock_server import bundles, machine

Finding = tuple[str, str]
"""An operation, and the check that failed there."""

API = "openapp"
CREDENTIAL = "X-API-Key: demo-owner"
REJECTED = "positive_data_acceptance"
OF_THE_REFERENCE: frozenset[Finding] = frozenset(
    {
        ("POST /api-keys", REJECTED),  # two expiries, or one that has passed
        ("POST /billing/webhooks/{provider}", REJECTED),  # no signature, which no fuzzer can make
        ("POST /devices", REJECTED),  # X-Org names another organization than the body
        ("POST /integrations", REJECTED),  # the same
        ("POST /orgs/{id}/billing/checkout", REJECTED),  # a tier that does not exist
        ("POST /scripting/executions", "negative_data_rejection"),  # too long a script is too large a body: 413
    }
)
LOOK_SECONDS = 0.25


class PlainResult(msgspec.Struct, frozen=True):
    """`findings`: what the reference does not show. `is_whole`: whether it ran to its end.

    `errors`: operations that could not be judged, because a request failed or no data could be made. They are no kill.
    """

    killed: bool
    findings: tuple[Finding, ...]
    seconds: float
    is_whole: bool = True
    errors: tuple[str, ...] = ()


class PlainFailed(RuntimeError):
    """There is no server, or Schemathesis did not run; the message says what it wrote."""


def run_plain(
    url: str,
    seed: int,
    max_examples: int | None = None,
    stop_at_first: bool = True,
    limit: float | None = None,
    known: frozenset[Finding] = OF_THE_REFERENCE,
) -> PlainResult:
    """Run it against the server at `url` (with or without the API's base path) for `limit` seconds at most.

    Raises PlainFailed.
    """
    data = bundles.load(API)
    base = json.loads(data)["servers"][0]["url"]
    target = url.rstrip("/").removesuffix(base) + base
    try:
        httpx.get(target, timeout=10)
    except httpx.HTTPError as error:
        raise PlainFailed(f"nothing answers at {target}: {error}") from None
    with TemporaryDirectory(prefix="mockbill-plain-") as name:
        # In a folder of its own, so that neither a configuration nor what an earlier run has learned is found.
        folder = Path(name)
        (folder / "bundle.json").write_bytes(data)
        command = [sys.executable, "-m", "schemathesis.cli", "run", "bundle.json"]
        command += ["--url", target, "-H", CREDENTIAL, "--seed", str(seed)]
        command += ["--report", "ndjson", "--report-ndjson-path", "events.ndjson", "--no-color"]
        command += [] if max_examples is None else ["--max-examples", str(max_examples)]
        return _watched(command, folder, stop_at_first, limit, known)


def _watched(
    command: list[str], folder: Path, stop_at_first: bool, limit: float | None, known: frozenset[Finding]
) -> PlainResult:
    events, started = folder / "events.ndjson", machine.stopwatch()
    events.touch()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SCHEMATHESIS_")}
    with (
        (folder / "out.txt").open("wb") as out,
        events.open(encoding="utf-8") as lines,
        subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment) as process,  # noqa: S603
    ):
        reading = _Reading(lines, known)
        is_running, is_whole = True, True
        while is_running:
            try:
                process.wait(LOOK_SECONDS)
                is_running = False
            except subprocess.TimeoutExpired:
                pass
            reading.go_on()
            is_late = limit is not None and machine.stopwatch() - started > limit
            if is_running and (is_late or (reading.found and stop_at_first)):
                is_running = is_whole = False
                process.terminate()
        seconds = machine.stopwatch() - started
    if is_whole and not reading.has_ended:
        raise PlainFailed((folder / "out.txt").read_text(errors="replace")[-2000:])
    return PlainResult(bool(reading.found), tuple(reading.found), seconds, is_whole, tuple(reading.errors))


class _Reading:
    """What the events tell, read as they are written; what is not a whole line yet waits."""

    def __init__(self, lines: IO[str], known: frozenset[Finding]) -> None:
        self._lines, self._known = lines, known
        self._rest = ""
        self.found: dict[Finding, None] = {}
        self.errors: dict[str, None] = {}
        self.has_ended = False

    def go_on(self) -> None:
        *whole, self._rest = (self._rest + self._lines.read()).split("\n")
        for event in map(json.loads, whole):
            self.has_ended |= "EngineFinished" in event
            self.found |= {each: None for each in findings(event) if each not in self._known}
            if (error := event.get("NonFatalError")) is not None:
                self.errors[str(error.get("label"))] = None


def findings(event: dict[str, Any]) -> Iterator[Finding]:
    """The checks that failed in what an event of Schemathesis' report tells of."""
    recorder = event.get("ScenarioFinished", {}).get("recorder", {})
    for checks in recorder.get("checks", {}).values():
        for check in checks:
            if check["status"] == "failure":
                failure = (check.get("failure_info") or {}).get("failure", {})
                yield failure.get("operation") or recorder["label"], check["name"]
