"""Worlds in files: what is saved is a scenario, and the world that is made of it goes on as the saved one would have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import APIS, create_app, create_mock
from mock_server.fixtures import FixtureError
from mock_server.http.mock import Mock
from mock_server.saves import saved_world
from mock_server.scenarios import initial_state, read_scenario

from .acting import ACTS, do, read
from .client import ACME, WALL, Client, World
from .resource_recipes import stock
from .test_worlds import leaf_paths, leaves
from .watching import NOW, make_zone, new_world, zones

HOUR = 3_600_000_000


def saved(mock: Mock, name: str = "still") -> dict[str, Any]:
    world = mock.worlds.get(name)
    assert world is not None
    now = mock.now_in(world)
    return saved_world(world.scenario, world.state, mock.apis, now)


def written(document: Any, folder: Path, *, ascii_only: bool = False) -> str:
    path = folder / "saved.json"
    path.write_text(json.dumps(document, ensure_ascii=ascii_only, indent=2), encoding="utf-8")
    return str(path)


def loaded(file: str, wall: int = WALL, **more: Any) -> tuple[Mock, World]:
    """The world of a file, in another process's mock."""
    mock = create_mock(wall=lambda: wall, fresh_seed=lambda: 1)
    mock.create_world("again", file, **more)
    return mock, World(Client(create_app(mock)), "again")


def of_another_name(answers: list[Any]) -> list[Any]:
    """A token names its world."""
    return [each.replace(b"@again", b"@still") if isinstance(each, bytes) else each for each in answers]


class TestRoundTrip:
    @settings(max_examples=40)
    @given(st.lists(ACTS, max_size=6), st.lists(ACTS, max_size=4), st.booleans())
    def test_it_goes_on_as_the_saved_one_would_have(
        self, tmp_path_factory: pytest.TempPathFactory, before: list[Any], after: list[Any], ascii_only: bool
    ) -> None:
        mock, world = new_world()
        for act in before:
            do(world, act)
        file = written(saved(mock), tmp_path_factory.mktemp("saved"), ascii_only=ascii_only)
        _, again = loaded(file)
        assert of_another_name(read(again)) == read(world)
        answers = [do(again, act).body for act in after]
        assert of_another_name(answers) == [do(world, act).body for act in after]
        assert of_another_name(read(again)) == read(world)

    def test_saved_once_more_it_is_the_same_file_but_for_its_scenario(self, tmp_path: Path) -> None:
        mock, world = new_world()
        stock(world)
        document = saved(mock)
        again, _ = loaded(written(document, tmp_path))
        assert saved(again, "again")["states"] == document["states"]

    def test_the_export_of_a_journal_can_be_loaded(self, tmp_path: Path) -> None:
        _, world = new_world()
        make_zone(world, "Before")
        cursor = world.control("GET", "/requests").json["cursor"]
        make_zone(world, "After")
        exported = world.control("GET", "/requests/export", query=f"format=scenario&since={cursor}".encode())
        path = tmp_path / "exported.json"
        path.write_bytes(exported.body)
        _, again = loaded(str(path))
        assert zones(again) == ["Before"]
        made = make_zone(again, "After").body
        assert [json.loads(made)["id"]] == [
            each["id"] for each in world.call("GET", "/zones").json["items"] if each["name"]["en"] == "After"
        ]

    @pytest.mark.parametrize(
        "name",
        [
            "a\u2028b",
            "a\u2029b",
            "a\x85b",
            "a\x7fb",
            "\x80",
            "\ufeffx",
            "\U0001f600",
            "\ufffe",
            "a\tb",
            "# no",
            "- x",
            "*x",
        ],
    )
    @pytest.mark.parametrize("ascii_only", [False, True])
    def test_every_letter_comes_back(self, tmp_path: Path, name: str, ascii_only: bool) -> None:
        mock, world = new_world()
        assert make_zone(world, name).status == 200
        _, again = loaded(written(saved(mock), tmp_path, ascii_only=ascii_only))
        assert zones(again) == zones(world)

    @pytest.mark.parametrize("number", [1e-05, 1e16, 1.5e300, -0.0, 0.1, 2**53, 12345678901234567890])
    def test_every_number_comes_back(self, tmp_path: Path, number: float) -> None:
        mock, world = new_world()
        body = {"org_id": ACME, "provider_type": "mqtt", "config": {"keepalive": number}}
        assert world.call("POST", "/integrations", json=body).status == 200
        _, again = loaded(written(saved(mock), tmp_path))
        assert again.call("GET", "/integrations").body == world.call("GET", "/integrations").body

    def test_what_is_to_come_what_is_remembered_and_what_is_owed_comes_along(self, tmp_path: Path) -> None:
        mock, world = new_world()
        entity = stock(world)["entity"]
        once = {"idempotency-key": "once"}
        world.call("POST", f"/entities/{entity}/actions/switchable.open", json={}, headers=once)
        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        document = saved(mock)
        (state,) = document["states"]
        assert state["agenda"]
        assert state["memory"]
        assert state["outbox"]["happenings"]
        other, again = loaded(written(document, tmp_path))
        inside, outside = mock.worlds.get("still"), other.worlds.get("again")
        assert inside is not None
        assert outside is not None
        assert outside.state.agenda == inside.state.agenda
        assert outside.state.memory == inside.state.memory
        assert list(outside.state.outbox.happenings) == list(inside.state.outbox.happenings)
        repeated = again.call("POST", f"/entities/{entity}/actions/switchable.open", json={}, headers=once)
        assert repeated.body.endswith(b'eplay":true}')
        assert again.advance("P1D")["timeline"] == world.advance("P1D")["timeline"]

    def test_a_reset_leads_back_to_what_was_saved(self, tmp_path: Path) -> None:
        mock, world = new_world()
        make_zone(world)
        _, again = loaded(written(saved(mock), tmp_path))
        there = read(again)
        make_zone(again, "More")
        again.advance("P1M")
        again.control("POST", "/reset")
        assert read(again) == there

    def test_a_world_of_many_organizations_is_read_in_no_time(self, tmp_path: Path) -> None:
        """Files of saved worlds are written by machines, and grow with the world."""
        mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
        mock.create_world("large", "generated", seed=7, now=NOW, options={"orgs": 200})
        again, _ = loaded(written(saved(mock, "large"), tmp_path))
        assert saved(again, "again")["states"] == saved(mock, "large")["states"]


