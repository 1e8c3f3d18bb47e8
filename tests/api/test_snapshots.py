"""Snapshots: a world as it was, any number of times; and what is different, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock
from mock_server.store.snapshots import MOST_SNAPSHOTS

from .acting import ACTS, do, read
from .client import ACME, WALL, Client, World
from .watching import add_fault, faults, make_zone, new_world, numbers, world_of, zones

SECOND = 1_000_000


def take(world: World, name: str | None = None) -> Any:
    answer = world.control("POST", "/snapshots", json={} if name is None else {"id": name})
    assert answer.status == 201, answer.body
    return answer.json


def restore(world: World, name: str) -> Any:
    answer = world.control("POST", f"/snapshots/{name}/restore")
    assert answer.status == 200, answer.body
    return answer.json


def names(world: World) -> list[str]:
    return [each["id"] for each in world.control("GET", "/snapshots").json["snapshots"]]


def difference(world: World, query: str) -> Any:
    answer = world.control("GET", "/diff", query=query.encode())
    assert answer.status == 200, answer.body
    return answer.json


class TestGoingBack:
    @settings(max_examples=30)
    @given(st.lists(ACTS, max_size=5), st.lists(ACTS, max_size=5), st.integers(1, 3))
    def test_the_same_requests_have_the_same_answers_as_often_as_one_goes_back(
        self, before: list[Any], after: list[Any], times: int
    ) -> None:
        _, world = new_world()
        for act in before:
            do(world, act)
        take(world, "s")
        there = read(world)
        first = [do(world, act).body for act in after]
        then = read(world)
        for _ in range(times):
            restore(world, "s")
            assert read(world) == there
            assert [do(world, act).body for act in after] == first
            assert read(world) == then

    @settings(max_examples=20)
    @given(st.lists(ACTS, min_size=1, max_size=6), st.data())
    def test_from_any_to_any_other(self, acts: list[Any], data: st.DataObject) -> None:
        _, world = new_world()
        there: dict[str, Any] = {}
        for n, act in enumerate(acts):
            take(world, f"s-{n}")
            there[f"s-{n}"] = read(world)
            do(world, act)
        for name in data.draw(st.lists(st.sampled_from(sorted(there)), max_size=5)):
            restore(world, name)
            assert read(world) == there[name]
            assert difference(world, f"snapshot={name}")["differences"] == []

    def test_time_goes_back_only_so(self, world: World) -> None:
        take(world, "s")
        world.advance("P40D")
        assert world.control("POST", "/clock", json={"set": "2024-02-29T00:00:00Z"}).code == "clock_goes_back"
        assert restore(world, "s")["clock"] == {"now": "2024-02-29T00:00:00Z", "mode": "frozen"}

    def test_journal_faults_and_snapshots_stay(self, world: World) -> None:
        take(world, "s")
        add_fault(world, id="f", when="before", do="lose", operation="get_status")
        make_zone(world)
        restored = restore(world, "s")
        assert (restored["requests"], restored["faults"], restored["snapshots"]) == (1, 1, 1)
        assert (numbers(world), len(faults(world)), names(world)) == ([1], 1, ["s"])
        assert make_zone(world).headers["x-mock-request"] == "2"

    def test_they_survive_a_reset_and_lead_behind_it(self, world: World) -> None:
        make_zone(world)
        take(world, "s")
        world.control("POST", "/reset")
        assert (zones(world), names(world)) == ([], ["s"])
        restore(world, "s")
        assert zones(world) == ["Attic"]

    def test_they_survive_another_state(self, world: World) -> None:
        make_zone(world)
        take(world, "s")
        kept = world.control("GET", "/state").json
        world.control("POST", "/reset")
        assert world.control("PUT", "/state", json={**kept, "seed": 99}).status == 200
        assert restore(world, "s")["seed"] == 7

    def test_a_fork_has_none_of_them(self, world: World) -> None:
        take(world, "s")
        world.control("POST", "/fork", json={"name": "fork"})
        fork = World(world.client, "fork")
        assert names(fork) == []
        assert fork.control("POST", "/snapshots/s/restore").status == 404

    def test_what_falls_due_falls_due_again(self, world: World) -> None:
        take(world, "s")
        make_zone(world)
        world.call("DELETE", f"/zones/{world.call('GET', '/zones').json['items'][0]['id']}")
        take(world, "deleted")
        timeline = world.advance("P400D")["timeline"]
        assert timeline
        restore(world, "deleted")
        assert world.advance("P400D")["timeline"] == timeline
        restore(world, "s")
        assert not [each for each in world.advance("P400D")["timeline"] if "zone" in each["key"]]


class TestClocks:
    @pytest.fixture
    def now(self) -> list[int]:
        return [WALL]

    @pytest.fixture
    def client(self, now: list[int]) -> Iterator[Client]:
        mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
        yield Client(create_app(mock))
        assert list(mock.breaches) == []

    def test_a_running_clock_goes_on_from_where_it_was(self, client: Client, now: list[int]) -> None:
        made = {"name": "w", "now": "2026-03-01T00:00:00Z", "clock": "running"}
        assert client.request("POST", "/_mock/worlds", json=made).status == 201
        world = World(client, "w")
        now[0] += 60 * SECOND
        assert take(world, "s")["clock"] == {"now": "2026-03-01T00:01:00Z", "mode": "running"}
        now[0] += 3_600 * SECOND
        assert restore(world, "s")["clock"] == {"now": "2026-03-01T00:01:00Z", "mode": "running"}
        now[0] += 5 * SECOND
        assert world.control("GET", "/clock").json["now"] == "2026-03-01T00:01:05Z"

    def test_one_that_follows_the_machine_follows_it_still(self, client: Client, now: list[int]) -> None:
        demo = World(client, "demo")
        take(demo, "s")
        now[0] += 3_600 * SECOND
        assert restore(demo, "s")["clock"] == {"now": "2026-09-21T15:13:20Z", "mode": "running"}

    def test_one_that_stood_stands_again(self, client: Client, now: list[int]) -> None:
        demo = World(client, "demo")
        demo.control("POST", "/clock", json={"mode": "frozen"})
        take(demo, "s")
        demo.control("POST", "/clock", json={"mode": "running"})
        now[0] += 3_600 * SECOND
        assert restore(demo, "s")["clock"] == {"now": "2026-09-21T14:13:20Z", "mode": "frozen"}
        now[0] += 3_600 * SECOND
        assert demo.control("GET", "/clock").json["now"] == "2026-09-21T14:13:20Z"

    def test_when_it_was_taken_is_the_machines_time(self, client: Client, now: list[int]) -> None:
        demo = World(client, "demo")
        demo.advance("P1Y")
        now[0] += 10 * SECOND
        taken = take(demo, "s")
        assert (taken["taken_at"], taken["clock"]["now"]) == ("2026-09-21T14:13:30Z", "2027-09-21T14:13:30Z")

    def test_what_was_due_before_it_was_taken_is_done_in_it(self, client: Client, now: list[int]) -> None:
        demo = World(client, "demo")
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
        expires = {"expires_at": "2026-09-21T15:00:00Z"}
        demo.call("POST", "/admin/quota_overrides", "demo-operator", json={**body, **expires})
        now[0] += 3_600 * SECOND
        take(demo, "s")
        assert demo.control("GET", "").json["scheduled"] == restore(demo, "s")["scheduled"]


class TestNames:
    def test_they_are_given_in_order_and_never_twice(self, world: World) -> None:
        take(world, "snapshot-2")
        assert [take(world)["id"] for _ in range(3)] == ["snapshot-1", "snapshot-3", "snapshot-4"]
        assert world.control("DELETE", "/snapshots/snapshot-4").status == 204
        assert take(world)["id"] == "snapshot-5"
        assert names(world) == ["snapshot-2", "snapshot-1", "snapshot-3", "snapshot-5"]

    def test_one_that_is_there_is_kept(self, world: World) -> None:
        take(world, "s")
        make_zone(world)
        again = world.control("POST", "/snapshots", json={"id": "s"})
        assert (again.status, again.code) == (409, "snapshot_exists")
        restore(world, "s")
        assert zones(world) == []

    @pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a" * 64, "é", None, 5, "a/b"])
    def test_what_is_no_name(self, world: World, name: Any) -> None:
        assert world.control("POST", "/snapshots", json={"id": name}).status == 400

    @pytest.mark.parametrize(("method", "path"), [("DELETE", "/snapshots/no"), ("POST", "/snapshots/no/restore")])
    def test_one_that_is_not_there(self, world: World, method: str, path: str) -> None:
        take(world, "yes")
        answer = world.control(method, path)
        assert (answer.status, answer.code) == (404, "not_found")
        assert "yes" in answer.json["message"]

    def test_there_is_a_most(self, world: World) -> None:
        for _ in range(MOST_SNAPSHOTS):
            take(world)
        answer = world.control("POST", "/snapshots", json={})
        assert (answer.status, answer.code) == (409, "too_many_snapshots")
        world.control("DELETE", "/snapshots/snapshot-1")
        assert take(world)["id"] == f"snapshot-{MOST_SNAPSHOTS + 1}"

    def test_where_to_go_is_in_the_answer(self, world: World) -> None:
        answer = world.control("POST", "/snapshots", json={"id": "s"})
        path = answer.headers["location"].removeprefix("http://127.0.0.1:4010")
        assert world.client.request("DELETE", path).status == 204


class TestDifferences:
    def test_a_world_and_itself(self, world: World) -> None:
        take(world, "s")
        nothing = {"api": "openapp", "lines": [], "differences": [], "cut": False}
        assert difference(world, "snapshot=s") == difference(world, "with=still") == nothing

    def test_what_has_happened_since(self, world: World) -> None:
        take(world, "s")
        make_zone(world)
        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        world.advance("P1D")
        found = difference(world, "snapshot=s")
        assert any("tier free -> pro" in line and line.startswith("Acme Doors: ") for line in found["lines"])
        kinds = {(each["kind"], each["what"]) for each in found["differences"]}
        assert {("zone", "added"), ("clock", "changed")} <= kinds
        (clock,) = (each for each in found["differences"] if each["kind"] == "clock")
        assert clock["fields"]["now"] == {"before": "2024-02-29T00:00:00Z", "after": "2024-03-01T00:00:00Z"}

    @settings(max_examples=25)
    @given(st.lists(ACTS, max_size=5), st.lists(ACTS, max_size=5))
    def test_seen_from_the_other_side_it_is_the_other_way_round(self, here: list[Any], there: list[Any]) -> None:
        _, world = new_world()
        world.control("POST", "/fork", json={"name": "fork"})
        fork = World(world.client, "fork")
        for each, acts in ((world, here), (fork, there)):
            for act in acts:
                do(each, act)
        turned = {"added": "removed", "removed": "added", "changed": "changed"}

        def seen(changes: Any, *, turn: bool) -> list[Any]:
            return sorted(
                (each["org"] or "", each["kind"], turned[each["what"]] if turn else each["what"]) for each in changes
            )

        one, other = difference(world, "with=fork"), difference(fork, "with=still")
        assert seen(one["differences"], turn=False) == seen(other["differences"], turn=True)
        assert (one["differences"] == []) == (one["lines"] == [])
        for each in one["differences"]:
            assert each["text"]
            if each["what"] == "changed":
                assert each["fields"], each

    def test_two_worlds_of_one_machine_show_the_same_time(self) -> None:
        """However long it takes to look from the one to the other."""
        ticks = count(WALL, 1_000)
        mock = create_mock(wall=lambda: next(ticks), fresh_seed=lambda: 7)
        demo = World(Client(create_app(mock)), "demo")
        assert demo.control("POST", "/fork", json={"name": "fork"}).status == 201
        assert difference(demo, "with=fork")["differences"] == []

    def test_looking_changes_nothing(self, mock: Mock, world: World) -> None:
        take(world, "s")
        make_zone(world)
        world_of(mock, "other")
        states = [each.state for each in mock.worlds]
        difference(world, "snapshot=s")
        difference(world, "with=other")
        assert all(one is other.state for one, other in zip(states, mock.worlds, strict=True))

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ("", 400, "invalid_request"),
            ("with=demo&snapshot=s", 400, "invalid_request"),
            ("with=nowhere", 404, "unknown_world"),
            ("snapshot=no", 404, "not_found"),
            ("with=demo&api=nothing", 400, "unknown_api"),
            ("with=A", 400, "invalid_request"),
        ],
    )
    def test_what_cannot_be_compared(self, world: World, query: str, status: int, code: str) -> None:
        take(world, "s")
        answer = world.control("GET", "/diff", query=query.encode())
        assert (answer.status, answer.code) == (status, code)

    def test_worlds_that_have_nothing_in_common(self, mock: Mock, world: World) -> None:
        world_of(mock, "generated", scenario="generated")
        found = difference(world, "with=generated")
        assert (len(found["differences"]), found["cut"]) == (1_000, True)
        assert {line.partition(":")[0] for line in found["lines"]} >= {"Acme Doors", "Globex Gates"}
