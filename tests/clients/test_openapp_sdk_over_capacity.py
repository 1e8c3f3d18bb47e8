"""openapp-sdk after a downgrade: warned, slowed down, never locked out, and in the end with less than before."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from .conftest import Connect
from .session import Client, refusal
from .world import ACME, World

pytestmark = pytest.mark.clients

SLOWEST_MS = 2_000


class Building(NamedTuple):
    """`program` holds an API key that may open doors and nothing else."""

    owner: Client
    program: Client
    devices: list[str]
    door: str


@pytest.fixture
def building(connect: Connect, still: World) -> Building:
    """Acme bought the tier `pro` for its seven devices, and went back to `free`, which allows five."""
    owner = connect(still.secret("demo-owner"))
    integration = owner.integrations.create(org_id=ACME, provider_type="virtual_demo", name="Hub")["id"]

    def device(number: int) -> str:
        made = owner.devices.create(org_id=ACME, integration_id=integration, name=f"Gate {number}")["id"]
        assert isinstance(made, str)
        return made

    devices = [device(number) for number in range(5)]
    assert refusal(device, 5).code == "quota_exceeded"
    owner.checkout(ACME, "pro")
    devices += [device(number) for number in (5, 6)]
    door = owner.entities.create(device_id=devices[0], entity_type="door")["id"]
    key = owner.api_keys.create(name="intercom", expires_in="180d", scoped_roles=["entities:set_state"])
    owner.checkout(ACME, "free")
    return Building(owner, connect(key["token"]), devices, door)


def flagged(status: Any) -> list[tuple[str, str, str]]:
    return [(each["resource"], each["id"], each["state"]) for each in status["flagged"]]


def keep(owner: Client, device: str, pinned: bool = True) -> Any:
    body = {"resource": "devices", "resource_id": device, "keep": pinned}
    return owner._request("POST", f"/orgs/{ACME}/billing/degradation/resource", body=body)


def test_a_downgrade_warns_and_flags_the_newest_of_what_is_too_much(building: Building) -> None:
    owner, devices = building.owner, building.devices
    status = owner.degradation(ACME)

    assert (status["stage"], status["degradation_level"], status["over_capacity"]) == ("warned", 0, True)
    assert status["over_capacity_since"] == "2026-03-01T00:00:00Z"
    assert status["overages"] == [{"key": "devices", "unit": "count", "current": 7, "limit": 5, "excess": 2}]
    assert flagged(status) == [("devices", devices[5], "flagged"), ("devices", devices[6], "flagged")]
    assert owner.billing.usage(ACME)["degradation"] == status
    assert "degradation" not in building.program.entities.by_id(building.door).open()


def test_what_is_flagged_works_while_nothing_can_be_added(building: Building) -> None:
    owner, devices = building.owner, building.devices
    integration = owner.devices.get(devices[6])["integration_id"]
    door = owner.entities.create(device_id=devices[6], entity_type="door")["id"]
    error = refusal(owner.devices.create, org_id=ACME, integration_id=integration, name="Gate 7")

    assert owner.entities.by_id(door).open()["entity_id"] == door
    assert (error.status, error.code) == (429, "quota_exceeded")
    assert (error.details["current"], error.details["limit"]) == (7, 5)


def test_a_week_later_programs_are_slowed_down_but_neither_refused_nor_their_owner_slowed(
    building: Building, still: World
) -> None:
    still.advance("P8D")
    status = building.owner.degradation(ACME)
    opened = [building.program.entities.by_id(building.door).open() for _ in range(3)]

    # The first of thirty days on which it gets slower and slower.
    assert (status["stage"], status["degradation_level"]) == ("degraded", 0.033333)
    assert {each["state"] for each in status["flagged"]} == {"degraded"}
    assert [each["executed_at"] for each in opened] == ["2026-03-09T00:00:00Z"] * 3
    for each in opened:
        slowed = each["degradation"]
        assert (slowed["stage"], slowed["degradation_level"]) == ("degraded", status["degradation_level"])
        assert slowed["delay_ms"] == SLOWEST_MS // 30
        assert "66 ms" in slowed["message"]
    assert "degradation" not in building.owner.entities.by_id(building.door).open()


def test_a_pinned_resource_is_spared_and_another_flagged_in_its_place(building: Building, still: World) -> None:
    owner, devices = building.owner, building.devices
    still.advance("P8D")
    pinned = keep(owner, devices[6])
    released = keep(owner, devices[6], False)

    assert [each["id"] for each in pinned["flagged"]] == [devices[4], devices[5]]
    assert [each["flagged_at"] for each in pinned["flagged"]] == ["2026-03-09T00:00:00Z", "2026-03-01T00:00:00Z"]
    assert [each["id"] for each in released["flagged"]] == [devices[5], devices[6]]


def test_no_more_can_be_pinned_than_may_stay(building: Building) -> None:
    for device in building.devices[:5]:
        keep(building.owner, device)
    error = refusal(keep, building.owner, building.devices[5])

    assert (error.status, error.code) == (409, "too_many_pins")
    assert (error.details["pinned"], error.details["limit"]) == (5, 5)


def test_another_policy_flags_others(building: Building, still: World) -> None:
    owner, devices = building.owner, building.devices

    def under(policy: str) -> list[str]:
        path = f"/orgs/{ACME}/billing/degradation/policy"
        return [each["id"] for each in owner._request("PUT", path, body={"policy": policy})["flagged"]]

    still.advance("P1D")
    building.program.entities.by_id(building.door).open()
    assert under("oldest_first") == devices[:2]
    assert under("least_recently_used") == devices[1:3], "the first device's door was opened just now"
    assert under("manual") == []
    keep(owner, devices[3], False)
    assert [each["id"] for each in owner.degradation(ACME)["flagged"]] == [devices[3]]
    assert under("newest_first") == devices[5:]


def test_after_all_warnings_what_is_flagged_is_deleted_and_what_was_pinned_is_not(
    building: Building, still: World
) -> None:
    owner, devices = building.owner, building.devices
    keep(owner, devices[6])
    still.advance("P37D")
    marked = owner.degradation(ACME)
    slowest = building.program.entities.by_id(building.door).open()["degradation"]
    still.advance("P14D")
    status = owner.degradation(ACME)

    assert (marked["stage"], marked["degradation_level"]) == ("marked_for_delete", 1)
    assert flagged(marked) == [("devices", each, "marked_for_delete") for each in devices[4:6]]
    assert {each["marked_at"] for each in marked["flagged"]} == {"2026-04-07T00:00:00Z"}
    assert (slowest["stage"], slowest["delay_ms"]) == ("marked_for_delete", SLOWEST_MS)
    assert (status["stage"], status["flagged"], status["over_capacity_since"]) == ("none", [], None)
    assert [device["id"] for device in owner.devices.list()] == [*devices[:4], devices[6]]
    listed = owner._request("GET", "/devices?include_deleted=true")
    assert {each["id"]: each.get("deleted_at") for each in listed} == {
        **dict.fromkeys([*devices[:4], devices[6]]),
        **dict.fromkeys(devices[4:6], "2026-04-21T00:00:00Z"),
    }
    assert "degradation" not in building.program.entities.by_id(building.door).open()
    assert refusal(owner.devices.restore, devices[5]).code == "quota_exceeded"
    owner.checkout(ACME, "starter")
    assert "deleted_at" not in owner.devices.restore(devices[5])


def test_the_plans_that_are_offered_say_whether_they_would_do(building: Building) -> None:
    offered = building.owner.upgrade_options(ACME)["plans"]
    devices = {
        plan["slug"]: row["limit_value"] for plan in offered for row in plan["quotas"] if row["quota_key"] == "devices"
    }

    assert devices == {"starter": 25, "pro": 200, "business": 2000}


@pytest.mark.parametrize("days", ["P1D", "P8D", "P40D"])
def test_an_upgrade_ends_it_at_any_stage(building: Building, still: World, days: str) -> None:
    still.advance(days)
    before = building.owner.degradation(ACME)
    building.owner.checkout(ACME, "pro")
    after = building.owner.degradation(ACME)
    still.advance("P100D")

    assert before["stage"] != "none"
    assert (after["stage"], after["degradation_level"], after["over_capacity"]) == ("none", 0, False)
    assert (after["overages"], after["flagged"], after["over_capacity_since"]) == ([], [], None)
    assert len(building.owner.devices.list()) == 7
    assert "degradation" not in building.program.entities.by_id(building.door).open()


def test_deleting_enough_ends_it_too_and_restoring_begins_nothing(building: Building, still: World) -> None:
    owner, devices = building.owner, building.devices
    still.advance("P8D")
    owner.devices.delete(devices[1])
    still_over = owner.degradation(ACME)
    owner.devices.delete(devices[2])
    within = owner.degradation(ACME)

    assert (still_over["stage"], flagged(still_over)) == ("degraded", [("devices", devices[6], "degraded")])
    assert (within["stage"], within["flagged"]) == ("none", [])
    assert refusal(owner.devices.restore, devices[1]).code == "quota_exceeded"
    assert owner.degradation(ACME)["stage"] == "none"


def test_a_key_that_is_flagged_goes_as_well_and_can_open_nothing_afterwards(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    owner.checkout(ACME, "pro")
    keys = [owner.api_keys.create(name=f"key {number}", scoped_roles=["devices:list"]) for number in range(3)]
    programs = [connect(key["token"]) for key in keys]
    owner.checkout(ACME, "free")

    assert flagged(owner.degradation(ACME)) == [("api_keys", keys[2]["id"], "flagged")]
    still.advance("P50D")
    assert [program.devices.list() for program in programs] == [[], [], []]
    still.advance("P1D")
    assert [program.devices.list() for program in programs[:2]] == [[], []]
    assert refusal(programs[2].devices.list).kind == "AuthError"
    revoked = [each["id"] for each in owner.api_keys.list()["items"] if "revoked_at" in each]
    assert revoked == [keys[2]["id"]]
