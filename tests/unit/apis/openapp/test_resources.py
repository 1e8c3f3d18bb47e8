"""Resources, people and organizations come and go in any order: quotas hold, nothing hangs in the air."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.apis.openapp.credentials import identify
from mock_server.apis.openapp.model import deletion
from mock_server.apis.openapp.model.access import resource
from mock_server.apis.openapp.model.lifetimes import list_resources
from mock_server.apis.openapp.model.paging import Page
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.apis.openapp.model.state import OpenApp
from mock_server.engine.callers import Rejected
from mock_server.engine.decisions import Refused
from mock_server.engine.instants import DAY, Instant

from . import acting
from .acting import ACME, CAPACITY, NOBODY, ROOT, START, Command, act, aimed_at, domain, everything, org_at, references
from .soundness import check, count_of, limit_of

PARENT = {"devices": ("integrations", "integration_id"), "entities": ("devices", "device_id")}
BELOW = {
    "integrations": (("devices", "integration_id"), ("zones", "integration_id")),
    "devices": (("entities", "device_id"),),
    "zones": (("devices", "zone_id"), ("entities", "zone_id"), ("zones", "parent_zone_id")),
}
SCALE = settings().max_examples


def has_room(state: OpenApp, org_id: str, key: str, now: Instant) -> bool:
    limit = limit_of(state, org_id, key, "lifetime", now)
    return limit is None or count_of(state, org_id, key) < limit


def is_live(state: OpenApp, kind: str, resource_id: str) -> bool:
    return any(row.id == resource_id for row in everything(state, kind, "live"))


def hanging_on(state: OpenApp, kind: str, resource_id: str) -> list[tuple[str, Any]]:
    return [
        (child, row)
        for child, member in BELOW.get(kind, ())
        for row in everything(state, child, "live")
        if getattr(row, member) == resource_id
    ]


def expected(state: OpenApp, command: Command, now: Instant) -> str | None:
    """The error code that a command deserves; None for a success."""
    name, *args = command
    if name == "create":
        kind, org_id = args[0], org_at(state, args[1]).id
        targets = {member: of for member, of, _ in acting.REFERENCES[kind]}
        for member, resource_id in references(state, kind, org_id, *args[2:]).items():
            if resource_id == NOBODY or not is_live(state, targets[member], resource_id):
                return "not_found"
        return None if has_room(state, org_id, kind, now) else "quota_exceeded"
    if name == "user":
        orgs = {org_at(state, n).id for n in args[0]}
        return None if all(has_room(state, each, "org_users", now) for each in orgs) else "quota_exceeded"
    if name == "organization":
        above, depth = org_at(state, args[0]), 1
        org = above
        while org.parent_id is not None:
            org, depth = state.orgs[org.parent_id], depth + 1
        if depth >= 8:
            return "nesting_too_deep"
        return None if has_room(state, above.id, "organizations", now) else "quota_exceeded"
    kind = args[0]
    row = aimed_at(state, name, kind, args[1])
    if row is None:
        return None
    if name == "delete":
        if row.deleted_at is not None:
            return "not_found"
        refusal = "zone_in_use" if kind == "zones" else "has_dependents"
        return refusal if hanging_on(state, kind, row.id) and not args[2] else None
    if row.deleted_at is None:
        return "not_deleted"
    if name == "restore":
        if kind in PARENT and not is_live(state, PARENT[kind][0], getattr(row, PARENT[kind][1])):
            return "parent_deleted"
        return None if has_room(state, row.org_id, kind, now) else "quota_exceeded"
    return None


class Resources(RuleBasedStateMachine):
    @initialize(scenario=st.sampled_from(["demo", "over-capacity"]))
    def begin(self, scenario: str) -> None:
        self.world = acting.world(scenario)

    @rule(command=acting.creates | acting.users | acting.sub_organizations)
    def create(self, command: Command) -> None:
        self.judged(command)

    @rule(command=acting.creates)
    def create_another(self, command: Command) -> None:
        self.judged(command)

    @rule(command=acting.deletes)
    def delete(self, command: Command) -> None:
        before = domain(self.world)
        row = aimed_at(before, *command[:3])
        if self.judged(command) and row is not None:
            gone = closure(before, command[1], row.id)
            left = {each.id for kind in KINDS for each in everything(domain(self.world), kind, "live")}
            was = {each.id for kind in KINDS for each in everything(before, kind, "live")}
            assert was - left == gone

    @rule(command=acting.restores)
    def restore(self, command: Command) -> None:
        before = {each.id for kind in KINDS for each in everything(domain(self.world), kind, "live")}
        row = aimed_at(domain(self.world), *command[:3])
        if self.judged(command) and row is not None:
            after = {each.id for kind in KINDS for each in everything(domain(self.world), kind, "live")}
            assert after == before | {row.id}, "what went with it stays deleted"

    @rule(command=acting.purges)
    def purge(self, command: Command) -> None:
        row = aimed_at(domain(self.world), *command[:3])
        if self.judged(command) and row is not None:
            assert row.id not in domain(self.world).homes

    @rule(command=acting.limits | acting.tiers | acting.settings | acting.waits | acting.policies | acting.keeps)
    def change(self, command: Command) -> None:
        self.world, _ = act(self.world, command)

    @rule(command=acting.opens | acting.key_uses | acting.scripts | acting.cancels | acting.leaves)
    def use(self, command: Command) -> None:
        self.world, _ = act(self.world, command)

    @invariant()
    def sound(self) -> None:
        check(self.world)

    def judged(self, command: Command) -> bool:
        before, now = domain(self.world), self.world.clock.now
        counts = {(org, key): count_of(before, org, key) for org in before.orgs for key in CAPACITY}
        code = expected(before, command, now)
        self.world, outcome = act(self.world, command)
        after = domain(self.world)
        if code is not None:
            assert isinstance(outcome, Refused), f"should be refused: {code}"
            assert outcome.problem.type.code == code
            assert outcome.problem.type.status == 429 or code != "quota_exceeded"
            assert after is before
            return False
        assert not isinstance(outcome, Refused), outcome
        for (org, key), count in counts.items():
            more, limit = count_of(after, org, key), limit_of(after, org, key, "lifetime", now)
            assert more <= count or limit is None or more <= limit
        return True


def closure(state: OpenApp, kind: str, resource_id: str) -> set[str]:
    """A resource and all that goes with it; what is merely in a zone does not."""
    found = {resource_id}
    if kind != "zones":
        for child, row in hanging_on(state, kind, resource_id):
            found |= closure(state, child, row.id)
    return found


Resources.TestCase.settings = settings(max_examples=max(SCALE * 2 // 5, 5), stateful_step_count=40)
TestResources = Resources.TestCase


@given(st.permutations(range(5)), st.integers(1, 5))
def test_deleted_things_are_bounded_in_whatever_order_they_went(order: list[int], most: int) -> None:
    """All within one instant, as in a world that stands still."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(deletion, "MOST_ROWS", 3)
        world, _ = act(acting.world("demo"), ("tier", 0, "business"))
        for _ in range(5):
            world, _ = act(world, ("create", "zones", 0, None, None))
        for n in order[:most]:
            # Among those that are left, so that every order occurs.
            world, outcome = act(world, ("delete", "zones", n, False))
            assert not isinstance(outcome, Refused)
        assert len(everything(domain(world), "zones", "deleted")) == min(most, 3)
        check(world)


