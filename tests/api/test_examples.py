"""The document's examples are true of the world `demo`: what they show is what it answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mock_server.http.mock import Mock
from mock_server.openapi.walk import resolve

from .client import World
from .recipes import OPENAPP

# The world starts without overrides and devices: an empty list would be no example, and one device has to be made.
READS = [
    name
    for name, request in OPENAPP.items()
    if request.parts["method"] == "GET" and name != "get_admin_quota_overrides" and request.setup is None
]
VOLATILE = re.compile(r"period_(label|start|end)|.*_at|version")


def examples(mock: Mock, operation: str) -> dict[str, Any]:
    contract = mock.served["openapp"].contract
    media = resolve(contract.bundle, contract.operations[operation].raw["responses"]["200"])["content"][
        "application/json"
    ]
    if "example" in media:
        return {"example": media["example"]}
    return {name: resolve(contract.bundle, each)["value"] for name, each in media["examples"].items()}


def differences(shown: Any, real: Any, where: str = "") -> list[str]:
    """Where `shown` says something that `real` does not. Lists may be shortened; what changes with time is not compared."""
    if isinstance(shown, dict) and isinstance(real, dict):
        found = [f"{where}: members {shown.keys() ^ real.keys()}"] if shown.keys() != real.keys() else []
        for key in shown.keys() & real.keys():
            if not VOLATILE.fullmatch(key):
                found += differences(shown[key], real[key], f"{where}/{key}")
        return found
    if isinstance(shown, list) and isinstance(real, list):
        return [
            f"{where}/{n}: {each}" for n, each in enumerate(shown) if not any(not differences(each, r) for r in real)
        ]
    return [] if shown == real else [f"{where}: {shown!r} is {real!r}"]


@pytest.mark.parametrize("operation", READS)
def test_what_an_example_shows_is_what_the_demo_world_answers(mock: Mock, world: World, operation: str) -> None:
    shown = examples(mock, operation)
    assert shown
    real = OPENAPP[operation].send(world).json
    assert not differences(next(iter(shown.values())), real)
