"""From an OpenAPI 3.0 schema to the JSON Schema (draft 4) that means the same, for `jsonschema_rs`."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from mock_server.openapi.walk import COMBINATORS, follow

# A list of what is kept, not of what is dropped: a stray `id` or `$schema` would change what a `$ref` means.
KEPT = frozenset(
    [
        "title",
        "description",
        "default",
        "type",
        "enum",
        "format",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "required",
    ]
)
NESTED = ("items", "additionalProperties", "not")
LISTED = ("allOf", "anyOf", "oneOf")


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_duration(text: str) -> bool:
    time = r"T(?=\d)(\d+H)?(\d+M)?(\d+S)?"
    return re.fullmatch(rf"P(?=[\dT])(\d+W|(\d+Y)?(\d+M)?(\d+D)?({time})?)", text, re.ASCII) is not None


# Draft 4 knows no such formats, and an unknown format is never checked.
FORMATS: dict[str, Callable[[str], bool]] = {
    "uuid": _is_uuid,
    "byte": _is_base64,
    "duration": _is_duration,
}


def draft4(bundle: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with local references inlined, `nullable` spelled out and OpenAPI's own keywords dropped.

    A schema that contains itself cannot be inlined: such a one stands under `definitions`.
    """
    return _Translation(bundle).run(schema)


def validator(bundle: Mapping[str, Any], schema: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
    """A validator that checks formats too. ValueError if the schema is none."""
    return compiled(draft4(bundle, schema))


def compiled(plain: dict[str, Any]) -> jsonschema_rs.Draft4Validator:
    """A validator for a schema that has been translated. ValueError if the schema is none."""
    return jsonschema_rs.Draft4Validator(plain, validate_formats=True, formats=FORMATS)


class _Translation:
    def __init__(self, bundle: Mapping[str, Any]) -> None:
        self.bundle = bundle
        self.open: list[str] = []
        self.recursive: dict[str, str] = {}

    def run(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        result = self.schema(schema)
        definitions: dict[str, Any] = {}
        while missing := [p for p, name in self.recursive.items() if name not in definitions]:
            for pointer in missing:
                self.open = [pointer]
                _, node = follow(self.bundle, pointer, {"$ref": "#" + pointer})
                definitions[self.recursive[pointer]] = self.schema(node)
        return result | {"definitions": definitions} if definitions else result

    def schema(self, node: Any) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            return {}
        pointer, target = follow(self.bundle, "", node)
        if not pointer:
            # No reference, or one that leads nowhere: the latter accepts anything and is reported elsewhere.
            return self.written(target) if isinstance(target, Mapping) else {}
        if pointer in self.open:
            name = self.recursive.setdefault(pointer, f"s{len(self.recursive)}")
            return {"$ref": f"#/definitions/{name}"}
        self.open.append(pointer)
        try:
            return self.written(target) if isinstance(target, Mapping) else {}
        finally:
            self.open.pop()

    def written(self, node: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {key: value for key, value in node.items() if key in KEPT}
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            result["properties"] = {name: self.schema(child) for name, child in properties.items()}
        for key in NESTED:
            if key in node:
                result[key] = node[key] if isinstance(node[key], bool) else self.schema(node[key])
        for key in LISTED:
            if isinstance(node.get(key), list):
                result[key] = [self.schema(child) for child in node[key]]
        return _or_null(result) if node.get("nullable") is True else result


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if any(key in schema for key in COMBINATORS):
        # Beside a combinator "null" in the type is not enough: its branches would still refuse null.
        return {"anyOf": [schema, {"type": "null"}]}
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
