"""The walk finds each thing once, where it is written, and takes no data for a schema."""

from mock_server.lint.operation import operations
from mock_server.openapi.walk import at, headers, media_types, parameters, reachable, resolve, schemas, walk
from tests.unit.lint.clean import clean_bundle


def test_every_place_is_visited_once_under_its_pointer() -> None:
    bundle = clean_bundle()
    places = list(walk(bundle))
    assert len({place.pointer for place in places}) == len(places)
    assert all(at(bundle, place.pointer) is place.node for place in places)


def test_each_kind_is_found() -> None:
    bundle = clean_bundle()
    assert [p.pointer for p in parameters(bundle)] == [
        "/paths/~1plans~1{plan_id}/parameters/0",
        "/paths/~1plans~1{plan_id}/get/parameters/0",
    ]
    assert "/components/headers/RequestId" in [p.pointer for p in headers(bundle)]
    assert {p.name for p in media_types(bundle)} == {"application/json"}
    assert [op.node["operationId"] for op in operations(bundle)] == ["getPlan", "putPlan"]


def test_schemas_are_found_under_every_keyword_and_not_in_data() -> None:
    leaf = {"type": "boolean"}
    schema = {
        "properties": {"example": leaf, "properties": leaf},
        "items": leaf,
        "additionalProperties": leaf,
        "allOf": [leaf],
        "anyOf": [leaf],
        "oneOf": [leaf],
        "not": leaf,
        "example": {"schema": leaf, "items": leaf},
        "default": {"items": leaf},
        "enum": [leaf],
        "x-other": {"schema": leaf},
    }
    found = [
        p.pointer.removeprefix("/components/schemas/A") for p in schemas({"components": {"schemas": {"A": schema}}})
    ]
    assert found == [
        "",
        "/properties/example",
        "/properties/properties",
        "/items",
        "/additionalProperties",
        "/allOf/0",
        "/anyOf/0",
        "/oneOf/0",
        "/not",
    ]


def test_pointers_escape_and_references_unescape() -> None:
    bundle = {"components": {"schemas": {"a/b~c": {"type": "boolean"}}}}
    assert [p.pointer for p in schemas(bundle)] == ["/components/schemas/a~1b~0c"]
    assert resolve(bundle, {"$ref": "#/components/schemas/a~1b~0c"}) == {"type": "boolean"}


def test_references_that_lead_nowhere_resolve_to_none() -> None:
    bundle = {"components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}}
    for ref in (
        "#/components/schemas/A",
        "#/components/schemas/B",
        "other.yaml#/A",
        "#/components/schemas/A/b/c",
    ):
        assert resolve(bundle, {"$ref": ref}) is None


def test_reachable_ends_on_recursive_schemas() -> None:
    bundle = clean_bundle()
    ref = {"$ref": "#/components/schemas/Plan"}
    pointers = [pointer for pointer, _ in reachable(bundle, "", ref, ("properties", "allOf"))]
    assert pointers[0] == "/components/schemas/Plan"
    assert len(set(pointers)) == len(pointers) == 5
