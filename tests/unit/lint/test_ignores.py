"""Silencing a rule at one place: with a reason, and only while there is something to silence."""

from typing import Any

import pytest

from mock_server.lint import lint
from tests.unit.lint.clean import both, drop, put, spoilt

GET = "/paths/~1plans~1{plan_id}/get"
PLAN = "/components/schemas/Plan"


def _found(*mutations: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.pointer) for finding in lint(spoilt(both(*mutations)))]


def test_an_ignore_silences_its_rule_at_its_place_only() -> None:
    found = _found(
        drop(f"{GET}/summary"),
        drop(f"{GET}/tags"),
        drop("/paths/~1plans~1{plan_id}/put/summary"),
        put(f"{GET}/x-lint-ignore", {"operation-summary-missing": "the vendor has none"}),
    )
    assert found == [
        ("operation-tag-missing", GET),
        ("operation-summary-missing", "/paths/~1plans~1{plan_id}/put"),
    ]


@pytest.mark.parametrize("reason", ["", "  ", None, 1, True])
def test_an_ignore_without_a_reason_silences_nothing(reason: Any) -> None:
    found = _found(drop(f"{GET}/summary"), put(f"{GET}/x-lint-ignore", {"operation-summary-missing": reason}))
    assert found == [("lint-ignore-without-reason", GET), ("operation-summary-missing", GET)]


@pytest.mark.parametrize("ignores", [{}, [], "operation-summary-missing", None])
def test_an_ignore_has_to_be_a_map(ignores: Any) -> None:
    assert _found(put(f"{GET}/x-lint-ignore", ignores)) == [("lint-ignore-without-reason", GET)]


@pytest.mark.parametrize("rule", ["operation-summary-missing", "no-such-rule"])
def test_an_ignore_that_silences_nothing_is_reported(rule: str) -> None:
    assert _found(put(f"{GET}/x-lint-ignore", {rule: "why"})) == [("lint-ignore-unused", GET)]


def test_an_ignore_beside_a_reference_does_not_reach_through_it() -> None:
    where = f"{GET}/responses/400"
    found = _found(
        drop("/components/responses/Invalid/content"),
        put(f"{where}/x-lint-ignore", {"error-without-content": "none here"}),
    )
    assert found == [
        ("error-without-content", "/components/responses/Invalid"),
        ("lint-ignore-unused", where),
    ]


def test_a_validity_error_is_silenced_on_the_object_that_holds_it() -> None:
    where = "/components/schemas/Error"
    found = _found(
        put(f"{where}/maxProperties", "many"),
        put(f"{where}/x-lint-ignore", {"openapi-invalid": "as the vendor has it"}),
    )
    assert found == []


def test_an_ignore_in_an_example_is_data() -> None:
    assert _found(put(f"{PLAN}/example/x-lint-ignore", {})) == [("example-invalid", PLAN)]


def test_equal_components_can_be_kept_with_a_reason() -> None:
    twin = {"type": "boolean"}
    found = _found(
        put("/components/schemas/A", twin),
        put("/components/schemas/B", twin | {"x-lint-ignore": {"components-identical": "will differ in v2"}}),
    )
    assert found == []
