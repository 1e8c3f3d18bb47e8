"""Do links lead somewhere?"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from mock_server.lint.finding import Finding
from mock_server.lint.operation import Operation, operations
from mock_server.openapi.walk import Place, as_map, of_kind


def _links(bundle: Mapping[str, Any]) -> Iterator[tuple[Place, str, Operation | None]]:
    by_id = {str(op.node.get("operationId")): op for op in operations(bundle) if op.node.get("operationId")}
    by_pointer = {op.pointer: op for op in operations(bundle)}
    for place in of_kind(bundle, "link"):
        name, ref = place.node.get("operationId"), place.node.get("operationRef")
        if isinstance(name, str):
            yield place, name, by_id.get(name)
        elif isinstance(ref, str) and ref.startswith("#"):
            yield place, ref, by_pointer.get(unquote(ref[1:]))


def link_target_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Stateful tests walk along links; one that leads nowhere drops a whole chain of calls in silence."""
    for place, target, op in _links(bundle):
        if op is None:
            message = f"there is no operation {target}: name one that exists"
            yield Finding("link-target-missing", place.pointer, message)


def link_parameter_unknown(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A value handed to a parameter that does not exist is dropped, so the next call is not about this one."""
    for place, target, op in _links(bundle):
        known = {form for where, name in (op.parameters if op else ()) for form in (name, f"{where}.{name}")}
        for name in as_map(place.node.get("parameters")):
            if op is not None and name not in known:
                message = f"{target} has no parameter {name}: it has {', '.join(sorted(known)) or 'none'}"
                yield Finding("link-parameter-unknown", place.pointer, message)