class TestTime:
    def test_it_stands_where_it_stood(self, tmp_path: Path) -> None:
        mock, world = new_world()
        world.advance("P10D")
        _, again = loaded(written(saved(mock), tmp_path), WALL + HOUR)
        assert again.control("GET", "/clock").json == {"now": "2024-03-10T00:00:00Z", "mode": "frozen"}

    def test_it_runs_on_from_where_it_was(self, tmp_path: Path) -> None:
        mock, _ = new_world()
        _, again = loaded(written(saved(mock, "demo"), tmp_path), WALL + HOUR)
        assert again.control("GET", "/clock").json == {"now": "2026-09-21T14:13:20Z", "mode": "running"}

    @pytest.mark.parametrize(("clock", "mode"), [(None, "frozen"), ("frozen", "frozen"), ("running", "running")])
    def test_it_can_be_begun_later_and_what_was_due_until_then_is_done(
        self, tmp_path: Path, clock: str | None, mode: str
    ) -> None:
        mock, world = new_world()
        stock(world)
        file = written(saved(mock), tmp_path)
        _, again = loaded(file, now=NOW + 24 * HOUR, clock=clock)
        world.advance("PT24H")
        assert again.control("GET", "/clock").json == {"now": "2024-03-01T00:00:00Z", "mode": mode}
        assert again.call("GET", "/scripting/executions").body == world.call("GET", "/scripting/executions").body
        assert (
            again.control("GET", "/clock/agenda").json["items"] == world.control("GET", "/clock/agenda").json["items"]
        )

    def test_it_cannot_be_begun_earlier(self, tmp_path: Path) -> None:
        mock, _ = new_world()
        file = written(saved(mock), tmp_path)
        with pytest.raises(FixtureError, match="2024-02-29T00:00:00Z"):
            loaded(file, now=NOW - 1)

    def test_over_the_control_api_it_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        mock, world = new_world()
        file = written(saved(mock), tmp_path)
        body = {"name": "early", "scenario": file, "now": "2001-01-01T00:00:00Z"}
        answer = world.client.request("POST", "/_mock/worlds", json=body)
        if answer.code == "invalid_request":
            return  # files of the server cannot be named from outside
        assert (answer.status, answer.code) == (400, "invalid_scenario")
        assert "does not go back" in answer.json["message"]

    def test_another_seed_may_be_given(self, tmp_path: Path) -> None:
        mock, _ = new_world()
        file = written(saved(mock), tmp_path)
        assert loaded(file)[1].control("GET", "").json["seed"] == 7
        assert loaded(file, seed=11)[1].control("GET", "").json["seed"] == 11


