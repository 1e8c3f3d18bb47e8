"""openapp-sdk against the mock: what a program built on the library sees when all goes well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server import Server

from .conftest import MakeWorld
from .sdk import Sdk
from .world import ACME, World

pytestmark = pytest.mark.clients


def limit(usage: Any, key: str, period: str = "lifetime") -> Any:
    return next(item["limit"] for item in usage["items"] if (item["key"], item["period"]) == (key, period))


def test_connects_with_nothing_but_a_key_and_reads_whatever_an_owner_may_read(sdk: Sdk, server: Server) -> None:
    seen = sdk.run("look", server.url, secret="demo-owner", org=ACME)

    assert set(seen["status"]) == {"environment", "version"}
    assert [plan["slug"] for plan in seen["plans"]["plans"]] == ["free", "starter", "pro", "business"]
    assert seen["plan"] == {"org_id": ACME, "tier_id": "free", "subscription": None}
    assert seen["usage"]["tier_slug"] == "free"
    assert limit(seen["usage"], "devices") == {"value": 5, "source": {"kind": "tier", "slug": "free"}}
    assert limit(seen["usage"], "door_opens", "day")["value"] == 50
    assert limit(seen["usage"], "door_opens", "month")["value"] == 500
    assert limit(seen["usage"], "video_sessions", "day") == {"value": None, "source": {"kind": "default"}}
    assert [plan["slug"] for plan in seen["upgrade options"]["plans"]] == ["starter", "pro", "business"]
    assert (seen["degradation"]["stage"], seen["degradation"]["over_capacity"]) == ("none", False)


def test_checkout_changes_the_tier_at_once_up_and_down(sdk: Sdk, world: World) -> None:
    seen = sdk.run("up_and_down", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    up, down = seen["up"], seen["down"]
    assert (up["tier_slug"], up["status"], up["provider"], up["checkout_url"]) == ("pro", "active", "stripe", None)
    assert seen["plan after up"]["tier_id"] == "pro"
    assert seen["plan after up"]["subscription"]["external_id"] == up["external_id"]
    assert limit(seen["usage after up"], "devices") == {"value": 200, "source": {"kind": "tier", "slug": "pro"}}
    assert [plan["slug"] for plan in seen["upgrade options after up"]["plans"]] == ["business"]
    assert (down["tier_slug"], down["status"]) == ("free", "active")
    assert seen["plan after down"]["tier_id"] == "free"


def test_checkout_of_the_tier_one_has_answers_the_same_subscription(sdk: Sdk, world: World) -> None:
    seen = sdk.run("up_and_down", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    assert seen["up again"] == seen["up"]
    assert seen["down again"] == seen["down"]
    assert seen["down"]["external_id"] == seen["up"]["external_id"]


def test_the_portal_is_a_link_on_the_host_that_the_client_used_and_knows_the_way_back(sdk: Sdk, world: World) -> None:
    seen = sdk.run("open_portal", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    url = seen["portal"]["url"]
    assert url.startswith(f"{world.server_url}/")
    assert url.endswith("?return_url=https%3A%2F%2Fapp.example%2Fbilling%3Ftab%3Dplan%26x%3D%C3%BC")


def test_the_portal_is_in_the_world_that_the_key_names(sdk: Sdk, world: World) -> None:
    seen = sdk.run("open_portal", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    # A browser that follows the link sends no key: the link itself has to say which world it is of.
    assert seen["portal"]["url"].startswith(f"{world.server_url}/w/{world.name}/")


def test_an_override_lifts_a_limit_and_posting_it_again_keeps_its_id(sdk: Sdk, world: World) -> None:
    operator, owner = world.secret("demo-operator"), world.secret("demo-owner")
    seen = sdk.run("override", world.server_url, operator=operator, owner=owner, org=ACME, key="devices", limit="7")

    override = seen["post"]
    assert (override["quota_key"], override["period"], override["limit_value"]) == ("devices", "lifetime", 7)
    assert (override["active"], override["expires_at"], override["reason"]) == (True, None, "a trial")
    assert seen["post again"]["id"] == override["id"]
    assert [each["id"] for each in seen["list"]["overrides"]] == [override["id"]]
    assert limit(seen["usage"], "devices") == {"value": 7, "source": {"kind": "override", "id": override["id"]}}
    assert limit(seen["usage"], "zones")["source"] == {"kind": "tier", "slug": "free"}
    assert seen.error("list as owner")["error"] == "AuthError"


def test_an_override_ends_when_the_worlds_clock_passes_its_expiry(sdk: Sdk, make_world: MakeWorld) -> None:
    world = make_world(now="2026-03-01T00:00:00Z")
    operator, owner = world.secret("demo-operator"), world.secret("demo-owner")
    inputs = {"operator": operator, "owner": owner, "org": ACME, "key": "door_opens", "limit": "9"}
    during = sdk.run("override", world.server_url, **inputs, expires_at="2026-03-02T12:00:00Z")
    world.advance("P2D")
    usage = sdk.run("look", world.server_url, secret=owner, org=ACME)["usage"]
    listed = sdk.run("list_overrides", world.server_url, operator=operator)["list"]["overrides"]

    override = during["post"]
    assert override["created_at"] == "2026-03-01T00:00:00Z"
    lifted = {"value": 9, "source": {"kind": "override", "id": override["id"]}}
    assert limit(during["usage"], "door_opens", "day") == lifted
    assert limit(during["usage"], "door_opens", "month")["source"]["kind"] == "tier"
    assert limit(usage, "door_opens", "day") == {"value": 50, "source": {"kind": "tier", "slug": "free"}}
    assert [(each["id"], each["active"]) for each in listed] == [(override["id"], False)]


def test_an_expiry_that_carries_an_offset_is_the_same_instant(sdk: Sdk, make_world: MakeWorld) -> None:
    world = make_world(now="2026-03-01T00:00:00Z")
    keys = {"operator": world.secret("demo-operator"), "owner": world.secret("demo-owner")}
    inputs = {"org": ACME, "key": "zones", "limit": "9", "expires_at": "2026-03-01T02:00:00+02:00"}
    seen = sdk.run("override", world.server_url, **keys, **inputs)

    assert seen["post"]["active"] is False, "midnight in UTC has come"


def test_the_selection_policy_can_be_set_and_an_unknown_one_not(sdk: Sdk, world: World) -> None:
    seen = sdk.run("policy", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    assert seen["oldest_first"]["selection_policy"] == "oldest_first"
    assert (seen.error("whatever")["status"], seen.error("whatever")["code"]) == (400, "invalid_request")
    assert seen["degradation"]["selection_policy"] == "oldest_first"


def test_a_world_named_at_the_end_of_the_secret_is_apart_from_the_others(
    sdk: Sdk, world: World, server: Server
) -> None:
    here = sdk.run("buy", server.url, secret=world.secret("demo-owner"), org=ACME, tier="business")
    elsewhere = sdk.run("look", server.url, secret="demo-owner", org=ACME)

    assert here["plan"]["tier_id"] == "business"
    assert elsewhere["plan"]["tier_id"] == "free"


def test_a_world_can_be_named_in_the_base_url_too(sdk: Sdk, world: World) -> None:
    root = f"{world.server_url}/w/{world.name}"
    seen = sdk.run("by_base_url", world.server_url, secret="demo-owner", org=ACME, base_url=f"{root}/api/v1")

    assert seen["plan"]["tier_id"] == "free"
    assert seen["portal"]["url"].startswith(f"{root}/")
    assert world.summary["requests"] == 3


def test_connecting_fails_when_key_and_base_url_name_different_worlds(sdk: Sdk, world: World, server: Server) -> None:
    root, secret = f"{server.url}/w/demo/api/v1", world.secret("demo-owner")
    error = sdk.run("by_base_url", server.url, secret=secret, org=ACME, base_url=root).error("connect")

    assert (error["error"], error["status"], error["code"]) == ("ApiError", 400, "worlds_disagree")


def test_the_org_header_that_the_library_sends_on_every_call_is_tolerated(sdk: Sdk, world: World) -> None:
    seen = sdk.run("with_org_header", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    assert seen["at the start"] == seen["later"]
    assert seen["later"]["org_id"] == ACME


def test_the_blocking_twin_sees_the_same(sdk: Sdk, world: World) -> None:
    seen = sdk.run("synchronous", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    assert (seen["plan"]["tier_id"], seen["plan after checkout"]["tier_id"]) == ("free", "pro")
    assert seen["usage"]["org_id"] == ACME
    assert [plan["slug"] for plan in seen["upgrade options"]["plans"]] == ["starter", "pro", "business"]
    assert seen["checkout"]["status"] == "active"
    assert seen["portal"]["url"].startswith(world.server_url)
    assert seen.error("unknown tier")["code"] == "unknown_tier"
