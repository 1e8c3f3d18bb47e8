"""openapp-sdk makes resources: they are found again, their number is limited, and they come and go."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Connect
from .proxy import Recorder
from .session import Client, refusal
from .usual import hub, used
from .world import ACME, World

pytestmark = pytest.mark.clients

FREE = {"kind": "tier", "slug": "free"}


def creators(client: Client, integration: str, device: str) -> dict[str, Any]:
    """How one more thing of each capacity quota is made."""
    return {
        "integrations": lambda: hub(client),
        "devices": lambda: client.devices.create(org_id=ACME, integration_id=integration, name="Gate"),
        "entities": lambda: client.entities.create(device_id=device, entity_type="door"),
        "zones": lambda: client.create_zone(ACME, name={"en": "Hall"}, integration_id=integration),
        "api_keys": lambda: client.api_keys.create(name="a key", expires_in="30d"),
        "org_users": lambda: client.users.create(
            name={"en": "Bob"}, email="bob@acme.example", roles={ACME: ["member"]}
        ),
        "organizations": lambda: client.orgs.create(name="Acme Nord"),
    }


def test_what_was_created_is_found_by_id_in_its_list_and_by_its_name(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    integration = owner.integrations.create(
        org_id=ACME, provider_type="shelly_cloud", name={"en": "Hub", "he": "רכזת"}, secrets={"auth_key": "s3cret"}
    )
    zone = owner.create_zone(ACME, name={"en": "Hall"}, integration_id=integration["id"], external_id="room-1")
    device = owner.devices.create(
        org_id=ACME,
        integration_id=integration["id"],
        name={"en": "Gate"},
        external_id="relay-7",
        device_metadata={"channels": 2},
        zone_id=zone["id"],
    )
    entity = owner.entities.create(
        device_id=device["id"],
        entity_type="door",
        name="Main door",
        channel_index=0,
        metadata={"side": "north"},
        zone_id=zone["id"],
    )
    child = owner.orgs.create(name="Acme Nord", description="The northern site")
    bob = owner.users.create(name={"en": "Bob"}, email="bob@acme.example", first_name="Bob", roles={ACME: ["member"]})

    assert owner.integrations.get(integration["id"]) == owner.integrations.get_by_name("Hub") == integration
    assert integration["credentials_set"] == ["auth_key"]
    assert owner.devices.get(device["id"]) == owner.devices.get_by_name("Gate") == device
    assert owner.zones.get(zone["id"]) == zone
    assert owner.entities.get(entity["id"]) == entity
    assert owner.orgs.get(child["id"]) == owner.orgs.get_by_name("Acme Nord") == child
    assert owner.users.get(bob["id"]) == bob
    assert owner.integrations.list() == {"items": [integration], "total": 1}
    assert owner.devices.list() == [device]
    assert owner.list_zones(ACME) == {"items": [zone], "total": 1}
    assert owner.entities.list() == {"items": [entity], "total": 1}
    assert [org["id"] for org in owner.orgs.list()["items"]] == [ACME, child["id"]]
    assert bob in owner._request("GET", "/users")["items"]
    assert owner.orgs.get(ACME)["user_roles"][bob["id"]] == ["member"]
    assert refusal(owner.devices.get_by_name, "Back door").kind == "ResourceNotFoundError"


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("integrations", 2),
        ("devices", 5),
        ("entities", 20),
        ("zones", 3),
        ("api_keys", 2),
        ("org_users", 3),
        ("organizations", 1),
    ],
)
def test_one_too_many_is_refused_with_an_explanation(connect: Connect, still: World, key: str, limit: int) -> None:
    owner = connect(still.secret("demo-owner"))
    integration = hub(owner)
    device = owner.devices.create(org_id=ACME, integration_id=integration, name="Gate")["id"]
    create = creators(owner, integration, device)[key]
    for _ in range(limit - used(owner, key)):
        create()
    error = refusal(create)

    assert (error.kind, error.status, error.code) == ("ApiError", 429, "quota_exceeded")
    assert error.details == {
        "org_id": ACME,
        "key": key,
        "period": "lifetime",
        "period_label": "lifetime",
        "current": limit,
        "limit": limit,
        "requested": 1,
        "source": FREE,
        "resets_at": None,
    }
    assert f"{limit} {key}" in error.message
    assert used(owner, key) == limit, "the refused one is not counted"
    owner.checkout(ACME, "pro")
    create()
    assert used(owner, key) == limit + 1


def test_a_lifted_limit_is_named_as_the_source_of_a_refusal(connect: Connect, still: World) -> None:
    owner, operator = connect(still.secret("demo-owner")), connect(still.secret("demo-operator"))
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "integrations", "limit_value": 1}
    override = operator._request("POST", "/admin/quota_overrides", body=body)
    hub(owner)
    error = refusal(hub, owner)

    assert error.code == "quota_exceeded"
    assert (error.details["limit"], error.details["source"]) == (1, {"kind": "override", "id": override["id"]})


def test_uses_are_counted_by_the_day_and_refused_until_the_next_one(
    connect: Connect, still: World, recorder: Recorder
) -> None:
    owner, operator = connect(still.secret("demo-owner")), connect(still.secret("demo-operator"))
    door = owner.entities.create(
        device_id=owner.devices.create(org_id=ACME, integration_id=hub(owner), name="Gate")["id"], entity_type="door"
    )["id"]
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "door_opens", "period": "day", "limit_value": 2}
    operator._request("POST", "/admin/quota_overrides", body=body)

    opened = [owner.entities.by_id(door).open() for _ in range(2)]
    error = refusal(owner.entities.by_id(door).open)
    counted = used(owner, "door_opens", "day"), used(owner, "door_opens", "month")
    still.advance("P1D")

    assert [each["action_id"] for each in opened] == ["switchable.open"] * 2
    assert all("degradation" not in each for each in opened)
    assert (error.status, error.code) == (429, "quota_exceeded")
    assert (error.details["period"], error.details["current"], error.details["limit"]) == ("day", 2, 2)
    assert error.details["resets_at"] == "2026-03-02T00:00:00Z"
    refused = next(each for each in recorder.exchanges if each.status == 429)
    assert {name.lower(): value for name, value in refused.headers}["retry-after"] == "86400"
    assert counted == (2, 2)
    assert owner.entities.by_id(door).open()["executed_at"] == "2026-03-02T00:00:00Z"
    assert (used(owner, "door_opens", "day"), used(owner, "door_opens", "month")) == (1, 3)


def test_an_action_that_the_mock_does_not_know_says_which_there_are(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    device = owner.devices.create(org_id=ACME, integration_id=hub(owner), name="Gate")["id"]
    door = owner.entities.create(device_id=device, entity_type="door")["id"]
    error = refusal(owner.entities.by_id(door).close)

    assert (error.kind, error.status, error.code) == ("ApiError", 501, "action_not_implemented")
    assert error.details == {"action_id": "close", "entity_type": "door", "actions": ["switchable.open"]}


def test_deleting_makes_room_restoring_needs_it_and_purging_is_for_good(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    integration = hub(owner)
    devices = [owner.devices.create(org_id=ACME, integration_id=integration, name=f"Gate {n}")["id"] for n in range(5)]
    gone = owner._request("DELETE", f"/devices/{devices[0]}")
    owner.devices.create(org_id=ACME, integration_id=integration, name="Gate 5")
    full = refusal(owner.devices.restore, devices[0])
    owner.devices.delete(devices[1])
    restored = owner.devices.restore(devices[0])

    assert (gone["deleted_at"], gone["purge_at"]) == ("2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z")
    assert (full.status, full.code, full.details["key"]) == (429, "quota_exceeded", "devices")
    assert "deleted_at" not in restored
    assert owner.devices.get(devices[1])["deleted_at"] == "2026-03-01T00:00:00Z"
    everything = owner._request("GET", "/devices?include_deleted=true")
    deleted = owner._request("GET", "/devices?only_deleted=true")
    assert (len(owner.devices.list()), len(everything)) == (5, 6)
    # The library's own filters go out as `includeDeleted` and the like, which the API does not know; limit it does.
    assert (len(owner.devices.list(include_deleted=True)), len(owner.devices.list(limit=2))) == (5, 2)
    assert [device["id"] for device in deleted] == [devices[1]]
    assert refusal(owner.devices.purge, devices[0]).code == "not_deleted"
    owner.devices.purge(devices[1])
    assert refusal(owner.devices.get, devices[1]).status == 404


def test_what_was_deleted_is_purged_by_itself_when_it_has_lain_long_enough(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    device = owner.devices.create(org_id=ACME, integration_id=hub(owner), name="Gate")["id"]
    owner.devices.delete(device)
    still.advance("P30D")

    assert refusal(owner.devices.get, device).status == 404


def test_nothing_is_deleted_that_something_hangs_on_unless_asked_for(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    integration = hub(owner)
    zone = owner.create_zone(ACME, name="Hall", integration_id=integration)["id"]
    device = owner.devices.create(org_id=ACME, integration_id=integration, name="Gate", zone_id=zone)["id"]
    door = owner.entities.create(device_id=device, entity_type="door", zone_id=zone)["id"]
    in_use = refusal(owner.delete_zone, zone, detach=False)
    has_entities = refusal(owner.devices.delete, device)

    assert (in_use.status, in_use.code) == (409, "zone_in_use")
    assert in_use.details["dependents"] == {"devices": 1, "entities": 1}
    assert (has_entities.status, has_entities.code) == (422, "has_dependents")
    owner.delete_zone(zone, detach=True)
    assert "zone_id" not in owner.devices.get(device)
    assert owner.list_zones(ACME)["total"] == 0
    assert [each["id"] for each in owner.list_zones(ACME, include_deleted=True)["items"]] == [zone]
    assert refusal(owner._request, "DELETE", f"/integrations/{integration}").code == "has_dependents"
    owner._request("DELETE", f"/integrations/{integration}?recursive=true")
    assert owner.entities.get(door)["deleted_at"] == "2026-03-01T00:00:00Z"
    assert refusal(owner.devices.restore, device).code == "parent_deleted"
    owner.integrations.restore(integration)
    owner.devices.restore(device)
    owner.entities.restore(door)
    assert used(owner, "entities") == 1
    assert owner._request("POST", f"/zones/{zone}/restore")["integration_id"] == integration
    owner.entities.delete(door)
    owner.entities.purge(door)
    owner.delete_zone(zone, detach=False)
    owner.zones.purge(zone)
    owner._request("DELETE", f"/integrations/{integration}?recursive=true")
    owner.integrations.purge(integration)
    assert refusal(owner.devices.get, device).status == 404
