"""What a run may send: in one place, whatever a law would like to."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.bundle import Bundle
from contracts.guard import NoLedger, OnlyWorlds, OwnObjects, ReadOnly, guard_of
from contracts.http import Allowance, Answer, Client, Guard, NotAllowed, Request
from contracts.target import ControlPort, Ports, Target
from mock_server import bundles

BUNDLE = Bundle(msgspec.json.decode(bundles.load("openapp")))
HOME, OTHER, MINE = "01HOME", "01OTHER", "01MINE"
TARGET = Target(
    "http://127.0.0.1/api/v1",
    credentials={"owner": "x"},
    org=HOME,
    other_org=OTHER,
    portal="portal-x",
    may="own-objects",
)
WRITES = [each for each in BUNDLE.operations.values() if each.method != "GET"]


def request(method: str, path: str, body: Any = None, org: str | None = None) -> Request:
    headers = () if org is None else (("X-Org", org),)
    return Request(method, path, headers, None if body is None else json.dumps(body).encode())


def answered(status: int, value: Any) -> Answer:
    return Answer(status, (), json.dumps(value).encode())


def own() -> OwnObjects:
    """With one organization and one device of its own."""
    guard = OwnObjects(TARGET, BUNDLE)
    for made, each in ((MINE, ("/orgs", {"parent_id": HOME})), ("01DEVICE", ("/devices", {}))):
        asked = request("POST", *each, org=None if made == MINE else MINE)
        guard.before("/api/v1", asked)
        guard.after("/api/v1", asked, answered(201, {"id": made}))
    return guard


def allows(guard: Guard, asked: Request, base_path: str = "/api/v1") -> bool:
    try:
        guard.before(base_path, asked)
    except NotAllowed:
        return False
    return True


def test_which_guard_stands_before_which_target() -> None:
    control = Ports(ControlPort("http://127.0.0.1"))
    full = msgspec.structs.replace(TARGET, may="full")
    assert isinstance(guard_of(msgspec.structs.replace(TARGET, may="read-only"), BUNDLE), ReadOnly)
    assert isinstance(guard_of(msgspec.structs.replace(TARGET, may="read-only", ports=control), BUNDLE), ReadOnly)
    assert isinstance(guard_of(TARGET, BUNDLE), OwnObjects)
    assert isinstance(guard_of(msgspec.structs.replace(TARGET, ports=control), BUNDLE), OnlyWorlds)
    assert guard_of(full, BUNDLE) is None


@given(st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "post", "TRACE", "PROPFIND"]), st.text(max_size=9))
def test_read_only_sends_nothing_but_reads(method: str, path: str) -> None:
    assert not allows(ReadOnly(), request(method, f"/{path}"))
    assert allows(ReadOnly(), request("GET", f"/{path}"))


def test_worlds_of_the_run_are_its_own() -> None:
    asked = request("POST", "/zones", {})
    assert allows(OnlyWorlds(), asked, "/w/contract-1f-1/api/v1")
    assert not allows(OnlyWorlds(), asked, "/w/demo/api/v1")
    assert not allows(OnlyWorlds(), asked, "/api/v1")


def test_the_guard_stands_before_every_client() -> None:
    """No connection is even tried."""
    client = Client("http://127.0.0.1:1/api/v1", Allowance(9, None, None, ReadOnly()))
    for each in (client, client.another(), client.at("/w/contract-x/api/v1")):
        with pytest.raises(NotAllowed, match="POST /zones is no read"):
            each.send(request("POST", "/zones", {}))


# -- own-objects ------------------------------------------------------------------------------------------------------

ALLOWED = {
    "an organization below the own one": request("POST", "/orgs", {"name": "x", "parent_id": HOME}),
    "one below one that it made": request("POST", "/orgs", {"name": "x", "parent_id": MINE}),
    "something in an organization of its own": request("POST", "/zones", {"name": "x"}, MINE),
    "what names it in the body": request("POST", "/integrations", {"org_id": MINE, "provider_type": "x"}),
    "something on what it made": request("POST", "/entities", {"device_id": "01DEVICE"}, MINE),
    "what it made": request("DELETE", "/devices/01DEVICE?recursive=true"),
    "purging that": request("DELETE", "/devices/01DEVICE/purge"),
    "a checkout of its own": request("POST", f"/orgs/{MINE}/billing/checkout", {"tier_slug": "pro"}),
    "an override for its own": request("POST", "/admin/quota_overrides", {"subject_type": "org", "subject_id": MINE}),
    "an event for its own": request(
        "POST",
        "/billing/webhooks/stripe",
        {"id": "evt", "data": {"object": {"id": "sub_1", "client_reference_id": MINE}}},
    ),
    "a use of its own": request("POST", "/reverse-geocode", {"lat": 1}, MINE),
    "a body that is no JSON": Request("POST", "/zones", (("x-org", MINE),), b"{nope"),
    "an empty body": Request("POST", "/zones", (("X-Org", MINE),), b""),
}

REFUSED = {
    "an organization nowhere": request("POST", "/orgs", {"name": "x"}),
    "one elsewhere": request("POST", "/orgs", {"parent_id": OTHER}),
    "one in two places": Request("POST", "/orgs", (), f'{{"parent_id":"{OTHER}","parent_id":"{HOME}"}}'.encode()),
    "something where it is at home": request("POST", "/zones", {"name": "x"}),
    "something in orgs.own": request("POST", "/zones", {"name": "x"}, HOME),
    "something in two": Request("POST", "/zones", (("X-Org", MINE), ("X-Org", HOME)), b"{}"),
    "something elsewhere by its body": request("POST", "/integrations", {"org_id": OTHER}, MINE),
    "two members of one name": Request(
        "POST", "/integrations", (("X-Org", MINE),), f'{{"org_id":"{HOME}","org_id":"{MINE}"}}'.encode()
    ),
    "something hidden deeper": request("POST", "/zones", {"a": [{"b": {"org_id": HOME}}]}, MINE),
    "one of many ids": request("POST", "/api-keys", {"scoped_entity_ids": ["01DEVICE", "01FOREIGN"]}, MINE),
    "broken JSON with another's id": Request("POST", "/zones", (("X-Org", MINE),), f'{{"org_id":"{HOME}"'.encode()),
    "what others made": request("DELETE", "/devices/01FOREIGN"),
    "what others made, from its own": request("DELETE", "/devices/01FOREIGN", None, MINE),
    "a checkout of orgs.own": request("POST", f"/orgs/{HOME}/billing/checkout", {"tier_slug": "pro"}),
    "the same with its own in the header": request(
        "POST", f"/orgs/{HOME}/billing/checkout", {"tier_slug": "pro"}, MINE
    ),
    "the same, escaped": request("POST", "/orgs/01%48OME/billing/checkout", {"tier_slug": "pro"}, MINE),
    "an override for others": request("POST", "/admin/quota_overrides", {"subject_id": OTHER}),
    "an override for nobody": request("POST", "/admin/quota_overrides", {}),
    "an event for others": request(
        "POST", "/billing/webhooks/stripe", {"data": {"object": {"metadata": {"org_id": OTHER}}}}
    ),
    "an event for nobody": request("POST", "/billing/webhooks/stripe", {"id": "evt", "type": "x"}),
    "what is no operation": request("POST", "/status"),
    "a method of nothing": request("PATCH", "/devices/01DEVICE", {}, MINE),
    "a path that climbs": request("DELETE", f"/devices/01DEVICE/../../orgs/{HOME}"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_the_run_made_may_be_written(what: str) -> None:
    own().before("/api/v1", ALLOWED[what])


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_did_not_make_may_not(what: str) -> None:
    with pytest.raises(NotAllowed):
        own().before("/api/v1", REFUSED[what])


IDS = st.sampled_from([HOME, OTHER, MINE, "01DEVICE", "01FOREIGN", "portal-x"])
BODIES = st.dictionaries(
    st.sampled_from(
        ["org_id", "parent_id", "subject_id", "device_id", "resource_id", "name", "id", "scoped_entity_ids"]
    ),
    IDS | st.lists(IDS, max_size=2),
    max_size=3,
)


@given(st.sampled_from(WRITES), IDS, BODIES, st.none() | IDS)
def test_no_write_names_what_is_not_the_runs_own(
    operation: Any, at: str, body: dict[str, Any], org: str | None
) -> None:
    """Whatever is let through names only what was made by the run, but for the parent of a new organization."""
    path = dict.fromkeys(("id", "action_id", "provider", "publicPortalId"), at)
    asked = operation.request(path, {}, () if org is None else (("X-Org", org),), body)
    if not allows(own(), asked):
        return
    named = [org] * (org is not None) + [at] * ("{id}" in operation.path)
    if operation.id == "create_org":
        assert body["parent_id"] in (HOME, MINE, [HOME], [MINE], [HOME, MINE], [MINE, HOME], [HOME] * 2, [MINE] * 2)
    elif operation.id != "post_billing_webhook":
        flat = [each if isinstance(each, list) else [each] for key, each in body.items() if key != "name"]
        named += [each for many in flat for each in many]
        assert named
        assert set(named) <= {MINE, "01DEVICE"}


def test_what_comes_of_a_checkout_can_be_named_by_events() -> None:
    guard = own()
    bought = request("POST", f"/orgs/{MINE}/billing/checkout", {"tier_slug": "pro"})
    event = request("POST", "/billing/webhooks/stripe", {"data": {"object": {"id": "sub_7"}}})
    assert not allows(guard, event)
    guard.before("/api/v1", bought)
    guard.after("/api/v1", bought, answered(200, {"external_id": "sub_7", "subscription_id": "x"}))
    assert allows(guard, event)


def test_what_was_refused_is_not_its_own() -> None:
    guard = OwnObjects(TARGET, BUNDLE, NoLedger())
    asked = request("POST", "/orgs", {"parent_id": HOME})
    for answer in (answered(429, {"id": "01NOT"}), answered(201, {}), answered(201, {"id": 7}), None):
        guard.before("/api/v1", asked)
        guard.after("/api/v1", asked, answer)
    assert guard.orgs == set()
