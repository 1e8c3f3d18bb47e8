"""Are there examples, and are they true?"""

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.operation import is_json, json_content, operations
from mock_server.openapi.draft4 import validator
from mock_server.openapi.walk import Place, as_map, follow, join, of_kind, resolve

LONGEST = 200


def example_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Examples are the first requests a tester sends and the first answers a client is written against."""
    for op in operations(bundle):
        holders = [op.body] if op.body else []
        holders += [(at, response) for status, at, response in op.responses if status.startswith("2")]
        for holder in holders:
            for pointer, media in json_content(*holder):
                if not _has_example(bundle, media):
                    message = "no example: add example or examples, or one on the schema"
                    yield Finding("example-missing", pointer, message)


def _has_example(bundle: Mapping[str, Any], media: Mapping[str, Any]) -> bool:
    schema = as_map(resolve(bundle, media.get("schema")))
    return "example" in media or bool(as_map(media.get("examples"))) or "example" in schema


def example_invalid(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A wrong example is copied into clients and into tests, which then fail, or worse, do not."""
    for place in of_kind(bundle, "media", "parameter", "header", "schema"):
        schema = place.node if place.kind == "schema" else resolve(bundle, place.node.get("schema"))
        if not isinstance(schema, Mapping):
            continue
        examples = [e for e in _examples(bundle, place) if _comparable(place, schema, e[1])]
        if not examples:
            continue
        try:
            check = validator(bundle, schema)
        except ValueError as error:
            why = _short(str(error).partition("\n")[0])
            message = f"the example cannot be checked, for the schema is broken: {why}"
            yield Finding("example-invalid", place.pointer, message)
            continue
        for pointer, value in examples:
            for why in _problems(check, value):
                used = "" if pointer.startswith(place.pointer) else f" (as used by {place.pointer})"
                yield Finding("example-invalid", pointer, f"the example breaks its schema{used}: {why}")


def _examples(bundle: Mapping[str, Any], place: Place) -> Iterator[tuple[str, Any]]:
    # Each with the object it belongs to: that is where a reader looks, and where it can be silenced.
    if "example" in place.node:
        yield place.pointer, place.node["example"]
    if place.kind == "schema":
        return
    for name, node in as_map(place.node.get("examples")).items():
        pointer, example = follow(bundle, join(place.pointer, "examples", name), node)
        if isinstance(example, Mapping) and "value" in example:
            yield pointer, example["value"]


def _comparable(place: Place, schema: Mapping[str, Any], value: Any) -> bool:
    # In other media types than JSON a string is the body as sent; the schema speaks of the body as parsed.
    raw = place.kind == "media" and not is_json(place.name) and isinstance(value, str)
    return not raw or schema.get("type") == "string"


def _problems(check: Any, value: Any) -> list[str]:
    try:
        errors = check.iter_errors(value)
        return sorted({f"at {join('', *e.instance_path) or 'the top'}: {_short(e.message)}" for e in errors})
    except ValueError as error:
        return [f"it is not JSON: {_short(str(error))}"]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
