"""`mockbill worlds watch`: the journal of a world, live, in a process of its own that ends with Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.server import ROOT, Server

from .command import check_wrong_use, environment
from .conftest import START, World
from .fakes import Asked, Fake, Reply, example, replied

LINE: dict[str, Any] = json.loads(example("GET", "/worlds/demo/requests").body)["requests"][0]
LIMIT = 20.0


class Watching:
    """A running `mockbill worlds watch`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, how: int | None = signal.SIGINT) -> tuple[int, str, str]:
        """Exit code, and what was still written."""
        if how is not None:
            self.process.send_signal(how)
        out, errors = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, out, errors


@contextmanager
def watching(url: str, *arguments: str) -> Iterator[Watching]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "worlds", "watch", *arguments],
        cwd=ROOT,
        env=environment({"MOCKBILL_URL": url}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Watching(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT)


class Scripted(Fake):
    """Answers the journal's polls one by one, and from then on with the last."""

    def __init__(self, *journals: tuple[int, list[int]]) -> None:
        super().__init__()
        self.journals = [
            replied(
                {
                    "matched": len(numbers),
                    "cursor": cursor,
                    "answered": cursor,
                    "dropped": 0,
                    "requests": [{**LINE, "number": number} for number in reversed(numbers)],
                }
            )
            for cursor, numbers in journals
        ]

    def wait_for(self, polls: int) -> None:
        """Until it was asked so often."""
        for _ in range(1_000):
            if len(self.asked) >= polls:
                return
            time.sleep(0.01)
        raise AssertionError(self.asked)

    def reply(self, asked: Asked) -> Reply:
        super().reply(asked)
        return self.journals.pop(0) if len(self.journals) > 1 else self.journals[0]


def test_what_was_and_what_comes_is_printed_until_ctrl_c(world: World) -> None:
    for n in range(12):
        world.call("GET", f"/status?n={n}")
    with watching(world.url, world.name) as watched:
        assert [watched.line().split()[1] for _ in range(10)] == [str(n) for n in range(3, 13)]
        world.zone()
        line = watched.line()
        assert line.startswith(f"{START}     13  create_zone  ")
        assert line.endswith("  200\n")
        world.call("GET", "/nothing")
        assert "404  " in watched.line()
        assert watched.end() == (0, "", "")


def test_a_journal_that_begins_anew_is_followed(world: World) -> None:
    for name in ("Attic", "Cellar", "Roof"):
        world.zone(name)
    with watching(world.url, world.name) as watched:
        assert [watched.line().split()[1] for _ in range(3)] == ["1", "2", "3"]
        world.said("worlds", "reset", world.name)
        world.zone()
        assert watched.line().split()[1] == "1"
        world.said("requests", "clear")
        world.zone("Cellar")
        assert watched.line().split()[1] == "2"
        assert watched.end() == (0, "", "")


def test_only_some_are_watched_and_as_json(world: World) -> None:
    world.said("faults", "add", "--when", "after", "--do", "truncate", "--operation", "create_zone", "--id", "cut")
    with watching(world.url, world.name, "--fault", "cut", "--json") as watched:
        world.call("GET", "/status")
        with pytest.raises(AssertionError):
            world.zone()
        entry = json.loads(watched.line())
        assert (entry["number"], entry["faults"], entry["delivery"]) == (2, ["cut"], "truncated")
        assert watched.end() == (0, "", "")
    with watching(world.url, world.name, "--status", "2xx", "--operation", "create_zone") as watched:
        assert watched.line().rstrip().endswith("fault cut; answer truncated")
        assert watched.end() == (0, "", "")


def test_a_world_that_goes_away_ends_it(world: World) -> None:
    world.zone()
    with watching(world.url, world.name) as watched:
        watched.line()
        world.said("worlds", "delete", world.name)
        code, out, errors = watched.end(None)
    assert (code, out) == (2, "")
    assert errors.startswith(f"mockbill: There is no world '{world.name}'")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_goes_away_ends_it(how: int) -> None:
    with Server() as server:
        world = World(server, "demo")
        world.zone()
        with watching(server.url) as watched:
            watched.line()
            server.stop(how)
            code, out, errors = watched.end(None)
    assert (code, out) == (3, "")
    assert f" at {server.url}" in errors, "it may still say that it is stopping, or be gone already"
    assert "mockbill serve" in errors
    assert errors.count("\n") == 1


def test_it_asks_for_what_came_since() -> None:
    with Scripted((3, [2, 3]), (5, [4, 5]), (5, [])) as fake, watching(fake.url, "demo", "--problem", "x") as watched:
        assert [watched.line().split()[1] for _ in range(4)] == ["2", "3", "4", "5"]
        fake.wait_for(4)
        assert watched.end() == (0, "", "")
        first, *later = [asked.query for asked in fake.asked]
    assert first == {"problem": "x", "limit": "10"}
    assert [query["since"] for query in later[:3]] == ["3", "5", "5"]
    assert {query["problem"] for query in later} == {"x"}
    assert {int(query["wait"]) for query in later} <= set(range(1, 61))


def test_a_cursor_that_went_back_is_a_journal_that_began_anew() -> None:
    with Scripted((9, [9]), (2, []), (2, [1, 2]), (2, [])) as fake, watching(fake.url) as watched:
        assert [watched.line().split()[1] for _ in range(3)] == ["9", "1", "2"]
        fake.wait_for(4)
        assert watched.end() == (0, "", "")
        assert [asked.query.get("since") for asked in fake.asked[:4]] == [None, "9", "0", "2"]


def test_a_mock_that_does_not_wait_is_not_asked_without_a_break() -> None:
    with Scripted((1, [1]), (1, [])) as fake, watching(fake.url) as watched:
        watched.line()
        with pytest.raises(subprocess.TimeoutExpired):
            watched.process.wait(1.0)
        assert watched.end() == (0, "", "")
        assert len(fake.asked) <= 8


def test_nobody_reads_along_any_more(world: World) -> None:
    world.zone()
    with watching(world.url, world.name) as watched:
        watched.line()
        assert watched.process.stdout is not None
        watched.process.stdout.close()
        world.zone("Cellar")
        watched.process.wait(LIMIT)
        assert watched.process.stderr is not None
        assert watched.process.stderr.read() == ""


def test_what_stands_in_a_line() -> None:
    entry = {**LINE, "why": "a\x1b[31m\nb", "faults": ["lost", "late"], "delivery": "client_gone", "operation": None}
    answer = {"matched": 1, "cursor": 3, "answered": 3, "dropped": 0, "requests": [entry]}
    with Fake({"GET /worlds/demo/requests": [replied(answer)]}) as fake, watching(fake.url) as watched:
        line = watched.line()
        assert watched.end()[0] == 0
    assert line == (
        f"{START}      3  {'POST /api/v1/zones':<36}  429  a\\x1b[31m\\nb; fault lost, late; answer client gone\n"
    )


def test_filters_that_are_none_end_it(world: World) -> None:
    check_wrong_use(world.run("worlds", "watch", world.name, "--status", "6xx"), "status")
