"""Why something is on the agenda, in a sentence for each job. What it was about may be gone by now: then it says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.engine.instants import DAY, SECOND, format_instant

from .comparison import called
from .deletion import PURGE_JOB
from .lifecycle import STAGE_JOB
from .overrides import EXPIRY_JOB
from .resources import KINDS, SINGULAR
from .scripting import EXECUTION_JOB, FINISHED, RUNS_FOR, STARTS_AFTER
from .state import Lifecycle, OpenApp, Override

Args = Mapping[str, Any]


def override_ends(state: OpenApp, args: Args) -> str:
    org_id = str(args.get("org_id"))
    kept: Mapping[str, Override] = state.overrides.get(org_id, {})
    override = kept.get(str(args.get("row")))
    if override is None:
        return f"The override that was to end then is gone from {_org(state, org_id)}."
    name = f"The override of {override.quota_key} per {override.period} (limit {override.limit_value})"
    if override.expires_at is None:
        return f"{name} for {_org(state, org_id)} was to end then, and has no end any more."
    return f"{name} for {_org(state, org_id)} was made to end then."


def stage_lasts(state: OpenApp, args: Args) -> str:
    org_id = str(args.get("org_id"))
    lifecycle: Lifecycle | None = state.lifecycles.get(org_id)
    name = _org(state, org_id)
    if lifecycle is None:
        return f"A stage of {name} was to end then, but it is not over capacity any more."
    since, settings = format_instant(lifecycle.entered_at), state.settings
    if lifecycle.stage == "warned":
        return f"{name} has been warned since {since}; a warning lasts {_days(settings.warn_days)}."
    if lifecycle.stage == "degraded":
        return f"{name} has been degraded since {since}; degradation takes {_days(settings.degrade_days)}."
    flags = len(lifecycle.flags)
    marked = "nothing" if flags == 0 else "one thing" if flags == 1 else f"{flags} things"
    return (
        f"{name} has had {marked} marked for deletion since {since}; "
        f"what is marked is deleted after {_days(settings.purge_days)}."
    )


def deletion_kept(state: OpenApp, args: Args) -> str:
    org_id, kind, resource_id = (str(args.get(name)) for name in ("org_id", "kind", "id"))
    if kind not in KINDS:
        return f"Something was to be purged then of which no kind {kind[:80]!r} is known."
    noun = SINGULAR[kind]
    noun = noun[0].upper() + noun[1:]
    row = state.held_by(org_id).shelf(kind).deleted.get(resource_id)
    if row is None:
        return f"{noun} {resource_id[:80]!r} was to be purged then, but is not among what is deleted any more."
    verb = "revoked" if kind == "api_keys" else "deleted"
    name = f"{noun} {called(row)} of {_org(state, org_id)} was {verb}"
    if row.deleted_at is None or row.purge_at is None:
        return f"{name}."
    name = f"{name} at {format_instant(row.deleted_at)}"
    days = state.settings.retention_days
    if row.purge_at - row.deleted_at == days * DAY:
        return f"{name}; deleted things are kept for {_days(days)}."
    return f"{name}, to be kept until {format_instant(row.purge_at)}."


def script_waits(state: OpenApp, args: Args) -> str:
    org_id, execution_id = str(args.get("org_id")), str(args.get("id"))
    row = state.held_by(org_id).executions.get(execution_id)
    if row is None:
        return f"The script {execution_id[:80]!r} was to move on then, but is forgotten."
    name = f"The script {row.id} of {_org(state, org_id)}"
    if row.status in FINISHED:
        return f"{name} was to move on then, but is finished already ({row.status})."
    if row.status == "pending":
        waits = f"has been pending since {format_instant(row.created_at)}; it starts after {STARTS_AFTER / SECOND:g} s"
    else:
        since = row.created_at if row.started_at is None else row.started_at
        waits = f"has been running since {format_instant(since)}; a script takes {RUNS_FOR / SECOND:g} s"
    return f"{name} {waits} of the world's time."


CAUSES: Mapping[str, Callable[[OpenApp, Args], str]] = {
    EXPIRY_JOB: override_ends,
    STAGE_JOB: stage_lasts,
    PURGE_JOB: deletion_kept,
    EXECUTION_JOB: script_waits,
}


def _org(state: OpenApp, org_id: str) -> str:
    org = state.orgs.get(org_id)
    return f"an organization that does not exist ({org_id[:80]!r})" if org is None else org.label


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
