"""Why a request of the journal was refused, and what a request changed, worked out when somebody asks."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.api import Api
from mock_server.engine.changes import Change
from mock_server.engine.explanations import Clause, Explanation
from mock_server.engine.problems import Problem
from mock_server.http.contract import Contract, Operation
from mock_server.http.mock import Mock
from mock_server.store.journal import Entry
from mock_server.store.worlds import World

from .pointers import deepest, escaped, of_operation, value_at

MOST_LEGAL = 20
_BOUNDS = (("minLength", "maxLength", "characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", "items"))


def changes_of(entry: Entry, api: Api) -> list[Change] | None:
    """What the request changed; None if that is no longer known."""
    if entry.steps is None:
        return None if entry.changed else []
    return [
        change for before, after in entry.steps for change in api.compared(before.apis[api.name], after.apis[api.name])
    ]


def explanation_of(entry: Entry, mock: Mock, world: World) -> dict[str, Any] | None:
    """The explanation of a refusal as the control API shows it; None if it was none."""
    explanation = _explained(entry, mock, world)
    if explanation is None:
        return None
    clause = explanation.clause
    facts: dict[str, Any] = msgspec.to_builtins(dict(explanation.facts))
    return {
        "check": explanation.check,
        "rule": explanation.rule[:2000],
        "clause": {"document": clause.document, "pointer": clause.pointer},
        "facts": facts,
        "legal": [text[:1000] for text in explanation.legal[:MOST_LEGAL]],
    }


def _explained(entry: Entry, mock: Mock, world: World) -> Explanation | None:
    if entry.delivery in ("replaced", "malformed", "lost", "truncated"):
        return _by_fault(entry, world)
    problem, served = entry.refusal, mock.served[entry.api]
    if problem is None:
        return None
    contract = served.contract
    operation = contract.operations.get(entry.operation or "")
    explanation = None
    if entry.state is not None and problem.type.check in ("permission", "quota", "schema", "signature", "state"):
        domain, context = entry.state.apis[entry.api], entry.state.context(entry.at)
        explanation = served.api.explained(domain, context, problem, entry.asked_by)
    if explanation is None:
        return _by_http(problem, contract, operation)
    if explanation.clause == Clause("bundle", "") and operation is not None:
        pointer = deepest(contract.bundle, of_operation(operation), ["responses", str(entry.status)])
        return msgspec.structs.replace(explanation, clause=Clause("bundle", pointer))
    return explanation


def _by_fault(entry: Entry, world: World) -> Explanation:
    names = [fault.rule.id for fault in world.faults]
    name = entry.faults[-1]
    pointer = f"/faults/{names.index(name)}" if name in names else ""
    ends = {
        "replaced": "answers in place of the API",
        "malformed": "damages the answer",
        "lost": "loses the answer",
        "truncated": "cuts the answer off",
    }
    done = "after the work was done" if entry.worked else "before any work is done"
    facts: dict[str, Any] = {"fault": name, "changed": entry.changed}
    if entry.worked:
        facts["api_answered"] = entry.worked
    return Explanation(
        "fault",
        f"The fault {name!r} {ends[entry.delivery]}, {done}.",
        Clause("fault", pointer),
        facts,
        (f"Remove the fault: DELETE /_mock/worlds/{world.name}/faults/{name}",),
    )


def _by_http(problem: Problem, contract: Contract, operation: Operation | None) -> Explanation:
    """What HTTP itself refuses, with the clause of the bundle that it rests on."""
    facts = {name: fact for name, fact in problem.facts.items() if not name.startswith("_")}
    check = problem.type.check
    at = of_operation(operation) if operation is not None else "/paths"
    bundle = contract.bundle
    pointer = at
    legal: tuple[str, ...] = ()
    if operation is None:
        legal = _routes(problem)
        pointer = _path_of(problem, contract)
    elif check == "schema":
        pointer, legal = _schema_clause(problem, contract, operation)
    elif check == "credential":
        pointer = deepest(bundle, at, ["security"]) if "security" in operation.raw else "/security"
        legal = ("Send a credential that GET .../credentials lists and that is not revoked.",)
    elif check == "permission":
        pointer = deepest(bundle, at, ["x-permission"])
        legal = (f"Send the credential of a caller who has the permission {operation.permission!r}.",)
    elif check == "size":
        pointer = deepest(bundle, at, ["requestBody"])
        legal = (f"Send at most {operation.largest_body} bytes.",)
    elif check == "media_type":
        pointer = deepest(bundle, at, ["requestBody", "content"])
        legal = (f"Send Content-Type: {' or '.join(operation.body_media_types)}.",)
    document = "none" if check == "server" else "bundle"
    return Explanation(check, problem.message[:2000], Clause(document, pointer), facts, legal)  # type: ignore[arg-type]


def _routes(problem: Problem) -> tuple[str, ...]:
    near = problem.facts.get("did_you_mean") or ()
    allow = problem.facts.get("allow")
    texts = [f"Did you mean {each}?" for each in near]
    return tuple([f"The path answers {allow}.", *texts] if allow else texts)


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
            return f"/paths/{escaped(template)}"
    return "/paths"


def _schema_clause(problem: Problem, contract: Contract, operation: Operation) -> tuple[str, tuple[str, ...]]:
    """The part of a schema that a value broke."""
    at, facts = of_operation(operation), problem.facts
    steps = [step for step in str(facts.get("_rule", "")).split("/") if step]
    name = facts.get("name")
    if name is not None:
        found = operation.parameter_pointer(str(facts.get("place")), str(name))
        if found is None:
            return at, tuple(f"There is the parameter {each!r}." for each in sorted(operation.query_names))
        pointer = deepest(contract.bundle, found, ["schema", *steps])
        return pointer, _wanted(contract, found, ["schema"])
    content = ["requestBody", "content", "application~1json", "schema"]
    pointer = deepest(contract.bundle, at, [*content, *steps])
    return pointer, _wanted(contract, at, content, steps)


def _wanted(contract: Contract, at: str, schema: list[str], steps: list[str] | None = None) -> tuple[str, ...]:
    """What the schema asks for, where that can be said in a sentence."""
    holder = value_at(contract.bundle, deepest(contract.bundle, at, [*schema, *(steps or [])[:-1]]))
    if not isinstance(holder, dict):
        return ()
    texts = []
    if "enum" in holder:
        texts.append(f"One of: {', '.join(map(str, holder['enum']))}.")
    if "pattern" in holder:
        texts.append(f"A text that fits the pattern {holder['pattern']}")
    for low, high, unit in _BOUNDS:
        if low in holder or high in holder:
            texts.append(f"From {holder.get(low, 0)} to {holder.get(high, 'any number of')} {unit}".strip() + ".")
    if holder.get("type") == "object":
        if holder.get("required"):
            texts.append(f"These members have to be there: {', '.join(holder['required'])}.")
        if holder.get("additionalProperties") is False and holder.get("properties"):
            texts.append(f"There are these members and no others: {', '.join(holder['properties'])}.")
    elif "type" in holder:
        texts.append(f"A value of type {holder['type']}.")
    return tuple(texts)
