"""Servers in processes of their own: started, waited for, looked at, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .asked import ALL, BASE, HOST, PLANS, Asked, ask

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0
LOOK_AGAIN = 0.002


class BenchError(Exception):
    """Something keeps the benchmark from measuring; the message says what."""


@dataclass(frozen=True)
class Kind:
    """One of the servers that are compared. `{port}` in its command is replaced by a free port."""

    name: str
    command: tuple[str, ...]
    base: str = BASE


class Server:
    """`with Server(kind) as server:` starts it and waits for the first 200; `first_answer` is how long that took."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.port = 0
        self.first_answer = 0.0

    def __enter__(self) -> Server:
        self.port = _free_port()
        self._errors = tempfile.TemporaryFile()
        started = time.perf_counter()
        # A session of its own: Ctrl-C then reaches only the benchmark, which ends its servers in order.
        self._process = subprocess.Popen(
            [part.replace("{port}", str(self.port)) for part in self.kind.command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
        )
        try:
            self._wait_for_answer(started)
        except BaseException:
            self._end()
            raise
        self.first_answer = time.perf_counter() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def check(self, asked: Asked) -> int:
        """The length of the answer's body. Raises BenchError if the answer is not 2xx."""
        answer = ask(self.port, self.kind.base, asked)
        if not answer.is_good:
            raise BenchError(f"{self.kind.name} answers {asked.line} with {answer.status}: {answer.body[:300]!r}")
        return len(answer.body)

    def check_all(self) -> None:
        for asked in ALL:
            self.check(asked)

    @property
    def memory(self) -> int | None:
        """Resident bytes."""
        return resident(self._process.pid)

    def _wait_for_answer(self, started: float) -> None:
        while time.perf_counter() - started < START_LIMIT:
            if self._process.poll() is not None:
                raise BenchError(f"{self.kind.name} ended before it answered: {self._said()}")
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                time.sleep(LOOK_AGAIN)
                continue
            try:
                answer = ask(self.port, self.kind.base, PLANS)
            except OSError:
                continue
            if answer.status == 200:
                return
            raise BenchError(f"{self.kind.name} answers {PLANS.line} with {answer.status}: {answer.body[:300]!r}")
        raise BenchError(f"{self.kind.name} did not answer within {START_LIMIT:.0f} s: {self._said()}")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace")

    def _end(self) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
        self._errors.close()


def resident(pid: int | str = "self") -> int | None:
    """Resident bytes of a process; None where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return None if line is None else int(line.split()[1]) * 1024


def environment() -> dict[str, str]:
    """Ours, without what would change how a server starts: options of mockbill, and modules compiled anew each time."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOCKBILL_") and name not in ("PYTHONDONTWRITEBYTECODE", "NODE_ENV", "NODE_OPTIONS")
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
