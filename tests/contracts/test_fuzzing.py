"""Schemathesis, all phases, against both bundles: not one finding."""

from __future__ import annotations

import os
import secrets
from typing import Any

import msgspec
import pytest

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock, Options, Served

from .fuzzing import CONTROL, CONTROL_NARROWED, OPENAPP, OPENAPP_NARROWED, Narrowing, failures, narrowed

IS_NIGHTLY = bool(os.environ.get("MOCKBILL_NIGHTLY"))
SEED = secrets.randbits(32) if IS_NIGHTLY else 20_260_301
EXAMPLES = 300 if IS_NIGHTLY else 25
PHASES = {"coverage", "fuzzing", "stateful"}


@pytest.fixture
def mock() -> Mock:
    mock = create_mock(Options(control_token="s3cret"), fresh_seed=lambda: 7)
    mock.create_world("fuzzed", "demo", seed=7)
    return mock


@pytest.mark.parametrize("key", ["demo-operator", "demo-owner@fuzzed"])
def test_openapp_holds_its_bundle(mock: Mock, key: str) -> None:
    config = OPENAPP
    if "operator" not in key:
        config = {**OPENAPP, "operations": [*OPENAPP["operations"], {"include-tag": "admin", "enabled": False}]}
    check(mock, mock.served["openapp"], config, OPENAPP_NARROWED, {"api_key": {"api_key": key}})


def test_the_control_api_holds_its_bundle(mock: Mock) -> None:
    check(mock, mock.control, CONTROL, CONTROL_NARROWED, {"control_token": {"bearer": "s3cret"}})


def check(mock: Mock, served: Served, config: dict[str, Any], narrowing: Narrowing, auth: dict[str, Any]) -> None:
    bundle = narrowed(msgspec.json.decode(served.bundle_bytes), narrowing)
    found, cases = failures(create_app(mock), bundle, config, {"openapi": auth}, seed=SEED, examples=EXAMPLES)
    assert not found, "\n".join([f"seed {SEED}", *sorted(set(found))[:20]])
    assert list(mock.breaches) == []
    assert all(cases.get(phase, 0) > 20 for phase in PHASES), cases
