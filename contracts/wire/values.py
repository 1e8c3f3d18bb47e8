"""Departures from a schema that real servers let pass: coerced types, padded texts, one too few, one too many."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.openapi.walk import as_map, resolve

STRANGER = "mockbill_unknown"
"""A member that no schema names."""


def departures(document: Mapping[str, Any], schema: Mapping[str, Any], base: Any) -> Iterator[tuple[str, Any]]:
    """Bodies that differ from a valid one in one thing, with what it is. Not all of them are invalid."""
    schema = as_map(resolve(document, schema))
    if not isinstance(base, Mapping):
        return
    yield "a list of it", [base]
    yield "its JSON as a text", json.dumps(base)
    yield "a member that nobody knows", {**base, STRANGER: 1}
    yield "a member that nobody knows, null", {**base, STRANGER: None}
    for name, each in as_map(schema.get("properties")).items():
        member = as_map(resolve(document, each))
        for what, value in _values(document, member, base.get(name)):
            yield f"{name}: {what}", {**base, name: value}
        if name in base:
            rest = {key: value for key, value in base.items() if key != name}
            yield f"no {name}", rest
            yield f"{name} in another case", {**rest, name.upper(): base[name]}


def _values(document: Mapping[str, Any], schema: Mapping[str, Any], valid: Any) -> Iterator[tuple[str, Any]]:
    kind = schema.get("type")
    yield "null", None
    if kind == "integer":
        least, most = schema.get("minimum", 0), schema.get("maximum", 2**63 - 1)
        yield "as a text", "5"
        yield "with a fraction", least + 0.5
        yield "a boolean", True
        yield "in a list", [least]
        yield "at the minimum", least
        yield "at the maximum", most
        yield "below the minimum", least - 1
        yield "above the maximum", most + 1
        yield "beyond 64 bits", 2**64 + 1
        yield "beyond 64 bits below", -(2**64) - 1
    elif kind == "number":
        yield "as a text", "5.5"
        yield "a boolean", True
        yield "just above", schema.get("maximum", 0) + 0.000001
        yield "just below", schema.get("minimum", 0) - 0.000001
        yield "a whole number", 1
        yield "an exponent", 1e-7
    elif kind == "boolean":
        for value in ("true", "false", 1, 0, ""):
            yield f"{value!r}", value
    elif kind == "array":
        yield "not in a list", valid[0] if isinstance(valid, list) and valid else "x"
        yield "empty", []
        yield "as a text", json.dumps(valid if isinstance(valid, list) else ["x"])
        yield "with null in it", [None]
        if isinstance(valid, list) and valid:
            yield "one of them twice", [*valid, valid[0]]
            items = as_map(resolve(document, schema.get("items")))
            for what, value in _values(document, items, valid[0]):
                yield f"with {what} in it", [*valid, value]
    elif kind == "object":
        yield "as a text", json.dumps(valid if isinstance(valid, Mapping) else {})
        yield "a list", []
        yield "a text", "x"
    else:
        yield from _texts(schema, valid)


def _texts(schema: Mapping[str, Any], valid: Any) -> Iterator[tuple[str, Any]]:
    """Of texts, and of what may be a text."""
    yield "a number", 5
    yield "a boolean", True
    yield "empty", ""
    if isinstance(valid, str):
        yield "in a list", [valid]
        yield "padded", f" {valid} "
        yield "with a line feed", f"{valid}\n"
        yield "in another case", valid.swapcase()
        if "pattern" in schema or "enum" in schema:
            yield "with NUL behind it", f"{valid}\0"
    most = schema.get("maxLength")
    if isinstance(most, int) and most <= 2_000:
        yield "one too long", "a" * (most + 1)
        yield "too long in letters of two bytes", "é" * (most + 1)
        if "pattern" not in schema and "enum" not in schema and "format" not in schema:
            yield "the longest", "a" * most
            yield "the longest, in letters beyond 16 bits", "\N{ROCKET}" * most
            yield "only a space", " " * max(1, schema.get("minLength", 1))
