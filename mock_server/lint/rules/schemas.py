"""Does a schema say what a value is, and how large, so that a wrong one can be told from a right one?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.operation import json_content, operations
from mock_server.openapi.walk import COMBINATORS, Place, as_map, follow, join, of_kind, reachable, schemas

CHILDREN = ("properties", "items", "additionalProperties", "allOf", "anyOf", "oneOf")

KNOWN_FORMATS = frozenset(
    [
        "int32",
        "int64",
        "float",
        "double",
        "byte",
        "binary",
        "date",
        "date-time",
        "password",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uuid",
        "duration",
        "time",
    ]
)

MONEY = frozenset(["amount", "price", "total", "subtotal", "balance", "cost", "fee", "credit", "cents", "minor"])
# "fee_rate" or "price_change_percent" is about money but is no amount of it.
RATIOS = frozenset(["rate", "ratio", "percent", "percentage", "factor", "multiplier", "share"])


def _texts(bundle: Mapping[str, Any], kind: str) -> Iterator[Place]:
    return (place for place in schemas(bundle) if place.node.get("type") == kind)


def unbounded_string(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """With no longest value there is no value one too long to send, and no store that can hold them all."""
    for place in _texts(bundle, "string"):
        if "maxLength" not in place.node and "enum" not in place.node:
            yield Finding("unbounded-string", place.pointer, "no maxLength and no enum: add one")


def unbounded_integer(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Off-by-one and overflow live at the bounds; without them a test can only guess where."""
    for place in _texts(bundle, "integer"):
        missing = [key for key in ("minimum", "maximum") if key not in place.node]
        if missing and "enum" not in place.node:
            yield Finding("unbounded-integer", place.pointer, f"no {' and no '.join(missing)}: add it")


def unbounded_array(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A list that may grow for ever is an answer that no page size and no time limit can be tested on."""
    for place in _texts(bundle, "array"):
        if "maxItems" not in place.node:
            yield Finding("unbounded-array", place.pointer, "no maxItems: add it")


def unbounded_map(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A map takes any number of keys, so a client can fill the store with one request."""
    for place in schemas(bundle):
        extra = place.node.get("additionalProperties")
        if (extra is True or isinstance(extra, Mapping)) and "maxProperties" not in place.node:
            yield Finding("unbounded-map", place.pointer, "a map with no maxProperties: add it")


def _is_open(schema: Mapping[str, Any]) -> bool:
    if schema.get("type") != "object" and "properties" not in schema:
        return False
    if "allOf" in schema and "properties" not in schema:
        return False  # it is as closed as its branches, which are judged themselves
    extra = schema.get("additionalProperties")
    # A schema for the rest, or `true` with nothing named, declares a map. `true` beside named ones does not.
    is_map = isinstance(extra, Mapping) or (extra is True and "properties" not in schema)
    return extra is not False and not is_map


def _has_reason(schema: Mapping[str, Any]) -> bool:
    reason = schema.get("x-open")
    return isinstance(reason, str) and bool(reason.strip())


def open_request_body(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt member is accepted in silence where anything is accepted, and no test can catch it."""
    for op in operations(bundle):
        for pointer, media in json_content(*op.body) if op.body else ():
            for where, schema in reachable(bundle, join(pointer, "schema"), media.get("schema"), CHILDREN):
                if _is_open(schema):
                    message = "an object in a request that takes any member: add additionalProperties: false"
                    yield Finding("open-request-body", where, message)


def open_response(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt, leaked or undocumented member passes every check where the object is left open."""
    for op in operations(bundle):
        for status, at, response in op.responses:
            if not status.startswith("2"):
                continue
            for pointer, media in json_content(at, response):
                for where, schema in reachable(bundle, join(pointer, "schema"), media.get("schema"), CHILDREN):
                    if _is_open(schema) and not _has_reason(schema):
                        message = "an open object: add additionalProperties: false, or x-open with the reason"
                        yield Finding("open-response", where, message)


def _is_money(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    singular = [word[:-1] if word.endswith("s") and word != "cents" else word for word in words]
    return not MONEY.isdisjoint(singular) and singular[-1] not in RATIOS


def money_as_number(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """0.1 + 0.2 is not 0.3: amounts in floating point differ by a cent between two right implementations."""
    for place in of_kind(bundle, "schema", "reference"):
        if place.field != "properties" or not _is_money(place.name):
            continue
        through = ("items", "allOf", "anyOf", "oneOf")
        for where, schema in reachable(bundle, place.pointer, place.node, through):
            if schema.get("type") == "number":
                message = f"{place.name} is money as a float: use integer minor units, or a decimal string"
                yield Finding("money-as-number", where, message)


def _is_typed(place: Place | None) -> bool:
    if place is None or place.kind != "schema":
        return False
    if any(key in place.node for key in ("type", "enum", "oneOf", "anyOf", "allOf")):
        return True
    # A branch of a combinator may only narrow what its parent already says.
    return place.field in COMBINATORS and _is_typed(place.parent)


def untyped_schema(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A schema with no type accepts everything, so nothing can break it."""
    for place in schemas(bundle):
        if not _has_reason(place.node) and not _is_typed(place):
            message = "accepts any value: add a type, or x-open with the reason"
            yield Finding("untyped-schema", place.pointer, message)


def unknown_format(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Validators skip a format that they do not know; it looks like a check and is none."""
    for place in schemas(bundle):
        name = place.node.get("format")
        if name is not None and (not isinstance(name, str) or name not in KNOWN_FORMATS):
            yield Finding("unknown-format", place.pointer, f"format {name!r} is never checked: use a pattern")


def exclusive_number(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """In 3.0 these are booleans beside minimum and maximum; a number is 3.1, and 3.0 tools ignore the bound."""
    for place in schemas(bundle):
        for key in ("exclusiveMinimum", "exclusiveMaximum"):
            if isinstance(place.node.get(key), int | float) and not isinstance(place.node[key], bool):
                message = f"{key} is a number, which is OpenAPI 3.1: use the bound and {key}: true"
                yield Finding("exclusive-number", place.pointer, message)


def type_array(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A list of types is 3.1; 3.0 tools drop it, and with it the whole type check."""
    for place in schemas(bundle):
        if isinstance(place.node.get("type"), list):
            message = "type is a list, which is OpenAPI 3.1: use one type and nullable, or anyOf"
            yield Finding("type-array", place.pointer, message)


def identifier_without_pattern(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Without a shape, an id that cannot exist (400) is not told from one that does not (404)."""
    for place in of_kind(bundle, "parameter"):
        name = str(place.node.get("name"))
        if place.node.get("in") != "path" or not re.search(r"(^|_)id$|[a-z0-9]Id$", name):
            continue
        pointer, found = follow(bundle, join(place.pointer, "schema"), place.node.get("schema"))
        schema = as_map(found)
        if schema.get("type") == "string" and not any(key in schema for key in ("pattern", "format", "enum")):
            message = f"path parameter {name} may be any string: add a pattern or a format"
            yield Finding("identifier-without-pattern", pointer, message)
