"""Worlds over the control API: isolation, time, settings, state that can be kept and put back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Mock, Options

from .client import ACME, WALL, Client, World
from .recipes import OPENAPP

FORK = {"name": "fork"}


def upgrade(world: World, tier: str = "pro") -> None:
    assert world.billing("POST", "checkout", json={"tier_slug": tier}).status == 200


def tier(world: World) -> str:
    slug: str = world.billing("GET", "plan").json["tier_id"]
    return slug


def test_a_world_created_with_now_stands_still(client: Client) -> None:
    made = client.request("POST", "/_mock/worlds", json={"name": "w", "now": "2026-03-01T00:00:00Z", "seed": 3})
    assert made.status == 201
    assert made.json["clock"] == {"now": "2026-03-01T00:00:00Z", "mode": "frozen"}
    assert made.json["seed"] == 3
    assert made.headers["location"] == "http://127.0.0.1:4010/_mock/worlds/w"


def test_the_demo_world_runs_with_the_machine(client: Client) -> None:
    assert client.request("GET", "/_mock/worlds/demo/clock").json == {"now": "2026-09-21T14:13:20Z", "mode": "running"}


def test_a_fork_goes_its_own_way(client: Client, world: World) -> None:
    upgrade(world, "starter")
    assert world.control("POST", "/fork", json=FORK).status == 201
    fork = World(client, "fork")
    upgrade(fork, "pro")
    upgrade(world, "business")
    assert (tier(world), tier(fork)) == ("business", "pro")


def test_a_reset_is_exact(mock: Mock, world: World) -> None:
    held = mock.worlds.get("still")
    assert held is not None
    first = held.state
    upgrade(world)
    world.advance("P40D")
    assert world.control("POST", "/reset").json["requests"] == 0
    assert held.state is first
    assert tier(world) == "free"


def test_a_reset_brings_back_the_time_of_a_running_world() -> None:
    now = [WALL]
    mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
    client = Client(create_app(mock))
    made = {"name": "w", "now": "2026-03-01T00:00:00Z", "clock": "running"}
    assert client.request("POST", "/_mock/worlds", json=made).status == 201
    now[0] += 3_600_000_000
    assert client.request("GET", "/_mock/worlds/w/clock").json["now"] == "2026-03-01T01:00:00Z"
    assert client.request("POST", "/_mock/worlds/w/reset").json["clock"]["now"] == "2026-03-01T00:00:00Z"
    now[0] += 60_000_000
    assert client.request("GET", "/_mock/worlds/w/clock").json["now"] == "2026-03-01T00:01:00Z"


def test_time_does_not_go_back_with_the_machine() -> None:
    now = [WALL]
    mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
    client = Client(create_app(mock))
    seen = []
    for step in (0, 60_000_000, -30_000_000, 10_000_000):
        now[0] += step
        seen.append(client.request("GET", "/_mock/worlds/demo/clock").json["now"])
    assert seen == sorted(seen)


def test_listing_worlds_is_not_using_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.store.worlds.MOST_WORLDS", 3)
    ticks = iter(range(WALL, WALL + 1_000_000))
    mock = create_mock(Options(auto_worlds=True), wall=lambda: next(ticks), fresh_seed=lambda: 7)
    client = Client(create_app(mock))
    for name in ("one", "two", "one"):
        client.request("GET", f"/w/{name}/api/v1/plans")
    client.request("GET", "/_mock/worlds")
    client.request("GET", "/w/three/api/v1/plans")
    assert [each.name for each in mock.worlds] == ["demo", "one", "three"]


def test_a_deleted_world_is_gone(client: Client, world: World) -> None:
    assert world.control("DELETE").status == 204
    assert world.billing("GET", "plan").status == 404
    assert [each["name"] for each in client.request("GET", "/_mock/worlds").json["worlds"]] == ["demo"]


class TestClock:
    @pytest.mark.parametrize(
        ("body", "now"),
        [
            ({"advance": "P1D"}, "2024-03-01T00:00:00Z"),
            ({"advance": "P1M"}, "2024-03-29T00:00:00Z"),
            ({"advance": "PT0S"}, "2024-02-29T00:00:00Z"),
            ({"set": "2030-01-01T00:00:00+01:00"}, "2029-12-31T23:00:00Z"),
            ({"mode": "frozen"}, "2024-02-29T00:00:00Z"),
        ],
    )
    def test_it_moves(self, world: World, body: dict[str, str], now: str) -> None:
        moved = world.control("POST", "/clock", json=body).json
        assert (moved["now"], moved["mode"]) == (now, "frozen")
        assert world.control("GET", "/clock").json == {"now": now, "mode": "frozen"}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"set": "2024-02-28T23:59:59Z"}, "clock_goes_back"),
            ({"step": True}, "nothing_due"),
        ],
    )
    def test_it_does_not_go_back_nor_to_nowhere(self, world: World, body: dict[str, Any], code: str) -> None:
        answer = world.control("POST", "/clock", json=body)
        assert (answer.status, answer.code) == (409, code)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"advance": "P1D", "set": "2030-01-01T00:00:00Z"},
            {"advance": "P"},
            {"advance": "PT"},
            {"advance": "-P1D"},
            {"advance": "P99999999Y"},
            {"set": "2030-01-01"},
            {"set": "9999-12-31T23:59:59Z"},
            {"step": False},
            {"mode": "sideways"},
            {"back": "P1D"},
        ],
    )
    def test_what_is_no_move(self, world: World, body: dict[str, Any]) -> None:
        assert world.control("POST", "/clock", json=body).status == 400

    def test_a_step_leads_to_what_falls_due_next(self, world: World) -> None:
        override = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
        for key, day in (("devices", "2024-03-05"), ("zones", "2024-03-03")):
            body = {**override, "quota_key": key, "expires_at": f"{day}T00:00:00Z"}
            assert world.call("POST", "/admin/quota_overrides", "demo-operator", json=body).status == 200
        seen = [world.control("POST", "/clock", json={"step": True}).json["now"] for _ in range(2)]
        assert seen == ["2024-03-03T00:00:00Z", "2024-03-05T00:00:00Z"]

    def test_a_running_clock_runs_and_stops(self) -> None:
        now = [WALL]
        mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
        demo = World(Client(create_app(mock)), "demo")
        now[0] += 90_000_000
        assert demo.control("GET", "/clock").json["now"] == "2026-09-21T14:14:50Z"
        assert demo.control("POST", "/clock", json={"mode": "frozen"}).json["now"] == "2026-09-21T14:14:50Z"
        now[0] += 90_000_000
        assert demo.control("GET", "/clock").json["now"] == "2026-09-21T14:14:50Z"
        assert demo.control("POST", "/clock", json={"mode": "running"}).json["mode"] == "running"
        now[0] += 90_000_000
        assert demo.control("GET", "/clock").json["now"] == "2026-09-21T14:16:20Z"

    def test_what_was_due_is_settled_before_a_request_is_answered(self) -> None:
        now = [WALL]
        mock = create_mock(wall=lambda: now[0], fresh_seed=lambda: 7)
        demo = World(Client(create_app(mock)), "demo")
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
        demo.call(
            "POST", "/admin/quota_overrides", "demo-operator", json={**body, "expires_at": "2026-09-21T15:00:00Z"}
        )
        now[0] += 3_600_000_000
        demo.billing("GET", "plan")
        (happening,) = mock.worlds.get("demo").state.outbox.happenings  # type: ignore[union-attr]
        assert (happening.topic, happening.subject) == ("override.expired", ACME)


def due(job: str, key: str = "openapp/k", at: str = "2001-01-01T00:00:00Z") -> dict[str, Any]:
    return {"at": at, "number": 1, "key": key, "job": job, "args": {}}


HAPPENING = {"number": 1, "at": "2030-01-01T00:00:00Z", "topic": "t", "subject": "s", "data": {}}
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=600),
    st.just([]),
    st.just({}),
    st.floats(allow_nan=False, allow_infinity=False),
)


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [found for key, each in value.items() for found in leaf_paths(each, (*path, key))]
    if isinstance(value, list) and value:
        return [found for n, each in enumerate(value) for found in leaf_paths(each, (*path, n))]
    return [path]


@settings(max_examples=150)
@given(st.data())
def test_a_state_with_any_leaf_changed_is_refused_or_served(data: st.DataObject) -> None:
    mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
    mock.create_world("still", "demo", seed=7, now=WALL)
    world = World(Client(create_app(mock)), "still")
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
    world.call("POST", "/admin/quota_overrides", "demo-operator", json={**body, "expires_at": "2030-01-01T00:00:00Z"})
    kept = world.control("GET", "/state").json
    path = data.draw(st.sampled_from(leaf_paths(kept)))
    node = kept
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = data.draw(leaves)
    before = mock.worlds.get("still").state  # type: ignore[union-attr]
    status = world.control("PUT", "/state", json=kept).status
    assert status in (200, 400)
    if status == 400:
        assert mock.worlds.get("still").state is before  # type: ignore[union-attr]
    world.control("POST", "/clock", json={"advance": "P9Y"})
    reads = ("", "/state", "/credentials", "/settings", "/clock")
    answers = [world.control("GET", path) for path in reads] + [world.call("GET", "/plans")]
    answers += [world.billing("GET", path, "demo-operator") for path in ("plan", "usage", "upgrade-options")]
    answers.append(world.call("GET", "/admin/quota_overrides", "demo-operator"))
    assert [answer.status for answer in answers if answer.status >= 500] == []
    assert list(mock.breaches) == []


class TestState:
    def test_put_back_it_is_the_same_world(self, client: Client, world: World) -> None:
        upgrade(world)
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
        expires = {"expires_at": "2024-03-05T00:00:00Z"}
        world.call("POST", "/admin/quota_overrides", "demo-operator", json={**body, **expires})
        kept = world.control("GET", "/state").json
        client.request("POST", "/_mock/worlds", json={"name": "other"})
        other = World(client, "other")
        assert other.control("PUT", "/state", json=kept).status == 200
        assert other.control("GET", "/state").json == kept
        for each in (world, other):
            each.advance("P10D")
        assert other.control("GET", "/state").json == world.control("GET", "/state").json
        assert other.billing("GET", "usage").json == world.billing("GET", "usage").json

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"domain": {}}, "tiers"),
            (
                {"domain": {"tiers": [], "settings": {}, "orgs": [], "credentials": [], "webhook_secrets": {}}},
                "default",
            ),
            ({"clock": {"now": "9999-12-31T23:59:59Z", "mode": "frozen"}}, "1970"),
            ({"agenda": [due("nothing")]}, "job"),
            ({"api": "nothing"}, "nothing"),
            ({"agenda": [due("override_expires", key="elsewhere/1")]}, "elsewhere"),
            ({"agenda": [due("override_expires"), due("override_expires")]}, "same key"),
            ({"outbox": {"next": 1, "dropped": 0, "happenings": [HAPPENING]}}, "outbox"),
            ({"mockbill_state": 2}, "mockbill_state"),
        ],
    )
    def test_what_does_not_fit_is_refused_and_changes_nothing(
        self, mock: Mock, world: World, changes: dict[str, Any], reason: str
    ) -> None:
        kept = world.control("GET", "/state").json
        before = mock.worlds.get("still").state  # type: ignore[union-attr]
        answer = world.control("PUT", "/state", json={**kept, **changes})
        assert answer.status == 400
        assert reason in answer.json["message"]
        assert mock.worlds.get("still").state is before  # type: ignore[union-attr]


def test_settings_are_checked(world: World) -> None:
    for wrong in ({"checkout": "later"}, {"colour": "red"}, {"webhook_tolerance_s": -1}, {"portal": None}):
        answer = world.control("PATCH", "/settings", json=wrong)
        assert (answer.status, answer.code) == (400, "invalid_settings")
    assert world.control("GET", "/settings").json["settings"]["checkout"] == "instant"


SCRIPT = """
import sys
from mock_server.app import create_app, create_mock
from tests.api.client import WALL, Client, World
from tests.api.recipes import OPENAPP
mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
mock.create_world("still", "demo", seed=7, now=1_709_164_800_000_000)
world = World(Client(create_app(mock)), "still")
world.billing("POST", "checkout", json={"tier_slug": "business"})
prepared = [recipe.prepared(world) for recipe in OPENAPP.values()]
for _ in range(2):
    for request in prepared:
        for variant in (request, request.but(key="demo-member"), request.but(key="nobody")):
            answer = variant.send(world)
            sys.stdout.buffer.write(b"%d %r " % (answer.status, answer.raw_headers) + answer.body + b"\\n")
    world.advance("P1M")
