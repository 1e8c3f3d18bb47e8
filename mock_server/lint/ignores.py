"""`x-lint-ignore: {rule-id: reason}` on an object silences one rule there.

An ignore without a reason silences nothing, and one that silences nothing is itself a finding: else exceptions
outlive the thing they excused.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.openapi.walk import walk

KEY = "x-lint-ignore"


def apply_ignores(bundle: Mapping[str, Any], findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that are left, and those about the ignores themselves."""
    places: set[str] = set()
    silenced: set[tuple[str, str]] = set()
    for place in walk(bundle):
        places.add(place.pointer)
        if KEY not in place.node:
            continue
        ignores = place.node[KEY]
        if not isinstance(ignores, Mapping) or not ignores:
            yield _without_reason(place.pointer, f"{KEY} is not a map of rule to reason")
            continue
        for rule, reason in ignores.items():
            if isinstance(reason, str) and reason.strip():
                silenced.add((place.pointer, str(rule)))
            else:
                yield _without_reason(place.pointer, f"{rule} is ignored without a reason")
    used: set[tuple[str, str]] = set()
    for finding in findings:
        key = (_owner(places, finding.pointer), finding.rule)
        if key in silenced:
            used.add(key)
        else:
            yield finding
    for pointer, rule in silenced - used:
        yield Finding("lint-ignore-unused", pointer, f"{rule} finds nothing here: remove it from {KEY}")


def _without_reason(pointer: str, what: str) -> Finding:
    return Finding("lint-ignore-without-reason", pointer, f"{what}: say why, as {{rule-id: reason}}")


def _owner(places: set[str], pointer: str) -> str:
    # Validity errors point at single values; those belong to the object that holds them.
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return pointer
