"""Why a request of the journal was refused, and what a request changed, worked out when somebody asks."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.api import Api
from mock_server.engine.changes import Change
from mock_server.engine.explanations import Clause, Explanation
from mock_server.http.mock import Mock
from mock_server.store.journal import Entry
from mock_server.store.worlds import World

from .http_explanations import by_http
from .pointers import deepest, of_operation

MOST_LEGAL = 20


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
        return by_http(problem, served.contract, operation)
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
