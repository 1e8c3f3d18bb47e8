"""`mockbill worlds ...`: making, forking, resetting and forgetting worlds."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

import typer

from .answers import ClockMoved, World, WorldList
from .client import HERE, LONG_PATIENCE_S, Mock, WrongUse
from .groups import group
from .moves import show_move
from .options import NO_OPTION, AsJson, Name, Token, Url, given
from .tables import pairs, say, say_nothing, show, table

app = group(
    "Worlds of a running mock: each is a state of its own.",
    "mockbill worlds create --scenario generated --orgs 50 --seed 7",
)

NewName = Annotated[str, typer.Argument(help="The new world's name.")]


@app.command("list", epilog="Example:  mockbill worlds list")
def list_(url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """List all worlds, in the order of their creation."""
    show(Mock(url, token).get(WorldList, "worlds"), as_json, _listed)


@app.command(
    epilog="Examples:  mockbill worlds create blue --now 2026-03-01T00:00:00Z   |   "
    "mockbill worlds create --scenario generated --orgs 50 --seed 7"
)
def create(
    name: Annotated[str | None, typer.Argument(help="The new world's name; the scenario's if left out.")] = None,
    scenario: Annotated[str | None, typer.Option(help="What it starts from; the server's default if left out.")] = None,
    orgs: Annotated[
        int | None, typer.Option(min=0, max=1000, help="How many organizations a generated scenario makes up.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same ids and secrets.")] = None,
    now: Annotated[str | None, typer.Option(help="Freeze its clock at this RFC 3339 instant.")] = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a world: requests reach it under /w/NAME, with X-Mock-World: NAME, or with @NAME at the end of a secret."""
    wanted = name or (PurePath(scenario).stem if scenario is not None else None)
    if wanted is None:
        raise WrongUse("give the world a name, or a scenario to be named after")
    body: dict[str, Any] = {"name": wanted, **given(scenario=scenario, seed=seed, now=now)}
    if orgs is not None:
        body["options"] = {"orgs": orgs}
    mock = Mock(url, token)
    show(mock.post(World, "worlds", body=body), as_json, lambda world: _made(mock, world))


@app.command("show", epilog="Example:  mockbill worlds show demo")
def show_(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Show one world: its scenario, its time, and how much has happened in it."""
    mock = Mock(url, token)
    show(mock.get(World, "worlds", name), as_json, lambda world: _all_of(mock, world))


@app.command(epilog="Example:  mockbill worlds delete blue")
def delete(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Forget a world. The world that requests reach when they name none stays."""
    Mock(url, token).delete("worlds", name)
    say_nothing(as_json, f"{name}: deleted")


@app.command(epilog="Example:  mockbill worlds reset demo")
def reset(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Put a world back to how it began. Its journal is emptied."""
    show(Mock(url, token).post(World, "worlds", name, "reset"), as_json, say_world)


@app.command(epilog="Example:  mockbill worlds fork demo what-if")
def fork(
    name: Name,
    new: NewName,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a second world that goes on from here. Neither sees what happens in the other afterwards."""
    mock = Mock(url, token)
    answer = mock.post(World, "worlds", name, "fork", body={"name": new})
    show(answer, as_json, lambda world: _made(mock, world))


@app.command(epilog="Example:  mockbill worlds advance demo P31D", context_settings=NO_OPTION)
def advance(
    name: Name,
    duration: Annotated[str, typer.Argument(help="An ISO 8601 duration: P31D, P6M, PT12H.")],
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let time pass in a world. The same as `mockbill clock advance DURATION --world NAME`."""
    moved = Mock(url, token).post(
        ClockMoved, "worlds", name, "clock", body={"advance": duration}, patience=LONG_PATIENCE_S
    )
    show(moved, as_json, show_move)


def say_world(world: World) -> None:
    say(f"{world.name}: scenario {world.scenario}, seed {world.seed}, {world.clock.mode} at {world.clock.now}")


def _made(mock: Mock, world: World) -> None:
    say_world(world)
    say(f"{mock.url}{world.prefix}")


def _listed(answer: WorldList) -> None:
    table(
        ("world", "scenario", "now", "clock", "requests", "faults"),
        [
            (world.name, world.scenario, world.clock.now, world.clock.mode, world.requests, world.faults)
            for world in answer.worlds
        ],
    )


def _all_of(mock: Mock, world: World) -> None:
    pairs(
        [
            ("world", world.name),
            ("url", f"{mock.url}{world.prefix}"),
            ("scenario", world.scenario),
            ("seed", world.seed),
            ("now", world.clock.now),
            ("clock", world.clock.mode),
            ("changes", world.revision),
            ("requests", world.requests),
            ("scheduled", world.scheduled),
            ("snapshots", world.snapshots),
            ("faults", world.faults),
        ]
    )
