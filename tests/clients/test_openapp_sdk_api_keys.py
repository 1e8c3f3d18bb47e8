"""openapp-sdk makes API keys and connects with them: they open their own world, and no more than they may."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Connect, MakeWorld
from .proxy import Recorder
from .session import Client, refusal
from .usual import door
from .world import ACME, World

pytestmark = pytest.mark.clients


@pytest.fixture
def owner(connect: Connect, still: World) -> Client:
    return connect(still.secret("demo-owner"))


def listed(owner: Client, key: Any) -> Any:
    return next(each for each in owner.api_keys.list()["items"] if each["id"] == key["id"])


def test_the_token_of_a_new_key_leads_back_into_its_world(
    owner: Client, connect: Connect, still: World, recorder: Recorder
) -> None:
    entity = door(owner)
    key = owner.api_keys.create(name="intercom")

    assert key["token"].startswith(f"{recorder.url}_openapp_"), "the host that the client used"
    assert key["token"].endswith(f"@{still.name}")
    assert key["base_url"] == recorder.url
    assert key["token_suffix"] == key["token"].removesuffix(f"@{still.name}")[-4:]
    assert key["expires_at"] == "2027-03-01T00:00:00Z"
    program = connect(key["token"])
    assert program.entities.list() == owner.entities.list()
    assert program.entities.by_id(entity).open()["executed_at"] == "2026-03-01T00:00:00Z"


def test_a_world_named_in_the_base_url_is_in_the_token_as_well(
    connect: Connect, still: World, recorder: Recorder
) -> None:
    owner = connect("demo-owner", base_url=f"{recorder.url}/w/{still.name}/api/v1")
    key = owner.api_keys.create(name="intercom")

    assert key["token"].endswith(f"@{still.name}")
    assert [each["id"] for each in connect(key["token"]).api_keys.list()["items"]] == [key["id"]]


def test_a_key_of_one_world_is_unknown_in_another(
    owner: Client, connect: Connect, make_world: MakeWorld, recorder: Recorder
) -> None:
    key, other = owner.api_keys.create(name="intercom"), make_world()
    elsewhere = connect(f"{key['token'].rpartition('@')[0]}@{other.name}")

    assert refusal(elsewhere.devices.list).kind == "AuthError"


def test_a_scoped_key_may_do_what_its_roles_say(owner: Client, connect: Connect) -> None:
    entity = door(owner)
    key = owner.api_keys.create(name="intercom", scoped_roles=["entities:set_state"])
    program = connect(key["token"])

    assert key["scoped_roles"] == ["entities:set_state"]
    assert program.entities.by_id(entity).open()["entity_id"] == entity
    error = refusal(program.entities.list)
    assert error.kind == "AuthError"
    assert "entities:list" in error.message
    assert refusal(program.billing.plan, ACME).kind == "AuthError"
    assert program.orgs.permissions(ACME) == {"permissions": ["entities:set_state"]}


def test_a_key_for_certain_doors_opens_no_other(owner: Client, connect: Connect) -> None:
    entity = door(owner)
    other = owner.entities.create(device_id=owner.entities.get(entity)["device_id"], entity_type="door")["id"]
    key = owner.api_keys.create(name="intercom", scoped_entity_ids=[entity])
    program = connect(key["token"])

    assert program.entities.by_id(entity).open()["entity_id"] == entity
    assert refusal(program.entities.by_id(other).open).kind == "AuthError"


def test_what_a_program_opens_counts_as_its_invocation_too(owner: Client, connect: Connect) -> None:
    entity = door(owner)
    owner.entities.by_id(entity).open()
    connect(owner.api_keys.create(name="intercom")["token"]).entities.by_id(entity).open()
    usage = {(each["key"], each["period"]): each["current"] for each in owner.billing.usage(ACME)["items"]}

    assert usage["door_opens", "day"] == 2
    assert usage["voice_invocations", "day"] == 1


@pytest.mark.parametrize(
    "expiry",
    [{"expires_in": "36h"}, {"expires_in": "P1DT12H"}, {"expires_at": "2026-03-02T14:00:00+02:00"}],
)
def test_a_key_works_until_it_expires(owner: Client, connect: Connect, still: World, expiry: dict[str, str]) -> None:
    # The library's own argument `expires_at` goes out as `expiresAt`, which no version of the API knows.
    key = owner._request("POST", "/api-keys", body={"name": "intercom", **expiry})
    program = connect(key["token"])
    still.advance("PT35H59M59S")
    works = program.devices.list()
    still.advance("PT1S")
    error = refusal(program.devices.list)

    assert key["expires_at"] == "2026-03-02T12:00:00Z"
    assert works == []
    assert error.kind == "AuthError"
    assert "expired at 2026-03-02T12:00:00Z" in error.message
    assert listed(owner, key)["last_used_at"] == "2026-03-02T11:59:59Z"


def test_a_revoked_key_is_refused_until_it_is_restored_and_a_purged_one_for_good(
    owner: Client, connect: Connect
) -> None:
    key = owner.api_keys.create(name="intercom")
    program = connect(key["token"])
    assert owner.api_keys.revoke(key["id"]) is None
    revoked = refusal(program.devices.list)

    assert revoked.kind == "AuthError"
    assert "revoked" in revoked.message
    assert listed(owner, key)["revoked_at"] == "2026-03-01T00:00:00Z"
    assert refusal(owner.api_keys.revoke, key["id"]).status == 404
    assert "revoked_at" not in owner.api_keys.restore(key["id"])
    assert program.devices.list() == []
    assert refusal(owner.api_keys.purge, key["id"]).code == "not_deleted"
    owner.api_keys.revoke(key["id"])
    owner.api_keys.purge(key["id"])
    assert refusal(program.devices.list).kind == "AuthError"
    assert refusal(owner.api_keys.restore, key["id"]).status == 404
    assert owner.api_keys.list() == {"items": [], "total": 0}


def test_a_token_is_shown_once(owner: Client) -> None:
    key = owner.api_keys.create(name="intercom", expires_in="2w")
    shown = listed(owner, key)

    assert "token" not in shown
    assert (shown["name"], shown["token_suffix"]) == ("intercom", key["token_suffix"])
    assert shown["expires_at"] == "2026-03-15T00:00:00Z"


def test_nobody_can_make_a_key_that_may_more_than_themselves(owner: Client, connect: Connect) -> None:
    roles = ["api_keys:create", "devices:list"]
    program = connect(owner.api_keys.create(name="a machine", scoped_roles=roles)["token"])
    error = refusal(program.api_keys.create, name="more", scoped_roles=["devices:create"])
    less = connect(program.api_keys.create(name="less", scoped_roles=["devices:list"])["token"])

    assert error.kind == "AuthError"
    assert "devices:create" in error.message
    assert less.devices.list() == []
    assert refusal(less.api_keys.create, name="again").kind == "AuthError"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"name": "k", "expires_in": "1y"}, "invalid_request"),
        ({"name": "k", "expires_in": "3651d"}, "invalid_request"),
        ({"name": "k", "scoped_roles": ["doors:open"]}, "unknown_role"),
        ({"label": "k", "scopes": ["devices:list"]}, "invalid_request"),
    ],
)
def test_a_key_that_makes_no_sense_is_an_api_error(owner: Client, how: dict[str, Any], code: str) -> None:
    """The last is how the library's own arguments go out: under names that the API does not know."""
    error = refusal(owner.api_keys.create, **how)

    assert (error.kind, error.status, error.code) == ("ApiError", 400, code)
