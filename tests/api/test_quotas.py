"""Quotas over the API: what is refused, how the refusal explains itself, and how the rest of the API shows it."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.http.mock import Mock

from .client import ACME, Answer, World
from .resource_recipes import made, stock


def used(world: World, key: str) -> dict[str, int]:
    items = world.billing("GET", "usage").json["items"]
    return {each["period"]: each["current"] for each in items if each["key"] == key}


def opened(world: World, entity: str, key: str = "demo-member", **more: Any) -> Answer:
    return world.call("POST", f"/entities/{entity}/actions/switchable.open", key, **more)


def limit(world: World, key: str, value: int, period: str | None = None, **more: Any) -> None:
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": value, "period": period, **more}
    made(world, "/admin/quota_overrides", body, key="demo-operator")


class TestCapacity:
    def test_the_sixth_device_is_one_too_many(self, world: World) -> None:
        integration = stock(world)["integration"]
        body = {"org_id": ACME, "integration_id": integration, "name": "Another"}
        for _ in range(4):
            made(world, "/devices", body)
        answer = world.call("POST", "/devices", json=body)
        assert (answer.status, answer.code) == (429, "quota_exceeded")
        assert answer.json["details"] == {
            "org_id": ACME, "key": "devices", "period": "lifetime", "period_label": "lifetime", "current": 5,
            "limit": 5, "requested": 1, "source": {"kind": "tier", "slug": "free"}, "resets_at": None,
        }  # fmt: skip
        assert "retry-after" not in answer.headers
        assert used(world, "devices") == {"lifetime": 5}

    def test_deleting_one_makes_room(self, world: World) -> None:
        zones = [made(world, "/zones", {"name": "Room"})["id"] for _ in range(3)]
        assert world.call("POST", "/zones", json={"name": "Room"}).status == 429
        world.call("DELETE", f"/zones/{zones[0]}")
        made(world, "/zones", {"name": "Room"})
        assert world.call("POST", f"/zones/{zones[0]}/restore").status == 429


class TestMetered:
    def test_the_day_fills_and_the_next_one_is_empty(self, world: World) -> None:
        entity = stock(world)["entity"]
        world.control("POST", "/usage", json={"org": ACME, "key": "door_opens", "amount": 49})
        assert opened(world, entity).status == 200
        answer = opened(world, entity)
        details = answer.json["details"]
        assert (answer.status, details["key"], details["period"], details["current"]) == (429, "door_opens", "day", 50)
        assert (details["period_label"], details["resets_at"]) == ("day:2024-02-29", "2024-03-01T00:00:00Z")
        assert answer.headers["retry-after"] == str(24 * 3600)
        assert used(world, "door_opens") == {"day": 50, "month": 50}
        world.advance("P1D")
        assert used(world, "door_opens") == {"day": 0, "month": 0}
        assert opened(world, entity).status == 200

    def test_of_two_full_windows_the_longer_one_is_named(self, world: World) -> None:
        entity = stock(world)["entity"]
        limit(world, "door_opens", 0, "month")
        limit(world, "door_opens", 0, "week")
        details = opened(world, entity).json["details"]
        # The week of Thursday 29 February ends on 4 March, its month before that.
        assert (details["period"], details["resets_at"]) == ("week", "2024-03-04T00:00:00Z")

    def test_a_limit_in_mid_week_finds_what_the_week_has_seen(self, world: World) -> None:
        entity = stock(world)["entity"]
        for _ in range(3):
            opened(world, entity)
        limit(world, "door_opens", 3, "week")
        assert used(world, "door_opens") == {"day": 3, "week": 3, "month": 3}
        assert opened(world, entity).json["details"]["period_label"] == "week:2024-W09"

    def test_an_override_falls_back_when_it_expires(self, world: World) -> None:
        entity = stock(world)["entity"]
        limit(world, "door_opens", 0, "day", expires_at="2024-02-29T12:00:00Z")
        assert opened(world, entity).json["details"]["source"]["kind"] == "override"
        world.advance("PT12H")
        assert opened(world, entity).status == 200

    def test_sessions_are_counted_each_for_itself(self, world: World) -> None:
        limit(world, "video_session_duration_seconds", 60)

        def watch(session: str, seconds: int) -> Answer:
            body = {"org": ACME, "key": "video_session_duration_seconds", "amount": seconds, "session": session}
            return world.control("POST", "/usage", json=body)

        assert watch("one", 40).status == watch("two", 60).status == watch("one", 20).status == 200
        answer = watch("one", 1)
        assert (answer.status, answer.json["details"]["current"], answer.json["details"]["limit"]) == (429, 60, 60)
        (row,) = (each for each in world.billing("GET", "usage").json["items"] if each["period"] == "per_session")
        assert (row["unit"], row["current"], row["period_label"]) == ("seconds", 60, "per_session")

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"key": "devices", "amount": 1}, 400, "not_metered"),
            ({"key": "video_session_duration_seconds", "amount": 1}, 400, "session_needed"),
            ({"key": "dreams", "amount": 1}, 400, "unknown_quota_key"),
            ({"key": "door_opens", "amount": 1, "org": "nobody"}, 404, "not_found"),
            ({"key": "door_opens", "amount": 0}, 400, "invalid_request"),
            ({"key": "door_opens", "amount": 1, "api": "nothing"}, 400, "unknown_api"),
        ],
    )
    def test_use_that_makes_no_sense(self, world: World, body: dict[str, Any], status: int, code: str) -> None:
        answer = world.control("POST", "/usage", json={"org": ACME, **body})
        assert (answer.status, answer.code) == (status, code)


class TestDoors:
    def test_a_key_that_was_made_is_charged_as_voice_too(self, world: World) -> None:
        entity = stock(world)["entity"]
        token = made(world, "/api-keys", {"name": "voice", "scoped_roles": ["entities:set_state"]})["token"]
        limit(world, "voice_invocations", 1)
        assert opened(world, entity, token).status == 200
        answer = opened(world, entity, token)
        assert (answer.status, answer.json["details"]["key"]) == (429, "voice_invocations")
        assert used(world, "door_opens")["day"] == used(world, "voice_invocations")["day"] == 1

    def test_a_repeat_with_the_same_key_is_answered_and_not_counted(self, world: World) -> None:
        entity = stock(world)["entity"]
        once = {"headers": {"idempotency-key": "a"}, "json": {"hold": 5}}
        first, again = opened(world, entity, **once), opened(world, entity, **once)
        assert [each.json["idempotent_replay"] for each in (first, again)] == [False, True]
        assert first.json["executed_at"] == again.json["executed_at"]
        assert used(world, "door_opens")["day"] == 1
        other = opened(world, entity, headers={"idempotency-key": "a"}, json={"hold": 6})
        assert (other.status, other.code) == (409, "idempotency_conflict")
        world.advance("P1DT1S")
        assert opened(world, entity, **once).json["idempotent_replay"] is False

    def test_somebody_elses_key_is_another_one(self, world: World) -> None:
        entity = stock(world)["entity"]
        once = {"headers": {"idempotency-key": "a"}, "json": {}}
        answers = [opened(world, entity, key, **once) for key in ("demo-member", "demo-owner")]
        assert [each.json["idempotent_replay"] for each in answers] == [False, False]

    def test_a_scoped_key_opens_what_it_is_for(self, world: World) -> None:
        names = stock(world)
        other = made(world, "/entities", {"device_id": names["device"], "entity_type": "door"})["id"]
        body = {"name": "one door", "scoped_entity_ids": [other]}
        token = made(world, "/api-keys", body)["token"]
        assert opened(world, other, token).status == 200
        assert opened(world, names["entity"], token).status == 403

    def test_the_correlation_id_is_the_requests(self, world: World) -> None:
        answer = opened(world, stock(world)["entity"], headers={"x-correlation-id": "mine"})
        assert answer.json["correlation_id"] == answer.headers["x-request-id"] == "mine"

    def test_a_sensor_cannot_be_opened(self, world: World) -> None:
        device = stock(world)["device"]
        sensor = made(world, "/entities", {"device_id": device, "entity_type": "sensor"})["id"]
        answer = opened(world, sensor)
        assert (answer.status, answer.json["details"]["actions"]) == (501, [])

    def test_real_delays_take_their_time(self, mock: Mock, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        waited: list[float] = []

        async def instead_of_waiting(seconds: float) -> None:
            waited.append(seconds)

        world.billing("POST", "checkout", json={"tier_slug": "pro"})
        entity = stock(world)["entity"]
        for _ in range(3):
            made(world, "/zones", {"name": "Room"})
        world.billing("POST", "checkout", json={"tier_slug": "free"})
        world.settings(delays="real", max_delay_ms=1000)
        monkeypatch.setattr(mock, "sleep", instead_of_waiting)
        world.advance("P22D")
        assert opened(world, entity).json["degradation"]["delay_ms"] == 500
        assert opened(world, entity, "demo-owner").json.get("degradation") is None
        assert waited == [0.5]


class TestApiKeys:
    def test_a_key_may_what_its_maker_may_but_not_more(self, world: World) -> None:
        token = made(world, "/api-keys", {"name": "all"})["token"]
        assert token.endswith("@still")
        assert world.billing("GET", "plan", token).status == 200
        narrow = made(world, "/api-keys", {"name": "zones", "scoped_roles": ["zones:list", "api_keys:create"]})["token"]
        assert world.call("GET", "/zones", narrow).status == 200
        assert world.billing("GET", "plan", narrow).status == 403
        refused = world.call("POST", "/api-keys", narrow, json={"name": "x", "scoped_roles": ["devices:create"]})
        assert (refused.status, refused.code) == (403, "forbidden")

    @pytest.mark.parametrize(
        "body",
        [
            {"expires_in": "1y"},
            {"expires_in": "P1M"},
            {"expires_in": "P"},
            {"expires_in": "PT"},
            {"expires_in": "0s"},
            {"expires_in": "3651d"},
            {"expires_in": "999999999w"},
            {"expires_at": "2024-02-28T23:59:59Z"},
            {"expires_at": "2034-02-28T00:00:00Z"},
            {"expires_at": "tomorrow"},
            {"expires_in": "1d", "expires_at": "2024-03-01T00:00:00Z"},
            {"scoped_roles": ["billing:manage"]},
        ],
        ids=str,
    )
    def test_what_cannot_be(self, world: World, body: dict[str, Any]) -> None:
        assert world.call("POST", "/api-keys", json={"name": "x", **body}).status == 400

    @pytest.mark.parametrize(
        ("within", "until"),
        [("90s", "00:01:30"), ("PT1H30M", "01:30:00"), ("2h", "02:00:00"), ("PT0.5S", "00:00:00.500000")],
    )
    def test_it_expires(self, world: World, within: str, until: str) -> None:
        key = made(world, "/api-keys", {"name": "brief", "expires_in": within})
        assert key["expires_at"] == f"2024-02-29T{until}Z"
        assert world.call("GET", "/zones", key["token"]).status == 200
        world.advance("P1D")
        answer = world.call("GET", "/zones", key["token"])
        assert (answer.status, "expired" in answer.json["message"]) == (401, True)

    def test_revoked_restored_and_purged(self, world: World) -> None:
        key = made(world, "/api-keys", {"name": "k"})
        path = f"/api-keys/{key['id']}"
        assert world.call("DELETE", path).status == 204
        assert "revoked" in world.call("GET", "/zones", key["token"]).json["message"]
        (listed,) = world.call("GET", "/api-keys").json["items"]
        assert listed["revoked_at"] == "2024-02-29T00:00:00Z"
        assert "token" not in listed
        assert world.call("POST", f"{path}/restore").status == 200
        assert world.call("GET", "/zones", key["token"]).status == 200
        world.call("DELETE", path)
        assert world.call("DELETE", f"{path}/purge").status == 204
        assert "not known" in world.call("GET", "/zones", key["token"]).json["message"]

    def test_its_use_is_noticed_unless_it_was_refused(self, world: World) -> None:
        key = made(world, "/api-keys", {"name": "k", "scoped_roles": ["zones:list"]})
        world.call("GET", "/devices", key["token"])
        assert "last_used_at" not in world.call("GET", "/api-keys").json["items"][0]
        world.call("GET", "/zones", key["token"])
        assert world.call("GET", "/api-keys").json["items"][0]["last_used_at"] == "2024-02-29T00:00:00Z"


class TestScripts:
    @pytest.mark.parametrize(
        ("script", "status", "shown"),
        [
            ("open()", "succeeded", {"result": None}),
            ('# mock: result {"doors": [1, 2]}\nopen()', "succeeded", {"result": {"doors": [1, 2]}}),
            ("  # mock: fail the door is stuck", "failed", {"error": "the door is stuck"}),
            ("# mock: result {", "failed", {}),
            ("# mock: result 1e999999999", "failed", {}),
            (f"# mock: result {'9' * 401}", "failed", {}),
            (r'# mock: result "\ud800"', "failed", {}),
            ("# mock: result " + "[" * 5000, "failed", {}),
        ],
    )
    def test_a_scripts_life(self, world: World, script: str, status: str, shown: dict[str, Any]) -> None:
        path = f"/scripting/executions/{made(world, '/scripting/executions', {'script': script})['id']}"
        assert world.call("GET", path).json["status"] == "pending"
        world.advance("PT0.25S")
        assert world.call("GET", path).json["started_at"] == "2024-02-29T00:00:00.250000Z"
        world.advance("PT0.5S")
        ended = world.call("GET", path).json
        assert (ended["status"], ended["completed_at"]) == (status, "2024-02-29T00:00:00.750000Z")
        assert shown.items() <= ended.items()
        assert world.call("DELETE", path).code == "already_finished"

    def test_one_can_be_canceled(self, world: World) -> None:
        path = f"/scripting/executions/{made(world, '/scripting/executions', {'script': 'x'})['id']}"
        world.advance("PT0.3S")
        assert world.call("DELETE", path).status == 204
        assert world.advance("PT1M")["fell_due"] == 0
        assert (world.call("GET", path).json["status"], "error" in world.call("GET", path).json) == ("canceled", True)
