"""Is the bundle OpenAPI 3.0 at all?"""

from collections.abc import Iterator, Mapping
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from mock_server.lint.finding import Finding
from mock_server.openapi.walk import at, join, of_kind, resolve, schemas

LONGEST = 200

# The specification's own schema says "a Schema or a Reference" everywhere, so one wrong keyword is also
# reported as this, with no cause, for everything around it.
VAGUE = "is not valid under any of the "


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the bundle")


class _NoSchemes(dict[str, Any]):
    # The validator fetches by itself whatever scheme it finds no handler for, so there has to be one for each.
    def __contains__(self, scheme: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Any:
        return _refuse


class _Offline(OpenAPIV30SpecValidator):
    """The validator, kept from reading files and addresses that a bundle names."""

    resolver_handlers = _NoSchemes()


def openapi_invalid(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """A tool that reads an invalid document may skip the broken part in silence, and then tests nothing of it."""
    found: set[tuple[str, str]] = set()
    try:
        for error in _Offline(dict(bundle)).iter_errors():
            cause = _innermost(error)
            found |= {(pointer, _line(str(cause.message))) for pointer in _located(bundle, cause)}
    except Exception as error:
        found.add(("", f"the validator gave up, {_line(f'{type(error).__name__}: {error}', head=True)}"))
    for pointer, message in found:
        explained = any(other.startswith(pointer + "/") for other, _ in found)
        if not (explained and VAGUE in message):
            yield Finding("openapi-invalid", pointer, f"{message}: make it valid OpenAPI 3.0")


def _innermost(error: Any) -> Any:
    while error.context:
        causes = [cause for cause in error.context if "'$ref' is a required property" not in cause.message]
        if not causes:
            break
        error = max(causes, key=lambda cause: len(cause.absolute_path))
    return error


def _located(bundle: Mapping[str, Any], error: Any) -> list[str]:
    path = join("", *error.absolute_path)
    if str(next(iter(error.absolute_path), "")) in bundle or not path:
        return [path]
    # The validator also checks each schema alone, and then counts the path from that schema.
    held = [place.pointer for place in schemas(bundle) if _same(at(place.node, path), error.instance)]
    return [pointer + path for pointer in held] or [""]


def _same(one: Any, other: Any) -> bool:
    return one is not None and type(one) is type(other) and bool(one == other)


def _line(message: str, *, head: bool = False) -> str:
    # The value comes first and may be huge; what is wrong with it comes last.
    line = message.partition("\n")[0]
    if len(line) <= LONGEST:
        return line
    return line[:LONGEST] + "..." if head else "..." + line[-LONGEST:]


def reference_dangling(bundle: Mapping[str, Any]) -> Iterator[Finding]:
    """What a lost reference stood for accepts anything, and the validator does not follow all of them."""
    for place in of_kind(bundle, "reference"):
        if resolve(bundle, place.node) is None:
            message = f"{place.node['$ref']} leads nowhere: define it, or refer to something else"
            yield Finding("reference-dangling", place.pointer, message)
