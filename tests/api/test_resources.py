"""Resources over the API: who reaches them, what hangs on what, what deletion, restoration and purge leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.http.mock import Mock

from .client import ACME, GLOBEX, World
from .resource_recipes import made, stock, stock_without


def ids(answer: Any) -> list[str]:
    items = answer.json if isinstance(answer.json, list) else answer.json["items"]
    return [each["id"] for each in items]


class TestLists:
    def test_in_the_order_of_their_creation_even_at_one_instant(self, world: World) -> None:
        zones = [made(world, "/zones", {"name": f"Room {n}"})["id"] for n in range(3)]
        assert ids(world.call("GET", "/zones")) == zones

    @pytest.mark.parametrize(("query", "shown"), [(b"limit=2", [0, 1]), (b"offset=1", [1, 2]), (b"limit=0", [])])
    def test_pages(self, world: World, query: bytes, shown: list[int]) -> None:
        zones = [made(world, "/zones", {"name": f"Room {n}"})["id"] for n in range(3)]
        answer = world.call("GET", "/zones", query=query)
        assert (ids(answer), answer.json["total"]) == ([zones[n] for n in shown], 3)

    def test_deleted_ones_are_shown_when_asked_for(self, world: World) -> None:
        names = stock_without("zone")(world)
        assert names is not None
        assert ids(world.call("GET", "/zones")) == []
        for query in (b"include_deleted=true", b"only_deleted=true"):
            (zone,) = world.call("GET", "/zones", query=query).json["items"]
            assert (zone["id"], zone["deleted_at"], zone["purge_at"]) == (
                names["zone"], "2024-02-29T00:00:00Z", "2024-03-30T00:00:00Z",
            )  # fmt: skip

    def test_filters(self, world: World) -> None:
        names = stock(world)
        for path, member in (("/devices", "integration"), ("/entities", "device")):
            right, wrong = f"{member}_id={names[member]}".encode(), f"{member}_id={names['zone']}".encode()
            assert len(ids(world.call("GET", path, query=right))) == 1
            assert ids(world.call("GET", path, query=wrong)) == []


class TestReach:
    def test_a_resource_of_another_organization_does_not_exist(self, world: World) -> None:
        names = stock(world)
        nowhere = world.call("GET", "/devices/nowhere", "demo-globex")
        there = world.call("GET", f"/devices/{names['device']}", "demo-globex")
        assert there.status == nowhere.status == 404
        assert there.json["message"].replace(names["device"], "nowhere") == nowhere.json["message"]

    def test_an_organization_reaches_those_below_it(self, world: World) -> None:
        below = made(world, "/orgs", {"name": "Annex"})["id"]
        zone = made(world, "/zones", {"name": "Attic"}, headers={"x-org": below})
        assert zone["org_id"] == below
        assert world.billing("GET", "plan", org=below).json["tier_id"] == "free"
        assert ids(world.call("GET", "/zones")) == []
        assert sorted(ids(world.call("GET", "/orgs"))) == sorted([ACME, below])
        assert world.call("GET", f"/orgs/{below}", "demo-globex").status == 403

    def test_nesting_has_an_end(self, world: World) -> None:
        above = ACME
        made(world, "/admin/quota_overrides", key="demo-operator", body={
            "subject_type": "org", "subject_id": ACME, "quota_key": "organizations", "limit_value": 99,
        })  # fmt: skip
        for _ in range(7):
            above = made(world, "/orgs", {"name": "Below", "parent_id": above})["id"]
        answer = world.call("POST", "/orgs", json={"name": "Too deep", "parent_id": above})
        assert (answer.status, answer.code) == (400, "nesting_too_deep")

    def test_body_and_header_have_to_agree(self, world: World) -> None:
        below = made(world, "/orgs", {"name": "Annex"})["id"]
        body = {"org_id": ACME, "provider_type": "mqtt"}
        answer = world.call("POST", "/integrations", json=body, headers={"x-org": below})
        assert (answer.status, answer.code) == (400, "org_mismatch")

    def test_an_operator_has_to_say_whose(self, world: World) -> None:
        answer = world.call("GET", "/zones", "demo-operator")
        assert (answer.status, answer.json["details"]["name"]) == (400, "X-Org")
        assert world.call("GET", "/zones", "demo-operator", headers={"x-org": GLOBEX}).status == 200

    def test_what_is_referred_to_belongs_to_the_same_organization(self, world: World) -> None:
        names = stock(world)
        body = {"org_id": GLOBEX, "integration_id": names["integration"], "name": "Stolen"}
        assert world.call("POST", "/devices", "demo-globex", json=body).status == 404


class TestDeletion:
    def test_a_device_takes_its_entities_along_and_comes_back_alone(self, world: World) -> None:
        names = stock(world)
        device, entity = f"/devices/{names['device']}", f"/entities/{names['entity']}"
        refused = world.call("DELETE", device)
        assert (refused.code, refused.json["details"]["dependents"]) == ("has_dependents", {"entities": 1})
        assert world.call("DELETE", device, query=b"recursive=true").status == 200
        assert world.call("POST", f"{entity}/restore").code == "parent_deleted"
        assert world.call("POST", f"{device}/restore").status == 200
        assert "deleted_at" in world.call("GET", entity).json
        assert world.call("POST", f"{entity}/restore").status == 200

    def test_an_integration_takes_devices_and_entities(self, world: World) -> None:
        names = stock(world)
        assert world.call("DELETE", f"/integrations/{names['integration']}", query=b"recursive=true").status == 200
        assert ids(world.call("GET", "/entities")) == ids(world.call("GET", "/devices")) == []
        assert world.call("DELETE", f"/integrations/{names['integration']}/purge").status == 200
        assert world.call("GET", f"/entities/{names['entity']}").status == 404

    def test_a_zone_is_detached(self, world: World) -> None:
        names = stock(world)
        corner = made(world, "/zones", {"name": "Corner", "parent_zone_id": names["zone"]})["id"]
        assert world.call("DELETE", f"/zones/{names['zone']}").code == "zone_in_use"
        assert world.call("DELETE", f"/zones/{names['zone']}", query=b"cascade=detach").status == 200
        assert "parent_zone_id" not in world.call("GET", f"/zones/{corner}").json

    def test_what_is_deleted_is_purged_by_itself(self, world: World) -> None:
        names = stock_without("zone")(world)
        assert names is not None
        world.settings(retention_days=1)
        assert world.advance("P29DT23H59M")["fell_due"] <= 2
        assert world.call("GET", f"/zones/{names['zone']}").status == 200
        fallen = world.advance("PT1M")["timeline"]
        assert [each["job"] for each in fallen] == ["resource_purged"]
        assert world.call("GET", f"/zones/{names['zone']}").status == 404

    def test_what_is_restored_is_not(self, world: World) -> None:
        names = stock_without("zone")(world)
        assert names is not None
        world.call("POST", f"/zones/{names['zone']}/restore")
        world.advance("P1Y")
        assert world.call("GET", f"/zones/{names['zone']}").status == 200


class TestUsers:
    def test_one_in_two_organizations_counts_in_both(self, world: World) -> None:
        below = made(world, "/orgs", {"name": "Annex"})["id"]
        user = made(world, "/users", {"name": "Una", "roles": {ACME: ["member"], below: ["owner"]}})["id"]
        assert world.call("GET", f"/orgs/{below}").json["user_roles"] == {user: ["owner"]}
        for org, count in ((ACME, 2), (below, 1)):
            items = world.billing("GET", "usage", org=org).json["items"]
            assert next(each["current"] for each in items if each["key"] == "org_users") == count
        assert world.call("DELETE", f"/users/{user}").status == 204
        assert world.call("GET", f"/orgs/{below}").json["user_roles"] == {}

    def test_either_both_have_room_or_nothing_happens(self, mock: Mock, world: World) -> None:
        below = made(world, "/orgs", {"name": "Annex"})["id"]
        for n in range(2):
            made(world, "/users", {"name": f"U{n}"})
        before = mock.worlds.get("still").state  # type: ignore[union-attr]
        answer = world.call("POST", "/users", json={"name": "Una", "roles": {ACME: ["member"], below: ["owner"]}})
        assert (answer.status, answer.json["details"]["org_id"]) == (429, ACME)
        assert mock.worlds.get("still").state is before  # type: ignore[union-attr]


def test_a_world_full_of_things_is_saved_and_put_back(world: World) -> None:
    stock(world)
    stock_without("device", "zone")(world)
    world.settings(warn_days=1)
    world.billing("POST", "checkout", json={"tier_slug": "pro"})
    saved = world.control("GET", "/state").json
    world.control("POST", "/reset")
    assert world.control("PUT", "/state", json=saved).status == 200
    assert world.control("GET", "/state").json == saved


def test_what_is_nested_deeply_is_put_back_too(world: World) -> None:
    deep: Any = {}
    for _ in range(60):
        deep = {"x": deep}
    made(world, "/integrations", {"org_id": ACME, "provider_type": "mqtt", "config": deep})
    made(world, "/scripting/executions", {"script": f"# mock: result {'[' * 64}{']' * 64}"})
    world.advance("PT5S")
    saved = world.control("GET", "/state").json
    assert world.control("PUT", "/state", json=saved).status == 200
