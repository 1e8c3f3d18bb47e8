"""/_mock/worlds/{world}/snapshots and /diff: remember a world, go back to it, see what is different."""

from __future__ import annotations

from typing import Any

from mock_server.engine.changes import Change, summarized
from mock_server.engine.clock import Clock
from mock_server.engine.instants import format_instant
from mock_server.engine.world import WorldState
from mock_server.http.addressing import unknown_world
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import Mock
from mock_server.store.snapshots import MOST_SNAPSHOTS, Snapshot, SnapshotExists, TooManySnapshots, state_of
from mock_server.store.worlds import World

from .problems import COMPARE_WITH_ONE, NO_SUCH_SNAPSHOT, SNAPSHOT_EXISTS, TOO_MANY_SNAPSHOTS
from .worlds import named_api, summary, world_of

MOST_LISTED = 1_000


async def list_snapshots(call: Call) -> Reply:
    return Reply({"snapshots": [_shown(each) for each in world_of(call).snapshots]})


async def take_snapshot(call: Call) -> Reply:
    world, mock, name = world_of(call), call.mock, (call.body or {}).get("id")
    now = mock.now_in(world)
    try:
        snapshot = world.snapshots.take(name, world.state, now, mock.wall())
    except SnapshotExists:
        raise Refusal(SNAPSHOT_EXISTS(world=world.name, snapshot=name)) from None
    except TooManySnapshots:
        raise Refusal(TOO_MANY_SNAPSHOTS(world=world.name, most=MOST_SNAPSHOTS)) from None
    location = f"{call.base_url}/_mock/worlds/{world.name}/snapshots/{snapshot.id}"
    return Reply(_shown(snapshot), 201, (("Location", location),))


async def delete_snapshot(call: Call) -> Reply:
    world, name = world_of(call), call.path["snapshot"]
    if not world.snapshots.forget(name):
        raise _unknown(world, name)
    return Reply(None, 204)


async def restore_snapshot(call: Call) -> Reply:
    world, mock = world_of(call), call.mock
    world.put(state_of(_snapshot(world, call.path["snapshot"]), mock.wall()))
    return Reply(summary(mock, world))


async def compare_world(call: Call) -> Reply:
    world, api, query = world_of(call), named_api(call), call.query
    if ("with" in query) == ("snapshot" in query):
        raise Refusal(COMPARE_WITH_ONE())
    here = _settled(call.mock, world)
    # One reading for both: two worlds that follow the machine's clock show the same time.
    wall = call.mock.wall()
    now_here = here.clock.read(wall)
    if "snapshot" in query:
        snapshot = _snapshot(world, query["snapshot"])
        before, after = snapshot.state, here
        clocks = (_clock(before, snapshot.now), _clock(after, now_here))
    else:
        other = call.mock.worlds.get(query["with"])
        if other is None:
            raise Refusal(unknown_world(query["with"], call.base_url))
        before, after = here, _settled(call.mock, other)
        clocks = (_clock(before, now_here), _clock(after, after.clock.read(wall)))
    changes = [*_of_clock(*clocks), *api.compared(before.apis[api.name], after.apis[api.name])]
    listed = changes[:MOST_LISTED]
    lines = [line[:4000] for line in summarized(changes)[:MOST_LISTED]]
    differences = [change_shown(api.name, each) for each in listed]
    return Reply({"api": api.name, "lines": lines, "differences": differences, "cut": len(changes) > MOST_LISTED})


def change_shown(api: str, change: Change) -> dict[str, Any]:
    """A Change as the control API shows it."""
    return {
        "api": api,
        "org": change.org,
        "subject": change.subject[:500],
        "kind": change.kind,
        "id": change.id,
        "what": change.what,
        "text": change.text[:2000],
        "fields": {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()},
    }


def _of_clock(before: tuple[str, str], after: tuple[str, str]) -> list[Change]:
    names = ("now", "mode")
    changed = {name: (old, new) for name, old, new in zip(names, before, after, strict=True) if old != new}
    text = ", ".join(f"{old} -> {new}" for old, new in changed.values())
    return [Change(None, "the clock", "clock", "clock", "changed", text, fields=changed)] if changed else []


def _clock(state: WorldState, now: int) -> tuple[str, str]:
    return format_instant(now), state.clock.mode


def _settled(mock: Mock, world: World) -> WorldState:
    mock.now_in(world)
    return world.state


def _snapshot(world: World, name: str) -> Snapshot:
    snapshot = world.snapshots.get(name)
    if snapshot is None:
        raise _unknown(world, name)
    return snapshot


def _unknown(world: World, name: str) -> Refusal:
    there_are = ", ".join(each.id for each in world.snapshots) or "none"
    return Refusal(NO_SUCH_SNAPSHOT(world=world.name, snapshot=name, there_are=there_are[:500]))


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    clock: Clock = snapshot.state.clock
    return {
        "id": snapshot.id,
        "taken_at": format_instant(snapshot.taken_at),
        "revision": snapshot.state.revision,
        "clock": {"now": format_instant(snapshot.now), "mode": clock.mode},
    }
