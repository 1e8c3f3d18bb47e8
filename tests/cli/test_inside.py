"""`mockbill worlds settings`, `credentials`, `usage` and `audit`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.raw import ACME

from .command import check_wrong_use, inside
from .conftest import World
from .fakes import Fake, Reply, replied


def test_settings_are_shown_and_changed(world: World) -> None:
    shown = dict(line.split() for line in world.said("worlds", "settings", world.name).splitlines())
    assert (shown["checkout"], shown["lifecycle_enabled"], shown["warn_days"]) == ("instant", "true", "7")
    changed = world.json(
        "worlds",
        "settings",
        world.name,
        "checkout=hosted",
        "warn_days=3",
        "lifecycle_enabled=false",
        "--api",
        "openapp",
    )
    assert {key: changed["settings"][key] for key in ("checkout", "warn_days", "lifecycle_enabled")} == {
        "checkout": "hosted",
        "warn_days": 3,
        "lifecycle_enabled": False,
    }
    assert world.json("worlds", "settings", world.name) == changed


@pytest.mark.parametrize(
    ("word", "sent"),
    [
        ("a=true", {"a": True}),
        ("a=false", {"a": False}),
        ("a=True", {"a": "True"}),
        ("a=7", {"a": 7}),
        ("a=-7", {"a": -7}),
        ("a=007", {"a": 7}),
        ("a=7.5", {"a": "7.5"}),
        ("a=" + "9" * 5_000, {"a": "9" * 5_000}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ('a="7"', {"a": "7"}),
        ('a="true"', {"a": "true"}),
        ('a="\\u00e4 b"', {"a": "\xe4 b"}),
        ("a=\xe4", {"a": "\xe4"}),
    ],
)
def test_values_are_what_they_look_like(word: str, sent: dict[str, Any]) -> None:
    class Open(Fake):
        def reply(self, asked: Any) -> Reply:
            self.asked.append(asked)
            return replied({"api": "openapp", "settings": {}})

    with Open() as fake:
        assert inside("worlds", "settings", "demo", word, "--url", fake.url).code == 0
        assert fake.asked[0].body == sent


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("checkout", "KEY=VALUE"),
        ("=hosted", "KEY=VALUE"),
        ('checkout="', "no JSON string"),
        ('checkout="a" b', "no JSON string"),
        ("checkout=sometimes", "There are: "),
        ("nope=1", "There are: "),
    ],
)
def test_settings_that_there_are_not(world: World, word: str, complaint: str) -> None:
    check_wrong_use(world.run("worlds", "settings", world.name, word), complaint)


def test_credentials_are_ready_to_paste(world: World) -> None:
    lines = world.said("worlds", "credentials", world.name).splitlines()
    assert lines[1].split()[0] == "demo-owner"
    assert lines[1].endswith(world.json("worlds", "credentials", world.name)["credentials"][0]["token"])
    assert next(line for line in lines if line.startswith("demo-operator")).split()[3] == "-"


def test_a_quota_is_used_up(world: World) -> None:
    command = ("worlds", "usage", world.name, "--org", ACME, "--key", "door_opens", "--amount")
    lines = world.said(*command, "49").splitlines()
    assert lines[0].split()[:3] == ["key", "period", "unit"]
    assert lines[1].split()[:2] == ["door_opens", "day"]
    check_wrong_use(world.run(*command, "2"), "has used 49 of 50 door_opens per day")
    check_wrong_use(world.run(*command, "0"), "--amount")
    check_wrong_use(
        world.run("worlds", "usage", world.name, "--org", "no", "--key", "door_opens", "--amount", "1"), "no"
    )


def test_the_session_and_the_api_are_passed_on() -> None:
    options = ("--org", "x", "--key", "y", "--amount", "1", "--session", "s", "--api", "openapp")
    with Fake() as fake:
        assert inside("worlds", "usage", "demo", *options, "--url", fake.url).code == 0
        assert fake.asked[0].body == {"org": "x", "key": "y", "amount": 1, "session": "s", "api": "openapp"}


def test_work_that_was_done_twice_is_found(world: World) -> None:
    assert world.said("worlds", "audit", world.name) == "0 done twice, 0 harmless, 0 not repeated\n"
    world.said("faults", "add", "--when", "after", "--do", "truncate", "--operation", "create_zone", "--count", "1")
    with pytest.raises(AssertionError):
        world.zone()
    assert world.said("worlds", "audit", world.name).endswith("0 done twice, 0 harmless, 1 not repeated\n")
    world.zone()
    ran = world.run("worlds", "audit", world.name)
    assert (ran.code, ran.errors) == (1, "")
    head, line, summary = ran.out.splitlines()
    assert head.split()[:2] == ["request", "operation"]
    assert line.split()[:2] == ["1", "create_zone"]
    assert "done twice" in line
    assert summary == "1 done twice, 0 harmless, 0 not repeated"
    assert world.run("worlds", "audit", world.name, "--json").code == 1
