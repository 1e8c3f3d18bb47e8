"""Is every answer that can come declared, with what a client needs to act on it?"""

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.operation import Operation, is_success, json_content, operations
from mock_server.openapi.walk import as_map, follow, join, resolve


def _undeclared(op: Operation, status: str, why: str) -> Iterator[Finding]:
    if status not in op.statuses:
        message = f"{why}, but {status} is not among its responses: declare it"
        yield Finding(f"missing-{status}", op.pointer, message)


def missing_400(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Whatever takes input can be sent bad input, and every negative test expects this answer."""
    for op in operations(bundle):
        if op.parameters or op.body:
            yield from _undeclared(op, "400", "takes parameters or a body")


def missing_401(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A call without a credential must be refused in a declared way, or the refusal itself is a breach."""
    for op in operations(bundle):
        if op.secured:
            yield from _undeclared(op, "401", "asks for a credential")


def missing_403(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A permission that no answer can refuse cannot be tested."""
    for op in operations(bundle):
        if op.permission is not None:
            yield from _undeclared(op, "403", "asks for a permission")


def missing_413(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Every server bounds the body it reads; a test that sends a larger one needs to know the answer."""
    for op in operations(bundle):
        if op.body:
            yield from _undeclared(op, "413", "takes a body")


def missing_415(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A body in another media type is the easiest negative test there is, and it needs its answer."""
    for op in operations(bundle):
        if op.body and "*/*" not in as_map(op.body[1].get("content")):
            yield from _undeclared(op, "415", "takes a body of certain media types")


def no_success_response(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """With no declared success, no positive test can be written."""
    for op in operations(bundle):
        if not any(is_success(status) for status in op.statuses):
            yield Finding("no-success-response", op.pointer, "no 2xx or 3xx response: declare one")


def status_default_used(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """`default` and ranges declare every status at once, so no answer is ever undeclared."""
    for op in operations(bundle):
        for status in op.statuses:
            if status == "default" or status.upper().endswith("XX"):
                pointer = join(op.pointer, "responses", status)
                message = f"{status} stands for answers that are not spelled out: list them one by one"
                yield Finding("status-default-used", pointer, message)


def error_without_content(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """An error without a JSON body tells a client nothing to branch on, and a test nothing to check."""
    found: list[tuple[str, Mapping[str, Any] | None]] = [
        (pointer, response)
        for op in operations(bundle)
        if op.method != "head"
        for status, pointer, response in op.responses
        if status[:1] in ("4", "5")
    ]
    for pointer, response in found + [_component(bundle, name) for name in ROUTING]:
        if response is not None and not any(json_content(pointer, response)):
            yield Finding("error-without-content", pointer, "no JSON content: declare the error's body")


def _header(bundle: Mapping[str, Any], response: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    for key, node in as_map(response.get("headers")).items():
        if str(key).lower() == name.lower():
            return as_map(resolve(bundle, node))
    return None


def _requires(bundle: Mapping[str, Any], response: Mapping[str, Any], name: str) -> bool:
    header = _header(bundle, response, name)
    return header is not None and header.get("required") is True


def www_authenticate_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """RFC 9110 demands the challenge on every 401, and clients find out from it how to authenticate."""
    for op in operations(bundle):
        for status, pointer, response in op.responses:
            if status == "401" and not _requires(bundle, response, "WWW-Authenticate"):
                message = "no required WWW-Authenticate header: declare it, with required: true"
                yield Finding("www-authenticate-missing", pointer, message)


def retry_after_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """Clients wait as long as Retry-After says; undeclared, nobody tests that it is there and sensible."""
    for op in operations(bundle):
        for status, pointer, response in op.responses:
            if status == "429" and _header(bundle, response, "Retry-After") is None:
                message = "no Retry-After header: declare it (required, if it always comes)"
                yield Finding("retry-after-missing", pointer, message)


def request_id_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """The request id leads from a failed test to the server's log; it has to be on every answer."""
    components = as_map(as_map(bundle.get("components")).get("responses"))
    found: list[tuple[str, Mapping[str, Any] | None]] = []
    found += [(pointer, response) for op in operations(bundle) for _, pointer, response in op.responses]
    found += [_component(bundle, name) for name in components]
    for pointer, response in found:
        if response is not None and not _requires(bundle, response, "X-Request-Id"):
            message = "no required X-Request-Id header: declare it, with required: true"
            yield Finding("request-id-missing", pointer, message)


# The answers of the router belong to no operation, so they are declared as components, by these names.
ROUTING = ("MethodNotAllowed", "RouteNotFound")


def _component(bundle: Mapping[str, Any], name: str) -> tuple[str, Mapping[str, Any] | None]:
    node = as_map(as_map(bundle.get("components")).get("responses")).get(name)
    pointer, response = follow(bundle, join("/components/responses", name), node)
    return pointer, response if isinstance(response, Mapping) else None


def _no_component(bundle: Mapping[str, Any], rule: str, name: str, what: str) -> Iterator[Finding]:
    if _component(bundle, name)[1] is None:
        pointer = "/components" if isinstance(bundle.get("components"), Mapping) else ""
        message = f"no components/responses/{name}: declare what {what} is answered"
        yield Finding(rule, pointer, message)


def allow_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """RFC 9110 demands Allow on every 405, and a test compares it with the methods of the path."""
    pointer, response = _component(bundle, "MethodNotAllowed")
    if response is not None and not _requires(bundle, response, "Allow"):
        message = "no required Allow header: declare it, with required: true"
        yield Finding("allow-missing", pointer, message)


def method_not_allowed_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A wrong method reaches no operation, so its answer can be checked only against a component."""
    yield from _no_component(bundle, "method-not-allowed-missing", "MethodNotAllowed", "a wrong method on a known path")


def route_not_found_missing(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """An unknown path reaches no operation, so its answer can be checked only against a component."""
    yield from _no_component(bundle, "route-not-found-missing", "RouteNotFound", "an unknown path")
