"""Clients of the first generation: a bearer token that starts with the API's base URL."""

from __future__ import annotations

import pytest

from tests.server import Server

from .proxy import Recorder
from .sdk import Sdk
from .session import Client, refusal
from .usual import hub
from .world import ACME, World, ask

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("base", ["/api/v1", ""])
def test_the_last_bearer_release_works_with_and_without_the_base_path(old_sdk: Sdk, server: Server, base: str) -> None:
    seen = old_sdk.run("look", f"{server.url}{base}", secret="demo-owner", org=ACME)

    assert seen.steps == ["status", "plans", "plan", "usage", "upgrade options", "degradation"]
    assert seen["plan"] == {"org_id": ACME, "tier_id": "free", "subscription": None}
    assert seen["usage"]["org_id"] == ACME


def test_the_last_bearer_release_buys_in_a_world_of_its_own(old_sdk: Sdk, world: World) -> None:
    base = f"{world.server_url}/api/v1"
    seen = old_sdk.run("up_and_down", base, secret=world.secret("demo-owner"), org=ACME)

    assert seen["plan after up"]["tier_id"] == "pro"
    assert seen["up again"] == seen["up"]
    assert seen["plan after down"]["tier_id"] == "free"


def test_refusals_reach_the_last_bearer_release_with_their_code(old_sdk: Sdk, world: World) -> None:
    base, secret = f"{world.server_url}/api/v1", world.secret("demo-owner")
    world.settings(portal="off")
    error = old_sdk.run("open_portal", base, secret=secret, org=ACME).error("portal")
    refused = old_sdk.run("look", base, secret=world.secret("demo-revoked"), org=ACME).error("plan")

    assert (error["error"], error["status"], error["code"]) == ("ApiError", 501, "portal_unavailable")
    assert refused["error"] == "AuthError"


def test_the_last_bearer_release_makes_things_and_lists_them(old_sdk: Sdk, still: World, recorder: Recorder) -> None:
    with old_sdk.talk("session", api_key=f"{recorder.url}/api/v1_openapp_{still.secret('demo-owner')}") as talk:
        owner = Client(talk)
        integration = hub(owner)
        devices = [owner.devices.create(org_id=ACME, integration_id=integration, name=f"Gate {n}") for n in range(5)]
        door = owner.entities.create(device_id=devices[0]["id"], entity_type="door")
        zone = owner.zones.create(name={"en": "Hall"}, integration_id=integration)
        full = refusal(owner.devices.create, org_id=ACME, integration_id=integration, name="Gate 5")
        key = owner.api_keys.create(name="intercom", scoped_roles=["entities:set_state"])
        listed = owner.devices.list(), owner.entities.list()["items"], owner._request("GET", "/zones")["items"]
        assert listed == (devices, [door], [zone])
        assert (full.kind, full.status, full.code) == ("ApiError", 429, "quota_exceeded")

    # The token names no base path; this release then uses none.
    with old_sdk.talk("session", api_key=key["token"]) as talk:
        assert Client(talk).entities.by_id(door["id"]).open()["entity_id"] == door["id"]
        assert refusal(Client(talk).devices.list).kind == "AuthError"


@pytest.mark.parametrize("prefix", ["{url}/api/v1_openapp_", "{url}_openapp_", "v1_openapp_", ""])
def test_every_documented_spelling_of_a_bearer_token_is_accepted(server: Server, prefix: str) -> None:
    token = f"{prefix.format(url=server.url)}demo-owner"
    url = f"{server.url}/api/v1/orgs/{ACME}/billing/plan"
    answer = ask("GET", url, headers={"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.json["org_id"]) == (200, ACME)


def test_a_bad_bearer_token_is_answered_with_a_challenge(server: Server) -> None:
    url = f"{server.url}/api/v1/orgs/{ACME}/billing/plan"
    answer = ask("GET", url, headers={"Authorization": f"Bearer {server.url}/api/v1_openapp_nobody"})

    assert (answer.status, answer.json["error_code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
