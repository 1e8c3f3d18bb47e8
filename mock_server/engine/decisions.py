"""What a model function takes and gives back: a Context in, Accepted or Refused out.

decide(state, ..., context) -> Accepted(state', reply, effects) | Refused(problem)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from .idempotency import Idempotency, Record
from .ids import draw, ulid
from .instants import Instant
from .problems import Problem

S = TypeVar("S")
R = TypeVar("R")


class Job(msgspec.Struct, frozen=True):
    """Work for later, as data: the name of one of the API's jobs, and what it needs (JSON values)."""

    api: str
    name: str
    args: Mapping[str, Any] = {}


class Schedule(msgspec.Struct, frozen=True):
    """Effect: do `job` at `at`, in place of what was scheduled under `key`."""

    key: str
    at: Instant
    job: Job


class Unschedule(msgspec.Struct, frozen=True):
    """Effect: forget what was scheduled under `key`, if anything was."""

    key: str


class Emit(msgspec.Struct, frozen=True):
    """Effect: something happened that the outside may want to hear about. `subject` is whom deliveries keep in order."""

    topic: str
    subject: str
    data: Mapping[str, Any] = {}


class Remember(msgspec.Struct, frozen=True):
    """Effect: keep what was answered to (scope, key) until the record expires."""

    scope: str
    key: str
    record: Record


Effect = Schedule | Unschedule | Emit | Remember


class Accepted(msgspec.Struct, Generic[S, R], frozen=True):
    state: S
    reply: R
    effects: tuple[Effect, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    problem: Problem


class Context(msgspec.Struct, frozen=True):
    """What a model function may know of the world around its state. `revision` counts the accepted commands."""

    now: Instant
    seed: int = 0
    revision: int = 0
    memory: Idempotency = Idempotency()

    def id(self, nth: int = 0) -> str:
        """The command's nth new ULID. The same command in the same state gets the same ones; a refused one uses none."""
        return ulid(self.now, self.seed, "id", self.revision, nth)

    def random(self, nth: int = 0) -> int:
        """The command's nth number of 64 random bits."""
        return int.from_bytes(draw(self.seed, "random", self.revision, nth))

    def recall(self, scope: str, key: str) -> Record | None:
        """What was remembered under (scope, key) and has not expired."""
        return self.memory.recall(scope, key, self.now)
