"""For every operation a request that succeeds, and what must be done to it to be refused in each declared way."""

from __future__ import annotations

from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

from .client import ACME, Answer, World
from .request import Request, api, org
from .resource_recipes import RESOURCES, stock

BIG = b'{"' + b"x" * 1_048_576 + b'"}'
OVERRIDE = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 7}
EVENT = b'{"id":"evt_1","type":"ping","created":1,"data":{"object":{}}}'


def control(path: str = "") -> str:
    return f"/_mock/worlds/{{world}}{path}"


def signed(body: bytes, at: int, secret: str = "whsec_demo") -> dict[str, str]:
    return {**dict(stripe.SCHEME.sign(Message(body), secret, at).headers), "content-type": "application/json"}


def portal_off(world: World) -> None:
    world.settings(portal="off")


def webhook(world: World, body: bytes, age: int = 0, secret: str = "whsec_demo", provider: str = "stripe") -> Answer:
    """Post an event signed `age` seconds ago on the world's clock."""
    now = world.client.app.mock.now_in(world.client.app.mock.worlds.get(world.name)) // 1_000_000  # type: ignore[attr-defined]
    path = f"/billing/webhooks/{provider}"
    return world.call("POST", path, None, body=body, headers=signed(body, now - age, secret))


SIGNED_AT = 1_709_164_800
"""The time of the world `still`, in seconds."""

OPENAPP: dict[str, Request] = {
    "get_status": Request("GET", api("/status")),
    "get_plans": Request("GET", api("/plans")),
    "get_org_billing_plan": Request("GET", org("plan"), "demo-reader"),
    "get_org_billing_upgrade_options": Request("GET", org("upgrade-options"), "demo-reader"),
    "get_org_billing_usage": Request("GET", org("usage"), "demo-reader"),
    "get_org_billing_degradation": Request("GET", org("degradation"), "demo-reader"),
    "put_org_billing_degradation_policy": Request(
        "PUT", org("degradation/policy"), "demo-owner", {"policy": "oldest_first"}
    ),
    "post_org_billing_degradation_resource": Request(
        "POST",
        org("degradation/resource"),
        "demo-owner",
        {"resource": "devices", "resource_id": "{device}", "keep": True},
        setup=stock,
    ),
    "post_org_billing_checkout": Request("POST", org("checkout"), "demo-owner", {"tier_slug": "pro"}),
    "post_org_billing_portal": Request("POST", org("portal"), "demo-owner", {"return_url": "https://app.test/"}),
    "get_admin_quota_overrides": Request("GET", api("/admin/quota_overrides"), "demo-operator"),
    "post_admin_quota_override": Request("POST", api("/admin/quota_overrides"), "demo-operator", OVERRIDE),
    "post_billing_webhook": Request(
        "POST", api("/billing/webhooks/stripe"), body=EVENT, headers=signed(EVENT, SIGNED_AT)
    ),
}

OPENAPP |= RESOURCES


def snapshot_taken(world: World) -> dict[str, str]:
    assert world.control("POST", "/snapshots", json={"id": "taken"}).status == 201
    return {"snapshot": "taken"}


def fault_added(world: World) -> dict[str, str]:
    body = {"id": "added", "when": "before", "do": "answer", "status": 503, "operation": "get_plans"}
    assert world.control("POST", "/faults", json=body).status == 201
    return {"fault": "added"}


def endpoint_added(world: World) -> dict[str, str]:
    body = {"id": "added", "url": "http://127.0.0.1:9/hooks", "secret": "whsec_demo"}
    assert world.control("POST", "/webhook-endpoints", json=body).status == 201
    return {"endpoint": "added"}


def delivery_owed(world: World) -> dict[str, str]:
    endpoint_added(world)
    answer = world.control("POST", "/webhooks/emit", json={"event": "invoice.paid"})
    assert answer.status == 200, answer.body
    return {"delivery": answer.json["deliveries"][0]["id"]}


def refused(world: World) -> dict[str, str]:
    assert world.billing("POST", "checkout", json={"tier_slug": "gold"}).status == 400
    return {}


CONTROL: dict[str, Request] = {
    "get_health": Request("GET", "/_mock/health"),
    "list_worlds": Request("GET", "/_mock/worlds"),
    "create_world": Request("POST", "/_mock/worlds", json={"name": "another"}),
    "get_world": Request("GET", control()),
    "delete_world": Request("DELETE", control()),
    "reset_world": Request("POST", control("/reset")),
    "fork_world": Request("POST", control("/fork"), json={"name": "another"}),
    "list_snapshots": Request("GET", control("/snapshots")),
    "take_snapshot": Request("POST", control("/snapshots"), json={"id": "early"}),
    "delete_snapshot": Request("DELETE", control("/snapshots/{snapshot}"), setup=snapshot_taken),
    "restore_snapshot": Request("POST", control("/snapshots/{snapshot}/restore"), setup=snapshot_taken),
    "compare_world": Request("GET", control("/diff"), query=b"with=demo"),
    "list_requests": Request("GET", control("/requests")),
    "clear_requests": Request("DELETE", control("/requests")),
    "get_request": Request("GET", control("/requests/1"), setup=refused),
    "export_requests": Request("GET", control("/requests/export"), query=b"format=har", setup=refused),
    "audit_requests": Request("GET", control("/audit")),
    "list_faults": Request("GET", control("/faults")),
    "add_fault": Request("POST", control("/faults"), json={"when": "after", "do": "lose"}),
    "clear_faults": Request("DELETE", control("/faults")),
    "get_fault": Request("GET", control("/faults/{fault}"), setup=fault_added),
    "remove_fault": Request("DELETE", control("/faults/{fault}"), setup=fault_added),
    "list_webhook_endpoints": Request("GET", control("/webhook-endpoints"), setup=endpoint_added),
    "add_webhook_endpoint": Request(
        "POST", control("/webhook-endpoints"), json={"url": "http://127.0.0.1:9/hooks", "scheme": "svix"}
    ),
    "get_webhook_endpoint": Request("GET", control("/webhook-endpoints/{endpoint}"), setup=endpoint_added),
    "change_webhook_endpoint": Request(
        "PATCH", control("/webhook-endpoints/{endpoint}"), json={"secret": "whsec_new"}, setup=endpoint_added
    ),
    "remove_webhook_endpoint": Request("DELETE", control("/webhook-endpoints/{endpoint}"), setup=endpoint_added),
    "list_deliveries": Request("GET", control("/deliveries"), setup=delivery_owed),
    "get_delivery": Request("GET", control("/deliveries/{delivery}"), setup=delivery_owed),
    "redeliver": Request("POST", control("/deliveries/{delivery}/redeliver"), setup=delivery_owed),
    "emit_webhook": Request("POST", control("/webhooks/emit"), json={"event": "invoice.paid"}),
    "get_agenda": Request("GET", control("/clock/agenda")),
    "get_clock": Request("GET", control("/clock")),
    "move_clock": Request("POST", control("/clock"), json={"advance": "P1D"}),
    "get_settings": Request("GET", control("/settings")),
    "change_settings": Request("PATCH", control("/settings"), json={"checkout": "hosted"}),
    "consume_usage": Request("POST", control("/usage"), json={"org": ACME, "key": "door_opens", "amount": 50}),
    "get_state": Request("GET", control("/state")),
    "put_state": Request("PUT", control("/state")),
    "list_credentials": Request("GET", control("/credentials")),
}
