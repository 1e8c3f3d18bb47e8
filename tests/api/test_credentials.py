"""Which credentials are accepted, in which header, in which form."""

from __future__ import annotations

import pytest

from mock_server.app import create_app, create_mock
from mock_server.http.mock import Options

from .client import ACME, WALL, Client, World

PLAN = f"/api/v1/orgs/{ACME}/billing/plan"


@pytest.mark.parametrize(
    "headers",
    [
        [("x-api-key", "demo-owner")],
        [("x-api-key", "http://127.0.0.1:4010_openapp_demo-owner")],
        [("x-api-key", "http://127.0.0.1:4010/api/v1_openapp_demo-owner@demo")],
        [("authorization", "Bearer demo-owner")],
        [("authorization", "bearer http://127.0.0.1:4010/api/v1_openapp_demo-owner")],
        [("x-api-key", "demo-owner"), ("authorization", "Bearer nobody")],
        [("x-api-key", "demo-owner"), ("authorization", "Basic abc"), ("authorization", "again")],
    ],
)
def test_accepted(client: Client, headers: list[tuple[str, str]]) -> None:
    assert client.request("GET", PLAN, headers=headers).status == 200


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "no credential"),
        ([("x-api-key", "")], "empty"),
        ([("x-api-key", "http://127.0.0.1:4010_openapp_")], "empty"),
        ([("x-api-key", "@demo")], "empty"),
        ([("x-api-key", "nobody")], "not known"),
        ([("x-api-key", "demo-revoked")], "revoked"),
        ([("x-api-key", "demo-owner"), ("x-api-key", "demo-owner")], "more than once"),
        ([("authorization", "Bearer demo-owner"), ("authorization", "Bearer demo-owner")], "more than once"),
        ([("authorization", "Basic ZGVtbzpvd25lcg==")], "something else"),
        ([("authorization", "Bearer")], "empty"),
        ([("x-api-key", "nobody"), ("authorization", "Bearer demo-owner")], "not known"),
        ([("x-api-key", "démo")], "not known"),
    ],
)
def test_refused_with_the_reason(client: Client, headers: list[tuple[str, str]], reason: str) -> None:
    answer = client.request("GET", PLAN, headers=headers)
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert reason in answer.json["message"]
    assert answer.headers["www-authenticate"] == 'Bearer realm="openapp"'


def test_a_bad_credential_on_an_anonymous_operation_is_ignored(client: Client) -> None:
    assert client.request("GET", "/api/v1/plans", key="nobody").status == 200
    assert client.request("GET", "/api/v1/plans", headers=[("x-api-key", "a"), ("x-api-key", "b")]).status == 200


def test_an_operator_reaches_every_organization(client: Client) -> None:
    assert client.request("GET", PLAN, key="demo-operator").status == 200


class TestStrict:
    @pytest.fixture
    def options(self) -> Options:
        return Options(strict=True)

    def test_an_api_key_in_authorization_is_refused(self, client: Client) -> None:
        answer = client.request("GET", PLAN, headers={"authorization": "Bearer demo-owner"})
        assert answer.status == 401
        assert "strict" in answer.json["message"]

    def test_an_unknown_query_parameter_is_refused(self, client: Client) -> None:
        answer = client.request("GET", PLAN, key="demo-owner", query=b"page=2")
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert answer.json["details"]["name"] == "page"


def test_an_unknown_query_parameter_is_ignored_otherwise(client: Client) -> None:
    assert client.request("GET", PLAN, key="demo-owner", query=b"page=2&page=3").status == 200


class TestWorlds:
    def test_path_header_and_secret_choose_the_same_world(self, client: Client, world: World) -> None:
        taken = world.billing("POST", "checkout", json={"tier_slug": "pro"})
        assert taken.status == 200
        by_header = client.request("GET", PLAN, key="demo-owner", headers={"x-mock-world": "still"})
        by_secret = client.request("GET", PLAN, key="http://h_openapp_demo-owner@still")
        by_path = client.request("GET", f"/w/still{PLAN}", key="demo-owner")
        by_both = client.request("GET", f"/w/still/openapp{PLAN}", key="demo-owner@still")
        assert by_header.json == by_secret.json == by_path.json == by_both.json
        assert by_path.json["tier_id"] == "pro"
        assert client.request("GET", PLAN, key="demo-owner").json["tier_id"] == "free"

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            ("/w/still/api/v1/plans", [("x-mock-world", "demo")]),
            ("/w/still/api/v1/plans", [("x-api-key", "demo-owner@demo")]),
            ("/api/v1/plans", [("x-api-key", "demo-owner@demo"), ("x-mock-world", "still")]),
            ("/api/v1/plans", [("x-mock-world", "demo"), ("x-mock-world", "still")]),
        ],
    )
    def test_two_that_disagree_are_400(self, client: Client, path: str, headers: list[tuple[str, str]]) -> None:
        answer = client.request("GET", path, headers=headers)
        assert (answer.status, answer.code) == (400, "worlds_disagree")

    @pytest.mark.parametrize("name", ["UPPER", "-dash", "a" * 64, "a.b", "%2e", ""])
    def test_what_cannot_be_a_name_is_400(self, client: Client, name: str) -> None:
        answer = client.request("GET", f"/w/{name}/api/v1/plans")
        assert (answer.status, answer.code) == (400, "invalid_world_name")

    def test_an_unknown_world_is_404_with_the_command_that_creates_it(self, client: Client) -> None:
        answer = client.request("GET", "/w/blue/api/v1/plans")
        assert (answer.status, answer.code) == (404, "unknown_world")
        assert "/_mock/worlds" in answer.json["message"]
        assert '{"name":"blue"}' in answer.json["message"]

    def test_unknown_worlds_are_created_when_asked_for_and_the_longest_idle_goes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mock_server.store.worlds.MOST_WORLDS", 3)
        ticks = iter(range(WALL, WALL + 1_000_000))
        mock = create_mock(Options(auto_worlds=True), wall=lambda: next(ticks), fresh_seed=lambda: 7)
        client = Client(create_app(mock))
        for name in ("one", "two", "one", "three"):
            assert client.request("GET", f"/w/{name}/api/v1/plans").status == 200
        assert [each.name for each in mock.worlds] == ["demo", "one", "three"]
