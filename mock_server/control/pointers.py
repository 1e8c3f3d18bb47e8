"""JSON pointers into a bundle, as far as the bundle goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.http.contract import Operation
from mock_server.openapi.walk import at, follow, join

_OF_THE_COMPILED = ("anyOf", "0", "1", "$ref")
"""Steps that only the schema has which is made of the bundle's: around what may be null."""


def of_operation(operation: Operation) -> str:
    return join("/paths", operation.path, operation.method.lower())


def deepest(bundle: Mapping[str, Any], start: str, steps: Iterable[str]) -> str:
    """From `start` as far along the steps as the bundle goes; a reference is followed to what it stands for.

    `steps` are escaped as in a pointer.
    """
    pointer, node = follow(bundle, start, at(bundle, start))
    for step in steps:
        below = at(bundle, f"{pointer}/{step}")
        name = step.replace("~1", "/").replace("~0", "~")
        if below is not None or (isinstance(node, Mapping) and name in node):
            pointer, node = follow(bundle, f"{pointer}/{step}", below)
        elif name not in _OF_THE_COMPILED:
            break
    return pointer
