"""A client library as the tests see it: run one of its driver's scenarios in a process, look at what it saw."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .environments import HERE, python_with
from .session import Conversation

LONGEST_RUN = 60.0


class Seen:
    """What a driver reported, by step."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = {line["step"]: line for line in lines}
        assert len(self.lines) == len(lines), "two steps share a name"

    def __getitem__(self, step: str) -> Any:
        """The answer of a step that succeeded."""
        line = self.lines[step]
        assert "error" not in line, line
        return line["answer"]

    def error(self, step: str) -> dict[str, Any]:
        """The exception of a step that failed: `error` (its class), `message`, and what else it carried."""
        line = self.lines[step]
        assert "error" in line, line
        return line

    @property
    def steps(self) -> list[str]:
        return list(self.lines)


class Sdk:
    def __init__(self, version: str, name: str = "openapp-sdk", driver: str = "openapp_sdk.py") -> None:
        self.version = version
        self.python: Path = python_with(name, version)
        self.driver = HERE / "drivers" / driver

    def run(self, scenario: str, base_url: str = "", /, *, stdin: Any = None, **inputs: str) -> Seen:
        done = subprocess.run(
            self._command(scenario, base_url, inputs),
            input=json.dumps(stdin),
            env=_environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=LONGEST_RUN,
        )
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return Seen([json.loads(line) for line in done.stdout.splitlines()])

    def talk(self, scenario: str, base_url: str = "", /, **inputs: str) -> Conversation:
        """A scenario that goes on as the test tells it to. An exception of the library's while connecting is raised."""
        conversation = Conversation(self._command(scenario, base_url, inputs), _environment())
        with ExitStack() as unless_connected:
            unless_connected.push(conversation)
            conversation.answer()
            unless_connected.pop_all()
        return conversation

    def _command(self, scenario: str, base_url: str, inputs: dict[str, str]) -> list[Any]:
        given = (f"{name}={text}" for name, text in inputs.items())
        return [self.python, "-I", self.driver, scenario, base_url, *given]


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_PROXY": "127.0.0.1"}
