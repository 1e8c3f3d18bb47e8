"""/scripting/executions...: scripts that run for a while in the world's time. Nothing in them is executed.

A script that contains a line `# mock: fail <message>` fails with it; one with `# mock: result <JSON>` succeeds with
that result; any other succeeds without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Effect, Job, Refused, Schedule, Unschedule
from mock_server.engine.instants import LATEST, SECOND, Instant

from .access import org_in_question, reaches
from .lifetimes import Answer, common
from .metering import crossed, metered, with_meters
from .problems import ALREADY_FINISHED, NO_SUCH
from .resources import Execution, creation
from .state import OpenApp
from .views import execution as view

API = "openapp"
EXECUTION_JOB = "script_moves_on"
EXECUTION = {"scripting_executions": 1}
STARTS_AFTER = SECOND // 4
RUNS_FOR = SECOND // 2
"""Over before the client library asks for the first time, which it does after a second."""
MOST_EXECUTIONS = 1_000
"""Of one organization; the oldest is forgotten first."""
LONGEST_OUTCOME = 10_000
FINISHED = ("succeeded", "failed", "canceled")

ParseJson = Callable[[bytes], Any]
"""Bytes to JSON value; raises ValueError with an explanation."""

_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*mock:[ \t]*(fail|result)\b(.*)$", re.MULTILINE)


def create_execution(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, script: str, parse: ParseJson
) -> Answer:
    """A ScriptingExecution that is pending. `parse` is handed in because how JSON is read is HTTP's part."""
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    meters = metered(state, org, EXECUTION, context.now)
    if isinstance(meters, Refused):
        return meters
    result, fails_with = _outcome(script, parse)
    row = Execution(
        **{name: value for name, value in common(state, context, org).items() if name != "updated_at"},
        result=result,
        fails_with=fails_with,
    )
    effects: list[Effect] = [*crossed(state, org, EXECUTION, meters, context.now), _moves_on(row, STARTS_AFTER)]
    state = with_meters(state, org, meters)
    executions, homes = state.held_by(org.id).executions, state.homes
    if len(executions) >= MOST_EXECUTIONS:
        forgotten = min(executions.values(), key=creation)
        executions, homes = executions.remove(forgotten.id), homes.remove(forgotten.id)
        effects.append(Unschedule(_key(forgotten.id)))
    state = _with(state, row, executions.insert(row.id, row))
    state = msgspec.structs.replace(state, homes=homes.insert(row.id, org.id), serial=state.serial + 1)
    return Accepted(state, view(row), tuple(effects))


def list_executions(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, limit: int
) -> list[dict[str, Any]] | Refused:
    """Summaries, the newest first."""
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    rows = sorted(state.held_by(org.id).executions.values(), key=creation, reverse=True)
    return [view(row, with_result=False) for row in rows[:limit]]


def get_execution(state: OpenApp, context: Context, caller: Caller, execution_id: str) -> dict[str, Any] | Refused:
    row = _found(state, caller, execution_id)
    return row if isinstance(row, Refused) else view(row)


def cancel_execution(
    state: OpenApp, context: Context, caller: Caller, execution_id: str
) -> Accepted[OpenApp, None] | Refused:
    """Stops what has not finished. What it was charged stays charged."""
    row = _found(state, caller, execution_id)
    if isinstance(row, Refused):
        return row
    if row.status in FINISHED:
        return Refused(ALREADY_FINISHED(id=row.id, status=row.status))
    canceled = msgspec.structs.replace(row, status="canceled", completed_at=context.now)
    return Accepted(_replaced(state, canceled), None, (Unschedule(_key(row.id)),))


def moves_on(state: OpenApp, args: Mapping[str, Any], context: Context) -> Accepted[OpenApp, str]:
    """Job: a pending script starts, or a running one ends."""
    row = state.held_by(str(args.get("org_id"))).executions.get(str(args.get("id")))
    if row is None or row.status in FINISHED:
        return Accepted(state, "nothing to do")
    if row.status == "pending":
        row = msgspec.structs.replace(row, status="running", started_at=context.now)
        return Accepted(_replaced(state, row), f"script {row.id} runs", (_moves_on(row, RUNS_FOR),))
    status = "succeeded" if row.fails_with is None else "failed"
    row = msgspec.structs.replace(row, status=status, completed_at=context.now)
    return Accepted(_replaced(state, row), f"script {row.id} {status}")


def _outcome(script: str, parse: ParseJson) -> tuple[Any, str | None]:
    directive = _DIRECTIVE.search(script)
    if directive is None:
        return None, None
    text = directive[2].strip()[:LONGEST_OUTCOME]
    if directive[1] == "fail":
        return None, text[:500] or "failed"
    try:
        return parse(text.encode()), None
    except ValueError as error:
        return None, f"the line `# mock: result` cannot be used: {error}"


def _found(state: OpenApp, caller: Caller, execution_id: str) -> Execution | Refused:
    org_id = state.homes.get(execution_id)
    row = None
    if org_id is not None and reaches(state, caller, org_id):
        row = state.held_by(org_id).executions.get(execution_id)
    return row if row is not None else Refused(NO_SUCH(_noun="execution", resource="executions", id=execution_id))


def _replaced(state: OpenApp, row: Execution) -> OpenApp:
    return _with(state, row, state.held_by(row.org_id).executions.insert(row.id, row))


def _with(state: OpenApp, row: Execution, executions: Any) -> OpenApp:
    return state.with_holdings(row.org_id, msgspec.structs.replace(state.held_by(row.org_id), executions=executions))


def _moves_on(row: Execution, after: Instant) -> Effect:
    since = row.started_at if row.started_at is not None else row.created_at
    if since + after > LATEST:
        return Unschedule(_key(row.id))
    return Schedule(_key(row.id), since + after, Job(API, EXECUTION_JOB, {"org_id": row.org_id, "id": row.id}))


def _key(execution_id: str) -> str:
    return f"{API}/script:{execution_id}"
