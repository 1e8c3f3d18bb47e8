"""openapp-sdk against the mock: which exceptions refusals become, and that they change nothing."""

from __future__ import annotations

import pytest

from tests.server import Server

from .sdk import Sdk
from .world import ACME, GLOBEX, World

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("tier", ["platinum", "enterprise-2024"])
def test_checkout_of_a_tier_that_is_not_for_sale_is_an_api_error_with_a_code(sdk: Sdk, world: World, tier: str) -> None:
    seen = sdk.run("buy", world.server_url, secret=world.secret("demo-owner"), org=ACME, tier=tier)

    error = seen.error("checkout")
    assert (error["error"], error["status"], error["code"]) == ("ApiError", 400, "unknown_tier")
    assert tier in error["message"]
    assert error["details"]["tier_slug"] == tier
    assert error["correlation_id"]
    assert seen["plan"]["tier_id"] == "free"


def test_a_provider_without_a_portal_is_an_api_error_not_a_transport_error(sdk: Sdk, world: World) -> None:
    world.settings(portal="off")
    seen = sdk.run("open_portal", world.server_url, secret=world.secret("demo-owner"), org=ACME)

    error = seen.error("portal")
    assert (error["error"], error["status"], error["code"]) == ("ApiError", 501, "portal_unavailable")


@pytest.mark.parametrize("secret", ["no-such-key", "demo-revoked"])
def test_a_wrong_or_revoked_key_connects_but_every_call_is_an_auth_error(sdk: Sdk, server: Server, secret: str) -> None:
    seen = sdk.run("look", server.url, secret=secret, org=ACME)

    assert set(seen["status"]) == {"environment", "version"}
    assert seen["plans"]["plans"]
    for step in ("plan", "usage", "upgrade options", "degradation"):
        assert seen.error(step)["error"] == "AuthError", step
        assert seen.error(step)["message"].startswith("auth error: "), step


def test_a_reader_may_look_but_not_buy(sdk: Sdk, world: World) -> None:
    secret = world.secret("demo-reader")
    bought = sdk.run("buy", world.server_url, secret=secret, org=ACME, tier="pro")
    opened = sdk.run("open_portal", world.server_url, secret=secret, org=ACME)

    assert bought.error("checkout")["error"] == "AuthError"
    assert "billing:manage" in bought.error("checkout")["message"]
    assert bought["plan"]["tier_id"] == "free"
    assert opened.error("portal")["error"] == "AuthError"


def test_a_member_without_billing_permissions_may_not_even_look(sdk: Sdk, server: Server) -> None:
    seen = sdk.run("look", server.url, secret="demo-member", org=ACME)

    assert "billing:read" in seen.error("plan")["message"]


def test_another_organization_is_an_auth_error_whether_it_exists_or_not(sdk: Sdk, world: World) -> None:
    secret = world.secret("demo-owner")
    existing = sdk.run("look", world.server_url, secret=secret, org=GLOBEX)
    imagined = sdk.run("look", world.server_url, secret=secret, org="01J9ZC3M4N5P6Q7R8S9T0V1W00")

    for step in ("plan", "usage", "upgrade options", "degradation"):
        assert existing.error(step)["error"] == imagined.error(step)["error"] == "AuthError", step
    with_other_id = imagined.error("plan")["message"].replace("01J9ZC3M4N5P6Q7R8S9T0V1W00", GLOBEX)
    assert existing.error("plan")["message"] == with_other_id


def test_an_operator_learns_that_an_organization_does_not_exist(sdk: Sdk, world: World) -> None:
    seen = sdk.run("buy", world.server_url, secret=world.secret("demo-operator"), org="nobody", tier="pro")

    assert (seen.error("checkout")["status"], seen.error("checkout")["code"]) == (404, "not_found")
    assert seen.error("plan")["status"] == 404


@pytest.mark.parametrize(
    ("key", "limit", "code"),
    [
        ("doors", "1", "unknown_quota_key"),
        ("devices", "-1", "invalid_request"),
        ("devices", str(2**63), "invalid_request"),
    ],
)
def test_an_override_that_makes_no_sense_is_an_api_error(
    sdk: Sdk, world: World, key: str, limit: str, code: str
) -> None:
    operator, owner = world.secret("demo-operator"), world.secret("demo-owner")
    seen = sdk.run("override", world.server_url, operator=operator, owner=owner, org=ACME, key=key, limit=limit)

    assert (seen.error("post")["status"], seen.error("post")["code"]) == (400, code)
    assert seen["list"] == {"overrides": []}
