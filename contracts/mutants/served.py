"""A mutant running in a process of its own, and the target that it is."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from types import TracebackType

from contracts.target import ControlPort, Ports, Target

START_SECONDS = 30.0
CREDENTIALS = {
    "owner": "demo-owner",
    "reader": "demo-reader",
    "member": "demo-member",
    "other": "demo-globex",
    "operator": "demo-operator",
    "revoked": "demo-revoked",
}


class NotServed(RuntimeError):
    """The mutant did not start; the message says what it wrote."""


class Served:
    """`with Served("quota-plus-one") as server:` serves the reference with that fault; `none` is without any."""

    def __init__(self, mutant: str) -> None:
        self._mutant = mutant
        self.url = ""

    def __enter__(self) -> Served:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MOCKBILL_")}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "contracts.mutants", self._mutant, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            self.url = self._ready()
        except BaseException:
            self._end()
            raise
        return self

    def _ready(self) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(START_SECONDS) else ""
        if not line.startswith("MOCKBILL_READY "):
            self._process.kill()
            _, errors = self._process.communicate()
            raise NotServed(f"the mutant {self._mutant} did not start: {line!r} {errors[-2000:]}")
        return dict(part.split("=", 1) for part in line.split()[1:])["url"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def target(self) -> Target:
        """All that the suites may use of it."""
        return Target(
            f"{self.url}/api/v1",
            credentials=CREDENTIALS,
            org="01J9ZC3M4N5P6Q7R8S9T0V1W2X",
            other_org="01J9ZC3M4N5P6Q7R8S9T0V1W2Y",
            portal="portal-demo",
            may="full",
            ports=Ports(control=ControlPort(self.url), webhook_secret="whsec_demo"),  # noqa: S106
        )