sys.stdout.buffer.write(world.control("GET", "/state").body)
"""


def test_the_same_requests_give_the_same_bytes_in_every_process() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1
    assert outputs.pop().count(b"\n") == 2 * len(OPENAPP) * 3


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["starter", "pro", "business", "free"]), max_size=6), st.integers(0, 6))
def test_a_fork_taken_anywhere_replays_the_rest_alike(tiers: list[str], at: int) -> None:
    mock = create_mock(wall=lambda: WALL, fresh_seed=lambda: 7)
    mock.create_world("still", "demo", seed=7, now=WALL)
    client = Client(create_app(mock))
    world = World(client, "still")
    for tier_slug in tiers[:at]:
        upgrade(world, tier_slug)
    changes = len(mock.worlds.get("still").state.outbox)  # type: ignore[union-attr]
    world.control("POST", "/fork", json=FORK)
    for each in (world, World(client, "fork")):
        for tier_slug in tiers[at:]:
            upgrade(each, tier_slug)
    left, right = (mock.worlds.get(name).state for name in ("still", "fork"))  # type: ignore[union-attr]
    assert msgspec.structs.replace(left, outbox=right.outbox) == right
    # What was owed before the fork stays with the parent alone.
    assert len(left.outbox) - len(right.outbox) == changes


def test_health_says_what_is_served(client: Client) -> None:
    health = client.request("GET", "/_mock/health").json
    assert health["status"] == "ok"
    assert health["apis"][0]["base_url"] == "http://127.0.0.1:4010/openapp/api/v1"
    assert json.dumps(health)
