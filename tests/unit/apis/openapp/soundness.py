"""What must hold in every world that can be reached, worked out anew from what lies in it."""

from __future__ import annotations

from typing import Any

from mock_server.apis.openapp.model.degradation import degradation_status
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.apis.openapp.model.scripting import RUNS_FOR, STARTS_AFTER
from mock_server.apis.openapp.model.state import OpenApp
from mock_server.engine.instants import DAY, Instant
from mock_server.engine.world import WorldState

from .acting import CAPACITY, REFERENCES, domain, everything


def check(world: WorldState) -> None:
    check_holdings(domain(world), world.clock.now)
    check_agenda(world)
    check_lifecycles(domain(world), world.clock.now)


def limit_of(state: OpenApp, org_id: str, key: str, period: str, now: Instant) -> int | None:
    """An override that has not expired, else the tier's limit, else none."""
    for each in state.overrides.get(org_id, {}).values():
        if (each.quota_key, each.period) == (key, period) and (each.expires_at is None or each.expires_at > now):
            found: int = each.limit_value
            return found
    return state.catalog.tiers[state.orgs[org_id].tier_slug].quotas.get(key, {}).get(period)


def count_of(state: OpenApp, org_id: str, key: str) -> int:
    if key == "organizations":
        return sum(org.parent_id == org_id for org in state.orgs.values())
    if key == "org_users":
        return len({row.id for held in state.holdings.values() for row in held.users.values() if org_id in row.roles})
    return sum(row.org_id == org_id for row in everything(state, key, "live"))


def over(state: OpenApp, org_id: str, now: Instant) -> dict[str, tuple[int, int]]:
    found = {}
    for key in CAPACITY:
        count, limit = count_of(state, org_id, key), limit_of(state, org_id, key, "lifetime", now)
        if limit is not None and count > limit:
            found[key] = (count, limit)
    return found


def check_holdings(state: OpenApp, now: Instant) -> None:
    homes: dict[str, str] = {}
    for org_id, held in state.holdings.items():
        for kind in KINDS:
            shelf = held.shelf(kind)
            for half, row in (("live", row) for row in shelf.live.values()):
                assert (row.deleted_at, row.purge_at) == (None, None), half
            for row in shelf.deleted.values():
                assert row.deleted_at <= now < row.purge_at
            for row in (*shelf.live.values(), *shelf.deleted.values()):
                assert row.org_id == org_id
                assert row.id not in homes, "two things have the same id"
                homes[row.id] = org_id
        for row in held.executions.values():
            assert row.id not in homes
            homes[row.id] = org_id
        for user in held.users.values():
            assert all(state.holdings[each].users[user.id] is user for each in user.roles)
            homes[user.id] = min(user.roles)
        assert set(held.children) == {org.id for org in state.orgs.values() if org.parent_id == org_id}
    assert dict(state.homes.items()) == homes
    for kind in KINDS:
        for row in everything(state, kind, "live"):
            for member, of, is_needed in REFERENCES[kind]:
                resource_id = getattr(row, member)
                if is_needed or resource_id is not None:
                    assert resource_id in state.holdings[row.org_id].shelf(of).live, "it hangs on what is not there"
    assert dict(state.api_keys.items()) == {row.digest: row.id for row in everything(state, "api_keys")}
    serials = [row.serial for kind in KINDS for row in everything(state, kind)]
    assert len(set(serials)) == len(serials)
    assert max(serials, default=-1) < state.serial


