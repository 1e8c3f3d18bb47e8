"""All rules of the lint, in the order in which one would read them.

The id of a rule is its function's name with hyphens.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.rules import duplicates, examples, links, operations, responses, schemas, validity

Rule = Callable[[Mapping[str, Any]], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    validity.openapi_invalid,
    validity.reference_dangling,
    operations.operation_id_missing,
    operations.operation_id_duplicate,
    operations.operation_summary_missing,
    operations.operation_tag_missing,
    operations.permission_missing,
    operations.permission_without_security,
    responses.missing_400,
    responses.missing_401,
    responses.missing_403,
    responses.missing_413,
    responses.missing_415,
    responses.no_success_response,
    responses.status_default_used,
    responses.error_without_content,
    responses.www_authenticate_missing,
    responses.retry_after_missing,
    responses.request_id_missing,
    responses.allow_missing,
    responses.method_not_allowed_missing,
    responses.route_not_found_missing,
    schemas.unbounded_string,
    schemas.unbounded_integer,
    schemas.unbounded_array,
    schemas.unbounded_map,
    schemas.open_request_body,
    schemas.open_response,
    schemas.money_as_number,
    schemas.untyped_schema,
    schemas.unknown_format,
    schemas.exclusive_number,
    schemas.type_array,
    schemas.identifier_without_pattern,
    examples.example_missing,
    examples.example_invalid,
    links.link_target_missing,
    links.link_parameter_unknown,
    duplicates.components_identical,
)
