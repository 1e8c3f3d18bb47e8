"""`mockbill worlds snapshot`, `snapshots`, `restore`, `forget`, `diff`: a world as it was, and what is different."""

from __future__ import annotations

from typing import Annotated

import typer

from .answers import Comparison, Snapshot, SnapshotList, World
from .client import HERE, LONG_PATIENCE_S, Mock, WrongUse
from .options import Api, AsJson, Name, Token, Url, given, world_names
from .tables import say, say_nothing, show, table
from .worlds import app, say_world

SnapshotId = Annotated[str, typer.Argument(metavar="ID", help="The snapshot's id (see `mockbill worlds snapshots`).")]


@app.command(epilog="Example:  mockbill worlds snapshot demo --id before-upgrade")
def snapshot(
    name: Name,
    id_: Annotated[str | None, typer.Option("--id", help="What to call it; snapshot-1 and so on if left out.")] = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Remember a world as it is now, to go back to it as often as you like."""
    taken = Mock(url, token).post(Snapshot, "worlds", name, "snapshots", body=given(id=id_))
    show(taken, as_json, lambda taken: say(f"{name}: snapshot {taken.id}, {taken.clock.mode} at {taken.clock.now}"))


@app.command(epilog="Example:  mockbill worlds snapshots demo")
def snapshots(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """List a world's snapshots, oldest first."""
    show(Mock(url, token).get(SnapshotList, "worlds", name, "snapshots"), as_json, lambda kept: _listed(name, kept))


@app.command(epilog="Example:  mockbill worlds restore demo before-upgrade")
def restore(name: Name, id_: SnapshotId, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Put a world's state and clock back to a snapshot. Journal, faults and snapshots stay."""
    show(Mock(url, token).post(World, "worlds", name, "snapshots", id_, "restore"), as_json, say_world)


@app.command(epilog="Example:  mockbill worlds forget demo before-upgrade")
def forget(name: Name, id_: SnapshotId, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Forget a snapshot. The world stays as it is."""
    Mock(url, token).delete("worlds", name, "snapshots", id_)
    say_nothing(as_json, f"{name}: snapshot {id_} forgotten")


@app.command(
    epilog="Examples:  mockbill worlds diff demo what-if   |   mockbill worlds diff demo --snapshot before-upgrade"
)
def diff(
    name: Name,
    other: Annotated[
        str | None, typer.Argument(help="The world to compare it with.", autocompletion=world_names)
    ] = None,
    snapshot_id: Annotated[
        str | None, typer.Option("--snapshot", help="Compare one of its snapshots with how it is now instead.")
    ] = None,
    api: Api = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say in words what is different between two worlds, or in one world since a snapshot."""
    if (other is None) == (snapshot_id is None):
        raise WrongUse("name either a second world or a --snapshot to compare with")
    query = given(api=api, snapshot=snapshot_id, **{"with": other})
    answer = Mock(url, token).get(Comparison, "worlds", name, "diff", query=query, patience=LONG_PATIENCE_S)
    show(answer, as_json, _compared)


def _listed(name: str, kept: SnapshotList) -> None:
    if not kept.snapshots:
        say(f"{name} has no snapshots")
        return
    table(
        ("snapshot", "now", "clock", "changes", "taken at"),
        [(each.id, each.clock.now, each.clock.mode, each.revision, each.taken_at) for each in kept.snapshots],
    )


def _compared(comparison: Comparison) -> None:
    for line in comparison.lines:
        say(line)
    if not comparison.lines and not comparison.differences:
        say("no differences")
    if comparison.cut:
        say("and more than is listed")
