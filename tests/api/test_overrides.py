"""Quota overrides: which limit wins, where it comes from, and what happens when it expires."""

from __future__ import annotations

from typing import Any

import pytest

from .client import ACME, World


def post(world: World, **changes: Any) -> Any:
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7, **changes}
    return world.call("POST", "/admin/quota_overrides", "demo-operator", json=body)


def listed(world: World) -> list[Any]:
    overrides: list[Any] = world.call("GET", "/admin/quota_overrides", "demo-operator").json["overrides"]
    return overrides


def limit(world: World, key: str = "devices", period: str = "lifetime") -> Any:
    items = world.billing("GET", "usage").json["items"]
    return next(item["limit"] for item in items if (item["key"], item["period"]) == (key, period))


def test_an_override_wins_over_the_tier_and_is_named_as_the_source(world: World) -> None:
    made = post(world).json
    assert limit(world) == {"value": 7, "source": {"kind": "override", "id": made["id"]}}


@pytest.mark.parametrize("value", [0, 1, 4, 9_223_372_036_854_775_807])
def test_it_may_lower_as_well_as_raise(world: World, value: int) -> None:
    assert post(world, limit_value=value).status == 200
    assert limit(world)["value"] == value


def test_posting_again_replaces_it_and_keeps_its_id(world: World) -> None:
    first = post(world, reason="pilot").json
    world.advance("PT1H")
    second = post(world, limit_value=9).json
    assert second["id"] == first["id"]
    assert second["created_at"] == first["created_at"]
    assert second["updated_at"] == "2024-02-29T01:00:00Z"
    assert second["reason"] is None
    assert listed(world) == [second]


def test_it_holds_until_the_instant_at_which_it_expires(world: World) -> None:
    made = post(world, expires_at="2024-03-01T00:00:00Z").json
    moved = world.advance("PT23H59M59S")
    assert moved["fell_due"] == 0
    assert limit(world)["value"] == 7
    moved = world.advance("PT1S")
    assert [(line["at"], line["job"]) for line in moved["timeline"]] == [("2024-03-01T00:00:00Z", "override_expires")]
    assert limit(world) == {"value": 5, "source": {"kind": "tier", "slug": "free"}}
    assert listed(world) == [{**made, "active": False}]


def test_renewing_it_moves_its_end(world: World) -> None:
    post(world, expires_at="2024-03-01T00:00:00Z")
    post(world, expires_at="2024-04-01T00:00:00Z")
    assert world.advance("P2D")["fell_due"] == 0
    assert world.advance("P31D")["fell_due"] == 1


def test_one_that_ended_before_it_began_is_inactive_at_once(world: World) -> None:
    assert post(world, expires_at="2020-01-01T00:00:00Z").json["active"] is False
    assert limit(world)["value"] == 5
    assert world.advance("P1Y")["fell_due"] == 0


@pytest.mark.parametrize(
    ("key", "period"),
    [("devices", "lifetime"), ("door_opens", "day"), ("video_session_duration_seconds", "per_session")],
)
def test_without_a_period_it_is_the_smallest_window(world: World, key: str, period: str) -> None:
    assert post(world, quota_key=key).json["period"] == period
    assert limit(world, key, period)["source"]["kind"] == "override"


def test_a_window_that_only_an_override_limits_shows_up_in_the_report(world: World) -> None:
    post(world, quota_key="door_opens", period="week", limit_value=100)
    items = world.billing("GET", "usage").json["items"]
    week = next(item for item in items if item["key"] == "door_opens" and item["period"] == "week")
    assert (week["period_label"], week["limit"]["value"]) == ("week:2024-W09", 100)
    assert (week["period_start"], week["period_end"]) == ("2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z")


def test_a_window_that_only_a_tier_limits_shows_up_too(world: World) -> None:
    state = world.control("GET", "/state").json
    free = next(each for each in state["domain"]["tiers"] if each["slug"] == "free")
    free["quotas"]["door_opens"]["week"] = 7
    assert world.control("PUT", "/state", json=state).status == 200
    assert limit(world, "door_opens", "week") == {"value": 7, "source": {"kind": "tier", "slug": "free"}}


def test_a_window_that_nothing_limits_any_more_is_gone(world: World) -> None:
    post(world, quota_key="door_opens", period="week", expires_at="2024-03-01T00:00:00Z")
    world.advance("P2D")
    periods = [item["period"] for item in world.billing("GET", "usage").json["items"] if item["key"] == "door_opens"]
    assert periods == ["day", "month"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject_type": "user"}, "unsupported_subject_type"),
        ({"quota_key": "unicorns"}, "unknown_quota_key"),
        ({"period": "day"}, "unsupported_period"),
        ({"quota_key": "door_opens", "period": "lifetime"}, "unsupported_period"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "invalid_request"),
        ({"limit_value": -1}, "invalid_request"),
        ({"limit_value": 2**63}, "invalid_request"),
        ({"limit_value": 1.5}, "invalid_request"),
        ({"limit_value": "7"}, "invalid_request"),
        ({"limit_value": None}, "invalid_request"),
        ({"expires_at": "tomorrow"}, "invalid_request"),
        ({"note": "unknown member"}, "invalid_request"),
    ],
)
def test_what_is_refused(world: World, changes: dict[str, Any], code: str) -> None:
    answer = post(world, **changes)
    assert (answer.status, answer.code) == (400, code)
    assert listed(world) == []


def test_being_over_capacity_is_reported(world: World) -> None:
    post(world, quota_key="org_users", limit_value=0)
    status = world.billing("GET", "degradation").json
    assert status["over_capacity"] is True
    assert status["overages"] == [{"key": "org_users", "unit": "count", "current": 1, "limit": 0, "excess": 1}]
    assert world.billing("GET", "usage").json["degradation"] == status
    world.settings(lifecycle_enabled=False)
    assert world.billing("GET", "usage").json["degradation"] is None
    assert world.billing("GET", "degradation").json["over_capacity"] is False


def test_the_selection_policy_is_kept(world: World) -> None:
    assert world.billing("GET", "degradation").json["selection_policy"] == "newest_first"
    answer = world.billing("PUT", "degradation/policy", json={"policy": "manual"})
    assert answer.json["selection_policy"] == "manual"
    assert world.billing("GET", "degradation").json == answer.json


def test_the_report_lists_every_quota_with_its_window(world: World) -> None:
    report = world.billing("GET", "usage").json
    rows = {(item["key"], item["period"]): item for item in report["items"]}
    assert len(rows) == len(report["items"]) == 18
    assert rows["door_opens", "day"]["period_label"] == "day:2024-02-29"
    assert rows["door_opens", "month"]["period_label"] == "month:2024-02"
    assert rows["door_opens", "month"]["period_end"] == "2024-03-01T00:00:00Z"
    assert rows["video_sessions", "day"]["limit"] == {"value": None, "source": {"kind": "default"}}
    assert rows["video_session_duration_seconds", "per_session"]["unit"] == "seconds"
    assert rows["org_users", "lifetime"]["current"] == 1
    assert rows["org_users", "lifetime"]["period_start"] is None
