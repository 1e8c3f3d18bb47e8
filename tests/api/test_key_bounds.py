"""What a key may not do: reach further or last longer than the key that made it. And what one owner sees of another."""

from __future__ import annotations

from .client import ACME, GLOBEX, World
from .resource_recipes import made, stock


def test_a_key_made_with_a_key_stays_within_it(world: World) -> None:
    names = stock(world)
    other = made(world, "/entities", {"device_id": names["device"], "entity_type": "door"})["id"]
    limit = {"subject_type": "org", "subject_id": ACME, "quota_key": "api_keys", "limit_value": 9}
    made(world, "/admin/quota_overrides", limit, key="demo-operator")
    maker = made(world, "/api-keys", {"name": "m", "scoped_entity_ids": [other], "expires_in": "60s"})["token"]
    for wider in ({"expires_in": "61s"}, {"scoped_entity_ids": [names["entity"]]}):
        assert world.call("POST", "/api-keys", maker, json={"name": "x", **wider}).status == 403
    child = made(world, "/api-keys", {"name": "c"}, key=maker)
    assert (child["scoped_entity_ids"], child["expires_at"]) == ([other], "2024-02-29T00:01:00Z")
    for method, path in (("DELETE", ""), ("POST", "/actions/open"), ("POST", "/restore"), ("DELETE", "/purge")):
        assert world.call(method, f"/entities/{names['entity']}{path}", child["token"]).status == 403
    assert world.call("DELETE", f"/entities/{other}", child["token"]).status == 200


def test_an_operator_says_what_a_key_is_for(world: World) -> None:
    headers = {"x-org": ACME}
    assert world.call("POST", "/api-keys", "demo-operator", json={"name": "x"}, headers=headers).status == 400
    key = made(world, "/api-keys", {"name": "x", "scoped_roles": ["zones:list"]}, key="demo-operator", headers=headers)
    assert world.call("GET", "/zones", key["token"]).status == 200


def test_a_user_of_two_organizations_shows_neither_the_other(world: World) -> None:
    body = {"name": "Una", "roles": {ACME: ["member"], GLOBEX: ["member"]}}
    user = f"/users/{made(world, '/users', body, key='demo-operator')['id']}"
    assert world.call("GET", user).json["roles"] == {ACME: ["member"]}
    assert world.call("DELETE", user).status == 204
    assert world.call("GET", user).status == 404
    assert world.call("GET", user, "demo-globex").json["roles"] == {GLOBEX: ["member"]}


def test_a_script_of_nothing_is_searched_at_once(world: World) -> None:
    for script in ("\n" * 100_000, "# mock: fail" + "\t" * 9_000 + "x" * 20_000, " " * 100_000):
        assert world.call("POST", "/scripting/executions", json={"script": script}).status == 202


def test_too_much_at_once_is_refused_by_name(world: World) -> None:
    world.settings(warn_days=0, degrade_days=1, purge_days=0)
    limit = {"subject_type": "org", "subject_id": ACME, "quota_key": "org_users", "limit_value": 0}
    made(world, "/admin/quota_overrides", limit, key="demo-operator")
    from mock_server.engine import kernel

    most, kernel.MOST_JOBS = kernel.MOST_JOBS, 100
    try:
        answer = world.control("POST", "/clock", json={"advance": "P1Y"})
    finally:
        kernel.MOST_JOBS = most
    assert (answer.status, answer.code) == (409, "too_much_due")
