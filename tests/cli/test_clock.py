"""`mockbill clock ...`: a world's time."""

from __future__ import annotations

import pytest

from tests.wire.raw import ACME

from .command import check_wrong_use
from .conftest import START, World
from .fakes import Fake, replied


def overridden(world: World, key: str = "zones", until: str = "2026-03-15T00:00:00Z") -> None:
    """Something that falls due: the end of an override."""
    whose = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "period": "lifetime"}
    body = {**whose, "limit_value": 500, "expires_at": until}
    reply = world.call("POST", "/admin/quota_overrides", body, key="demo-operator")
    assert reply.status in (200, 201), reply


def test_time_is_shown(world: World) -> None:
    assert world.said("clock", "show") == f"{START}, frozen\n"
    assert world.json("clock", "show") == {"now": START, "mode": "frozen"}


def test_time_passes_and_things_fall_due(world: World) -> None:
    overridden(world)
    lines = world.said("clock", "advance", "P31D").splitlines()
    assert lines[0] == "2026-04-01T00:00:00Z, frozen; 1 thing fell due"
    assert lines[1].split() == ["at", "what", "outcome"]
    assert lines[2].startswith("2026-03-15T00:00:00Z  ")
    assert world.said("clock", "advance", "P1D") == "2026-04-02T00:00:00Z, frozen; nothing fell due\n"


def test_time_is_set_but_does_not_go_back(world: World) -> None:
    assert world.said("clock", "set", "2026-03-02T00:00:00Z").startswith("2026-03-02T00:00:00Z, frozen")
    check_wrong_use(world.run("clock", "set", START), "cannot go back")
    check_wrong_use(world.run("clock", "set", "tomorrow"), "is not an RFC 3339 instant")


def test_a_duration_that_goes_back_is_refused_with_the_way_to_go_back(world: World) -> None:
    check_wrong_use(world.run("clock", "advance", "-P1D"), "goes back in time. To go back, restore a snapshot")
    check_wrong_use(world.run("worlds", "advance", world.name, "-P1D"), "goes back in time")
    check_wrong_use(world.run("clock", "advance", "P9998Y"), "leads out of the years")
    check_wrong_use(world.run("clock", "advance", "PX"), "is not an ISO 8601 duration")


def test_time_steps_to_the_next_thing(world: World) -> None:
    check_wrong_use(world.run("clock", "step"), "no next step")
    overridden(world)
    assert world.said("clock", "step").startswith("2026-03-15T00:00:00Z, frozen; 1 thing fell due\n")


def test_time_runs_and_stands(world: World) -> None:
    assert ", running; " in world.said("clock", "run")
    assert world.json("clock", "show")["mode"] == "running"
    assert ", frozen; " in world.said("clock", "freeze")
    assert world.json("clock", "show")["now"] != START


@pytest.mark.parametrize("duration", ["31", "P", "P-1D", "p1d", ""])
def test_a_duration_that_is_none(world: World, duration: str) -> None:
    check_wrong_use(world.run("clock", "advance", duration), "advance")


def test_what_is_ahead_is_listed(world: World) -> None:
    assert world.said("clock", "agenda") == "nothing will fall due\n"
    assert world.said("clock", "agenda", "--within", "P1D") == "nothing will fall due until 2026-03-02T00:00:00Z\n"
    overridden(world)
    overridden(world, "devices", "2026-03-20T00:00:00Z")
    head, *lines = world.said("clock", "agenda", "--within", "P6M").splitlines()
    assert head.split() == ["at", "in", "what", "outcome", "cause"]
    assert [line.split()[:2] for line in lines] == [["2026-03-15T00:00:00Z", "P14D"], ["2026-03-20T00:00:00Z", "P19D"]]
    assert world.said("clock", "agenda", "--limit", "1").splitlines()[-1] == "and 1 more"
    assert world.said("clock", "show") == f"{START}, frozen\n", "looking changes nothing"
    check_wrong_use(world.run("clock", "agenda", "--within", "soon"), "within")


def test_more_that_fell_due_than_is_listed_is_mentioned() -> None:
    line = {"at": START, "api": "openapp", "job": "x", "key": "openapp/y", "outcome": "z"}
    moved = {"now": START, "mode": "frozen", "fell_due": 3, "timeline": [line]}
    with Fake({"POST /worlds/demo/clock": [replied(moved)]}) as fake:
        lines = World(fake, "demo").said("clock", "advance", "P1D").splitlines()
    assert lines[0].endswith("3 things fell due")
    assert lines[-1] == "and 2 more"


@pytest.mark.parametrize(
    ("command", "body"),
    [
        (("advance", "P31D"), {"advance": "P31D"}),
        (("set", START), {"set": START}),
        (("step",), {"step": True}),
        (("freeze",), {"mode": "frozen"}),
        (("run",), {"mode": "running"}),
    ],
)
def test_what_is_sent(command: tuple[str, ...], body: dict[str, object]) -> None:
    with Fake() as fake:
        World(fake, "blue").said("clock", *command)
        assert (fake.asked[0].path, fake.asked[0].body) == ("/worlds/blue/clock", body)
