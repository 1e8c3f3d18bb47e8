"""The over-capacity lifecycle: what time does to an organization that holds more than its limits allow.

    none -> warned at once -> degraded after `warn_days` -> marked_for_delete after `degrade_days` more -> after
    `purge_days` more what is marked is soft-deleted, and whoever is still over capacity is warned again

Back within capacity, by whatever way, everything is forgotten at once. `rebalanced` is to be called by every decision
after which an organization may hold too much, or no longer, or other things than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from mock_server.engine.decisions import Accepted, Context, Effect, Emit, Job, Schedule, Unschedule
from mock_server.engine.instants import DAY, LATEST, Instant

from .capacity import excesses
from .deletion import delete
from .resources import KINDS, Holdings, Kind, creation
from .selection import chosen
from .state import Flag, Lifecycle, OpenApp, Org, Settings, Stage

API = "openapp"
STAGE_JOB = "lifecycle_stage_ends"
_NEXT: dict[str, Stage] = {"warned": "degraded", "degraded": "marked_for_delete"}

R = TypeVar("R")


def rebalanced(state: OpenApp, org_id: str, now: Instant) -> tuple[OpenApp, tuple[Effect, ...]]:
    """The state with the organization's lifecycle begun, ended, or its flags chosen anew; and what follows."""
    org, before = state.orgs[org_id], state.lifecycles.get(org_id)
    over = excesses(state, org, now) if state.settings.lifecycle_enabled else {}
    if not over:
        if before is None:
            return state, ()
        ended = msgspec.structs.replace(state, lifecycles=state.lifecycles.remove(org_id))
        return ended, (Unschedule(_key(org_id)), _news(org, before.stage, "none"))
    effects: tuple[Effect, ...] = ()
    if before is None:
        before = Lifecycle("warned", now, now)
        effects = (_next_stage(before, org_id, state.settings), _news(org, "none", "warned"))
    flags = _flags(state.held_by(org_id), over, org, before, now)
    if not effects and flags == before.flags:
        return state, ()
    return _with(state, org_id, msgspec.structs.replace(before, flags=flags)), effects


def after(accepted: Accepted[OpenApp, R], org_id: str, now: Instant) -> Accepted[OpenApp, R]:
    """A decision, with what it means for the organization's lifecycle."""
    state, effects = rebalanced(accepted.state, org_id, now)
    if state is accepted.state:
        return accepted
    return Accepted(state, accepted.reply, (*accepted.effects, *effects))


def level(lifecycle: Lifecycle | None, settings: Settings, now: Instant) -> tuple[int, int]:
    """How much is slowed down, as a fraction from 0 to 1 (numerator, denominator)."""
    if lifecycle is None or lifecycle.stage == "warned":
        return 0, 1
    if lifecycle.stage == "marked_for_delete":
        return 1, 1
    whole = settings.degrade_days * DAY
    return min(max(now - lifecycle.entered_at, 0), whole), whole


def stage_ends(state: OpenApp, args: Mapping[str, Any], context: Context) -> Accepted[OpenApp, str]:
    """Job: the organization's stage has lasted its time."""
    org_id, now = str(args.get("org_id")), context.now
    org, lifecycle = state.orgs.get(org_id), state.lifecycles.get(org_id)
    if org is None or lifecycle is None:
        return Accepted(state, "no longer over capacity")
    if lifecycle.stage == "marked_for_delete":
        return _purged(state, org, lifecycle, now)
    stage, flags = _NEXT[lifecycle.stage], lifecycle.flags
    if stage == "marked_for_delete":
        flags = tuple(msgspec.structs.replace(flag, marked_at=now) for flag in flags)
    entered = Lifecycle(stage, lifecycle.since, now, flags)
    effects = (_next_stage(entered, org_id, state.settings), _news(org, lifecycle.stage, stage))
    text = f"{org.label}: {lifecycle.stage} -> {stage} with {_counted(flags)}"
    return Accepted(_with(state, org_id, entered), text, effects)


def rescheduled(state: OpenApp, context: Context) -> Accepted[OpenApp, None]:
    """After a change of settings: lifecycles begun, ended, or their stages ending at other times."""
    effects: list[Effect] = []
    for org_id in sorted(state.orgs):
        state, news = rebalanced(state, org_id, context.now)
        effects += news
        lifecycle = state.lifecycles.get(org_id)
        if lifecycle is not None:
            effects.append(_next_stage(lifecycle, org_id, state.settings))
    return Accepted(state, None, tuple(effects))


def stage_deadline(lifecycle: Lifecycle, settings: Settings) -> Instant:
    """When the stage ends."""
    days = {"warned": settings.warn_days, "degraded": settings.degrade_days}.get(lifecycle.stage, settings.purge_days)
    return lifecycle.entered_at + days * DAY


def _purged(state: OpenApp, org: Org, lifecycle: Lifecycle, now: Instant) -> Accepted[OpenApp, str]:
    """What was marked is soft-deleted; if that was not enough, it begins again."""
    effects: list[Effect] = []
    for kind in KINDS:
        ids = [flag.id for flag in lifecycle.flags if flag.kind == kind]
        state, news = delete(state, org.id, kind, ids, now)
        effects += news
    state = msgspec.structs.replace(state, lifecycles=state.lifecycles.remove(org.id))
    state, news = rebalanced(state, org.id, now)
    effects += (each for each in news if not isinstance(each, Emit))
    again = state.lifecycles.get(org.id)
    effects.append(_news(org, lifecycle.stage, "none" if again is None else again.stage))
    if again is not None:
        # It never was within capacity in between, so it has been over capacity since then.
        state = _with(state, org.id, msgspec.structs.replace(again, since=lifecycle.since))
    end = "within capacity" if again is None else "still over capacity, warned again"
    return Accepted(state, f"{org.label}: {_counted(lifecycle.flags)} deleted; {end}", tuple(effects))


def _flags(
    holdings: Holdings, over: Mapping[str, tuple[int, int]], org: Org, lifecycle: Lifecycle, now: Instant
) -> tuple[Flag, ...]:
    """The flags as the policy wants them now; those that stay keep their times."""
    before = {(flag.kind, flag.id): flag for flag in lifecycle.flags}
    marked_at = now if lifecycle.stage == "marked_for_delete" else None
    flags: list[Flag] = []
    for kind in KINDS:
        if kind in over:
            current, limit = over[kind]
            rows = sorted(chosen(holdings, kind, current - limit, org.selection_policy), key=creation)
            flags += (before.get((kind, row.id)) or Flag(kind, row.id, now, marked_at) for row in rows)
    return tuple(flags)


def _counted(flags: tuple[Flag, ...]) -> str:
    counts: dict[Kind, int] = {}
    for flag in flags:
        counts[flag.kind] = counts.get(flag.kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing"


def _with(state: OpenApp, org_id: str, lifecycle: Lifecycle) -> OpenApp:
    return msgspec.structs.replace(state, lifecycles=state.lifecycles.insert(org_id, lifecycle))


def _key(org_id: str) -> str:
    return f"{API}/lifecycle:{org_id}"


def _next_stage(lifecycle: Lifecycle, org_id: str, settings: Settings) -> Effect:
    """A stage that would outlast all time does not end: else at the last instant stages would follow without end."""
    ends = stage_deadline(lifecycle, settings)
    if ends > LATEST:
        return Unschedule(_key(org_id))
    return Schedule(_key(org_id), ends, Job(API, STAGE_JOB, {"org_id": org_id}))


def _news(org: Org, before: str, stage: str) -> Emit:
    return Emit("degradation.stage_changed", org.id, {"org_id": org.id, "from": before, "to": stage})
