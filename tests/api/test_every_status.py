"""Every status that a bundle declares is reached, and nothing is reached that is not declared."""

from __future__ import annotations

import msgspec
import pytest

from mock_server.app import create_app, create_mock
from mock_server.engine.decisions import Accepted, Job, Schedule
from mock_server.http.mock import MOST_WAITING, Mock, Options, Served

from .client import ACME, WALL, Client, World
from .recipes import (
    BIG,
    CONTROL,
    OPENAPP,
    delivery_owed,
    endpoint_added,
    fault_added,
    portal_off,
    refused,
    snapshot_taken,
)
from .request import Request, api
from .resource_cases import UNKNOWN_ORG, resource_cases

SUCCESSES = {
    "create_api_key": 201,
    "create_scripting_execution": 202,
    **dict.fromkeys(("delete_user", "revoke_api_key", "purge_api_key", "cancel_scripting_execution"), 204),
}


def _openapp_cases() -> dict[tuple[str, int], Request]:
    cases: dict[tuple[str, int], Request] = {}
    for name, fine in OPENAPP.items():
        cases[name, SUCCESSES.get(name, 200)] = fine
        cases[name, 400] = fine.but(headers={**fine.parts["headers"], "x-correlation-id": "two words"})
        if fine.parts["key"] is not None:
            cases[name, 401] = fine.but(key="nobody")
            cases[name, 403] = fine.but(key=fine.unprivileged or "demo-globex", headers={"x-org": ACME})
        if fine.parts["json"] is not ... or fine.parts["body"]:
            cases[name, 413] = fine.but(json=..., body=BIG, headers={"content-type": "application/json"})
        if fine.parts["json"] is not ...:
            cases[name, 415] = fine.but(json=..., body=b"{}", headers={"content-type": "text/plain"})
        if f"/orgs/{ACME}" in fine.parts["path"]:
            path = fine.parts["path"].replace(ACME, UNKNOWN_ORG)
            cases[name, 404] = fine.but(key="demo-operator", path=path)
    body = OPENAPP["post_admin_quota_override"].parts["json"]
    cases["post_admin_quota_override", 404] = OPENAPP["post_admin_quota_override"].but(
        json={**body, "subject_id": UNKNOWN_ORG}
    )
    cases["post_billing_webhook", 404] = OPENAPP["post_billing_webhook"].but(path=api("/billing/webhooks/nobody"))
    cases["post_org_billing_portal", 501] = OPENAPP["post_org_billing_portal"].but(setup=portal_off)
    return cases | resource_cases()


CONTROL_SUCCESSES = {
    **dict.fromkeys(("create_world", "fork_world", "take_snapshot", "add_fault"), 201),
    **dict.fromkeys(("add_webhook_endpoint", "redeliver"), 201),
    **dict.fromkeys(("delete_world", "delete_snapshot", "clear_requests", "clear_faults", "remove_fault"), 204),
    "remove_webhook_endpoint": 204,
}


def _control_cases() -> dict[tuple[str, int], Request]:
    cases: dict[tuple[str, int], Request] = {}
    for name, fine in CONTROL.items():
        success = CONTROL_SUCCESSES.get(name, 200)
        if name != "put_state":
            cases[name, success] = fine
        cases[name, 400] = fine.but(headers={"x-correlation-id": "two words"})
        # Sent to a mock that asks for its token, so nothing can be made there beforehand.
        path = fine.parts["path"].replace("{snapshot}", "taken").replace("{fault}", "added")
        path = path.replace("{endpoint}", "added").replace("{delivery}", "delivery-1")
        cases[name, 401] = fine.but(setup=lambda _: None, path=path)
        cases[name, 403] = fine.but(headers={"host": "rebound.example"})
        if "{world}" in fine.parts["path"]:
            path = fine.parts["path"].replace("{world}", "nowhere")
            more = {} if name != "put_state" else {"json": STATE}
            cases[name, 404] = fine.but(path=path, **more)
        if fine.parts["json"] is not ... or name == "put_state":
            json_type = {"content-type": "application/json"}
            length = {"content-length": str(100 * 1024 * 1024)}
            cases[name, 413] = fine.but(json=..., body=b"{}", headers={**json_type, **length})
            cases[name, 415] = fine.but(json=..., body=b"{}", headers={"content-type": "text/plain"})
    cases["create_world", 409] = CONTROL["create_world"].but(json={"name": "demo"})
    cases["fork_world", 409] = CONTROL["fork_world"].but(json={"name": "demo"})
    cases["delete_world", 409] = CONTROL["delete_world"].but(path="/_mock/worlds/demo")
    cases["move_clock", 409] = CONTROL["move_clock"].but(json={"set": "2001-01-01T00:00:00Z"})
    cases["take_snapshot", 409] = CONTROL["take_snapshot"].but(setup=snapshot_taken, json={"id": "taken"})
    cases["add_fault", 409] = CONTROL["add_fault"].but(
        setup=fault_added, json={"id": "added", "when": "after", "do": "lose"}
    )
    cases["list_requests", 409] = CONTROL["list_requests"].but(setup=nobody_may_wait, query=b"wait=1")
    cases["export_requests", 409] = CONTROL["export_requests"].but(setup=state_replaced, query=b"format=scenario")
    cases["get_agenda", 409] = CONTROL["get_agenda"].but(setup=endless_agenda, query=b"within=P1Y")
    endpoint = CONTROL["add_webhook_endpoint"]
    cases["add_webhook_endpoint", 409] = endpoint.but(
        setup=endpoint_added, json={**endpoint.parts["json"], "id": "added"}
    )
    cases["list_deliveries", 409] = CONTROL["list_deliveries"].but(setup=nobody_may_wait, query=b"wait=1")
    cases["redeliver", 409] = CONTROL["redeliver"].but(setup=endpoint_gone)
    cases["emit_webhook", 409] = CONTROL["emit_webhook"].but(json={"event": "invoice.paid", "org": "nobody"})
    usage = CONTROL["consume_usage"]
    cases["consume_usage", 429] = usage.but(json={**usage.parts["json"], "amount": 51})
    cases["put_state", 200] = CONTROL["put_state"].but(json=STATE)
    return cases


