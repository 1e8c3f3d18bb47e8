"""`mockbill requests ...`: what was asked and answered in a world, and why."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from .command import check_wrong_use
from .conftest import START, World
from .fakes import Fake, Reply, example, replied

LINE: dict[str, Any] = json.loads(example("GET", "/worlds/demo/requests").body)["requests"][0]
ENTRY: dict[str, Any] = json.loads(example("GET", "/worlds/demo/requests/3").body)


@pytest.fixture
def used(world: World) -> World:
    """A world with three zones, a fourth that was refused, and a route that there is not."""
    for name in ("Attic", "Cellar", "Lobby", "Roof"):
        world.zone(name)
    world.call("GET", "/nothing?x=1")
    return world


def journal(*lines: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"matched": len(lines), "cursor": 9, "answered": 9, "dropped": 0, "requests": list(lines), **members}


def test_requests_are_listed_newest_first(used: World) -> None:
    head, *lines = used.said("requests", "list").splitlines()
    assert head.split() == ["request", "at", "operation", "caller", "status", "why"]
    assert [line.split()[0] for line in lines] == ["5", "4", "3", "2", "1"]
    assert f"{START}  GET /w/{used.name}/api/v1/nothing  " in lines[0]
    assert lines[1].split()[2] == "create_zone"
    assert lines[1].endswith("has 3 zones, and its limit is 3.")


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--operation", "create_zone"), [4, 3, 2, 1]),
        (("--status", "4xx"), [5, 4]),
        (("--status", "429"), [4]),
        (("--problem", "quota_exceeded"), [4]),
        (("--caller", "owner of Acme Doors", "--status", "429"), [4]),
        (("--caller", "nobody"), []),
        (("--fault", "lost"), []),
        (("--since", "3"), [5, 4]),
        (("--limit", "2"), [5, 4]),
        (("--wait", "1", "--at-least", "2", "--status", "4xx"), [5, 4]),
    ],
)
def test_some_of_them_are_picked_out(used: World, options: tuple[str, ...], numbers: list[int]) -> None:
    assert [line["number"] for line in used.json("requests", "list", *options)["requests"]] == numbers
    if not numbers:
        assert used.said("requests", "list", *options) == "no requests\n"


def test_how_many_more_there_are_is_mentioned(used: World) -> None:
    assert used.said("requests", "list", "--limit", "2").splitlines()[-1] == "and 3 more that match"
    assert used.said("requests", "list", "--limit", "0") == "5 match\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--status", "6xx"), "status"),
        (("--operation", "a b"), "operation"),
        (("--problem", "No!"), "problem"),
        (("--fault", "No!"), "fault"),
        (("--limit", "1001"), "--limit"),
        (("--since", "-1"), "--since"),
        (("--wait", "61"), "--wait"),
        (("--at-least", "0"), "--at-least"),
    ],
)
def test_filters_that_are_none(world: World, options: tuple[str, ...], complaint: str) -> None:
    check_wrong_use(world.run("requests", "list", *options), complaint)


def test_a_request_is_shown_whole(used: World) -> None:
    shown = used.said("requests", "show", "1")
    assert "asked      POST " in shown
    assert '  {"name": "Attic"}\n' in shown
    assert "  x-api-key: ***\n" in shown
    assert "demo-owner" not in shown
    assert "\nchanges\n  Acme Doors: " in shown
    refused = used.said("requests", "show", "4")
    assert "\nchanges\n  none\n" in refused
    assert "\ncheck " in refused
    check_wrong_use(used.run("requests", "show", "99"), "99")
    check_wrong_use(used.run("requests", "show", "0"), "greater than or equal to 1")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"changes": None}, "\nchanges: no longer known\n"),
        ({"query": "a=1&b=%20"}, "asked      POST /api/v1/zones?a=1&b=%20\n"),
        ({"status": 0, "delivery": "client_gone"}, "delivery   client gone\n"),
        ({"faults": ["lost", "late"]}, "faults     lost, late\n"),
        ({"explanation": None}, "delivery   whole\n"),
    ],
)
def test_all_that_is_known_is_shown(change: dict[str, Any], shown: str) -> None:
    with Fake({"GET /worlds/demo/requests/3": [replied({**ENTRY, **change})]}) as fake:
        assert shown in World(fake, "demo").said("requests", "show", "3")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"size": 0, "text": None, "base64": None, "cut": False}, []),
        ({"size": 9, "text": "a\n\tb\r\nc", "base64": None, "cut": False}, ["a", "\\tb", "c"]),
        ({"size": 2, "text": None, "base64": "//4=", "cut": False}, ["base64: //4="]),
        ({"size": 70_000, "text": "begin", "base64": None, "cut": True}, ["begin", "(the beginning of 70000 bytes)"]),
    ],
)
def test_bodies_of_all_kinds(body: dict[str, Any], shown: list[str]) -> None:
    entry = {**ENTRY, "response": {"headers": [], "body": body}}
    with Fake({"GET /worlds/demo/requests/3": [replied(entry)]}) as fake:
        lines = World(fake, "demo").said("requests", "show", "3").splitlines()
    part = lines[lines.index("response") + 1 : lines.index("changes")]
    assert [line[2:] for line in part if line] == shown


def test_the_newest_refusal_is_explained(used: World) -> None:
    assert used.said("requests", "why").startswith("request  ")
    explained = used.said("requests", "why", "4")
    for name, value in {
        "check": "quota",
        "rule": "The tier 'free' allows 3 zones.",
        "clause": "catalog /tiers/0/quotas/zones/lifetime",
        "fact: limit": "3",
        "legal": "Delete one of the 3 zones.",
    }.items():
        assert [line for line in explained.splitlines() if line.startswith(f"{name} ") and line.endswith(value)], name
    assert used.json("requests", "why") == used.json("requests", "show", "5")


def test_what_was_not_refused_is_not_explained(world: World) -> None:
    nothing = world.run("requests", "why")
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.errors == f"mockbill: nothing was refused in {world.name}, as far as its journal reaches\n"
    world.zone()
    fine = world.run("requests", "why", "1")
    assert (fine.code, fine.out) == (1, "")
    assert fine.errors == "mockbill: request 1 was not refused: it was answered 200\n"
    as_json = world.run("requests", "why", "1", "--json")
    assert (as_json.code, json.loads(as_json.out)["number"]) == (1, 1)
    check_wrong_use(world.run("requests", "why", "9"), "9")


def test_waiting_ends_when_it_happens(world: World) -> None:
    timer = threading.Timer(0.3, world.zone)
    timer.start()
    lines = world.said("requests", "wait", "--operation", "create_zone", "--timeout", "10").splitlines()
    timer.join()
    assert lines[1].split()[0] == "1"
    assert world.json("requests", "wait", "--timeout", "0")["matched"] == 1, "what came before counts too"


def test_waiting_ends_when_the_time_is_over(world: World) -> None:
    world.zone()
    for options, complaint in {
        ("--status", "500"): "nothing of 1 matched within 1 s",
        ("--at-least", "3"): "1 of 3 matched within 1 s",
        ("--since", "1"): "nothing of 1 matched within 1 s",
    }.items():
        ran = world.run("requests", "wait", *options, "--timeout", "1")
        assert (ran.code, ran.out, ran.errors) == (1, "", f"mockbill: {complaint}\n")
    ran = world.run("requests", "wait", "--status", "500", "--timeout", "0", "--json")
    assert (ran.code, json.loads(ran.out)["matched"]) == (1, 0)


def test_waiting_longer_than_the_mock_waits_is_asking_again() -> None:
    empty, full = replied(journal()), replied(journal(LINE, LINE))
    with Fake({"GET /worlds/demo/requests": [empty, empty, full]}) as fake:
        options = ("--timeout", "150", "--at-least", "2", "--operation", "create_zone")
        World(fake, "demo").said("requests", "wait", *options)
        assert [asked.query for asked in fake.asked] == [
            {"operation": "create_zone", "wait": wait, "at_least": "2"} for wait in ("60", "60", "30")
        ]
    with Fake({"GET /worlds/demo/requests": [empty]}) as fake:
        assert World(fake, "demo").run("requests", "wait", "--timeout", "61").code == 1
        assert [asked.query["wait"] for asked in fake.asked] == ["60", "1"]


@pytest.mark.parametrize("form", ["har", "scenario"])
def test_a_slice_is_exported_as_json(used: World, tmp_path: Path, form: str) -> None:
    printed = used.said("requests", "export", "--format", form, "--status", "4xx")
    document = json.loads(printed)
    assert printed.endswith("\n")
    if form == "har":
        assert [entry["response"]["status"] for entry in document["log"]["entries"]] == [429, 404]
        assert "demo-owner" not in printed
    target = tmp_path / "slice.json"
    said = used.said("requests", "export", "--format", form, "--status", "4xx", "-o", str(target))
    assert said == f"{used.name}: {form} written to {target}\n"
    assert json.loads(target.read_text()) == document
    in_a_line = used.said("requests", "export", "--format", form, "--status", "4xx", "--json")
    assert (in_a_line.count("\n"), json.loads(in_a_line)) == (1, document)
    assert used.said("requests", "export", "--format", form, "--json", "-o", str(target)) == "null\n"


def test_a_slice_is_exported_as_a_program(used: World, tmp_path: Path) -> None:
    for form, check in {"curl": ["sh", "-n"], "pytest": [sys.executable, "-m", "py_compile"]}.items():
        target = tmp_path / form
        used.said("requests", "export", "--format", form, "--limit", "3", "-o", str(target))
        subprocess.run([*check, str(target)], check=True, timeout=20)
        assert used.said("requests", "export", "--format", form, "--limit", "3") == target.read_text()
        check_wrong_use(used.run("requests", "export", "--format", form, "--json"), "no JSON")
    check_wrong_use(used.run("requests", "export"), "--format")
    check_wrong_use(used.run("requests", "export", "--format", "pdf"), "pdf")
    check_wrong_use(used.run("requests", "export", "--format", "har", "-o", str(tmp_path)), "cannot write")


def test_the_last_line_of_a_program_ends() -> None:
    with Fake({"GET /worlds/demo/requests/export": [Reply(200, b"echo", "text/x-shellscript; charset=utf-8")]}) as fake:
        assert World(fake, "demo").said("requests", "export", "--format", "curl") == "echo\n"


def test_the_journal_is_emptied(used: World) -> None:
    assert used.said("requests", "clear") == f"{used.name}: journal emptied\n"
    assert used.said("requests", "list") == "no requests\n"
    used.zone()
    assert used.json("requests", "list")["requests"][0]["number"] == 6
