"""`mockbill worlds snapshot`, `snapshots`, `restore`, `forget` and `diff`."""

from __future__ import annotations

import pytest

from .command import check_wrong_use
from .conftest import START, World
from .fakes import Fake, replied


def test_a_world_goes_back_to_a_snapshot(world: World) -> None:
    assert world.said("worlds", "snapshots", world.name) == f"{world.name} has no snapshots\n"
    taken = world.said("worlds", "snapshot", world.name, "--id", "before")
    assert taken == f"{world.name}: snapshot before, frozen at {START}\n"
    world.buy()
    world.said("clock", "advance", "P1D")
    assert world.said("worlds", "restore", world.name, "before").startswith(f"{world.name}: scenario demo, seed 7, ")
    assert world.json("worlds", "show", world.name)["revision"] == 0
    assert world.said("clock", "show") == f"{START}, frozen\n"


def test_snapshots_are_named_if_nobody_names_them_and_listed_in_order(world: World) -> None:
    first = world.json("worlds", "snapshot", world.name)["id"]
    world.buy()
    world.said("worlds", "snapshot", world.name, "--id", "bought")
    lines = world.said("worlds", "snapshots", world.name).splitlines()
    assert [line.split()[0] for line in lines] == ["snapshot", first, "bought"]
    assert [line.split()[3] for line in lines[1:]] == ["0", "1"]


def test_a_snapshot_is_forgotten(world: World) -> None:
    world.said("worlds", "snapshot", world.name, "--id", "before")
    assert world.said("worlds", "forget", world.name, "before") == f"{world.name}: snapshot before forgotten\n"
    for command in ("forget", "restore"):
        check_wrong_use(world.run("worlds", command, world.name, "before"), "before")


def test_a_name_is_given_once(world: World) -> None:
    world.said("worlds", "snapshot", world.name, "--id", "before")
    check_wrong_use(world.run("worlds", "snapshot", world.name, "--id", "before"), "before")
    check_wrong_use(world.run("worlds", "snapshot", world.name, "--id", "Before!"), "is not valid")


def test_what_is_different_is_said_in_words(world: World) -> None:
    world.said("worlds", "snapshot", world.name, "--id", "before")
    fork = f"{world.name}-fork"
    world.said("worlds", "fork", world.name, fork)
    assert world.said("worlds", "diff", world.name, fork) == "no differences\n"
    assert world.said("worlds", "diff", world.name, "--snapshot", "before") == "no differences\n"
    world.buy()
    since = world.said("worlds", "diff", world.name, "--snapshot", "before")
    assert since.startswith("Acme Doors: tier free -> pro")
    assert world.said("worlds", "diff", fork, world.name) == since
    assert world.said("worlds", "diff", fork, world.name, "--api", "openapp") == since
    assert "tier pro -> free" in world.said("worlds", "diff", world.name, fork)
    assert world.json("worlds", "diff", world.name, fork)["differences"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "either a second world or a --snapshot"),
        (("demo", "--snapshot", "before"), "either a second world or a --snapshot"),
        (("--snapshot", "before"), "before"),
        (("demo", "--api", "nope"), "nope"),
    ],
)
def test_what_cannot_be_compared(world: World, arguments: tuple[str, ...], complaint: str) -> None:
    check_wrong_use(world.run("worlds", "diff", world.name, *arguments), complaint)


def test_more_differences_than_are_listed_are_mentioned() -> None:
    many = {"api": "openapp", "lines": ["a: b"], "differences": [], "cut": True}
    with Fake({"GET /worlds/demo/diff": [replied(many)]}) as fake:
        assert World(fake, "demo").said("worlds", "diff", "demo", "blue") == "a: b\nand more than is listed\n"
