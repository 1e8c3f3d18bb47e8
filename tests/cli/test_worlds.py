"""`mockbill worlds ...`: making, showing, forking, resetting and deleting worlds of a running mock."""

from __future__ import annotations

import json

import pytest

from tests.server import Server

from .command import check_wrong_use, inside, mockbill, named
from .conftest import START, World


def test_a_generated_world_is_the_same_each_time(server: Server) -> None:
    made = []
    for name in ("one", "two"):
        options = ("--scenario", "generated", "--orgs", "7", "--seed", "7", "--now", START, "--json")
        ran = mockbill("worlds", "create", name, *options, "--url", server.url)
        assert (ran.code, ran.errors) == (0, ""), ran
        made.append({**json.loads(ran.out), "name": "", "prefix": ""})
    assert made[0] == made[1]
    assert (made[0]["seed"], made[0]["clock"]["mode"]) == (7, "frozen")


def test_the_scenario_gives_the_name(server: Server) -> None:
    ran = inside("worlds", "create", "--scenario", "over-capacity", env={"MOCKBILL_URL": server.url})
    assert ran.code == 0, ran
    assert ran.out.startswith("over-capacity: scenario over-capacity, seed 7, frozen at 2026-03-02T09:00:00Z")
    assert ran.out.endswith(f"{server.url}/w/over-capacity\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give the world a name"),
        (("demo",), "There is a world 'demo' already"),
        (("blue", "--scenario", "nothing"), "there are: busy, demo, empty, generated, over-capacity"),
        (("blue", "--scenario", "demo", "--orgs", "3"), "makes up no organizations"),
        (("blue", "--now", "tomorrow"), "is not valid"),
        (("Blue!",), "is not valid"),
        (("blue", "--orgs", "1001"), "--orgs"),
    ],
)
def test_a_world_that_cannot_be_made(server: Server, arguments: tuple[str, ...], complaint: str) -> None:
    check_wrong_use(inside("worlds", "create", *arguments, "--url", server.url), complaint)


def test_all_worlds_are_listed(world: World) -> None:
    head, *lines = world.said("worlds", "list").splitlines()
    assert head.split() == ["world", "scenario", "now", "clock", "requests", "faults"]
    assert lines[0].startswith("demo ")
    assert lines[-1].split() == [world.name, "demo", START, "frozen", "0", "0"]


def test_a_world_is_shown(world: World) -> None:
    world.buy()
    shown = dict(line.split(None, 1) for line in world.said("worlds", "show", world.name).splitlines())
    assert shown["url"] == f"{world.url}/w/{world.name}"
    assert (shown["requests"], shown["changes"], shown["now"], shown["seed"]) == ("1", "1", START, "7")


def test_a_world_goes_back_to_its_start(world: World) -> None:
    world.buy()
    assert world.said("worlds", "reset", world.name).startswith(
        f"{world.name}: scenario demo, seed 7, frozen at {START}"
    )
    assert world.json("worlds", "show", world.name)["revision"] == 0


def test_a_fork_goes_its_own_way(world: World) -> None:
    world.buy()
    fork = f"{world.name}-fork"
    assert world.said("worlds", "fork", world.name, fork).endswith(f"{world.url}/w/{fork}\n")
    World(world.server, fork).zone()
    assert [world.json("worlds", "show", name)["revision"] for name in (world.name, fork)] == [1, 2]
    check_wrong_use(world.run("worlds", "fork", world.name, fork), f"There is a world '{fork}' already")


def test_a_world_is_deleted(world: World) -> None:
    assert world.said("worlds", "delete", world.name) == f"{world.name}: deleted\n"
    check_wrong_use(world.run("worlds", "show", world.name), f"There is no world '{world.name}'")
    check_wrong_use(world.run("worlds", "delete", world.name), f"There is no world '{world.name}'")


def test_the_first_world_stays(world: World) -> None:
    check_wrong_use(world.run("worlds", "delete", "demo"), "cannot be deleted; reset it instead")


def test_time_passes_in_a_world(world: World) -> None:
    assert world.said("worlds", "advance", world.name, "P31D").startswith("2026-04-01T00:00:00Z, frozen; ")
    check_wrong_use(world.run("worlds", "advance", world.name, "31 days"), "is not valid")


UNKNOWN = [
    ("worlds", "show", "nobody"),
    ("worlds", "reset", "nobody"),
    ("worlds", "fork", "nobody", "somebody"),
    ("worlds", "advance", "nobody", "P1D"),
    ("worlds", "settings", "nobody"),
    ("worlds", "settings", "nobody", "checkout=hosted"),
    ("worlds", "credentials", "nobody"),
    ("worlds", "usage", "nobody", "--org", "x", "--key", "x", "--amount", "1"),
    ("worlds", "audit", "nobody"),
    ("worlds", "save", "nobody", "-o", "-"),
    ("worlds", "snapshot", "nobody"),
    ("worlds", "snapshots", "nobody"),
    ("worlds", "restore", "nobody", "x"),
    ("worlds", "forget", "nobody", "x"),
    ("worlds", "diff", "nobody", "demo"),
    ("worlds", "diff", "demo", "nobody"),
    ("worlds", "watch", "nobody"),
    ("clock", "show", "-w", "nobody"),
    ("clock", "step", "-w", "nobody"),
    ("clock", "agenda", "-w", "nobody"),
    ("requests", "list", "-w", "nobody"),
    ("requests", "why", "-w", "nobody"),
    ("requests", "wait", "-w", "nobody"),
    ("requests", "export", "--format", "har", "-w", "nobody"),
    ("requests", "clear", "-w", "nobody"),
    ("faults", "list", "-w", "nobody"),
    ("faults", "add", "--when", "after", "--do", "lose", "-w", "nobody"),
    ("faults", "remove", "x", "-w", "nobody"),
    ("faults", "clear", "-w", "nobody"),
]


@pytest.mark.parametrize("command", UNKNOWN, ids=named)
def test_a_world_that_there_is_not(server: Server, command: tuple[str, ...]) -> None:
    check_wrong_use(inside(*command, "--url", server.url), "nobody")
