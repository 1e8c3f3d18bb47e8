"""Taking another tier, at once or by way of the provider's webhook."""

from __future__ import annotations

import html
import json
import shlex
from typing import Any

import pytest

from mock_server.http.mock import Mock

from .client import ACME, GLOBEX, World
from .recipes import webhook


def checkout(world: World, tier: str, key: str = "demo-owner", org: str = ACME) -> Any:
    answer = world.billing("POST", "checkout", key, org, json={"tier_slug": tier})
    assert answer.status == 200, answer.body
    return answer.json


def plan(world: World, key: str = "demo-owner", org: str = ACME) -> Any:
    return world.billing("GET", "plan", key, org).json


def test_instant_changes_the_tier_at_once(world: World) -> None:
    taken = checkout(world, "pro")
    assert (taken["status"], taken["tier_slug"], taken["checkout_url"]) == ("active", "pro", None)
    after = plan(world)
    assert after["tier_id"] == "pro"
    assert after["subscription"]["external_id"] == taken["external_id"]


def test_the_limits_follow_the_tier(world: World) -> None:
    checkout(world, "pro")
    items = world.billing("GET", "usage").json["items"]
    devices = next(item for item in items if item["key"] == "devices")
    assert devices["limit"] == {"value": 200, "source": {"kind": "tier", "slug": "pro"}}


def test_asking_again_answers_the_same_and_changes_nothing(mock: Mock, world: World) -> None:
    taken = checkout(world, "pro")
    state = mock.worlds.get("still").state  # type: ignore[union-attr]
    assert checkout(world, "pro") == taken
    assert mock.worlds.get("still").state is state  # type: ignore[union-attr]


def test_one_subscription_goes_through_all_tiers(world: World) -> None:
    taken = [checkout(world, tier) for tier in ("pro", "business", "free")]
    assert len({(each["external_id"], each["subscription_id"]) for each in taken}) == 1


def test_a_waiting_checkout_is_not_in_the_way_of_an_instant_one(world: World) -> None:
    world.settings(checkout="hosted")
    assert checkout(world, "pro")["status"] == "pending"
    world.settings(checkout="instant")
    assert checkout(world, "pro")["status"] == "active"
    assert plan(world)["subscription"]["pending"] is None


def test_what_is_wrong_with_the_request_comes_before_whose_organization_it_is(world: World) -> None:
    for org in (GLOBEX, "01J9ZC3M4N5P6Q7R8S9T0V1W99"):
        assert world.billing("POST", "checkout", org=org, json={"tier_slug": "gold"}).status == 400
        assert world.billing("POST", "checkout", org=org, json={"tier_slug": "pro"}).status == 403


def test_down_again_is_never_refused(world: World) -> None:
    checkout(world, "business")
    assert checkout(world, "free")["status"] == "active"
    assert plan(world)["tier_id"] == "free"


def test_the_tier_that_a_scenario_gave_is_current_too(world: World) -> None:
    assert checkout(world, "pro", "demo-globex", GLOBEX)["external_id"] == "sub_demo_globex"


@pytest.mark.parametrize("tier", ["gold", "enterprise-2024"])
def test_an_unknown_or_unpublished_tier_is_refused_and_the_refusal_explains(world: World, tier: str) -> None:
    answer = world.billing("POST", "checkout", json={"tier_slug": tier})
    assert (answer.status, answer.code) == (400, "unknown_tier")
    assert answer.json["details"] == {"tier_slug": tier, "published_tiers": "free, starter, pro, business"}
    assert plan(world) == {"org_id": ACME, "tier_id": "free", "subscription": None}


def test_upgrade_options_are_the_published_tiers_above(world: World) -> None:
    def options() -> list[str]:
        return [each["slug"] for each in world.billing("GET", "upgrade-options").json["plans"]]

    assert options() == ["starter", "pro", "business"]
    checkout(world, "pro")
    assert options() == ["business"]
    checkout(world, "business")
    assert options() == []


