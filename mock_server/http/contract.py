"""A bundle as the server uses it: operations with all that is constant about them worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft4Validator

from mock_server.openapi.secrets import Path, secret_paths
from mock_server.openapi.walk import join, resolve

from .bodies import DEEPEST_NESTING
from .schemas import Validators

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LARGEST_BODY = 1024 * 1024
ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED = "RouteNotFound", "MethodNotAllowed"


class Parameter:
    """A declared parameter of a request. `type` is its schema's, for turning text into a value."""

    def __init__(self, raw: Mapping[str, Any], bundle: Mapping[str, Any], validators: Validators) -> None:
        schema = resolve(bundle, raw["schema"])
        self.name: str = raw["name"]
        self.place: str = raw["in"]
        self.required: bool = raw.get("required", False)
        self.type: str = schema.get("type", "string")
        self._schema, self._validators = schema, validators

    @cached_property
    def validator(self) -> Draft4Validator:
        return self._validators.of(self._schema)


class ResponseRule:
    """What one (operation, status) may answer."""

    def __init__(self, raw: Mapping[str, Any], bundle: Mapping[str, Any], validators: Validators) -> None:
        self._content: Mapping[str, Any] = raw.get("content", {})
        self._validators = validators
        self._compiled: dict[str, Draft4Validator | None] = {}
        self._headers = [(name.lower(), resolve(bundle, declared)) for name, declared in raw.get("headers", {}).items()]

    @property
    def media_types(self) -> tuple[str, ...]:
        return tuple(self._content)

    def body_validator(self, media_type: str) -> Draft4Validator | None:
        """For a declared media type; None if its body is not JSON."""
        if media_type not in self._compiled:
            is_json = media_type == "application/json" or media_type.endswith("+json")
            schema = self._content[media_type].get("schema")
            self._compiled[media_type] = self._validators.of(schema) if is_json and schema else None
        return self._compiled[media_type]

    @cached_property
    def secret_paths(self) -> tuple[Path, ...]:
        """Where secrets stand in its JSON bodies."""
        return secret_paths(self._validators.bundle, self._content.get("application/json", {}).get("schema"))

    @cached_property
    def header_rules(self) -> list[tuple[str, bool, bool, Draft4Validator]]:
        """For each declared header: lower-case name, required, an integer, validator."""
        return [
            (name, bool(header.get("required")), schema.get("type") == "integer", self._validators.of(schema))
            for name, header in self._headers
            for schema in (header.get("schema", {}),)
        ]


class Operation:
    """One operation of a bundle.

    `routing` is what Connexion's own router would have found out.
    `permission` is its `x-permission`, `largest_body` its `x-max-body` (bytes), `deepest` its `x-max-depth` (levels).
    """

    def __init__(self, api: str, path: str, method: str, item: Mapping[str, Any], contract: Contract) -> None:
        bundle, validators = contract.bundle, contract.validators
        raw = item[method]
        self.api = api
        self.id: str = raw["operationId"]
        self.method = method.upper()
        self.path = path
        self.raw: Mapping[str, Any] = raw
        self.permission: str | None = raw.get("x-permission")
        declared = [resolve(bundle, each) for each in (*item.get("parameters", []), *raw.get("parameters", []))]
        self.parameters = [Parameter(each, bundle, validators) for each in declared]
        self._declared_at = _declared_at(bundle, path, method, item)
        self.largest_body: int = raw.get("x-max-body", LARGEST_BODY)
        self.deepest: int = raw.get("x-max-depth", DEEPEST_NESTING)
        self.query_names = frozenset(p.name for p in self.parameters if p.place == "query")
        body = resolve(bundle, raw.get("requestBody"))
        self.takes_body = body is not None
        self.body_required = bool(body and body.get("required"))
        self.body_media_types: tuple[str, ...] = tuple(body["content"]) if body else ()
        self._body_schema = body["content"].get("application/json", {}).get("schema") if body else None
        self._validators = validators
        self.routing = {"api_base_path": contract.base_path, "operation_id": self.id}
        self.responses = {
            int(status): ResponseRule(resolve(bundle, response), bundle, validators)
            for status, response in raw["responses"].items()
        }

    @cached_property
    def body_validator(self) -> Draft4Validator | None:
        """For JSON bodies; None if the operation takes none."""
        return self._validators.of(self._body_schema) if self._body_schema is not None else None

    def parameter_pointer(self, place: str, name: str) -> str | None:
        """Where the bundle declares a parameter; None if it does not."""
        return self._declared_at.get((place, name))

    @cached_property
    def secret_paths(self) -> tuple[Path, ...]:
        """Where secrets stand in its JSON bodies."""
        return secret_paths(self._validators.bundle, self._body_schema) if self._body_schema is not None else ()

    def __repr__(self) -> str:
        return f"<{self.api} {self.method} {self.path}>"


def _declared_at(
    bundle: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]
) -> dict[tuple[str, str], str]:
    """(place, name) of each parameter -> JSON pointer to where it stands in the bundle."""
    at = join("/paths", path)
    found: dict[tuple[str, str], str] = {}
    for pointer, holder in ((at, item), (join(at, method), item[method])):
        for n, each in enumerate(holder.get("parameters", [])):
            declared = resolve(bundle, each)
            found[declared["in"], declared["name"]] = join(pointer, "parameters", n)
    return found


class Contract:
    """A bundle with its operations. `unrouted` are the answers given before an operation is known."""

    def __init__(self, api: str, bundle: Mapping[str, Any]) -> None:
        self.api = api
        self.bundle = bundle
        self.base_path: str = bundle["servers"][0]["url"]
        self.validators = Validators(bundle)
        self.operations: dict[str, Operation] = {operation.id: operation for operation in self._read()}
        components = bundle["components"]["responses"]
        self.named_responses = {
            name: ResponseRule(resolve(bundle, response), bundle, self.validators)
            for name, response in components.items()
        }

    def _read(self) -> Iterator[Operation]:
        for path, item in self.bundle["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(self.api, path, method, item, self)
