"""The OpenAPI document, made into a table of routes and compiled validators."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from .times import is_instant

BODY_LIMIT = 1_048_576
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,20})", re.ASCII)


@dataclass
class Param:
    name: str
    place: str
    kind: str
    required: bool
    default: Any
    validator: Any

    def read(self, text: str) -> Any:
        """Raises ValueError with the reason."""
        value: Any = text
        if self.kind == "integer":
            if not _DIGITS.fullmatch(text):
                raise ValueError(f"{text[:100]!r} is not an integer")
            value = int(text)
        elif self.kind == "boolean":
            if text not in {"true", "false"}:
                raise ValueError(f"{text[:100]!r} is neither 'true' nor 'false'")
            value = text == "true"
        if not self.validator.is_valid(value):
            raise ValueError(f"{text[:100]!r} does not fit the schema")
        return value


@dataclass
class Operation:
    id: str
    method: str
    anonymous: bool
    permission: str | None
    params: list[Param]
    body: Any = None  # a validator, if it takes JSON
    raw: bool = False
    body_required: bool = False
    max_body: int = BODY_LIMIT

    @property
    def reads_body(self) -> bool:
        return self.raw or self.body is not None


@dataclass
class Place:
    template: str
    operations: dict[str, Operation] = field(default_factory=dict)


class Spec:
    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text(encoding="utf-8"))
        self._schemas = {"schemas": _draft4(self.document["components"]["schemas"], names=True)}
        self._fixed: dict[str, Place] = {}
        self._open: dict[int, list[tuple[list[str], Place]]] = {}
        for template, item in self.document["paths"].items():
            found = Place(template)
            for method in METHODS:
                if method in item:
                    found.operations[method.upper()] = self._operation(method, item)
            segments = template.strip("/").split("/")
            if "{" in template:
                self._open.setdefault(len(segments), []).append((segments, found))
            else:
                self._fixed[template] = found
        operations = [op for place in self.paths() for op in place.operations.values()]
        self.permissions = frozenset(op.permission for op in operations if op.permission)
        self.operation_ids = sorted(op.id for op in operations)

    def paths(self) -> list[Place]:
        return [*self._fixed.values(), *(found for group in self._open.values() for _, found in group)]

    def match(self, segments: list[str]) -> tuple[Place, dict[str, str]] | None:
        found = self._fixed.get("/" + "/".join(segments))
        if found:
            return found, {}
        for template, candidate in self._open.get(len(segments), ()):
            values = {}
            for pattern, segment in zip(template, segments, strict=True):
                if pattern.startswith("{"):
                    if not segment:
                        break
                    values[pattern[1:-1]] = segment
                elif pattern != segment:
                    break
            else:
                return candidate, values
        return None

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _compile(self, schema: dict[str, Any]) -> Any:
        root = {"allOf": [_draft4(schema)], "components": self._schemas}
        return jsonschema_rs.Draft4Validator(root, validate_formats=True, formats={"date-time": is_instant})

    def _operation(self, method: str, item: dict[str, Any]) -> Operation:
        node = item[method]
        params = []
        for given in [*item.get("parameters", ()), *node.get("parameters", ())]:
            param = self._resolve(given)
            schema = self._resolve(param["schema"])
            default = schema.get("default")
            kind = schema.get("type", "string")
            validator = self._compile(param["schema"])
            params.append(Param(param["name"], param["in"], kind, param.get("required", False), default, validator))
        operation = Operation(
            node["operationId"],
            method.upper(),
            node.get("security") == [],
            node.get("x-permission"),
            params,
            max_body=node.get("x-max-body", BODY_LIMIT),
        )
        if "requestBody" in node:
            body = self._resolve(node["requestBody"])
            operation.body_required = body.get("required", False)
            if "application/json" in body["content"]:
                operation.body = self._compile(body["content"]["application/json"]["schema"])
            else:
                operation.raw = True
        return operation


def _draft4(schema: Any, names: bool = False) -> Any:
    """OpenAPI 3.0 schemas as JSON Schema draft 4: `nullable` is all that differs here."""
    if isinstance(schema, list):
        return [_draft4(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if names:
        return {name: _draft4(value) for name, value in schema.items()}
    rest = {
        key: _draft4(value, names=key == "properties")
        for key, value in schema.items()
        if key not in {"nullable", "example", "examples", "default", "description", "discriminator"}
        and not key.startswith("x-")
    }
    if schema.get("nullable"):
        return {"anyOf": [{"type": "null"}, rest]}
    return rest