class TestHosted:
    @pytest.fixture(autouse=True)
    def _hosted(self, world: World) -> None:
        world.settings(checkout="hosted")

    def test_nothing_changes_until_the_webhook(self, world: World) -> None:
        taken = checkout(world, "pro")
        assert taken["status"] == "pending"
        url = taken["checkout_url"]
        assert url == f"http://127.0.0.1:4010/w/still/checkout/{taken['external_id']}"
        assert plan(world)["tier_id"] == "free"
        assert plan(world)["subscription"]["status"] == "pending"
        assert checkout(world, "pro") == taken

    def test_the_page_it_leads_to_says_how_to_pay(self, mock: Mock, world: World) -> None:
        url = checkout(world, "pro")["checkout_url"]
        page = world.client.request("GET", url.removeprefix("http://127.0.0.1:4010"))
        assert page.status == 200
        command = shlex.split(html.unescape(page.body.decode().split("<code>")[1].split("</code>")[0]))
        headers = dict(part.split(": ", 1) for part in command if ": " in part and not part.startswith("{"))
        path = command[3].removeprefix("http://127.0.0.1:4010")
        paid = world.client.request("POST", path, headers=headers, body=command[-1].encode())
        assert paid.status == 200, paid.body
        assert plan(world)["tier_id"] == "pro"
        assert world.client.request("GET", "/w/still/checkout/sub_nothing").status == 404

    def test_a_link_keeps_the_world_however_the_client_named_it(self, world: World) -> None:
        path = f"/api/v1/orgs/{ACME}/billing/checkout"
        for key, headers in (("demo-owner@still", {}), ("demo-owner", {"x-mock-world": "still"})):
            answer = world.client.request("POST", path, key=key, headers=headers, json={"tier_slug": "pro"})
            assert answer.json["checkout_url"].startswith("http://127.0.0.1:4010/w/still/checkout/")

    def test_a_paid_session_completes_it(self, world: World) -> None:
        taken = checkout(world, "pro")
        event = {
            "id": "evt_paid",
            "type": "checkout.session.completed",
            "created": 1_709_164_800,
            "data": {"object": {"client_reference_id": ACME, "subscription": "sub_real", "payment_status": "paid"}},
        }
        answer = webhook(world, json.dumps(event).encode())
        assert answer.status == 200
        after = plan(world)
        assert after["tier_id"] == "pro"
        assert after["subscription"] == {
            "external_id": "sub_real",
            "subscription_id": taken["subscription_id"],
            "provider": "stripe",
            "status": "active",
            "tier_slug": "pro",
            "checkout_url": None,
            "pending": None,
        }

    def test_a_paid_subscription_stays_while_the_next_one_waits(self, world: World) -> None:
        waiting = checkout(world, "business", "demo-globex", GLOBEX)
        shown = plan(world, "demo-globex", GLOBEX)
        assert shown["tier_id"] == "pro"
        assert shown["subscription"]["external_id"] == "sub_demo_globex"
        assert shown["subscription"]["pending"]["external_id"] == waiting["external_id"]

    def test_the_default_tier_needs_no_payment(self, world: World) -> None:
        assert checkout(world, "free", "demo-globex", GLOBEX)["status"] == "active"
        assert plan(world, "demo-globex", GLOBEX)["tier_id"] == "free"


def test_every_portal_session_is_its_own_and_keeps_the_world_and_the_host(world: World) -> None:
    urls = {
        world.billing("POST", "portal", json={"return_url": "https://app.test/?a=1&b=ü"}).json["url"] for _ in range(2)
    }
    assert len(urls) == 2
    for url in urls:
        assert url.startswith("http://127.0.0.1:4010/w/still/portal/ps_")
        assert url.endswith("?return_url=https%3A%2F%2Fapp.test%2F%3Fa%3D1%26b%3D%C3%BC")


def test_the_portal_page_leads_back_but_not_anywhere(world: World) -> None:
    for return_url, expected in (("https://app.test/?a=1", True), ("javascript:alert(1)", False), ("x://[", False)):
        url = world.billing("POST", "portal", json={"return_url": return_url}).json["url"]
        path, _, query = url.removeprefix("http://127.0.0.1:4010").partition("?")
        page = world.client.request("GET", path, query=query.encode())
        assert page.status == 200
        assert (b"<a href=" in page.body) == expected


def test_a_provider_without_a_portal_is_501(world: World) -> None:
    world.settings(portal="off")
    answer = world.billing("POST", "portal", json={"return_url": "https://app.test/"})
    assert (answer.status, answer.code) == (501, "portal_unavailable")
