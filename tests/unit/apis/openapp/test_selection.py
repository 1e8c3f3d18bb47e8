"""Who goes first when there is too much: each policy is one total order, and what was really used counts as used."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rpds import HashTrieMap

from mock_server.apis.openapp.model.lifetimes import delete_resource, restore_resource
from mock_server.apis.openapp.model.resources import KINDS, Entity, Holdings, Shelf, Zone
from mock_server.apis.openapp.model.selection import chosen
from mock_server.engine.decisions import Refused
from mock_server.engine.instants import SECOND
from mock_server.engine.kernel import decide
from mock_server.engine.world import WorldState

from .acting import ACME, POLICIES, ROOT, START, act, commands, domain, everything, happened, nth, world
from .soundness import check, check_lifecycles, first_to_go, over

moments = st.integers(0, 4).map(lambda n: START + n * SECOND)
keeps = st.sampled_from([None, None, True, False])
policies = st.sampled_from(POLICIES)


@st.composite
def zones(draw: st.DrawFn) -> list[Zone]:
    """Often created at the same instant: then the serial decides."""
    return [
        Zone(
            id=f"z{n}",
            org_id=ACME,
            serial=serial,
            created_at=draw(moments),
            updated_at=START,
            keep=draw(keeps),
            name={"en": "Z"},
        )
        for n, serial in enumerate(draw(st.permutations(range(draw(st.integers(0, 12))))))
    ]


@st.composite
def uses(draw: st.DrawFn, rows: list[Zone]) -> list[Entity]:
    """Entities in those zones, some of them used."""
    ids = [row.id for row in rows]
    return [
        Entity(
            id=f"e{n}",
            org_id=ACME,
            serial=100 + n,
            created_at=START,
            updated_at=START,
            device_id="d",
            entity_type="door",
            zone_id=draw(st.none() | st.sampled_from(ids)) if ids else None,
            last_used_at=draw(st.none() | moments),
        )
        for n in range(draw(st.integers(0, 6)))
    ]


def shelved(rows: list[Any]) -> Shelf:
    return Shelf(HashTrieMap({row.id: row for row in rows}))


def holding(rows: list[Zone], entities: list[Entity]) -> Holdings:
    return Holdings(zones=shelved(rows), entities=shelved(entities))


@given(st.data(), zones(), policies)
def test_each_policy_is_one_total_order(data: st.DataObject, rows: list[Zone], policy: Any) -> None:
    entities = data.draw(uses(rows))
    shuffled, others = data.draw(st.permutations(rows)), data.draw(st.permutations(entities))
    whole = [row.id for row in chosen(holding(rows, entities), "zones", len(rows), policy)]
    assert len(set(whole)) == len(whole)
    for excess in range(len(rows) + 1):
        for held in (holding(rows, entities), holding(shuffled, others)):
            assert [row.id for row in chosen(held, "zones", excess, policy)] == whole[:excess]


@given(zones(), policies)
def test_who_is_in_the_order(rows: list[Zone], policy: Any) -> None:
    order = chosen(holding(rows, []), "zones", len(rows), policy)
    if policy == "manual":
        assert {row.id for row in order} == {row.id for row in rows if row.keep is False}
    else:
        assert {row.id for row in order} == {row.id for row in rows}
        pinned = [row.keep is True for row in order]
        assert pinned == sorted(pinned), "pinned ones come last"


@given(st.data(), zones())
def test_what_the_policies_mean(data: st.DataObject, rows: list[Zone]) -> None:
    unpinned = [msgspec.structs.replace(row, keep=None) for row in rows]
    entities = data.draw(uses(unpinned))
    held = holding(unpinned, entities)
    newest, oldest, unused = (chosen(held, "zones", len(rows), policy) for policy in POLICIES[:3])  # type: ignore[arg-type]
    assert newest == oldest[::-1]
    assert [(row.created_at, row.serial) for row in oldest] == sorted((row.created_at, row.serial) for row in rows)
    last = {
        row.id: max(
            [e.last_used_at for e in entities if e.zone_id == row.id and e.last_used_at], default=row.created_at
        )
        for row in rows
    }
    assert [last[row.id] for row in unused] == sorted(last.values())


def with_policy(policy: str) -> WorldState:
    state, _ = act(world(), ("policy", 0, policy))
    return state


@given(
    st.lists(
        st.tuples(st.integers(1, 90_000), st.tuples(st.just("open"), st.integers(0, 30), st.none() | st.integers(0, 3)))
        | st.tuples(st.integers(1, 90_000), st.tuples(st.just("use key"), st.integers(0, 3))),
        max_size=20,
    )
)
def test_the_least_recently_used_goes_first(history: list[tuple[int, Any]]) -> None:
    """Kept track of here: a door that opens was used, and its device, its integration and its zone with it."""
    state = with_policy("least_recently_used")
    used: dict[str, int] = {}
    for entity in everything(domain(state), "entities"):
        if entity.last_used_at is not None:
            note(used, state, entity, entity.last_used_at)
    used |= {row.id: row.last_used_at for row in everything(domain(state), "api_keys") if row.last_used_at is not None}
    for wait, command in history:
        state, _ = act(state, ("wait", wait))
        target = nth(
            everything(domain(state), "api_keys" if command[0] == "use key" else "entities", "live"), command[1]
        )
        state, outcome = act(state, command)
        if command[0] == "open" and command[1] < 7 and not isinstance(outcome, Refused):
            note(used, state, target, state.clock.now)
        elif command[0] == "open" and not isinstance(outcome, Refused):
            note(used, state, nth(everything(domain(state), "entities"), command[1]), state.clock.now)
        elif command[0] == "use key":
            used[target.id] = state.clock.now
    lifecycle = domain(state).lifecycles.get(ACME)
    for kind, (count, limit) in over(domain(state), ACME, state.clock.now).items():
        rows = everything(domain(state), kind, "live")
        order = sorted(rows, key=lambda row: (used.get(row.id, row.created_at), row.serial))
        assert lifecycle is not None
        flagged = {flag.id for flag in lifecycle.flags if flag.kind == kind}
        assert flagged == {row.id for row in order[: count - limit]}
    check_lifecycles(domain(state), state.clock.now)


def note(used: dict[str, int], state: WorldState, entity: Any, at: int) -> None:
    device = next(row for row in everything(domain(state), "devices") if row.id == entity.device_id)
    for each in (entity.id, device.id, device.integration_id, entity.zone_id):
        if each is not None:
            used[each] = max(used.get(each, 0), at)


@given(st.sets(st.integers(0, 7), min_size=1))
def test_a_restored_door_counts_as_used_again(numbers: set[int]) -> None:
    """Its use is that of its device, its integration and its zone: who goes first is decided anew."""
    state = with_policy("least_recently_used")
    state, _ = act(state, ("limit", 0, "entities", 1_000, None))
    before = flagged(state)
    devices = sorted(everything(domain(state), "devices"), key=lambda row: row.serial)
    doors = [row for row in everything(domain(state), "entities") if row.device_id in {devices[n].id for n in numbers}]
    for function, *args in ((delete_resource, False), (restore_resource,)):
        for door in doors:
            state, outcome = decide(
                state,
                "openapp",
                lambda s, c, row=door, f=function, a=args: f(s, c, ROOT, "entities", row.id, *a),
                state.clock.now,
            )
            assert not isinstance(outcome, Refused)
            check(state)
    assert flagged(state) == before


def flagged(state: WorldState) -> set[tuple[str, str]]:
    lifecycle = domain(state).lifecycles.get(ACME)
    return set() if lifecycle is None else {(flag.kind, flag.id) for flag in lifecycle.flags}


@given(st.lists(commands, min_size=5, max_size=30), policies)
def test_a_pinned_one_is_flagged_only_when_nothing_else_is_left(history: list[Any], policy: str) -> None:
    state, _ = act(happened(world(), history), ("policy", 0, policy))
    flags = flagged(state)
    for kind in KINDS:
        rows = [row for row in everything(domain(state), kind, "live") if row.org_id == ACME]
        mine = [row for row in rows if (kind, row.id) in flags]
        if policy == "manual":
            assert all(row.keep is False for row in mine)
        elif any(row.keep for row in mine):
            assert all(row.keep or row in mine for row in rows)
        assert mine == [row for row in rows if row in first_to_go(domain(state), ACME, kind)[: len(mine)]]
