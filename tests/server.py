"""A real server in a process of its own, for tests that need real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT = 30.0


class Server:
    """`with Server("--strict") as server:` runs `mockbill serve --port 0 --quiet --strict`; `server.url` is its base URL.

    Leaving the block stops it and asserts that it ended in order and that no answer of it broke a contract.
    """

    def __init__(
        self, *options: str, command: tuple[str, ...] = (sys.executable, "-m", "mock_server"), cwd: Path = ROOT
    ) -> None:
        self.options = options
        self.cwd = cwd
        self.command = command
        self.url = ""
        self.port = 0

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            [*self.command, "serve", "--port", "0", "--quiet", *self.options],
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if not key.startswith("MOCKBILL_")},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("MOCKBILL_READY "):
            _, errors = self.process.communicate(timeout=START_LIMIT)
            raise AssertionError(f"the server did not start: {line!r} {errors}")
        facts = dict(part.split("=", 1) for part in line.split()[1:])
        self.url, self.port = facts["url"], int(facts["port"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        breaches = None
        if self.process.poll() is None:
            with urllib.request.urlopen(f"{self.url}/_mock/health", timeout=10) as answer:
                breaches = json.load(answer)["contract_breaches"]
        errors = self.stop()
        if kind is None:
            assert breaches in (0, None), f"{breaches} answers broke the contract: {errors}"
            assert "Traceback" not in errors, errors
            assert self.process.returncode in (0, -signal.SIGKILL), self.process.returncode

    def stop(self, how: int = signal.SIGTERM) -> str:
        """Stop the server if it still runs and give what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            _, errors = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return errors

    def seconds_to_stop(self, how: int) -> float:
        started = time.perf_counter()
        self.stop(how)
        return time.perf_counter() - started
