"""`mockbill faults ...`: what is to go wrong in a world."""

from __future__ import annotations

from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from mock_server.commands import faults
from tests.wire.raw import NoAnswer

from .command import check_wrong_use, walk
from .conftest import World
from .fakes import Fake, document, members, replied, resolved

ALWAYS: dict[str, Any] = {
    "id": "f",
    "when": "before",
    "do": "answer",
    "operation": None,
    "caller": None,
    "method": None,
    "skip": 0,
    "count": None,
    "probability": 1,
    "status": None,
    "code": None,
    "message": None,
    "retry_after": None,
    "keep": None,
    "how": None,
    "delay": None,
    "matched": 4,
    "acted": 3,
    "remaining": None,
}
SLOW = ("faults", "add", "--when", "before", "--do", "delay")


def test_a_fault_acts_is_counted_and_goes(world: World) -> None:
    assert world.said("faults", "list") == f"{world.name} has no faults\n"
    options = ("--operation", "create_zone", "--count", "1", "--id", "lost")
    added = world.said("faults", "add", "--when", "after", "--do", "lose", *options)
    assert added.startswith(f"{world.name}: fault lost: after lose")
    with pytest.raises(NoAnswer):
        world.zone()
    assert world.zone().status in (200, 201)
    head, line = world.said("faults", "list").splitlines()
    assert head.split() == ["fault", "does", "for", "matched", "acted", "remaining"]
    assert (line.split()[0], line.split()[-1]) == ("lost", "0")
    assert "create_zone" in line
    assert world.said("requests", "list", "--fault", "lost").splitlines()[1].endswith("fault lost; answer lost")
    assert world.said("faults", "remove", "lost") == f"{world.name}: fault lost removed\n"
    check_wrong_use(world.run("faults", "remove", "lost"), "lost")


def test_all_of_them_go(world: World) -> None:
    for _ in range(2):
        world.said("faults", "add", "--when", "before", "--do", "answer", "--status", "503")
    assert world.zone().status == 503
    assert world.said("faults", "clear") == f"{world.name}: no faults any more\n"
    assert world.json("faults", "list") == {"faults": []}
    assert world.zone().status == 200


def test_every_member_has_an_option_and_every_value_can_be_chosen() -> None:
    add = next(command for path, command in walk() if path == ("faults", "add"))
    options = {option.removeprefix("--").replace("-", "_"): each for each in add.params for option in each.opts}
    path = "/worlds/demo/faults"
    assert members("POST", path) is not None
    assert members("POST", path) == set(options) - {"world", "w", "_w", "url", "token", "json"}
    schema = resolved(document()["components"]["schemas"]["AddFaultRequest"])
    for name, member in schema["properties"].items():
        if "enum" in resolved(member):
            assert choices(get_type_hints(faults.add)[name]) == resolved(member)["enum"], name


def choices(kind: Any) -> list[str]:
    """The strings in a Literal, or in a union with one."""
    return [
        text
        for each in get_args(kind)
        for text in (choices(each) if get_args(each) else [each])
        if text is not NoneType
    ]


def test_all_that_is_given_is_sent_and_nothing_else() -> None:
    given = {
        "when": "before",
        "do": "answer",
        "id": "f",
        "operation": "create_zone",
        "caller": "owner of Acme Doors",
        "method": "POST",
        "skip": 2,
        "count": 3,
        "probability": 0.5,
        "status": 503,
        "code": "overloaded",
        "message": "Not now.",
        "retry_after": 0,
        "keep": 0,
        "how": "not_json",
    }
    options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with Fake() as fake:
        World(fake, "demo").said("faults", "add", *options)
        World(fake, "demo").said("faults", "add", "--when", "after", "--do", "lose")
        assert [asked.body for asked in fake.asked] == [given, {"when": "after", "do": "lose"}]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("200", {"distribution": "fixed", "ms": 200}),
        ("0", {"distribution": "fixed", "ms": 0}),
        ("100..300", {"distribution": "uniform", "min_ms": 100, "max_ms": 300}),
        ("lognormal:200:0.5", {"distribution": "lognormal", "median_ms": 200, "sigma": 0.5}),
        ("lognormal:200:1", {"distribution": "lognormal", "median_ms": 200, "sigma": 1.0}),
        ("lognormal:200:0.5:5000", {"distribution": "lognormal", "median_ms": 200, "sigma": 0.5, "max_ms": 5000}),
    ],
)
def test_delays_of_all_kinds(world: World, text: str, sent: dict[str, Any]) -> None:
    with Fake() as fake:
        World(fake, "demo").said(*SLOW, "--delay", text)
        assert fake.asked[0].body["delay"] == sent
    shown = world.json(*SLOW, "--delay", text)["delay"]
    assert {name: value for name, value in shown.items() if value is not None} == sent


