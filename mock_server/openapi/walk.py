"""Which dict in a bundle is what: operations, schemas, parameters, headers, media types, with their pointers.

Nothing here trusts the bundle: a lint must explain a broken document, not fall over it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
COMBINATORS = ("allOf", "anyOf", "oneOf", "not")

ONE, LIST, MAP = "one", "list", "map"

# kind -> field -> how the children stand in the field, and their kind. "*" is every field but extensions.
GRAMMAR: dict[str, dict[str, tuple[str, str]]] = {
    "document": {"paths": (ONE, "paths"), "components": (ONE, "components")},
    "components": {
        "schemas": (MAP, "schema"),
        "responses": (MAP, "response"),
        "parameters": (MAP, "parameter"),
        "examples": (MAP, "example"),
        "requestBodies": (MAP, "body"),
        "headers": (MAP, "header"),
        "securitySchemes": (MAP, "security scheme"),
        "links": (MAP, "link"),
        "callbacks": (MAP, "callback"),
    },
    "paths": {"*": (ONE, "path")},
    "callback": {"*": (ONE, "path")},
    "path": {"parameters": (LIST, "parameter")} | dict.fromkeys(METHODS, (ONE, "operation")),
    "operation": {
        "parameters": (LIST, "parameter"),
        "requestBody": (ONE, "body"),
        "responses": (ONE, "responses"),
        "callbacks": (MAP, "callback"),
    },
    "responses": {"*": (ONE, "response")},
    "response": {"headers": (MAP, "header"), "content": (MAP, "media"), "links": (MAP, "link")},
    "body": {"content": (MAP, "media")},
    "parameter": {"schema": (ONE, "schema"), "content": (MAP, "media"), "examples": (MAP, "example")},
    "header": {"schema": (ONE, "schema"), "content": (MAP, "media"), "examples": (MAP, "example")},
    "media": {"schema": (ONE, "schema"), "encoding": (MAP, "encoding"), "examples": (MAP, "example")},
    "encoding": {"headers": (MAP, "header")},
    "schema": {
        "properties": (MAP, "schema"),
        "items": (ONE, "schema"),
        "additionalProperties": (ONE, "schema"),
        "allOf": (LIST, "schema"),
        "anyOf": (LIST, "schema"),
        "oneOf": (LIST, "schema"),
        "not": (ONE, "schema"),
    },
}


class Place(msgspec.Struct, frozen=True, eq=False):
    """A dict of the bundle, with what it is, where it is written and what holds it.

    A Reference Object has the kind "reference": what it points at is visited where that is written.
    """

    kind: str
    pointer: str
    node: Mapping[str, Any]
    field: str
    """The field of `parent` that leads here."""
    name: str
    """The key under which it stands there: a property's name, a media type, a status."""
    parent: "Place | None"


def as_map(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def join(pointer: str, *keys: object) -> str:
    """A JSON pointer (RFC 6901) some keys deeper."""
    return pointer + "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def at(bundle: Mapping[str, Any], pointer: str) -> Any:
    """What a JSON pointer points at, or None."""
    value: Any = bundle
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10:
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def is_reference(node: Any) -> bool:
    """Whether this is a Reference Object."""
    return isinstance(node, Mapping) and isinstance(node.get("$ref"), str)


def follow(bundle: Mapping[str, Any], pointer: str, node: Any) -> tuple[str, Any]:
    """Where a node is really written, and the node there; None if its reference leads nowhere."""
    seen: set[str] = set()
    while is_reference(node):
        ref: str = node["$ref"]
        if ref in seen or not ref.startswith("#/"):
            return pointer, None
        seen.add(ref)
        pointer = unquote(ref[1:])
        node = at(bundle, pointer)
    return pointer, node


def resolve(bundle: Mapping[str, Any], node: Any) -> Any:
    """The node, or what its local `$ref` leads to; None if that leads nowhere."""
    return follow(bundle, "", node)[1]


def children(place: Place) -> Iterator[Place]:
    """The places directly inside a place, in document order."""
    fields = GRAMMAR.get(place.kind, {})
    if "*" in fields:
        how_kind = fields["*"]
        fields = {str(key): how_kind for key in place.node if not str(key).startswith("x-")}
    for field, (how, kind) in fields.items():
        value = place.node.get(field)
        if how == ONE:
            entries = [(field, join(place.pointer, field), value)]
        elif how == LIST:
            entries = [(str(i), join(place.pointer, field, i), v) for i, v in enumerate(as_list(value))]
        else:
            entries = [(str(k), join(place.pointer, field, k), v) for k, v in as_map(value).items()]
        for name, pointer, child in entries:
            if isinstance(child, Mapping):
                yield Place("reference" if is_reference(child) else kind, pointer, child, field, name, place)


def walk(bundle: Mapping[str, Any]) -> Iterator[Place]:
    """Every place of a bundle, each once, parents first."""
    stack = [Place("document", "", bundle, "", "", None)]
    while stack:
        place = stack.pop()
        yield place
        stack.extend(reversed(list(children(place))))


def of_kind(bundle: Mapping[str, Any], *kinds: str) -> Iterator[Place]:
    """Every place of these kinds."""
    return (place for place in walk(bundle) if place.kind in kinds)


def schemas(bundle: Mapping[str, Any]) -> Iterator[Place]:
    """Every schema object, once per place where it is written."""
    return of_kind(bundle, "schema")


def parameters(bundle: Mapping[str, Any]) -> Iterator[Place]:
    """Every parameter object, once per place where it is written."""
    return of_kind(bundle, "parameter")


def headers(bundle: Mapping[str, Any]) -> Iterator[Place]:
    """Every header object, once per place where it is written."""
    return of_kind(bundle, "header")


def media_types(bundle: Mapping[str, Any]) -> Iterator[Place]:
    """Every media type object, once per place where it is written; its name is the media type."""
    return of_kind(bundle, "media")


def reachable(
    bundle: Mapping[str, Any], pointer: str, schema: Any, fields: Collection[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all those reached from it through these fields and through references, each once."""
    seen: set[str] = set()
    stack: list[tuple[str, Any]] = [(pointer, schema)]
    while stack:
        where, node = follow(bundle, *stack.pop())
        if where in seen or not isinstance(node, Mapping):
            continue
        seen.add(where)
        yield where, node
        inside = [c for c in children(Place("schema", where, node, "", "", None)) if c.field in fields]
        stack.extend((c.pointer, c.node) for c in reversed(inside))
