"""What is ahead of a world: told beforehand as it then happens, and nothing happens by looking."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock

from .acting import ACTS, do
from .client import ACME, WALL, Client, World
from .resource_recipes import stock, stock_without
from .watching import make_zone, new_world, world_of

DURATIONS = st.sampled_from(["PT0S", "PT1M", "PT1H", "P1D", "P20D", "P2M", "P1Y", "P3Y"])
TOLD = ("at", "api", "job", "key", "outcome")


def agenda(world: World, query: str = "limit=1000") -> Any:
    answer = world.control("GET", "/clock/agenda", query=query.encode())
    assert answer.status == 200, answer.body
    return answer.json


def told(items: Any) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in TOLD) for each in items]


def assert_comes_true(world: World, duration: str) -> None:
    foreseen = agenda(world, f"limit=1000&within={duration}")
    moved = world.advance(duration)
    assert told(foreseen["items"]) == told(moved["timeline"])
    assert foreseen["ahead"] == moved["fell_due"]
    assert foreseen["until"] == moved["now"]
    assert foreseen["cut"] == (moved["fell_due"] > 1_000)


@settings(max_examples=50)
@given(st.lists(ACTS, max_size=6), st.lists(DURATIONS, min_size=1, max_size=3))
def test_what_is_foreseen_within_a_time_is_what_an_advance_then_does(acts: list[Any], durations: list[str]) -> None:
    _, world = new_world()
    for act in acts:
        do(world, act)
    for duration in durations:
        assert_comes_true(world, duration)


@pytest.mark.parametrize("scenario", ["demo", "over-capacity", "generated", "empty"])
@pytest.mark.parametrize("duration", ["P1M", "P2Y"])
def test_in_every_scenario(mock: Mock, scenario: str, duration: str) -> None:
    world = world_of(mock, "other", scenario=scenario)
    assert_comes_true(world, duration)


@settings(max_examples=40)
@given(st.lists(ACTS, max_size=6))
def test_of_all_that_is_scheduled_the_first_comes_true_with_the_next_step(acts: list[Any]) -> None:
    _, world = new_world()
    stock_without("zone")(world)
    for act in acts:
        do(world, act)
    listed = agenda(world)
    assert listed["until"] is None
    assert listed["ahead"] == len(listed["items"]) == world.control("GET", "").json["scheduled"]
    assert [each["at"] for each in listed["items"]] == sorted(each["at"] for each in listed["items"])
    if listed["items"]:
        moved = world.control("POST", "/clock", json={"step": True}).json
        together = [each for each in listed["items"] if each["at"] == moved["now"]]
        assert told(together[:1]) == told(moved["timeline"][:1])
        assert moved["now"] == listed["items"][0]["at"]
    else:
        assert world.control("POST", "/clock", json={"step": True}).code == "nothing_due"


@settings(max_examples=30)
@given(st.lists(ACTS, max_size=5), DURATIONS, st.integers(0, 5))
def test_nothing_changes_by_looking(acts: list[Any], duration: str, limit: int) -> None:
    mock, world = new_world()
    for act in acts:
        do(world, act)
    inside = mock.worlds.get("still")
    assert inside is not None
    state = inside.state
    for query in ("", f"within={duration}", f"within={duration}&limit={limit}"):
        assert agenda(world, query) == agenda(world, query)
    assert inside.state is state


class TestItems:
    @pytest.fixture
    def busy(self, world: World) -> World:
        """With an override that ends, a zone that will be purged, and a script that runs."""
        stock(world)
        zone = make_zone(world, "Gone").json["id"]
        world.call("DELETE", f"/zones/{zone}")
        override = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
        override["expires_at"] = "2024-03-05T00:00:00Z"
        assert world.call("POST", "/admin/quota_overrides", "demo-operator", json=override).status == 200
        return world

    def test_each_says_why_it_is_there_and_how_far_away(self, busy: World) -> None:
        items = agenda(busy)["items"]
        assert len({each["job"] for each in items}) >= 3
        for each in items:
            assert each["cause"].strip()
            assert each["outcome"].strip()
            assert each["in"].startswith("P")
        (override,) = (each for each in items if each["at"] == "2024-03-05T00:00:00Z")
        assert override["in"] == "P5D"
        assert "Acme Doors" in override["cause"]

    @pytest.mark.parametrize("limit", [0, 1, 2, 1_000])
    def test_as_many_are_listed_as_are_wanted(self, busy: World, limit: int) -> None:
        for query in (f"limit={limit}", f"limit={limit}&within=P5Y"):
            found = agenda(busy, query)
            assert len(found["items"]) == min(limit, found["ahead"])
            assert found["cut"] == (found["ahead"] > limit)

    def test_no_secret_is_told(self, busy: World) -> None:
        made = busy.call("POST", "/api-keys", json={"name": "ci", "expires_in": "30d"}).json["token"]
        secret = made.rpartition("_openapp_")[2].partition("@")[0]
        assert secret not in busy.control("GET", "/clock/agenda", query=b"within=P5Y").body.decode()

    def test_what_follows_from_the_first_things_is_only_within_a_time(self, busy: World) -> None:
        scheduled = {each["key"] for each in agenda(busy)["items"]}
        played = agenda(busy, "limit=1000&within=P5Y")
        assert {each["key"] for each in played["items"]} >= scheduled
        assert played["ahead"] >= len(scheduled)


def test_a_running_clock_has_its_agenda_too() -> None:
    now = [WALL]
    mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
    demo = World(Client(create_app(mock)), "demo")
    override = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
    override["expires_at"] = "2026-09-21T15:13:20Z"
    demo.call("POST", "/admin/quota_overrides", "demo-operator", json=override)
    now[0] += 1_800_000_000
    (item,) = (each for each in agenda(demo)["items"] if "override" in each["key"])
    assert item["in"] == "PT30M"
    now[0] += 1_800_000_000
    assert not [each for each in agenda(demo)["items"] if "override" in each["key"]]


@pytest.mark.parametrize("within", ["P", "PT", "P1", "-P1D", "P99999999Y", "1D", "P1D%20", "P9999Y"])
def test_what_is_no_time(world: World, within: str) -> None:
    answer = world.control("GET", "/clock/agenda", query=f"within={within}".encode())
    assert answer.status == 400, answer.body
    assert answer.json["message"]
