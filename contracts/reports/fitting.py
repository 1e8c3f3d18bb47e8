"""Whether a JSON value fits a schema (draft 4, as far as bundles use it): copied into tests of findings, word for word."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": (int, float),
}  # fmt: skip


def misfit(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "") -> str | None:
    """What does not fit, and where; None if all does."""
    root = schema if root is None else root
    if "$ref" in schema:
        return misfit(value, root["definitions"][schema["$ref"].rpartition("/")[2]], root, at)
    here = at or "/"
    types = schema.get("type")
    if types is not None and not any(_is(value, each) for each in ([types] if isinstance(types, str) else types)):
        return f"{here} is {value!r:.100}, not {types}"
    if "enum" in schema and not any(type(each) is type(value) and each == value for each in schema["enum"]):
        return f"{here} is {value!r:.100}, not one of {schema['enum']}"
    for each in schema.get("allOf", []):
        if (wrong := misfit(value, each, root, at)) is not None:
            return wrong
    for many in ("anyOf", "oneOf"):
        if many in schema:
            fits = sum(misfit(value, each, root, at) is None for each in schema[many])
            if fits == 0 or (fits > 1 and many == "oneOf"):
                return f"{here} is {value!r:.100}, which fits {fits} of its forms"
    if "not" in schema and misfit(value, schema["not"], root, at) is None:
        return f"{here} is {value!r:.100}, which it must not be"
    if isinstance(value, dict):
        return _object_misfit(value, schema, root, at)
    if isinstance(value, list):
        return _list_misfit(value, schema, root, at)
    wrong = _text_misfit(value, schema) if isinstance(value, str) else _number_misfit(value, schema)
    return None if wrong is None else f"{here} is {value!r:.100}, {wrong}"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def _object_misfit(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> str | None:
    for name in schema.get("required", []):
        if name not in value:
            return f"{at}/{name} is missing"
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return f"{at or '/'} has {len(value)} members"
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, each in value.items():
        if name not in known and others is False:
            return f"{at}/{name} is not known"
        inner = known.get(name, others)
        if isinstance(inner, dict) and (wrong := misfit(each, inner, root, f"{at}/{name}")) is not None:
            return wrong
    return None


def _list_misfit(value: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> str | None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return f"{at or '/'} has {len(value)} items"
    if schema.get("uniqueItems") and any(each in value[:n] for n, each in enumerate(value)):
        return f"{at or '/'} has the same item twice"
    for n, each in enumerate(value):
        if (wrong := misfit(each, schema.get("items", {}), root, f"{at}/{n}")) is not None:
            return wrong
    return None


def _text_misfit(value: str, schema: dict[str, Any]) -> str | None:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return f"which has {len(value)} letters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"which does not match {schema['pattern']}"
    try:
        if schema.get("format") == "date-time":
            if not re.fullmatch(r"[^ ]{10}[Tt][\d:.]+([Zz]|[+-]\d\d:\d\d)", value):
                return "which is no moment with an offset"
            datetime.fromisoformat(value.upper())
        if schema.get("format") == "date":
            date.fromisoformat(value)
    except ValueError:
        return f"which is no {schema['format']}"
    if schema.get("format") == "uri" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*", value):
        return "which is no URI"
    return None


def _number_misfit(value: Any, schema: dict[str, Any]) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    if value < least or (value == least and schema.get("exclusiveMinimum") and "minimum" in schema):
        return f"which is less than {least} allows"
    if value > most or (value == most and schema.get("exclusiveMaximum") and "maximum" in schema):
        return f"which is more than {most} allows"
    step = schema.get("multipleOf")
    return f"which is no multiple of {step}" if step and abs(value / step - round(value / step)) > 1e-9 else None
