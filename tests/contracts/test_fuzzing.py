"""Schemathesis, all phases, against both bundles: not one finding."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.app import create_app, create_mock
from mock_server.http.mock import DEFAULT_WORLD, Mock, Options
from tests.api.client import Client, World
from tests.api.posting import NobodyThere

from . import control, openapp
from .fuzzing import PHASES, SEQUENCES, SINGLE, Outcome, narrowed, outcome

IS_NIGHTLY = bool(os.environ.get("MOCKBILL_NIGHTLY"))
SEED = secrets.randbits(32) if IS_NIGHTLY else 20_260_301
EXAMPLES = {SINGLE: 300, SEQUENCES: 500} if IS_NIGHTLY else {SINGLE: 8, SEQUENCES: 50}
"""For each operation, and how many sequences."""


class Anew:
    """The app, with a world put back before every request, so that no request can spoil the next."""

    def __init__(self, app: ASGIApp, put_back: Callable[[], None]) -> None:
        self.app, self.put_back = app, put_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.put_back()
        await self.app(scope, receive, send)


@pytest.mark.parametrize("role", ["owner", "operator"])
def test_openapp_holds_its_bundle_in_single_requests(role: str) -> None:
    result = fuzzed(role, SINGLE)
    assert result.never_successful == {"POST /billing/webhooks/{provider}"}


@pytest.mark.parametrize("role", ["owner", pytest.param("operator", marks=pytest.mark.slow)])
@pytest.mark.parametrize("family", openapp.FAMILIES)
def test_openapp_holds_its_bundle_in_sequences(family: str, role: str) -> None:
    result = fuzzed(role, SEQUENCES, {"exclude-tag": openapp.FAMILIES[family], "enabled": False})
    assert not IS_NIGHTLY or result.never_successful == set()  # a few sequences may miss something
    assert result.sequences >= EXAMPLES[SEQUENCES]


def fuzzed(role: str, kind: str, *operations: Mapping[str, Any]) -> Outcome:
    mock = create_mock(Options(scenario=str(openapp.SCENARIO)))
    app: ASGIApp = create_app(mock)
    changes = dict(openapp.narrowing(kind, execution=stocked(app)))
    if role == "operator":
        changes |= openapp.X_ORG_REQUIRED
    else:
        operations = ({"include-tag": "admin", "enabled": False}, *operations)
    config = {**openapp.CONFIG[kind], "operations": [*operations, *openapp.CONFIG[kind]["operations"]]}
    phases = PHASES[kind]
    if role == "operator" and not IS_NIGHTLY:
        phases = tuple(phase for phase in phases if phase != "fuzzing")  # the owner's take a long time already
    put_back = putting_back(mock)
    result = outcome(
        Anew(app, put_back) if kind == SINGLE else app,
        narrowed(msgspec.json.decode(mock.served["openapp"].bundle_bytes), changes),
        config,
        {"openapi": {"api_key": {"api_key": f"fuzzed-{role}"}}},
        seed=SEED,
        examples=EXAMPLES[kind],
        phases=phases,
        before_sequence=put_back,
    )
    check(mock, result)
    assert set(result.cases) == set(phases)
    return result


@pytest.mark.parametrize("kind", [SINGLE, SEQUENCES])
def test_the_control_api_holds_its_bundle(kind: str) -> None:
    async def at_once(seconds: float) -> None:
        """Waits and delays take no time."""

    options = Options(control_token=control.TOKEN)
    mock = create_mock(options, fresh_seed=lambda: 7, sleep=at_once, post=NobodyThere())
    put_back, example = control.stocking(mock)
    put_back()
    app = create_app(mock)
    result = outcome(
        Anew(app, put_back) if kind == SINGLE else app,
        narrowed(msgspec.json.decode(mock.control.bundle_bytes), {**control.NARROWED, **example}),
        control.CONFIG[kind],
        {"openapi": {"control_token": {"bearer": control.TOKEN}}},
        seed=SEED,
        examples=EXAMPLES[kind],
        phases=PHASES[kind],
        before_sequence=put_back,
        begins=control.is_a_beginning,
    )
    check(mock, result)
    assert set(result.cases) == set(PHASES[kind])
    if kind == SINGLE:
        assert len(result.answers) == len(mock.control.contract.operations)
        assert result.never_successful == set()
    else:
        assert result.sequences >= EXAMPLES[kind]
        successful = result.answers.keys() - result.never_successful
        assert successful >= control.MADE_IN_SEQUENCES
        assert len(successful & control.REACHED_BY_LINKS) >= (6 if IS_NIGHTLY else 3)


def stocked(app: ASGIApp) -> str:
    """Delete what the scenario has for that, and start a script, which no scenario can hold: its id."""
    world = World(Client(app), DEFAULT_WORLD)
    for kind, resource_id in openapp.DELETED.items():
        assert world.call("DELETE", f"/{kind}/{resource_id}", "fuzzed-owner").status < 300
    execution: str = world.call("POST", "/scripting/executions", "fuzzed-owner", json={"script": "open()"}).json["id"]
    return execution


def putting_back(mock: Mock) -> Callable[[], None]:
    """Leaves only the first world, as it is now."""
    first = mock.worlds.get(DEFAULT_WORLD)
    assert first is not None
    state = first.state

    def put_back() -> None:
        first.reset(state)
        for world in mock.worlds:
            if world is not first:
                mock.worlds.remove(world.name)

    return put_back


def check(mock: Mock, result: Outcome) -> None:
    assert not result.found, "\n".join([f"seed {SEED}", *sorted(set(result.found))[:20]])
    assert list(mock.breaches) == []
