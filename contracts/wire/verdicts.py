"""Whether a request is valid by the bundle: our own answer, with the validators that the bundle means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec

from contracts.bundle import Bundle, Operation
from contracts.steps import Call
from mock_server.openapi.draft4 import validator
from mock_server.openapi.walk import as_map, resolve

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_SENDABLE = re.compile(r"[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*")
"""Headers that arrive as they were sent: proxies cut space off, and take empty ones away."""
_ALMOST = re.compile(r"\s*[+-]?[0-9_]+(?:\.0*)?\s*")


class Verdicts:
    """Of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._bodies: dict[str, jsonschema_rs.Draft4Validator | None] = {}
        self._parameters: dict[str, list[_Parameter]] = {}

    def wrong_with_body(self, operation: Operation, body: Any) -> str | None:
        """What is wrong with a JSON body; None if nothing is."""
        if operation.id not in self._bodies:
            schema = operation.body_schema
            self._bodies[operation.id] = None if schema is None else validator(self._bundle.document, schema)
        checker = self._bodies[operation.id]
        if checker is None or checker.is_valid(body):
            return None
        error = next(checker.iter_errors(body))
        return f"body {'/'.join(map(str, error.instance_path))}: {error.message[:200]}"

    def wrong_with(self, call: Call) -> str | None:
        """What is wrong with a call that has a JSON body or none. Raises Unclear."""
        operation = self._bundle[call.operation]
        for parameter in self.parameters(operation):
            values = {"path": call.path, "query": call.query, "header": call.headers}[parameter.place]
            text = next((text for name, text in values.items() if parameter.is_called(name)), None)
            if text is not None and (wrong := parameter.wrong_with(text)) is not None:
                return wrong
        if call.json is msgspec.UNSET:
            return None
        return self.wrong_with_body(operation, call.json)

    def parameters(self, operation: Operation) -> list[_Parameter]:
        if operation.id not in self._parameters:
            self._parameters[operation.id] = [_Parameter(self._bundle, each) for each in operation.parameters]
        return self._parameters[operation.id]


class Unclear(Exception):
    """Whether a text is valid depends on how kindly it is read."""


class _Parameter:
    def __init__(self, bundle: Bundle, raw: Mapping[str, Any]) -> None:
        self.name, self.place = str(raw["name"]), str(raw["in"])
        self.schema = as_map(resolve(bundle.document, raw.get("schema")))
        self._checker = validator(bundle.document, self.schema)

    def is_called(self, name: str) -> bool:
        return name.lower() == self.name.lower() if self.place == "header" else name == self.name

    def wrong_with(self, text: str) -> str | None:
        value: Any = text
        kind = self.schema.get("type")
        if kind == "integer":
            if _INTEGER.fullmatch(text):
                value = int(text)
            elif _ALMOST.fullmatch(text):
                raise Unclear(text)
        elif kind == "boolean":
            if text in ("true", "false"):
                value = text == "true"
            elif text.lower() in ("true", "false", "1", "0", "yes", "no", "on", "off"):
                raise Unclear(text)
        if self.place == "header" and not _SENDABLE.fullmatch(text):
            raise Unclear(text)
        if self._checker.is_valid(value):
            return None
        return f"{self.place} parameter {self.name}: {next(self._checker.iter_errors(value)).message[:200]}"
