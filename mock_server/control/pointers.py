"""JSON pointers into a bundle: made, followed through references, and cut where they lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.http.contract import Operation

_OF_THE_COMPILED = ("anyOf", "0", "1", "$ref")
"""Steps that only the schema has which is made of the bundle's: around what may be null."""


def escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def of_operation(operation: Operation) -> str:
    return f"/paths/{escaped(operation.path)}/{operation.method.lower()}"


def value_at(document: Any, pointer: str) -> Any:
    """Raises LookupError."""
    node = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            node = node[int(name)] if name.isdigit() else None
        elif isinstance(node, Mapping):
            node = node[name]
        else:
            raise LookupError(pointer)
    return node


def deepest(document: Mapping[str, Any], start: str, steps: Iterable[str]) -> str:
    """From `start` as far along the steps as the document goes; a reference is followed to what it stands for.

    `steps` are escaped as in a pointer.
    """
    pointer = start
    for step in steps:
        pointer, node = _followed(document, pointer)
        name = step.replace("~1", "/").replace("~0", "~")
        is_index = isinstance(node, list) and name.isdigit() and int(name) < len(node)
        if is_index or (isinstance(node, Mapping) and name in node):
            pointer = f"{pointer}/{step}"
        elif name not in _OF_THE_COMPILED:
            break
    return _followed(document, pointer)[0]


def _followed(document: Mapping[str, Any], pointer: str) -> tuple[str, Any]:
    node = value_at(document, pointer)
    for _ in range(20):
        reference = node.get("$ref") if isinstance(node, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        pointer = reference[1:]
        node = value_at(document, pointer)
    return pointer, node
