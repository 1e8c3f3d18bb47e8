"""Each rule finds its fault, at the right place, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from mock_server.lint import Finding, lint
from mock_server.lint.rules import RULES
from tests.unit.lint.clean import Mutation, both, clean_bundle, drop, put, spoilt

GET = "/paths/~1plans~1{plan_id}/get"
PUT = "/paths/~1plans~1{plan_id}/put"
BODY = f"{PUT}/requestBody/content/application~1json"
ID = "/paths/~1plans~1{plan_id}/parameters/0/schema"
LIMIT = f"{GET}/parameters/0/schema"
SCHEMAS = "/components/schemas"
RESPONSES = "/components/responses"
PLAN = f"{SCHEMAS}/Plan/properties"
LINK = f"{GET}/responses/200/links/again"

STRING = {"type": "string", "maxLength": 20}
CLOSED = {"type": "object", "additionalProperties": False}

Case = tuple[str, Mutation, str]

CASES: list[Case] = [
    ("openapi-invalid", drop("/info/title"), "/info"),
    ("openapi-invalid", put(f"{SCHEMAS}/Error/maxProperties", "many"), f"{SCHEMAS}/Error/maxProperties"),
    ("operation-id-missing", drop(f"{PUT}/operationId"), PUT),
    ("operation-summary-missing", drop(f"{GET}/summary"), GET),
    ("operation-tag-missing", put(f"{GET}/tags", []), GET),
    ("permission-missing", drop(f"{GET}/x-permission"), GET),
    (
        "permission-without-security",
        both(
            put(f"{PUT}/x-permission", "x"),
            put(f"{PUT}/responses/403", {"$ref": f"#{RESPONSES}/Forbidden"}),
        ),
        PUT,
    ),
    ("reference-dangling", drop(f"{SCHEMAS}/Labels"), f"{BODY}/schema/properties/labels"),
    ("missing-400", drop(f"{GET}/responses/400"), GET),
    ("missing-401", drop(f"{GET}/responses/401"), GET),
    ("missing-403", drop(f"{GET}/responses/403"), GET),
    ("missing-413", drop(f"{PUT}/responses/413"), PUT),
    ("missing-415", drop(f"{PUT}/responses/415"), PUT),
    ("no-success-response", drop(f"{PUT}/responses/204"), PUT),
    (
        "status-default-used",
        put(f"{PUT}/responses/default", {"$ref": f"#{RESPONSES}/Invalid"}),
        f"{PUT}/responses/default",
    ),
    (
        "status-default-used",
        put(f"{PUT}/responses/4XX", {"$ref": f"#{RESPONSES}/Invalid"}),
        f"{PUT}/responses/4XX",
    ),
    ("error-without-content", drop(f"{RESPONSES}/Forbidden/content"), f"{RESPONSES}/Forbidden"),
    ("error-without-content", drop(f"{RESPONSES}/RouteNotFound/content"), f"{RESPONSES}/RouteNotFound"),
    (
        "www-authenticate-missing",
        drop(f"{RESPONSES}/Unauthenticated/headers/WWW-Authenticate"),
        f"{RESPONSES}/Unauthenticated",
    ),
    (
        "www-authenticate-missing",
        drop(f"{RESPONSES}/Unauthenticated/headers/WWW-Authenticate/required"),
        f"{RESPONSES}/Unauthenticated",
    ),
    ("retry-after-missing", drop(f"{RESPONSES}/TooMany/headers/Retry-After"), f"{RESPONSES}/TooMany"),
    ("request-id-missing", drop(f"{PUT}/responses/204/headers"), f"{PUT}/responses/204"),
    ("request-id-missing", drop(f"{RESPONSES}/RouteNotFound/headers"), f"{RESPONSES}/RouteNotFound"),
    ("allow-missing", drop(f"{RESPONSES}/MethodNotAllowed/headers/Allow"), f"{RESPONSES}/MethodNotAllowed"),
    ("method-not-allowed-missing", drop(f"{RESPONSES}/MethodNotAllowed"), "/components"),
    ("route-not-found-missing", drop(f"{RESPONSES}/RouteNotFound"), "/components"),
    ("unbounded-string", drop(f"{PLAN}/plan_id/maxLength"), f"{PLAN}/plan_id"),
    ("unbounded-string", put(f"{PLAN}/raw", {"type": "string", "format": "binary"}), f"{PLAN}/raw"),
    ("unbounded-integer", drop(f"{LIMIT}/maximum"), LIMIT),
    ("unbounded-integer", drop(f"{LIMIT}/minimum"), LIMIT),
    ("unbounded-array", drop(f"{PLAN}/features/maxItems"), f"{PLAN}/features"),
    ("unbounded-map", drop(f"{SCHEMAS}/Labels/maxProperties"), f"{SCHEMAS}/Labels"),
    ("open-request-body", drop(f"{BODY}/schema/additionalProperties"), f"{BODY}/schema"),
    (
        "open-request-body",
        both(
            put(f"{BODY}/schema/additionalProperties", True),
            put(f"{BODY}/schema/maxProperties", 9),
        ),
        f"{BODY}/schema",
    ),
    ("open-response", drop(f"{SCHEMAS}/Plan/additionalProperties"), f"{SCHEMAS}/Plan"),
    ("open-response", put(f"{PLAN}/extra", {"type": "object", "x-open": " "}), f"{PLAN}/extra"),
    ("money-as-number", put(f"{PLAN}/price_cents/type", "number"), f"{PLAN}/price_cents"),
    ("money-as-number", put(f"{PLAN}/unitPrice", {"type": "number"}), f"{PLAN}/unitPrice"),
    (
        "money-as-number",
        put(f"{PLAN}/credits", {"type": "array", "maxItems": 2, "items": {"type": "number"}}),
        f"{PLAN}/credits/items",
    ),
    ("untyped-schema", put(f"{PLAN}/extra", {"description": "Anything."}), f"{PLAN}/extra"),
    ("unknown-format", put(f"{PLAN}/plan_id/format", "ulid"), f"{PLAN}/plan_id"),
    ("identifier-without-pattern", drop(f"{ID}/pattern"), ID),
    ("example-missing", drop(f"{BODY}/example"), BODY),
    (
        "example-missing",
        drop(f"{SCHEMAS}/Plan/example"),
        f"{GET}/responses/200/content/application~1json",
    ),
    ("example-invalid", put(f"{BODY}/example/name", 1), BODY),
    ("example-invalid", put(f"{SCHEMAS}/Plan/example/parent", {"plan_id": 1}), f"{SCHEMAS}/Plan"),
    ("example-invalid", put(f"{GET}/parameters/0/example", 101), f"{GET}/parameters/0"),
    (
        "example-invalid",
        put("/components/headers/RequestId/example", 1),
        "/components/headers/RequestId",
    ),
    (
        "example-invalid",
        put(f"{SCHEMAS}/When", {"type": "string", "maxLength": 30, "format": "date-time", "example": "now"}),
        f"{SCHEMAS}/When",
    ),
    (
        "example-invalid",
        both(drop(f"{BODY}/example"), put(f"{BODY}/examples", {"bad": {"value": {"name": 1}}})),
        f"{BODY}/examples/bad",
    ),
    (
        "example-invalid",
        both(
            drop(f"{BODY}/example"),
            put(f"{BODY}/examples", {"bad": {"$ref": "#/components/examples/Bad"}}),
            put("/components/examples", {"Bad": {"value": {"nam": "x"}}}),
        ),
        "/components/examples/Bad",
    ),
    ("link-target-missing", put(f"{LINK}/operationId", "nowhere"), LINK),
    ("link-target-missing", put(LINK, {"operationRef": "#/paths/~1nowhere/get"}), LINK),
    ("link-parameter-unknown", put(f"{LINK}/parameters/plan", "x"), LINK),
    (
        "components-identical",
        put(f"{SCHEMAS}/Twin", clean_bundle()["components"]["schemas"]["Error"]),
        f"{SCHEMAS}/Twin",
    ),
]

# These are against the specification too, so the validator speaks up beside the rule that explains them.
ALSO_INVALID: list[Case] = [
    ("operation-id-duplicate", put(f"{PUT}/operationId", "getPlan"), PUT),
    ("exclusive-number", put(f"{LIMIT}/exclusiveMinimum", 3), LIMIT),
    ("type-array", put(f"{LIMIT}/type", ["integer", "string"]), LIMIT),
    (
        "example-invalid",
        put(f"{SCHEMAS}/Odd", {"type": "string", "maxLength": 9, "pattern": "(", "example": "x"}),
        f"{SCHEMAS}/Odd",
    ),
]

FINE: dict[str, Mutation] = {
    "an enum bounds a string": put(f"{PLAN}/plan_id", {"type": "string", "enum": ["pro"]}),
    "an enum bounds an integer": put(LIMIT, {"type": "integer", "enum": [1, 2]}),
    "a rate is not money": put(f"{PLAN}/fee_rate", {"type": "number"}),
    "money as a string": put(f"{PLAN}/cost", STRING),
    "x-open with a reason": put(f"{PLAN}/raw", {"type": "object", "x-open": "the provider's own object"}),
    "x-open on an untyped schema": put(f"{PLAN}/raw", {"x-open": "the provider's own value"}),
    "a branch that only narrows": put(f"{PLAN}/raw", CLOSED | {"not": {"required": ["a"]}}),
    "optional security needs no permission": both(
        drop(f"{GET}/x-permission"),
        put(f"{GET}/security", [{"key": []}, {}]),
    ),
    "any media type needs no 415": both(
        put(f"{PUT}/requestBody/content", {"*/*": {"schema": STRING}}),
        drop(f"{PUT}/responses/415"),
    ),
    "operationRef into the document": put(LINK, {"operationRef": "#/paths/~1plans~1%7Bplan_id%7D/get"}),
    "a link parameter qualified by its place": put(f"{LINK}/parameters", {"path.plan_id": "x"}),
    "a raw example of a body that is not JSON": put(
        f"{PUT}/requestBody/content/application~1x-www-form-urlencoded",
        {"schema": CLOSED, "example": "a=1"},
    ),
    "an alias of a component": put(f"{SCHEMAS}/Alias", {"$ref": f"#{SCHEMAS}/Plan"}),
    "a property that is named like a keyword": put(f"{PLAN}/$ref", STRING),
    "an example that looks like a schema": put(
        f"{SCHEMAS}/Thing",
        CLOSED | {"properties": {"type": STRING}, "example": {"type": "string"}},
    ),
}


def _found(bundle: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.pointer) for finding in lint(bundle)]


def test_the_clean_bundle_is_clean() -> None:
    assert [str(finding) for finding in lint(clean_bundle())] == []


@pytest.mark.parametrize(("rule", "mutation", "pointer"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_one_fault_gives_one_finding(rule: str, mutation: Mutation, pointer: str) -> None:
    assert _found(spoilt(mutation)) == [(rule, pointer)]


@pytest.mark.parametrize(("rule", "mutation", "pointer"), ALSO_INVALID, ids=[c[0] for c in ALSO_INVALID])
def test_what_is_invalid_too_is_also_explained(rule: str, mutation: Mutation, pointer: str) -> None:
    found = _found(spoilt(mutation))
    assert [entry for entry in found if entry[0] != "openapi-invalid"] == [(rule, pointer)]
    assert len(found) > 1


@pytest.mark.parametrize("mutation", FINE.values(), ids=FINE.keys())
def test_what_is_fine(mutation: Mutation) -> None:
    assert _found(spoilt(mutation)) == []


def test_every_rule_has_a_case_a_reason_and_its_own_name() -> None:
    names = [rule.__name__.replace("_", "-") for rule in RULES]
    assert len(set(names)) == len(names)
    assert {case[0] for case in CASES + ALSO_INVALID} == set(names)
    assert all(rule.__doc__ for rule in RULES)


def test_a_finding_reads_as_a_line() -> None:
    assert str(Finding("some-rule", "/info", "is wrong: fix it")) == "/info: some-rule: is wrong: fix it"


def test_findings_are_sorted_and_each_comes_once() -> None:
    bundle = spoilt(both(drop(f"{RESPONSES}/Invalid/content"), drop(f"{GET}/summary"), drop(f"{GET}/tags")))
    assert _found(bundle) == [
        ("error-without-content", f"{RESPONSES}/Invalid"),
        ("operation-summary-missing", GET),
        ("operation-tag-missing", GET),
    ]


def test_the_validator_giving_up_is_a_finding_too() -> None:
    found = lint(spoilt(drop(f"{RESPONSES}/Forbidden")))
    assert [(f.rule, f.pointer) for f in found] == [
        ("openapi-invalid", ""),
        ("reference-dangling", f"{GET}/responses/403"),
    ]
    assert len(found[0].message) < 300


@pytest.mark.parametrize("scheme", ["file", "data", ""])
def test_nothing_outside_the_bundle_is_read(scheme: str, tmp_path: Path) -> None:
    outside = tmp_path / "schema.json"
    outside.write_text('{"type": "boolean"}')
    uri = {"file": outside.as_uri(), "data": "data:,%7B%7D", "": str(outside)}[scheme]
    found = lint(spoilt(put(f"{PLAN}/extra", {"$ref": uri})))
    assert [(f.rule, f.pointer) for f in found] == [
        ("openapi-invalid", ""),
        ("reference-dangling", f"{PLAN}/extra"),
    ]
