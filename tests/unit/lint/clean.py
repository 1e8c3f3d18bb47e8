"""The smallest bundle that the lint has nothing to say about, and ways to spoil it."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from mock_server.openapi.walk import at

Bundle = dict[str, Any]
Mutation = Callable[[Bundle], None]

DELETE = object()


def _text(length: int) -> Bundle:
    return {"type": "string", "maxLength": length}


def _error(description: str, **headers: Bundle) -> Bundle:
    named = {name.replace("_", "-"): header for name, header in headers.items()}
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}} | named,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _required() -> Bundle:
    return {"required": True, "schema": _text(200)}


def _refs(**names: str) -> Bundle:
    return {status[1:]: {"$ref": f"#/components/responses/{name}"} for status, name in names.items()}


def _plan_answer() -> Bundle:
    return {
        "description": "The plan.",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Plan"}}},
        "links": {"again": {"operationId": "getPlan", "parameters": {"plan_id": "$response.body#/plan_id"}}},
    }


def clean_bundle() -> Bundle:
    """A fresh copy, free to be spoilt."""
    get_plan = {
        "operationId": "getPlan",
        "summary": "One plan.",
        "tags": ["plans"],
        "security": [{"key": []}],
        "x-permission": "billing:read",
        "parameters": [
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": 100},
            }
        ],
        "responses": {"200": _plan_answer()}
        | _refs(_400="Invalid", _401="Unauthenticated", _403="Forbidden", _429="TooMany"),
    }
    put_plan = {
        "operationId": "putPlan",
        "summary": "Change a plan.",
        "tags": ["plans"],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"name": _text(50), "labels": {"$ref": "#/components/schemas/Labels"}},
                    },
                    "example": {"name": "Pro", "labels": {"colour": "red"}},
                }
            },
        },
        "responses": {"204": {"description": "Changed.", "headers": {"X-Request-Id": _required()}}}
        | _refs(_400="Invalid", _413="TooLarge", _415="Unsupported"),
    }
    plan_id = {
        "name": "plan_id",
        "in": "path",
        "required": True,
        "schema": _text(20) | {"pattern": "^[a-z]+$"},
    }
    bundle = {
        "openapi": "3.0.3",
        "info": {"title": "Clean", "version": "1"},
        "paths": {"/plans/{plan_id}": {"parameters": [plan_id], "get": get_plan, "put": put_plan}},
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
            "headers": {"RequestId": _required() | {"description": "Names this request."}},
            "schemas": {
                "Error": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"message": _text(500)},
                },
                "Labels": {
                    "type": "object",
                    "maxProperties": 9,
                    "additionalProperties": _text(30),
                },
                "Plan": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "plan_id": _text(20),
                        "price_cents": {"type": "integer", "minimum": 0, "maximum": 10**9},
                        "features": {"type": "array", "maxItems": 5, "items": _text(40)},
                        "parent": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Plan"}]},
                    },
                    "example": {"plan_id": "pro", "price_cents": 900, "features": [], "parent": None},
                },
            },
            "responses": {
                "Invalid": _error("Bad input."),
                "Unauthenticated": _error("No credential.", WWW_Authenticate=_required()),
                "Forbidden": _error("Not allowed."),
                "TooLarge": _error("Too large."),
                "Unsupported": _error("Not this media type."),
                "TooMany": _error("Slow down.", Retry_After={"schema": _text(9)}),
                "RouteNotFound": _error("No such path."),
                "MethodNotAllowed": _error("Not this method.", Allow=_required()),
            },
        },
    }
    return copy.deepcopy(bundle)


def put(pointer: str, value: Any) -> Mutation:
    """Write a value at a pointer, or take it away with DELETE."""

    def mutate(bundle: Bundle) -> None:
        parent, _, last = pointer.rpartition("/")
        holder, key = at(bundle, parent), last.replace("~1", "/").replace("~0", "~")
        if value is DELETE:
            del holder[key]
        else:
            holder[int(key) if isinstance(holder, list) else key] = copy.deepcopy(value)

    return mutate


def drop(pointer: str) -> Mutation:
    """Take away what is at a pointer."""
    return put(pointer, DELETE)


def both(*mutations: Mutation) -> Mutation:
    """One change after the other."""

    def mutate(bundle: Bundle) -> None:
        for mutation in mutations:
            mutation(bundle)

    return mutate


def spoilt(mutation: Mutation) -> Mapping[str, Any]:
    """The clean bundle after a change."""
    bundle = clean_bundle()
    mutation(bundle)
    return bundle
