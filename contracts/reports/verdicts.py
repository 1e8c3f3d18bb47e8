"""What the last answer of a finding should have been, as lines of a test: they fail while the target is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.bundle import Bundle
from contracts.findings import Finding
from contracts.steps import Call
from mock_server.control.exports.literals import Code, inline, text_literal
from mock_server.openapi.draft4 import draft4
from mock_server.openapi.walk import as_map, resolve

from .code import Names, key_literal
from .fitting import misfit
from .shell import MARK

_UNSAID = frozenset(("title", "description", "default"))


class Verdict(msgspec.Struct, frozen=True):
    """`schema` is what `SCHEMA` stands for in the lines. `is_certain`: whether they fail if and only if it is wrong."""

    lines: tuple[str, ...]
    schema: Mapping[str, Any] | None = None
    is_certain: bool = True


def verdict(
    finding: Finding, last: str, names: Names, bundle: Bundle, calls: list[tuple[int, Call]], *, is_timed: bool
) -> Verdict:
    """`last`: the variable with the last answer. `is_timed`: whether moments are the same each time. `calls`: with the
    number of each.
    """
    if finding.kind == "no answer":
        return Verdict((f"assert {last}.status  # That an answer comes is all that is asked for.",))
    wanted = None if finding.wanted is None else json.loads(finding.wanted)
    found: Verdict | None = None
    if isinstance(wanted, dict) and "alike" in wanted:
        found = _alike(wanted["alike"], names, calls)
    elif isinstance(wanted, dict):
        found = _wanted(wanted, last, names, is_timed)
    elif finding.kind == "contract":
        found = _declared(finding, bundle, last)
    else:
        found = _said_so(finding, last)
    return found or _unsure(finding, last)


def of_raw(finding: Finding, last: int) -> Verdict:
    """The same of bytes that were sent as they are."""
    allowed = re.search(r": (\d{3}(?: or \d{3})*)(, or the connection closed)?$", finding.expected)
    came = f"came_{last}"
    if allowed is None:
        return _unsure(finding, came)
    statuses = inline(tuple(int(each) for each in allowed[1].split(" or ")))
    is_closed = f"not statuses_{last} or " if allowed[2] else f"statuses_{last} and "
    return Verdict((f"assert {is_closed}statuses_{last}[0] in {statuses}, {came}",))


def _said_so(finding: Finding, last: str) -> Verdict | None:
    """What the sentence says, where it is one that is always written in this way."""
    found = re.match(r"status (\d{3}(?: or \d{3})*)(?![\w-])", finding.expected)
    if found is not None:
        statuses = tuple(int(each) for each in found[1].split(" or "))
        test = f"in {inline(statuses)}" if len(statuses) > 1 else f"== {statuses[0]}"
        return None if finding.status in statuses else Verdict((f"assert {last}.status {test}, {last}",))
    if finding.expected.startswith("anything but a failure of the server"):
        return Verdict((f"assert {last}.status < 500, {last}",))
    name, colon, value = finding.expected.partition(": ")
    if finding.kind == "header" and colon and name.lower() == finding.place.lower() and not MARK.search(value):
        return _header(name, value, last)
    return None


def _alike(without: list[str], names: Names, calls: list[tuple[int, Call]]) -> Verdict | None:
    """The last two answers have to say the same."""
    if len(calls) < 2:
        return None
    (before, first), (last, second) = calls[-2:]
    ids = [names.text(each.path.get("id", "")) for each in (first, second)]
    own = "" if ids[0] == ids[1] else f", ({inline(ids[0])}, {inline(ids[1])})"
    return Verdict((f"assert alike(answer_{before}, answer_{last}, {inline(list(without))}{own}), answer_{last}",))


def _unsure(finding: Finding, last: str) -> Verdict:
    reason = f"Judge for yourself. Expected: {finding.expected}. It came: {finding.came}. Now:"
    lines = (
        "# No line of code can tell what should have come here: it takes somebody who looks.",
        f'pytest.skip({text_literal(reason)} + f" {{{last}}}")',
    )
    return Verdict(lines, None, False)


def _wanted(wanted: dict[str, Any], last: str, names: Names, is_timed: bool) -> Verdict | None:
    if "status" in wanted:
        return Verdict((f"assert {last}.status == {int(wanted['status'])}, {last}",))
    if "lacks" in wanted:
        came = f"{last}.headers.get({text_literal(str(wanted['header']))}, '').lower()"
        return Verdict((f"assert not any(each in {came} for each in {inline(list(wanted['lacks']))}), {came}",))
    if "header" in wanted:
        return _header(str(wanted["header"]), wanted.get("value"), last)
    if not isinstance(wanted.get("at"), list):
        return None
    keys = [names.text(str(key)) for key in wanted["at"]]
    place = f"{last}.get({', '.join(key if isinstance(key, Code) else key_literal(key) for key in keys)})"
    if "length" in wanted:
        return Verdict((f"assert len({place} or ()) == {int(wanted['length'])}, {last}",))
    if "value" not in wanted:
        return Verdict((f"assert {place} is None, {last}",))
    return _value(wanted["value"], str(wanted.get("is", "same")), place, last, names, is_timed)


def _value(value: Any, how: str, place: str, last: str, names: Names, is_timed: bool) -> Verdict | None:
    if isinstance(value, dict | list):
        kind = "dict" if isinstance(value, dict) else "list"
        return Verdict((f"assert isinstance({place}, {kind}), {last}",))
    named = names.value(value)
    if how == "own" and isinstance(value, str) and not isinstance(named, Code):
        return None
    if how == "moment" and isinstance(value, str):
        return Verdict((f"assert about({place}, {inline(named)}), {last}",)) if is_timed else None
    return Verdict((f"assert same({place}, {inline(named)}), {last}",))


def _header(name: str, value: str | None, last: str) -> Verdict:
    came = f"{last}.headers.get({text_literal(name)})"
    if value is None:
        return Verdict((f"assert {came} is None, {last}",))
    if value.isdecimal():
        return Verdict((f'assert abs(int({came} or "-9") - {int(value)}) <= 2, {came}',))
    return Verdict((f"assert {came} == {text_literal(value)}, {last}",))


def _declared(finding: Finding, bundle: Bundle, last: str) -> Verdict | None:
    """As the clause says, which is a pointer to a response of the operation, or to what is below one."""
    before, found, after = finding.clause.partition("/responses")
    operation = bundle.operations.get(finding.operation or "")
    if not found or (operation is not None and before != operation.pointer):
        return None
    keys = [each.replace("~1", "/").replace("~0", "~") for each in after.split("/")[1:]]
    is_declared: tuple[str, ...] = ()
    if operation is not None:
        is_declared = (f"assert {last}.status in {inline(tuple(operation.statuses))}, {last}",)
    if not keys:
        return Verdict(is_declared) if is_declared else None
    # An answer that belongs to no operation is to be as others of its status.
    those = [operation] if operation is not None else list(bundle.operations.values())
    status = int(keys[0]) if keys[0].isdecimal() else 0
    response = next((each.responses[status] for each in those if status in each.responses), {})
    test, schema = _of_response(finding, keys[1:], response, bundle.document, last)
    if test is None:
        return None
    return Verdict((*is_declared, f"if {last}.status == {status}:", f"    {test}"), schema)


def _of_response(
    finding: Finding, keys: list[str], response: Mapping[str, Any], document: Mapping[str, Any], last: str
) -> tuple[str | None, Mapping[str, Any] | None]:
    """What is asked of an answer of this status, and what SCHEMA is then."""
    if not keys:
        return f'assert {last}.text == "", {last}', None
    if keys[0] == "headers" and len(keys) == 2:
        header = as_map(resolve(document, as_map(response.get("headers")).get(keys[1])))
        came = f"{last}.headers.get({text_literal(keys[1].lower())})"
        if "is missing" in finding.came:
            return f"assert {came} is not None, {last}", None
        schema = _plain(document, header.get("schema"))
        typed = f"int({came})" if schema.get("type") == "integer" else came
        return f"assert misfit({typed}, SCHEMA) is None, {came}", schema
    content = as_map(response.get("content"))
    if keys == ["content"]:
        return f"assert {last}.media_type in {inline(list(content))} and {last}.is_json, {last}", None
    if len(keys) == 3 and keys[0] == "content" and keys[2] == "schema":
        schema = _plain(document, as_map(content.get(keys[1])).get("schema"))
        if _sees_it(finding, schema):
            return f"assert misfit({last}.json, SCHEMA) is None, misfit({last}.json, SCHEMA)", schema
    return None, None


def _sees_it(finding: Finding, schema: Mapping[str, Any]) -> bool:
    """Whether this check finds what is wrong with the answer that came."""
    if not finding.steps:
        return False
    try:
        return misfit(json.loads(finding.steps[-1].answer_body), dict(schema)) is not None
    except (ValueError, RecursionError):
        # It was cut.
        return True


def _plain(document: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    plain: dict[str, Any] = _said(draft4(document, as_map(schema)))
    return plain


def _said(node: Any, is_schema: bool = True) -> Any:
    """A schema without what is only for people; a property may be called so too."""
    if isinstance(node, Mapping):
        return {
            name: _said(each, not (is_schema and name in ("properties", "definitions")))
            for name, each in node.items()
            if not (is_schema and name in _UNSAID)
        }
    return [_said(each) for each in node] if isinstance(node, list) else node