@given(acting.histories)
def test_a_deleted_key_opens_nothing_and_a_restored_one_does(history: list[Command]) -> None:
    state = domain(acting.happened(acting.world(), history))
    secrets = {"acme-laptop": "key-laptop", "acme-voice": "key-voice"}
    for secret, key_id in secrets.items():
        there = {row.id: row for row in everything(state, "api_keys")}.get(key_id)
        found = identify(state, secret, START + 300 * DAY)
        assert isinstance(found, Rejected) == (there is None or there.deleted_at is not None)


@given(acting.histories)
def test_lists_show_what_exists(history: list[Command]) -> None:
    world = acting.happened(acting.world(), history)
    state, context = domain(world), world.context(world.clock.now)
    for kind in KINDS:
        rows = everything(state, kind)
        for only, both, wanted in (
            (False, False, [row for row in rows if row.deleted_at is None]),
            (True, False, [row for row in rows if row.deleted_at is not None]),
            (False, True, rows),
        ):
            shown = list_resources(state, context, ROOT, kind, ACME, Page(200, 0, both, only))
            mine = sorted((r for r in wanted if r.org_id == ACME), key=lambda r: (r.created_at, r.serial))
            assert not isinstance(shown, Refused)
            assert [each["id"] for each in shown["items"]] == [row.id for row in mine]
            assert shown["total"] == len(mine)
        for row in rows:
            assert resource(state, acting.owner("elsewhere"), kind, row.id) != row
            assert msgspec.to_builtins(resource(state, ROOT, kind, row.id)) == msgspec.to_builtins(row)
