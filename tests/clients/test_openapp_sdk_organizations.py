"""openapp-sdk in and across organizations: whose things one sees, who else is in there, and what anybody may look at."""

from __future__ import annotations

import pytest

from .conftest import Connect
from .session import refusal
from .usual import hub, used
from .world import ACME, GLOBEX, World

pytestmark = pytest.mark.clients


def test_an_organization_below_ones_own_has_a_plan_and_quotas_of_its_own(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    child = owner.orgs.create(name="Acme Nord")["id"]
    device = owner.devices.create(org_id=child, integration_id=hub(owner, child), name="Gate")

    below = owner.with_org(child)
    assert below.devices.list() == [device]
    assert below.devices.get(device["id"]) == owner.devices.get(device["id"]) == device
    assert owner.devices.list() == []
    assert (used(owner, "devices", org=child), used(owner, "devices")) == (1, 0)
    assert owner.billing.plan(child)["tier_id"] == "free"
    assert set(owner.orgs.permissions(child)["permissions"]) >= {"admin", "devices:create", "billing:manage"}
    key = below.api_keys.create(name="of the child")
    assert connect(key["token"]).devices.list() == [device]
    assert refusal(connect(key["token"]).orgs.get, ACME).kind == "AuthError"


def test_the_organization_in_the_header_must_be_that_in_the_body(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    below = owner.with_org(owner.orgs.create(name="Acme Nord")["id"])
    error = refusal(below.integrations.create, org_id=ACME, provider_type="knx", name="Hub")

    assert (error.status, error.code) == (400, "org_mismatch")


def test_an_operator_acts_wherever_it_says(connect: Connect, still: World) -> None:
    operator = connect(still.secret("demo-operator"))
    nowhere = refusal(operator.devices.list)
    hub(operator)

    assert (nowhere.status, nowhere.code) == (400, "invalid_request")
    assert operator.with_org(ACME).integrations.list()["total"] == 1
    assert operator.with_org(GLOBEX).integrations.list()["total"] == 0
    assert refusal(operator.with_org("nobody").integrations.list).status == 404
    assert operator.orgs.list()["total"] == 2
    assert "parent_id" not in operator.orgs.create(name="Initech")


def test_what_belongs_to_others_is_as_if_it_were_not_there(connect: Connect, still: World) -> None:
    owner, other = connect(still.secret("demo-owner")), connect(still.secret("demo-globex"))
    integration = hub(other, GLOBEX)
    device = other.devices.create(org_id=GLOBEX, integration_id=integration, name="Gate")["id"]
    entity = other.entities.create(device_id=device, entity_type="door")["id"]

    for call in (owner.devices.get, owner.devices.delete, owner.devices.restore, owner.devices.purge):
        assert refusal(call, device).status == 404
    assert refusal(owner.entities.by_id(entity).open).status == 404
    assert refusal(owner.devices.create, org_id=ACME, integration_id=integration, name="Gate").code == "not_found"
    assert refusal(owner.devices.create, org_id=GLOBEX, integration_id=integration, name="Gate").kind == "AuthError"


def test_whoever_may_not_is_an_auth_error_and_changes_nothing(connect: Connect, still: World) -> None:
    owner, reader = connect(still.secret("demo-owner")), connect(still.secret("demo-reader"))
    before = still.summary["revision"]
    error = refusal(hub, reader)

    assert error.kind == "AuthError"
    assert "integrations:create" in error.message
    assert still.summary["revision"] == before
    assert owner.integrations.list() == {"items": [], "total": 0}


def test_a_public_portal_is_seen_by_anybody_and_each_look_counts(connect: Connect, still: World) -> None:
    owner, stranger = connect(still.secret("demo-owner")), connect(still.secret("no-such-key"))
    seen = stranger.public_access.get_portal("portal-demo")

    assert (seen["public_portal_id"], seen["name"]) == ("portal-demo", {"en": "Acme front door"})
    assert used(owner, "portal_views", "day") == 1
    assert refusal(stranger.public_access.get_portal, "portal-other").status == 404
    assert used(owner, "portal_views", "day") == 1


def test_translations_and_places_are_counted_too(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    texts = {"title": "Hello", "body": "Come in", "source_locale": "en", "target_locales": ["de", "he"]}
    translated = owner._request("POST", "/ai/translate-locale-content", body=texts)["translations"]
    place = owner._request("POST", "/reverse-geocode", body={"lat": 52.5, "lng": 13.4})

    assert sorted(translated) == ["de", "he"]
    assert (place["city"], place["lat"]) == ("Berlin", 52.5)
    assert (used(owner, "ai_requests", "day"), used(owner, "geocoding_requests", "day")) == (1, 1)


def test_a_user_without_an_address_gets_one_and_can_be_let_go(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    body = {"name": "Carol", "phone": "+491701234567"}
    carol = owner._request("POST", "/users", body=body)

    assert carol["email_is_synthetic"] is True
    assert carol["roles"] == {ACME: ["member"]}
    assert used(owner, "org_users") == 2
    assert owner.users.delete(carol["id"]) is None
    assert used(owner, "org_users") == 1
    assert refusal(owner.users.get, carol["id"]).status == 404