@pytest.mark.parametrize(
    "text",
    ["", "fast", "-1", "1.5", "1..", "..1", "1...2", "lognormal", "lognormal:1", "lognormal:1:x", "200ms", "\u0663"],
)
def test_delays_that_are_none(text: str) -> None:
    with Fake() as fake:
        ran = World(fake, "demo").run(*SLOW, f"--delay={text}")
        check_wrong_use(ran, "200, 100..300 and lognormal:MEDIAN:SIGMA:MOST")
        assert fake.asked == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "--when"),
        (("--when", "after"), "--do"),
        (("--when", "sometimes", "--do", "lose"), "sometimes"),
        (("--when", "after", "--do", "repeat"), "repeat"),
        (("--when", "before", "--do", "answer"), "status"),
        (("--when", "before", "--do", "delay"), "delay"),
        (("--when", "before", "--do", "delay", "--delay", "300..100"), "delay"),
        (("--when", "after", "--do", "lose", "--id", "No!"), "id"),
        (("--when", "after", "--do", "lose", "--probability", "2"), "--probability"),
        (("--when", "after", "--do", "lose", "--count", "0"), "--count"),
        (("--when", "after", "--do", "lose", "--method", "LOOK"), "LOOK"),
    ],
)
def test_faults_that_are_none(world: World, options: tuple[str, ...], complaint: str) -> None:
    check_wrong_use(world.run("faults", "add", *options), complaint)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (
            {"status": 503, "code": "overloaded", "retry_after": 0},
            "before answer, status 503, code overloaded, retry after 0",
        ),
        ({"do": "truncate", "keep": 10, "how": "reset"}, "before truncate, keep 10, reset"),
        ({"do": "malform", "how": "not_json"}, "before malform, not json"),
        ({"do": "delay", "delay": {"distribution": "fixed", "ms": 200}}, "before delay, 200 ms"),
        ({"do": "delay", "delay": {"distribution": "uniform", "min_ms": 1, "max_ms": 2}}, "before delay, 1 to 2 ms"),
        (
            {"do": "delay", "delay": {"distribution": "lognormal", "median_ms": 200, "sigma": 0.5, "max_ms": 900}},
            "before delay, lognormal around 200 ms, sigma 0.5, at most 900 ms",
        ),
        (
            {"do": "delay", "delay": {"distribution": "lognormal", "median_ms": 200, "sigma": 1}},
            "before delay, lognormal around 200 ms, sigma 1  ",
        ),
        ({}, "  any request  "),
        ({"method": "POST", "operation": "create_zone"}, "  POST create_zone  "),
        ({"caller": "anonymous", "skip": 2}, "  any request of anonymous after the first 2  "),
        ({"probability": 0.25}, "  any request, 0.25 of them  "),
        ({"remaining": 1}, "4        3      1\n"),
    ],
)
def test_what_a_fault_does_is_said_in_words(change: dict[str, Any], shown: str) -> None:
    with Fake({"GET /worlds/demo/faults": [replied({"faults": [{**ALWAYS, **change}]})]}) as fake:
        assert shown in World(fake, "demo").said("faults", "list")
