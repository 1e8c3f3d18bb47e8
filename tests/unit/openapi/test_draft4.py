"""The translation to JSON Schema draft 4 means the same as the OpenAPI schema."""

from typing import Any

import pytest

from mock_server.openapi.draft4 import draft4, validator

BUNDLE: dict[str, Any] = {
    "components": {
        "schemas": {
            "Name": {"type": "string", "maxLength": 3, "example": "abc", "x-note": 1},
            "Tree": {
                "type": "object",
                "properties": {
                    "name": {"$ref": "#/components/schemas/Name"},
                    "left": {"$ref": "#/components/schemas/Tree"},
                    "forest": {"$ref": "#/components/schemas/Forest"},
                },
            },
            "Forest": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "Alias": {"$ref": "#/components/schemas/Name"},
            "Loop": {"$ref": "#/components/schemas/Loop"},
        }
    }
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_references_are_inlined_and_openapi_keywords_dropped() -> None:
    own = {
        "discriminator": {"propertyName": "kind"},
        "xml": {},
        "externalDocs": {},
        "deprecated": True,
        "readOnly": True,
        "writeOnly": True,
        "id": "http://elsewhere/",
    }
    schema = {"type": "object", "properties": {"a": _ref("Alias"), "example": _ref("Name")}, **own}
    name = {"type": "string", "maxLength": 3}
    assert draft4(BUNDLE, schema) == {"type": "object", "properties": {"a": name, "example": name}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"enum": ["a", None], "nullable": True}, {"enum": ["a", None]}),
        (
            {"allOf": [_ref("Name")], "nullable": True},
            {"anyOf": [{"allOf": [{"type": "string", "maxLength": 3}]}, {"type": "null"}]},
        ),
        ({"$ref": "#/components/schemas/Name", "nullable": True}, {"type": "string", "maxLength": 3}),
        (_ref("Nowhere"), {}),
        (_ref("Loop"), {}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
    ],
)
def test_translation(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert draft4(BUNDLE, schema) == expected


@pytest.mark.parametrize("start", ["Tree", "Forest"])
def test_recursive_schemas_check_every_level(start: str) -> None:
    check = validator(BUNDLE, _ref(start))
    wrap = (lambda tree: [tree]) if start == "Forest" else (lambda tree: tree)
    assert check.is_valid(wrap({"left": {"forest": [{"left": {"name": "abc"}}]}}))
    assert not check.is_valid(wrap({"left": {"forest": [{"left": {"name": "abcd"}}]}}))


def test_the_bundle_is_left_as_it_was() -> None:
    schema = {"type": "string", "enum": ["a"], "nullable": True}
    draft4(BUNDLE, schema)
    assert schema == {"type": "string", "enum": ["a"], "nullable": True}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T00:00:00Z", "2026-02-28"),
        ("uuid", "0190a8c2-0000-7000-8000-000000000000", "0190a8c2"),
        ("byte", "YQ==", "Y"),
        ("duration", "P1DT2H", "P1DT"),
        ("uri", "https://example.com/a", "a b"),
        ("email", "a@example.com", "a"),
    ],
)
def test_formats_are_checked(name: str, good: str, bad: str) -> None:
    check = validator({}, {"type": "string", "format": name})
    assert check.is_valid(good)
    assert not check.is_valid(bad)
