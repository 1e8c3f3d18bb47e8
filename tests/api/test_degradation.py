"""The over-capacity lifecycle over the API: how it begins, goes on and ends, and what users can do about it."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.http.mock import Mock

from .client import ACME, Client, World
from .recipes import webhook
from .resource_recipes import made


@pytest.fixture
def tight(mock: Mock, client: Client) -> World:
    """Acme after a downgrade, with too much of everything (`over-capacity`)."""
    mock.create_world("tight", "over-capacity")
    return World(client, "tight")


def status(world: World) -> dict[str, Any]:
    answer: dict[str, Any] = world.billing("GET", "degradation").json
    return answer


def flagged(world: World, kind: str = "devices") -> list[str]:
    return [each["id"] for each in status(world)["flagged"] if each["resource"] == kind]


def keep(world: World, resource: str, resource_id: str, is_kept: bool = True) -> Any:
    body = {"resource": resource, "resource_id": resource_id, "keep": is_kept}
    return world.billing("POST", "degradation/resource", json=body)


class TestPolicies:
    @pytest.mark.parametrize(
        ("policy", "devices"),
        [
            ("newest_first", ["dev-barrier", "dev-elevator", "dev-archive"]),
            ("oldest_first", ["dev-front", "dev-back", "dev-side"]),
            ("least_recently_used", ["dev-back", "dev-roof", "dev-elevator"]),
            ("manual", ["dev-roof"]),
        ],
    )
    def test_each_chooses_others(self, tight: World, policy: str, devices: list[str]) -> None:
        tight.billing("PUT", "degradation/policy", json={"policy": "manual"})
        shown = tight.billing("PUT", "degradation/policy", json={"policy": policy}).json
        assert [each["id"] for each in shown["flagged"] if each["resource"] == "devices"] == devices
        assert shown == status(tight)

    def test_using_a_door_saves_its_device(self, tight: World) -> None:
        tight.billing("PUT", "degradation/policy", json={"policy": "least_recently_used"})
        assert "dev-roof" in flagged(tight)
        made(tight, "/entities/ent-roof-door/actions/open", {}, key="demo-member")
        assert "dev-roof" not in flagged(tight)
        assert "ent-roof-door" not in flagged(tight, "entities")

    def test_using_a_key_saves_it(self, tight: World) -> None:
        tight.billing("PUT", "degradation/policy", json={"policy": "least_recently_used"})
        assert flagged(tight, "api_keys") == ["key-wall-panel", "key-backup"]
        assert tight.call("GET", "/entities", "acme-backup").status == 200
        assert flagged(tight, "api_keys") == ["key-laptop", "key-wall-panel"]


class TestPins:
    def test_a_pinned_one_survives_and_another_goes(self, tight: World) -> None:
        assert keep(tight, "devices", "dev-archive").status == 200
        assert flagged(tight) == ["dev-shutter", "dev-barrier", "dev-elevator"]
        assert keep(tight, "devices", "dev-archive", False).status == 200
        assert flagged(tight) == ["dev-barrier", "dev-elevator", "dev-archive"]

    def test_no_more_pins_than_the_limit(self, tight: World) -> None:
        for zone in ("zone-lobby", "zone-yard", "zone-roof"):
            assert keep(tight, "zones", zone).status == 200
        answer = keep(tight, "zones", "zone-office")
        assert (answer.status, answer.code) == (409, "too_many_pins")
        assert answer.json["details"] == {"org_id": ACME, "resource": "zones", "pinned": 3, "limit": 3}
        assert keep(tight, "zones", "zone-roof").status == 200

    @pytest.mark.parametrize(("kind", "resource"), [("devices", "zone-lobby"), ("zones", "nowhere")])
    def test_what_is_not_there_cannot_be_pinned(self, tight: World, kind: str, resource: str) -> None:
        assert keep(tight, kind, resource).status == 404


class TestStages:
    def test_to_the_second(self, tight: World) -> None:
        assert status(tight)["over_capacity_since"] == "2026-03-02T09:00:00Z"
        tight.advance("P6DT23H59M59S")
        assert status(tight)["stage"] == "warned"
        tight.advance("PT1S")
        assert status(tight)["stage"] == "degraded"
        tight.advance("P15D")
        assert status(tight)["degradation_level"] == 0.5
        tight.advance("P15D")
        shown = status(tight)
        assert (shown["stage"], shown["degradation_level"]) == ("marked_for_delete", 1.0)
        assert {each["marked_at"] for each in shown["flagged"]} == {"2026-04-08T09:00:00Z"}
        tight.advance("P14D")
        assert (status(tight)["stage"], status(tight)["over_capacity"]) == ("none", False)
        gone = tight.call("GET", "/devices", query=b"only_deleted=true&limit=200").json
        assert {"dev-barrier", "dev-elevator", "dev-archive"} <= {each["id"] for each in gone}

    def test_whoever_is_still_over_is_warned_again(self, tight: World) -> None:
        tight.billing("PUT", "degradation/policy", json={"policy": "manual"})
        tight.advance("P51D")
        shown = status(tight)
        assert (shown["stage"], shown["over_capacity_since"]) == ("warned", "2026-03-02T09:00:00Z")
        assert shown["flagged"] == []

    @pytest.mark.parametrize("after", ["P1D", "P20D", "P40D"])
    def test_an_upgrade_ends_it_at_once(self, tight: World, after: str) -> None:
        tight.advance(after)
        tight.billing("POST", "checkout", json={"tier_slug": "pro"})
        shown = status(tight)
        assert (shown["stage"], shown["flagged"], shown["degradation_level"]) == ("none", [], 0.0)
        assert tight.control("GET").json["scheduled"] == 0

    def test_so_does_an_override_or_deleting(self, world: World) -> None:
        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        zones = [made(world, "/zones", {"name": "Room"})["id"] for _ in range(4)]
        world.billing("POST", "checkout", json={"tier_slug": "free"})
        assert status(world)["stage"] == "warned"
        override = {"subject_type": "org", "subject_id": ACME, "quota_key": "zones", "limit_value": 4}
        made(world, "/admin/quota_overrides", {**override, "expires_at": "2024-03-02T00:00:00Z"}, key="demo-operator")
        assert status(world)["stage"] == "none"
        world.advance("P2D")
        assert (status(world)["stage"], status(world)["over_capacity_since"]) == ("warned", "2024-03-02T00:00:00Z")
        world.call("DELETE", f"/zones/{zones[0]}")
        assert status(world)["stage"] == "none"

    def test_too_many_people_are_never_flagged(self, world: World) -> None:
        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        for n in range(5):
            made(world, "/users", {"name": f"U{n}"})
        world.billing("POST", "checkout", json={"tier_slug": "free"})
        shown = status(world)
        assert ([each["key"] for each in shown["overages"]], shown["flagged"]) == (["org_users"], [])
        world.advance("P52D")
        assert len(world.call("GET", "/users").json["items"]) == 6
        assert status(world)["stage"] == "warned"

    def test_a_provider_that_cancels_begins_it(self, world: World) -> None:
        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        subscription = world.billing("GET", "plan").json["subscription"]["external_id"]
        for _ in range(4):
            made(world, "/zones", {"name": "Room"})
        event = (
            '{"id":"evt_9","type":"customer.subscription.deleted","created":1709164800,"data":{"object":{"id":"%s"}}}'
        )
        assert webhook(world, (event % subscription).encode()).status == 200
        assert status(world)["stage"] == "warned"


class TestSettings:
    def test_a_shorter_stage_ends_sooner(self, tight: World) -> None:
        tight.advance("P3D")
        tight.settings(warn_days=1)
        tight.advance("PT0S")
        assert status(tight)["stage"] == "degraded"

    def test_switched_off_and_on(self, tight: World) -> None:
        tight.advance("P10D")
        tight.settings(lifecycle_enabled=False)
        assert (status(tight)["stage"], tight.control("GET").json["scheduled"]) == ("none", 0)
        assert tight.billing("GET", "usage").json["degradation"] is None
        tight.settings(lifecycle_enabled=True)
        assert (status(tight)["stage"], status(tight)["over_capacity_since"]) == ("warned", "2026-03-12T09:00:00Z")


def test_the_friction_grows_day_by_day(tight: World) -> None:
    delays = []
    for _ in range(40):
        answer = made(tight, "/entities/ent-front-door/actions/open", {}, key="demo-member")
        delays.append(answer.get("degradation", {}).get("delay_ms", 0))
        tight.advance("P1D")
    assert delays == sorted(delays)
    assert (delays[7], delays[8], delays[-1]) == (0, 66, 2000)


def test_a_report_shows_it_too(tight: World) -> None:
    report = tight.billing("GET", "usage").json
    assert report["degradation"] == status(tight)
