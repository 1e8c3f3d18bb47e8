"""Which members of a schema's values are secrets: those marked `x-secret: true`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .walk import as_list, as_map, resolve

Path = tuple[str | None, ...]
"""The steps from a value to one of its members; None is any item of a list, or any member of a map."""

_DEEPEST = 12


def secret_paths(bundle: Mapping[str, Any], schema: Any) -> tuple[Path, ...]:
    """Where secrets stand in a value of this schema."""
    return tuple(dict.fromkeys(_paths(bundle, schema, ())))


def secrets_in(value: Any, paths: tuple[Path, ...]) -> Iterator[str]:
    """Every text, and every number as text, at or below one of the paths; what does not fit the schema has none there."""
    for path in paths:
        for found in _at(value, path):
            yield from _texts(found)


def _paths(bundle: Mapping[str, Any], schema: Any, path: Path) -> Iterator[Path]:
    node = as_map(resolve(bundle, schema))
    if node.get("x-secret") is True:
        yield path
        return
    if len(path) == _DEEPEST:
        return
    for name, inner in as_map(node.get("properties")).items():
        yield from _paths(bundle, inner, (*path, name))
    for inner in (node.get("items"), node.get("additionalProperties")):
        if isinstance(inner, Mapping):
            yield from _paths(bundle, inner, (*path, None))
    for field in ("allOf", "anyOf", "oneOf"):
        for inner in as_list(node.get(field)):
            yield from _paths(bundle, inner, path)


def _at(value: Any, path: Path) -> Iterator[Any]:
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step is None:
        for each in value if isinstance(value, list) else as_map(value).values():
            yield from _at(each, rest)
    elif step in as_map(value):
        yield from _at(value[step], rest)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
