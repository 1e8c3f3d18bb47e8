"""Witnesses of what requests leave behind that should leave nothing, or something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

from .witnessing import ACME, SECONDS, SECRET, Ask, Probe, Witness, paid

NOWHERE = "01J9ZC3M4N5P6Q7R8S9T0V1W99"


def two_zones(it: Probe) -> None:
    it.zones("a", "b")
    it.get("/zones")


def canceled(it: Probe) -> None:
    made = it.post("/scripting/executions", {"script": "print(1)"}).json["id"]
    it.delete(f"/scripting/executions/{made}")
    it.get(f"/scripting/executions/{made}")


def zone_below(it: Probe) -> None:
    annex = it.annex()
    it.limit("zones", 1)
    it.post("/zones", {"name": "Yard"}, headers={"x-org": annex})
    it.zone()


def action_of_none(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.post(f"/entities/{door}/actions/explode", {})
    it.billing("usage")


def action_on_none(it: Probe) -> None:
    it.open(NOWHERE)
    it.billing("usage")


def place_as_text(it: Probe) -> None:
    it.ask("POST", "/reverse-geocode", body=b'{"lat":52,"lng":13}', headers={"content-type": "text/plain"})
    it.billing("usage")


def told(status: str = "active", price: str | None = None) -> bytes:
    """An event about a subscription of Acme's."""
    thing: dict[str, Any] = {"id": "sub_1", "status": status, "metadata": {"org_id": ACME, "tier_slug": "pro"}}
    if price is not None:
        thing = {**thing, "metadata": {"org_id": ACME}, "items": {"data": [{"price": {"id": price}}]}}
    event = {"id": "evt_1", "type": "customer.subscription.updated", "created": SECONDS, "data": {"object": thing}}
    return json.dumps(event).encode()


def others_subscription(it: Probe) -> None:
    """Globex's, if one believes who says it is Acme's."""
    thing = {"id": "sub_demo_globex", "status": "active", "metadata": {"org_id": ACME, "tier_slug": "business"}}
    event = {"id": "evt_1", "type": "customer.subscription.updated", "created": SECONDS, "data": {"object": thing}}
    it.event(json.dumps(event).encode())
    it.billing("plan")


def signed(body: bytes) -> Ask:
    headers = {"content-type": "application/json", **dict(stripe.SCHEME.sign(Message(body), SECRET, SECONDS).headers)}
    return "POST", "/billing/webhooks/stripe", {"body": body, "headers": headers}


def events_at_once(it: Probe) -> None:
    it.at_once(signed(paid("pro", "evt_2", SECONDS)), signed(paid("starter", "evt_1", SECONDS - 60)))
    it.billing("plan")


def revoked_while_used(it: Probe) -> None:
    key, token = it.key()
    it.at_once(("GET", "/zones", {"key": token}), ("DELETE", f"/api-keys/{key}", {"key": "demo-owner"}))
    it.get("/zones", token)


def _event(body: bytes) -> Witness:
    def witness(it: Probe) -> None:
        it.event(body)

    return witness


WITNESSES: Mapping[str, Witness] = {
    "newest-first": two_zones,
    "cancel-does-nothing": canceled,
    "below-counts": zone_below,
    "missing-counts": action_on_none,
    "unavailable-counts": action_of_none,
    "unread-counts": place_as_text,
    "price-of-another": _event(told(price="price_pro_monthly")),
    "no-event-taken": _event(b"{}"),
    "past-due-is-active": _event(told("past_due")),
    "contradiction-applied": others_subscription,
    "event-lost": events_at_once,
    "revoked-while-used": revoked_while_used,
}