def check_agenda(world: WorldState) -> None:
    """It holds what is needed, when it is needed, and nothing else."""
    state, now, due = domain(world), world.clock.now, {}
    for kind in KINDS:
        due |= {f"openapp/purge:{row.id}": row.purge_at for row in everything(state, kind, "deleted")}
    for held in state.holdings.values():
        for row in held.executions.values():
            if row.status == "pending":
                due[f"openapp/script:{row.id}"] = row.created_at + STARTS_AFTER
            elif row.status == "running":
                due[f"openapp/script:{row.id}"] = row.started_at + RUNS_FOR
    for kept in state.overrides.values():
        for each in kept.values():
            if each.expires_at is not None and each.expires_at > now:
                due[f"openapp/override:{each.id}"] = each.expires_at
    for org_id, lifecycle in state.lifecycles.items():
        due[f"openapp/lifecycle:{org_id}"] = lifecycle.entered_at + days_of(state, lifecycle.stage) * DAY
    assert {item.key: item.at for item in world.agenda} == due
    assert all(at > now for at in due.values())


def days_of(state: OpenApp, stage: str) -> int:
    settings = state.settings
    return {
        "warned": settings.warn_days,
        "degraded": settings.degrade_days,
        "marked_for_delete": settings.purge_days,
    }[stage]


def check_lifecycles(state: OpenApp, now: Instant) -> None:
    for org in state.orgs.values():
        exceeded = over(state, org.id, now) if state.settings.lifecycle_enabled else {}
        lifecycle = state.lifecycles.get(org.id)
        status = degradation_status(state, org, now)
        assert status["over_capacity"] == bool(exceeded) == (lifecycle is not None)
        assert [(each["key"], each["excess"]) for each in status["overages"]] == [
            (key, exceeded[key][0] - exceeded[key][1]) for key in CAPACITY if key in exceeded
        ]
        if lifecycle is None:
            assert (status["stage"], status["degradation_level"], status["flagged"]) == ("none", 0, [])
            continue
        assert lifecycle.since <= lifecycle.entered_at <= now
        share = {"warned": 0.0, "marked_for_delete": 1.0}.get(
            lifecycle.stage, (now - lifecycle.entered_at) / (state.settings.degrade_days * DAY)
        )
        assert abs(status["degradation_level"] - share) < 1e-6
        assert 0 <= status["degradation_level"] <= 1
        flagged = [(flag.kind, flag.id) for flag in lifecycle.flags]
        assert len(set(flagged)) == len(flagged)
        assert set(flagged) == {
            (kind, row.id)
            for kind in KINDS
            if kind in exceeded
            for row in first_to_go(state, org.id, kind)[: exceeded[kind][0] - exceeded[kind][1]]
        }
        for flag in lifecycle.flags:
            assert flag.flagged_at <= now
            assert (flag.marked_at is not None) == (lifecycle.stage == "marked_for_delete")


def first_to_go(state: OpenApp, org_id: str, kind: str) -> list[Any]:
    """All that may be flagged of a kind, in the order of the organization's policy."""
    policy = state.orgs[org_id].selection_policy
    rows = [row for row in everything(state, kind, "live") if row.org_id == org_id]
    if policy == "manual":
        return sorted((row for row in rows if row.keep is False), key=lambda row: (-row.created_at, -row.serial))
    sign = -1 if policy == "newest_first" else 1
    by_use = policy == "least_recently_used"
    return sorted(
        rows,
        key=lambda row: (
            row.keep is True,
            last_use(state, kind, row) if by_use else sign * row.created_at,
            sign * row.serial,
        ),
    )


def last_use(state: OpenApp, kind: str, row: Any) -> Instant:
    """Of what lives: an entity's use is that of its device, of the device's integration and of the entity's zone."""
    if kind in ("entities", "api_keys"):
        return row.created_at if row.last_used_at is None else row.last_used_at  # type: ignore[no-any-return]
    devices = {each.id: each for each in everything(state, "devices", "live")}
    through = {
        "devices": lambda entity: entity.device_id,
        "integrations": lambda entity: devices[entity.device_id].integration_id,
        "zones": lambda entity: entity.zone_id,
    }[kind]
    uses = [e.last_used_at for e in everything(state, "entities", "live") if e.last_used_at and through(e) == row.id]
    return max(uses) if uses else row.created_at  # type: ignore[no-any-return]
