"""The over-capacity lifecycle: other stages, other times, other victims."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import (
    capacity,
    checkout,
    degradation,
    doors,
    lifecycle,
    selection,
)
from mock_server.apis.openapp.model.limits import limits_of
from mock_server.apis.openapp.model.quotas import CAPACITY_KEYS
from mock_server.engine.decisions import Accepted
from mock_server.engine.instants import DAY

from .mutant import Install, family, patched, replacing

mutant = family("degradation")

OTHER = {"degraded": "marked_for_delete", "marked_for_delete": "degraded"}
OPPOSITE = {"newest_first": "oldest_first", "oldest_first": "newest_first"}


def _swapped(real: Any) -> Any:
    def faulty(*args: Any) -> Any:
        status = real(*args)
        flagged = [{**each, "state": OTHER.get(each["state"], each["state"])} for each in status["flagged"]]
        return {**status, "stage": OTHER.get(status["stage"], status["stage"]), "flagged": flagged}

    return faulty


def _lasting(stage: str | None, longer: int) -> Install:
    """A stage (None: each) that ends later."""

    def make(real: Any) -> Any:
        return lambda it, settings: real(it, settings) + (longer if stage in (None, it.stage) else 0)

    return replacing(lifecycle.stage_deadline, make)


def _curved(real: Any) -> Any:
    def faulty(*args: Any) -> tuple[int, int]:
        share, whole = real(*args)
        return share * share, whole * whole

    return faulty


def _end_not_noticed(real: Any) -> Any:
    """Decisions after which nobody is over capacity any more leave the lifecycle as it is."""

    def faulty(accepted: Any, org_id: str, now: int) -> Any:
        then = real(accepted, org_id, now)
        has_ended = org_id in accepted.state.lifecycles and org_id not in then.state.lifecycles
        return accepted if has_ended else then

    return faulty


def _never_purged(_: Any) -> Any:
    return lambda state, org, it, now: Accepted(state, f"{org.label}: nothing deleted")


def _other_end_first(real: Any) -> Any:
    return lambda holdings, kind, excess, policy: real(holdings, kind, excess, OPPOSITE.get(policy, policy))


def _pins_forgotten(_: Any) -> Any:
    return lambda rows, key, reverse: sorted(rows, key=key, reverse=reverse)


def _users_too(real: Any) -> Any:
    """With what is marked the newest of too many users go."""

    def faulty(state: Any, org: Any, it: Any, now: int) -> Any:
        over = capacity.excesses(state, org, now).get("org_users")
        done = real(state, org, it, now)
        if over is None:
            return done
        holdings = done.state.held_by(org.id)
        users = holdings.users
        for row in sorted(users.values(), key=lambda each: each.serial)[over[1] - over[0] :]:
            users = users.remove(row.id)
        kept = done.state.with_holdings(org.id, msgspec.structs.replace(holdings, users=users))
        return msgspec.structs.replace(done, state=kept)

    return faulty


def _at_limit(real: Any) -> Any:
    """Who holds exactly what is allowed holds too much."""

    def faulty(state: Any, org: Any, now: int) -> Any:
        over = real(state, org, now)
        limits, holdings = limits_of(state, org, now), state.held_by(org.id)
        for key in CAPACITY_KEYS:
            current, limit = holdings.count(key), limits.of(key, "lifetime").value
            if current and current == limit:
                over[key] = (current, limit)
        return over

    return faulty


MUTANTS = (
    mutant(
        "stage-order",
        "`marked_for_delete` comes before `degraded`",
        replacing(degradation.degradation_status, _swapped),
        74,
    ),
    mutant("stage-a-moment-late", "at the very end of a stage it has not ended", _lasting(None, 1), 75),
    mutant("warned-a-day-short", "the warning lasts a day less", _lasting("warned", -DAY), 75),
    mutant("purged-early", "what is marked is deleted a day early", _lasting("marked_for_delete", -DAY), 75),
    mutant("never-purged", "what is marked is never deleted", replacing(lifecycle._purged, _never_purged)),
    mutant("level-not-linear", "the level rises slowly and then fast", replacing(lifecycle.level, _curved)),
    mutant(
        "upgrade-not-noticed",
        "an upgrade does not end degradation",
        replacing(lifecycle.after, _end_not_noticed, seen_by=checkout),
    ),
    mutant(
        "policy-reversed",
        "the newest and the oldest are taken for each other",
        replacing(selection.chosen, _other_end_first),
    ),
    mutant(
        "pins-ignored",
        "pinned resources are flagged like all others",
        replacing(selection._pinned_last, _pins_forgotten),
    ),
    mutant(
        "full-is-over",
        "who is at the limit is over capacity",
        replacing(capacity.excesses, _at_limit, seen_by=lifecycle),
    ),
    mutant("users-purged", "members of the organization are deleted too", replacing(lifecycle._purged, _users_too)),
    mutant("admins-slowed", "administrators are slowed too", patched(doors, "ADMIN", lambda _: "superuser")),
)