GARBAGE = [
    {"mockbill_save": 2, "scenario": "demo", "states": []},
    {"mockbill_save": 1, "scenario": "demo", "states": [{"mockbill_state": 2}]},
    {"mockbill_save": 1, "scenario": "demo", "states": 5},
    {"mockbill_save": 1, "scenario": "demo", "states": {"openapp": 1}},
    {"mockbill_save": 1, "scenario": "demo", "states": [5]},
    {"mockbill_save": 1, "scenario": "demo", "states": "states"},
    {"mockbill_save": 1, "scenario": "demo", "states": True},
    {"mockbill_save": 1, "scenario": 5, "states": []},
    {"mockbill_save": 1, "states": []},
    {"mockbill_save": "1", "scenario": "demo", "states": []},
    {"mockbill_save": None},
    {"mockbill_save": 0, "scenario": "demo", "states": []},
    {"mockbill_save": -1, "scenario": "demo", "states": []},
    {"mockbill_save": 1.5, "scenario": "demo", "states": []},
    {"mockbill_save": True, "scenario": "demo", "states": []},
    {"mockbill_save": 1, "scenario": "demo", "states": [], "more": 1},
    [],
    5,
    None,
    "mockbill_save",
]


class TestRefused:
    @pytest.mark.parametrize("document", GARBAGE, ids=json.dumps)
    def test_garbage(self, tmp_path: Path, document: Any) -> None:
        with pytest.raises(FixtureError, match=r"saved\.json"):
            loaded(written(document, tmp_path))

    @pytest.mark.parametrize("at", ["mockbill_save", "mockbill_state"])
    def test_a_newer_format_says_that_it_is_newer(self, tmp_path: Path, at: str) -> None:
        mock, _ = new_world()
        document = saved(mock)
        (document if at == "mockbill_save" else document["states"][0])[at] = 9
        with pytest.raises(FixtureError, match=rf"{at} is 9.*newer"):
            loaded(written(document, tmp_path))

    @pytest.mark.parametrize(
        "text", ["", "{", "[1,", '{"mockbill_save": 1', '{"a":1,"a":2}', "\x00", "nonsense: [", "--- x"]
    )
    def test_what_is_no_document(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "saved.json"
        path.write_text(text)
        with pytest.raises(FixtureError):
            loaded(str(path))

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FixtureError):
            read_scenario(str(tmp_path / "none.json"))

    def test_an_api_that_is_not_served(self, tmp_path: Path) -> None:
        mock, _ = new_world()
        document = saved(mock)
        document["states"][0]["api"] = "nothing"
        with pytest.raises(FixtureError, match="nothing"):
            loaded(written(document, tmp_path))

    def test_the_same_api_twice(self, tmp_path: Path) -> None:
        mock, _ = new_world()
        document = saved(mock)
        document["states"] *= 2
        with pytest.raises(FixtureError):
            loaded(written(document, tmp_path))

    @settings(max_examples=150)
    @given(st.data())
    def test_with_any_leaf_changed_it_is_refused_or_served(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        mock, world = new_world()
        make_zone(world)
        document = saved(mock)
        path = data.draw(st.sampled_from(leaf_paths(document)))
        node: Any = document
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = data.draw(leaves.filter(lambda each: not isinstance(each, str) or each.isprintable()))
        try:
            again, other = loaded(written(document, tmp_path_factory.mktemp("saved")))
        except FixtureError:
            return
        for each in ("", "/state", "/clock/agenda", "/credentials"):
            assert other.control("GET", each).status == 200
        read(other)
        assert list(again.breaches) == []


def test_a_scenario_that_was_saved_knows_what_it_was(tmp_path: Path) -> None:
    mock, _ = new_world()
    scenario = read_scenario(written(saved(mock), tmp_path))
    assert scenario.saved is not None
    assert scenario.saved.scenario == "demo"
    state = initial_state(scenario, APIS, 7, WALL)
    inside = mock.worlds.get("still")
    assert inside is not None
    assert state.apis["openapp"] == inside.state.apis["openapp"]
