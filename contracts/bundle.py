"""A bundle as laws use it: which operations there are, how a request to one is written, what it may answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from mock_server.openapi.draft4 import validator
from mock_server.openapi.walk import METHODS, as_map, join, resolve

from .http import Answer, Headers, Request

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
UNSET: Any = object()
"""No JSON body, as opposed to the body `null`."""


class Operation:
    """One operation. `pointer` leads to it in the bundle; `statuses` are those that it declares, in order."""

    def __init__(self, bundle: Mapping[str, Any], path: str, method: str, base: str) -> None:
        item = bundle["paths"][path]
        self.raw: Mapping[str, Any] = item[method]
        self.id: str = self.raw["operationId"]
        self.method, self.path = method.upper(), path
        self.pointer = join("/paths", path, method)
        self.permission: str | None = self.raw.get("x-permission")
        self.base = base
        self._bundle = bundle
        self.parameters = [
            resolve(bundle, each) for each in (*item.get("parameters", []), *self.raw.get("parameters", []))
        ]
        self.responses = {int(status): as_map(resolve(bundle, each)) for status, each in self.raw["responses"].items()}
        body = as_map(resolve(bundle, self.raw.get("requestBody")))
        self.content: Mapping[str, Any] = as_map(body.get("content"))
        self.takes_body = bool(body)
        self.is_anonymous = not self.raw.get("security", bundle.get("security"))
        self._validators: dict[int, jsonschema_rs.Draft4Validator | None] = {}
        self._header_rules: dict[int, list[_HeaderRule]] = {}

    @property
    def statuses(self) -> list[int]:
        return sorted(self.responses)

    @property
    def success(self) -> int:
        """The status of success that it declares."""
        return min(status for status in self.responses if status < 400)

    @property
    def takes_org(self) -> bool:
        """Whether `X-Org` says which organization it is about."""
        return any(each.get("name") == "X-Org" for each in self.parameters)

    @property
    def is_read(self) -> bool:
        return self.method == "GET"

    @cached_property
    def body_schema(self) -> Mapping[str, Any] | None:
        return as_map(self.content.get("application/json")).get("schema")

    def request(
        self,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Headers = (),
        json_body: Any = UNSET,
        body: bytes | None = None,
        media_type: str | None = None,
    ) -> Request:
        """The request with these values. A path parameter that is missing is a KeyError."""
        values = path or {}
        target = self.base + re.sub(r"\{([^}]+)\}", lambda match: quote(values[match[1]], safe=""), self.path)
        if query:
            target += "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
        if json_body is not UNSET:
            body = json.dumps(json_body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
            media_type = media_type or "application/json"
        if media_type is not None:
            headers = (*headers, ("Content-Type", media_type))
        return Request(self.method, target, headers, body)

    def breach(self, answer: Answer) -> tuple[str, str] | None:
        """What is wrong with an answer, and the JSON pointer to the clause that it breaks; None if it is as declared."""
        at = join(self.pointer, "responses", answer.status)
        response = self.responses.get(answer.status)
        if response is None:
            return f"status {answer.status} is not declared", join(self.pointer, "responses")
        for rule in self._headers_of(answer.status, response):
            if (wrong := rule.breach(answer)) is not None:
                return wrong, join(at, "headers", rule.name)
        content = as_map(response.get("content"))
        if not content:
            return ("a body where none is declared", at) if answer.body else None
        if answer.media_type not in content:
            return f"media type {answer.header('content-type')!r} is not declared", join(at, "content")
        if not answer.media_type.endswith("json"):
            return None
        try:
            value = json.loads(answer.body, parse_constant=_refused)
        except (ValueError, RecursionError) as wrong:
            return f"the body is not JSON: {wrong}", join(at, "content")
        checker = self._validator(answer.status, content[answer.media_type])
        try:
            if checker is None or checker.is_valid(value):
                return None
            error = next(checker.iter_errors(value))
        except UnicodeEncodeError:
            return "the body has half of a surrogate pair, which is no text", join(at, "content")
        where = join("", *error.instance_path) or "/"
        return f"body at {where}: {_clipped(error.message)}", join(at, "content", answer.media_type, "schema")

    def _headers_of(self, status: int, response: Mapping[str, Any]) -> list[_HeaderRule]:
        if status not in self._header_rules:
            declared = as_map(response.get("headers")).items()
            rules = [_HeaderRule(self._bundle, name, as_map(resolve(self._bundle, each))) for name, each in declared]
            self._header_rules[status] = rules
        return self._header_rules[status]

    def _validator(self, status: int, media: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator | None:
        if status not in self._validators:
            schema = media.get("schema")
            self._validators[status] = None if schema is None else validator(self._bundle, schema)
        return self._validators[status]


class _HeaderRule:
    def __init__(self, bundle: Mapping[str, Any], name: str, header: Mapping[str, Any]) -> None:
        schema = as_map(resolve(bundle, header.get("schema")))
        self.name, self._required = name, header.get("required") is True
        self._is_integer, self._checker = schema.get("type") == "integer", validator(bundle, schema)

    def breach(self, answer: Answer) -> str | None:
        value = answer.header(self.name.lower())
        if value is None:
            return f"the header {self.name} is missing" if self._required else None
        typed: Any = int(value) if self._is_integer and _INTEGER.fullmatch(value) else value
        if self._checker.is_valid(typed):
            return None
        return f"the header {self.name} is {value[:100]!r}, which its schema refuses"


class Bundle:
    """A bundle's operations by operationId, in the document's order."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        base = str(document["servers"][0]["url"]).rstrip("/")
        self.base_path = base
        self.operations: dict[str, Operation] = {}
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = Operation(document, path, method, "")
                    self.operations[operation.id] = operation

    def __getitem__(self, operation_id: str) -> Operation:
        return self.operations[operation_id]

    def routed(self, method: str, path: str) -> Operation | None:
        """The operation that a method and a path (below the base path, without a query) belong to."""
        for operation in self.operations.values():
            pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(operation.path))
            if operation.method == method and re.fullmatch(pattern, path):
                return operation
        return None


def place_of(breach: tuple[str, str]) -> str:
    """Where in an answer a breach is, without what stood there: that may be another each time."""
    text, clause = breach
    return text.split(":")[0] if text.startswith("body at") else clause.rpartition("/")[2]


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _clipped(message: str, most: int = 300) -> str:
    return message if len(message) <= most else f"{message[: most // 2]} ... {message[-most // 2 :]}"
