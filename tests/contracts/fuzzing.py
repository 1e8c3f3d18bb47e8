"""How Schemathesis is run against our own server, and where it departs from its defaults, each with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest.mock import patch

import msgspec
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi import stateful
from starlette.types import ASGIApp

Narrowing = Mapping[str, Any]
"""What to put in a bundle's place, by JSON pointer; `~1` stands for a slash."""

SINGLE = "single"
"""Each request for itself: the bundle's examples, the bounds of every parameter and member, and random ones."""
SEQUENCES = "sequences"
"""One request after the other, along the bundle's links."""
PHASES = {SINGLE: ("examples", "coverage", "fuzzing"), SEQUENCES: ("stateful",)}
ALL_PHASES = tuple(phase for phases in PHASES.values() for phase in phases)

COMMON: dict[str, Any] = {
    "workers": 1,  # several threads give different requests in every run
    "max-failures": 20,
    "continue-on-failure": True,
    "generation": {
        "database": "none",  # no state of an earlier run
        "no-shrink": True,  # failures of 4.32 do not shrink
        "with-security-parameters": False,  # made-up credentials get 401, which hides all else; ignored_auth sends some
    },
    "phases": {
        "stateful": {
            # An invalid body that a link fills in may become valid, which 4.32 does not see.
            "generation": {"mode": "positive"},
            # Only the bundle's own links, which know better than guessed ones what leads where.
            "inference": {"algorithms": []},
        }
    },
    "cache": {"enabled": False},  # else ids that an earlier run saw are used again
    "output": {"sanitization": {"enabled": False}},
}


class Outcome(msgspec.Struct, frozen=True):
    """`found`: one line for each failure. `cases` by phase. `answers`: for each operation how often which status came."""

    found: list[str]
    cases: Counter[str]
    sequences: int
    answers: dict[str, Counter[int]]

    @property
    def never_successful(self) -> set[str]:
        """What was asked but never answered with success, so that next to nothing of it was looked at."""
        return {label for label, statuses in self.answers.items() if not any(status < 300 for status in statuses)}


def narrowed(bundle: Mapping[str, Any], changes: Narrowing) -> dict[str, Any]:
    """A copy of the bundle with the subtrees at some JSON pointers replaced."""
    copy: dict[str, Any] = json.loads(json.dumps(bundle))
    for pointer, subtree in changes.items():
        *steps, last = (step.replace("~1", "/") for step in pointer.split("/")[1:])
        node: Any = copy
        for step in steps:
            node = node[step]
        if isinstance(node, list):
            node[int(last)] = subtree
        else:
            assert last in node, pointer
            node[last] = subtree
    return copy


def is_a_beginning(operation: Any, *graph: Any) -> bool:
    """What creates or lists. Schemathesis would not begin with a request that may name something it cannot create
    (a site, say), but with a `restore`, so that most sequences would be about what the scenario holds.
    """
    return operation.method in ("post", "get") and not operation.path_parameters


def outcome(
    app: ASGIApp,
    bundle: Mapping[str, Any],
    config: Mapping[str, Any],
    auth: Mapping[str, Any],
    *,
    seed: int,
    examples: int,
    phases: tuple[str, ...] = ALL_PHASES,
    before_sequence: Callable[[], None] = lambda: None,
    begins: Callable[..., bool] = is_a_beginning,
) -> Outcome:
    """`before_sequence` puts back what the one before it changed. Without it Hypothesis sees the same requests answered
    in different ways, and Schemathesis 4.32 then ends the phase early, as if nothing were left to do.

    `begins`: which operations a sequence may begin with.
    """
    settings = {
        **config,
        "seed": seed,
        "generation": {**config["generation"], "max-examples": examples},
        "phases": {
            phase: {**config.get("phases", {}).get(phase, {}), "enabled": phase in phases} for phase in ALL_PHASES
        },
        "base-url": "http://127.0.0.1:4010" + bundle["servers"][0]["url"],
        "auth": auth,
    }
    schema = schemathesis.openapi.from_dict(dict(bundle), config=SchemathesisConfig.from_dict(settings))
    schema.app = app
    _begin_with(schema, before_sequence, begins)
    found: list[str] = []
    cases: Counter[str] = Counter()
    sequences = 0
    answers: dict[str, Counter[int]] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases[event.phase.value] += len(event.recorder.cases)
            sequences += event.phase.value == "stateful"
            found += _failed(event)
            for label, status in _answered(event):
                answers.setdefault(label, Counter())[status] += 1
        elif isinstance(event, events.NonFatalError):
            found.append(f"error: {event.label}: {event.value}")
        elif isinstance(event, events.EngineFinished):
            found += [f"after the run: {failure}" for failure in getattr(event, "failures", None) or ()]
    return Outcome(found, cases, sequences, answers)


def _begin_with(schema: Any, before_sequence: Callable[[], None], begins: Callable[..., bool]) -> None:
    build = schema.build_state_machine

    def built(**wiring: Any) -> type[Any]:
        with patch.object(stateful, "is_likely_root_transition", begins):
            machine = build(**wiring)

        class Machine(machine):  # type: ignore[misc, valid-type]  # which class that is only the engine knows
            def __init__(self) -> None:
                super().__init__()
                before_sequence()

        return Machine

    schema.build_state_machine = built


def _failed(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                interaction = event.recorder.interactions.get(case_id)
                status = getattr(getattr(interaction, "response", None), "status_code", None)
                code = check.failure_info.code_sample
                yield f"{event.phase.value}: {event.label}: {check.name}: {failure.title} ({status}) {failure.message} {code}"


def _answered(event: events.ScenarioFinished) -> Iterator[tuple[str, int]]:
    for case_id, interaction in event.recorder.interactions.items():
        node = event.recorder.cases.get(case_id)
        if node is None or interaction.response is None:
            continue
        operation = node.value.operation
        if interaction.request.method == operation.method.upper():  # else sent to see whether it is refused
            yield operation.label, interaction.response.status_code
