"""OpenAPI 3.0 schemas as validators: one regex engine and one idea of a format, for requests and responses alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

_LEFT_OUT = ("discriminator", "example", "xml", "externalDocs", "deprecated", "readOnly", "writeOnly")


def resolve(bundle: Mapping[str, Any], node: Any) -> Any:
    """`node`, or what its local `$ref` points to."""
    while isinstance(node, Mapping) and isinstance(reference := node.get("$ref"), str):
        node = bundle
        for step in reference.removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def draft4(bundle: Mapping[str, Any], schema: Any) -> Any:
    """The schema as JSON Schema draft 4 that stands alone: `$ref`s written out, `nullable` translated."""
    schema = resolve(bundle, schema)
    if not isinstance(schema, Mapping):
        return schema
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _LEFT_OUT or key == "nullable" or key.startswith("x-"):
            continue
        if key in ("properties", "patternProperties"):
            plain[key] = {name: draft4(bundle, each) for name, each in value.items()}
        elif key in ("allOf", "anyOf", "oneOf"):
            plain[key] = [draft4(bundle, each) for each in value]
        elif key in ("items", "not", "additionalProperties"):
            plain[key] = draft4(bundle, value)
        else:
            plain[key] = value
    return _or_null(plain) if schema.get("nullable") is True else plain


def _or_null(plain: dict[str, Any]) -> dict[str, Any]:
    if isinstance(plain.get("type"), str) and not {"allOf", "anyOf", "oneOf", "not"} & plain.keys():
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
        return plain
    return {"anyOf": [plain, {"enum": [None]}]}


class Validators:
    """Compiled at first use, one for each distinct schema of a bundle."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        self._bundle = bundle
        self._compiled: dict[str, jsonschema_rs.Draft4Validator] = {}

    def of(self, schema: Any) -> jsonschema_rs.Draft4Validator:
        plain = draft4(self._bundle, schema)
        key = json.dumps(plain, sort_keys=True)
        if key not in self._compiled:
            self._compiled[key] = jsonschema_rs.Draft4Validator(plain, validate_formats=True)
        return self._compiled[key]


def first_error(validator: jsonschema_rs.Draft4Validator, value: Any) -> tuple[str, str] | None:
    """(JSON pointer into the value, what is wrong there) of the first thing that is wrong; None if nothing is."""
    for error in validator.iter_errors(value):
        pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
        return pointer, _clipped(error.message)
    return None


def _clipped(message: str, most: int = 300) -> str:
    return message if len(message) <= most else f"{message[: most // 2]} ... {message[-most // 2 :]}"