def nobody_may_wait(world: World) -> None:
    world.client.app.mock.waiting = MOST_WAITING  # type: ignore[attr-defined]


def endpoint_gone(world: World) -> dict[str, str]:
    names = delivery_owed(world)
    assert world.control("DELETE", "/webhook-endpoints/added").status == 204
    return names


def state_replaced(world: World) -> None:
    """What the journal still tells is about another state."""
    refused(world)
    assert world.control("PUT", "/state", json=STATE).status == 200


def endless_agenda(world: World) -> None:
    """A job that always schedules itself again a moment later."""
    mock: Mock = world.client.app.mock  # type: ignore[attr-defined]
    job = Job("openapp", "again")
    mock.jobs = {**mock.jobs, ("openapp", "again"): lambda s, _, it: Accepted(s, "", (Schedule("x", it.now, job),))}
    inside = mock.worlds.get(world.name)
    assert inside is not None
    inside.put(
        msgspec.structs.replace(inside.state, agenda=inside.state.agenda.put("x", inside.state.clock.now + 1, job))
    )


STATE = {
    "mockbill_state": 1,
    "api": "openapp",
    "seed": 1,
    "revision": 0,
    "clock": {"now": "2026-01-01T00:00:00Z", "mode": "frozen"},
    "next_number": 0,
    "agenda": [],
    "memory": [],
    "outbox": {"next": 1, "dropped": 0, "happenings": []},
    "domain": {
        "tiers": [{"slug": "free", "name": {"en": "Free"}, "sort_order": 1, "is_default_for_personal": True}],
        "settings": {},
        "orgs": [],
        "credentials": [],
        "webhook_secrets": {},
    },
}
OPENAPP_CASES, CONTROL_CASES = _openapp_cases(), _control_cases()


def declared(served: Served) -> set[tuple[str, int]]:
    return {(name, status) for name, each in served.contract.operations.items() for status in each.responses}


def test_the_cases_are_exactly_what_openapp_declares(mock: Mock) -> None:
    assert OPENAPP_CASES.keys() == declared(mock.served["openapp"])


def test_the_cases_are_exactly_what_the_control_api_declares(mock: Mock) -> None:
    assert CONTROL_CASES.keys() == declared(mock.control)


@pytest.mark.parametrize(("operation", "status"), OPENAPP_CASES, ids=str)
def test_openapp_reaches(operation: str, status: int, mock: Mock, world: World) -> None:
    answer = OPENAPP_CASES[operation, status].send(world)
    assert answer.status == status, answer.body
    assert_documented(mock.worlds.get("still"), operation, status)
    if status >= 400:
        assert answer.code == answer.json["code"]
        assert answer.json["correlationId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("operation", "status"), CONTROL_CASES, ids=str)
def test_control_reaches(operation: str, status: int, mock: Mock, world: World) -> None:
    if status == 401:
        guarded = create_mock(Options(control_token="s3cret"), wall=lambda: WALL, fresh_seed=lambda: 7)
        guarded.worlds.add("still", "demo", guarded.worlds.get("demo").state, WALL)  # type: ignore[union-attr]
        world = World(Client(create_app(guarded)), "still")
    answer = CONTROL_CASES[operation, status].send(world)
    assert answer.status == status, answer.body
    if status == 401:
        allowed = CONTROL_CASES[operation, status].but(headers={"authorization": "Bearer s3cret"}).send(world)
        assert allowed.status not in (401, 403), allowed.body


def assert_documented(world: object, operation: str, status: int) -> None:
    """The journal says of the request what the test believes it asked."""
    entry = list(world.journal)[-1]  # type: ignore[attr-defined]
    assert (entry.operation, entry.status) == (operation, status)


def test_an_unknown_route_is_404_and_names_what_may_have_been_meant(world: World) -> None:
    answer = world.call("GET", "/plan")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "GET /api/v1/plans" in answer.json["details"]["did_you_mean"]


@pytest.mark.parametrize("path", ["/plans/", "/plans//", "//plans", "/orgs//billing/plan", "/../api/v1/plans"])
def test_nothing_is_redirected_or_normalised(world: World, path: str) -> None:
    assert world.call("GET", path).status == 404


def test_405_lists_every_method_of_the_path(world: World) -> None:
    answer = world.call("DELETE", "/admin/quota_overrides", "demo-operator")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
