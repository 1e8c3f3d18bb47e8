"""A client library that keeps running, so that a test can let time pass between two of its calls.

`client.entities.by_id(door).open()` is sent to the library word by word, carried out there, and answered.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest

LONGEST_END = 10.0
HANDLES = ("by_id", "with_org")
"""Methods of the library that ask nobody: what they give is called upon in turn."""


class Refusal(Exception):
    """The exception that a call of the library raised: `kind` is its class. AuthError tells no status, code or details."""

    def __init__(self, line: dict[str, Any]) -> None:
        super().__init__(line)
        self.kind: str = line["error"]
        self.message: str = line["message"]
        self.status: int | None = line["status"]
        self.code: str | None = line["code"]
        self.details: Any = line["details"]


def refusal(call: Callable[..., Any], *args: Any, **how: Any) -> Refusal:
    """How the call is refused; that it is, is asserted."""
    with pytest.raises(Refusal) as caught:
        call(*args, **how)
    return caught.value


class Conversation:
    """A driver's process that answers each line it is given with one."""

    def __init__(self, command: list[Any], env: dict[str, str]) -> None:
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            bufsize=1,
        )

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.process.communicate(timeout=LONGEST_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        finally:
            self.errors.close()
        if kind is None:
            assert self.process.returncode == 0, self.process.returncode

    def ask(self, question: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise AssertionError(f"the driver stopped: {self.errors.read()}")
        heard = json.loads(line)
        if "error" in heard:
            raise Refusal(heard)
        return heard["answer"]


class Client:
    """The library's client, or a part of it, as far as the chain of names has led."""

    def __init__(self, conversation: Conversation, chain: tuple[Any, ...] = ()) -> None:
        self._conversation = conversation
        self._chain = chain

    def __getattr__(self, name: str) -> Client:
        if name.startswith("__"):
            raise AttributeError(name)
        return Client(self._conversation, (*self._chain, [name]))

    def __call__(self, *args: Any, **how: Any) -> Any:
        *before, [name] = self._chain
        chain = (*before, [name, args, how])
        return Client(self._conversation, chain) if name in HANDLES else self._conversation.ask(chain)
