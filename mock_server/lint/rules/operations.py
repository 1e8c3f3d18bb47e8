"""Can a test name an operation, group it, and know who may call it?"""

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.operation import operations


def operation_id_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Handlers, links, faults and the journal name operations by id; one without it cannot be aimed at."""
    for op in operations(bundle):
        if not op.node.get("operationId"):
            yield Finding("operation-id-missing", op.pointer, "no operationId: give it a unique one")


def operation_id_duplicate(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Of two operations with one id a tool keeps the last, so the first is never tested."""
    first: dict[str, str] = {}
    for op in operations(bundle):
        name = op.node.get("operationId")
        if not isinstance(name, str) or not name:
            continue
        if name in first:
            message = f"operationId {name} is already that of {first[name]}: rename one"
            yield Finding("operation-id-duplicate", op.pointer, message)
        else:
            first[name] = op.pointer


def operation_summary_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding is read by people who do not know the path by heart; the summary tells them what broke."""
    for op in operations(bundle):
        if not op.node.get("summary"):
            yield Finding("operation-summary-missing", op.pointer, "no summary: say in a line what it does")


def operation_tag_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Reports and test selections go by tag; an untagged operation falls out of both."""
    for op in operations(bundle):
        if not op.node.get("tags"):
            yield Finding("operation-tag-missing", op.pointer, "no tag: put it into a group")


def permission_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Only a declared permission can be tested: that its holder gets in and everyone else gets 403."""
    for op in operations(bundle):
        if op.secured and op.permission is None:
            message = "asks for a credential but names no permission: add x-permission"
            yield Finding("permission-missing", op.pointer, message)


def permission_without_security(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A permission that nobody has to prove is never checked, and the test for it would pass by accident."""
    for op in operations(bundle):
        if op.permission is not None and not op.secured:
            message = "x-permission on an operation open to anonymous callers: add security or drop it"
            yield Finding("permission-without-security", op.pointer, message)
