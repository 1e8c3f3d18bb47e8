"""Why HTTP itself refused a request, before a model was asked: by a rule that stands in the API's document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.engine.explanations import Check, Clause, Explanation
from mock_server.engine.problems import Problem
from mock_server.http.contract import Contract, Operation
from mock_server.openapi.walk import at, join

from .pointers import deepest, of_operation

Told = tuple[str, str, tuple[str, ...]]
"""The rule in words, a JSON pointer into the bundle, and what would have been legal."""

_BOUNDS = (("minLength", "maxLength", "characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", "items"))


def by_http(problem: Problem, contract: Contract, operation: Operation | None) -> Explanation:
    facts = {name: fact for name, fact in problem.facts.items() if not name.startswith("_")}
    check = problem.type.check
    if check not in _TOLD and operation is not None:
        # Such as the model's own refusals, once the state that explains them is no longer kept.
        pointer = deepest(contract.bundle, of_operation(operation), ["responses", str(problem.type.status)])
        clause = Clause("none", "") if check == "server" else Clause("bundle", pointer)
        return Explanation(check, problem.message[:2000], clause, facts)
    told = _route(problem, contract) if operation is None else _TOLD[check](problem, contract, operation)
    rule, pointer, legal = told
    return Explanation(check, rule, Clause("bundle", pointer), facts, legal)


def _route(problem: Problem, contract: Contract) -> Told:
    near = tuple(f"Did you mean {each}?" for each in problem.facts.get("did_you_mean") or ())
    allow = problem.facts.get("allow")
    if allow:
        return (
            "A path answers the methods that the document names for it.",
            _path_of(problem, contract),
            (f"The path answers {allow}.",),
        )
    return "There are the paths that the document names, and no others.", "/paths", near


def _credential(_: Problem, contract: Contract, operation: Operation) -> Told:
    start = of_operation(operation)
    pointer = deepest(contract.bundle, start, ["security"]) if "security" in operation.raw else "/security"
    rule = f"The operation {operation.id} is for callers with a good credential."
    return rule, pointer, ("Send a credential that GET .../credentials lists and that is not revoked.",)


def _permission(_: Problem, contract: Contract, operation: Operation) -> Told:
    pointer = deepest(contract.bundle, of_operation(operation), ["x-permission"])
    rule = f"The operation {operation.id} is for callers with the permission {operation.permission!r}."
    return rule, pointer, (f"Send the credential of a caller who has the permission {operation.permission!r}.",)


def _size(_: Problem, contract: Contract, operation: Operation) -> Told:
    pointer = deepest(contract.bundle, of_operation(operation), ["requestBody"])
    rule = f"A body of {operation.id} has at most {operation.largest_body} bytes."
    return rule, pointer, (f"Send at most {operation.largest_body} bytes.",)


def _media_type(_: Problem, contract: Contract, operation: Operation) -> Told:
    pointer = deepest(contract.bundle, of_operation(operation), ["requestBody", "content"])
    types = " or ".join(operation.body_media_types)
    return f"A body of {operation.id} is {types}, not compressed, in UTF-8.", pointer, (f"Send Content-Type: {types}.",)


def _schema(problem: Problem, contract: Contract, operation: Operation) -> Told:
    """The part of a schema that a value broke."""
    start, facts = of_operation(operation), problem.facts
    steps = [step for step in str(facts.get("_rule", "")).split("/") if step]
    name = facts.get("name")
    if name is not None:
        place = f"The {facts.get('place')} parameter {name!r} of {operation.id}"
        found = operation.parameter_pointer(str(facts.get("place")), str(name))
        if found is None:
            known = tuple(f"There is the parameter {each!r}." for each in sorted(operation.query_names))
            return f"{place} is not declared.", start, known
        pointer = deepest(contract.bundle, found, ["schema", *steps])
        return f"{place} fits its schema, and is sent at most once.", pointer, _wanted(contract, found, ["schema"])
    content = ["requestBody", "content", "application~1json", "schema"]
    pointer = deepest(contract.bundle, start, [*content, *steps])
    where = facts.get("pointer")
    rule = f"The body of {operation.id} is JSON that fits its schema{f', at {where}' if where else ''}."
    return rule, pointer, _wanted(contract, start, [*content, *steps[:-1]])


_TOLD: Mapping[Check, Callable[[Problem, Contract, Operation], Told]] = {
    "credential": _credential,
    "permission": _permission,
    "size": _size,
    "media_type": _media_type,
    "schema": _schema,
}


def _path_of(problem: Problem, contract: Contract) -> str:
    """Of a path that is there but does not answer the method."""
    path = str(problem.facts.get("path", ""))
    if "allow" not in problem.facts:
        return "/paths"
    segments = path.removeprefix(contract.base_path).strip("/").split("/")
    for template in contract.bundle["paths"]:
        steps = template.strip("/").split("/")
        if len(steps) == len(segments) and all(
            step.startswith("{") or step == segment for step, segment in zip(steps, segments, strict=True)
        ):
            return join("/paths", template)
    return "/paths"


def _wanted(contract: Contract, start: str, steps: list[str]) -> tuple[str, ...]:
    """What the schema asks for, where that can be said in a sentence; of alternatives, each in one."""
    pointer = deepest(contract.bundle, start, steps)
    holder = at(contract.bundle, pointer)
    for name in ("oneOf", "anyOf"):
        if isinstance(holder, dict) and name in holder:
            branches = [
                at(contract.bundle, deepest(contract.bundle, pointer, [name, str(n)])) for n in range(len(holder[name]))
            ]
            return tuple(f"Either: {' '.join(texts)}" for each in branches if (texts := _sentences(each)))
    return tuple(_sentences(holder))


def _sentences(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return []
    texts = []
    if "enum" in schema:
        texts.append(f"One of: {', '.join(map(str, schema['enum']))}.")
    if "pattern" in schema:
        texts.append(f"A text that fits the pattern {schema['pattern']}")
    for low, high, unit in _BOUNDS:
        if low in schema or high in schema:
            texts.append(f"From {schema.get(low, 0)} to {schema.get(high, 'any number of')} {unit}".strip() + ".")
    if schema.get("type") == "object":
        if schema.get("required"):
            texts.append(f"These members have to be there: {', '.join(schema['required'])}.")
        if schema.get("additionalProperties") is False and schema.get("properties"):
            texts.append(f"There are these members and no others: {', '.join(schema['properties'])}.")
        elif isinstance(schema.get("additionalProperties"), dict):
            texts.append("An object, whose members have names of your own.")
    elif "type" in schema:
        texts.append(f"A value of type {schema['type']}.")
    return texts
