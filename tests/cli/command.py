"""Runs `python -m mock_server ...` to its end and gives what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from mock_server.cli import app
from tests.server import ROOT

LIMIT = 20.0


class Ran:
    def __init__(self, code: int, out: str, errors: str) -> None:
        self.code, self.out, self.errors = code, out, errors

    def __repr__(self) -> str:
        return f"<exit {self.code}\n{self.out[-1_000:]}\n--\n{self.errors[-2_000:]}>"


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's, without settings of mockbill, wide enough that messages are not broken into lines."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MOCKBILL_")}
    return {**kept, "COLUMNS": "300", "TERMINAL_WIDTH": "300", **extra}


def mockbill(*arguments: str, env: Mapping[str, str] = {}, limit: float = LIMIT) -> Ran:
    """A command that must end by itself: a server that starts although it should not is stopped and told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", *arguments],
        cwd=ROOT,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if arguments[:1] == ("serve",) and "--help" not in arguments:
        assert process.stdout is not None
        line = process.stdout.readline()  # empty when the process ends without being ready
        if line.startswith("MOCKBILL_READY"):
            process.terminate()
            out, errors = process.communicate(timeout=limit)
            return Ran(0, line + out, errors)
    out, errors = process.communicate(timeout=limit)
    return Ran(process.returncode, out, errors)


def inside(*arguments: str, env: Mapping[str, str] = {}, stdin: bytes | None = None) -> Ran:
    """The same in this process: for the many that need none of their own. What escapes the command line is raised."""
    gone = {key: None for key in os.environ if key.startswith("MOCKBILL_")}
    result = CliRunner().invoke(
        app, arguments, prog_name="mockbill", env={**gone, "COLUMNS": "300", **env}, input=stdin
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def all_of(calls: Mapping[str, Callable[[], Ran]]) -> dict[str, Ran]:
    """The results of many commands, run a few at a time because each needs half a second to start."""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(calls, pool.map(lambda call: call(), calls.values()), strict=True))


def walk() -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands and groups of commands there are, each with the words that call it."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), get_command(app))]
    while waiting:
        path, command = waiting.pop(0)
        yield path, command
        waiting += [((*path, name), each) for name, each in getattr(command, "commands", {}).items()]


def named(path: tuple[str, ...]) -> str:
    return " ".join(path) or "mockbill"


def check_wrong_use(ran: Ran, *hints: str) -> None:
    """Exit code 2, nothing on standard output, one clear line of ours or Typer's usage error."""
    assert ran.code == 2, ran
    assert ran.out == "", ran
    assert "Traceback" not in ran.errors, ran
    lines = ran.errors.strip().splitlines()
    if not any(line.startswith("\u256d\u2500 Error") for line in lines):  # Typer's box
        assert lines[0].startswith("mockbill: "), ran
        assert len(lines) == 1, ran
    for hint in hints:
        assert hint in ran.errors, ran
