"""OpenAPI 3.0 schemas as validators: one regex engine and one idea of a format, for requests and responses alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from mock_server.openapi.draft4 import compiled, draft4
from mock_server.openapi.walk import join


class Validators:
    """Compiled at first use, one for each distinct schema of a bundle."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        self.bundle = bundle
        self._compiled: dict[str, jsonschema_rs.Draft4Validator] = {}

    def of(self, schema: Any) -> jsonschema_rs.Draft4Validator:
        plain = draft4(self.bundle, schema)
        key = json.dumps(plain, sort_keys=True)
        if key not in self._compiled:
            self._compiled[key] = compiled(plain)
        return self._compiled[key]


def first_error(validator: jsonschema_rs.Draft4Validator, value: Any) -> tuple[str, str, str] | None:
    """(JSON pointer into the value, what is wrong there, JSON pointer into the schema) of the first thing that is wrong.

    None if nothing is.
    """
    if validator.is_valid(value):
        return None
    for error in validator.iter_errors(value):
        return join("", *error.instance_path), _clipped(_explained(error)), join("", *error.schema_path)
    return None


def _explained(error: jsonschema_rs.ValidationError) -> str:
    """Of alternatives, what is wrong with each, since "none fits" helps nobody."""
    alternatives: list[list[jsonschema_rs.ValidationError]] | None = getattr(error.kind, "context", None)
    if not alternatives or not all(alternatives):
        return error.message
    return " and ".join(dict.fromkeys(each[0].message for each in alternatives))


def _clipped(message: str, most: int = 300) -> str:
    return message if len(message) <= most else f"{message[: most // 2]} ... {message[-most // 2 :]}"
