"""Witnesses of what follows from earlier requests: resources, pages, quotas, checkout, keys, webhooks, races, caches."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from .witnessing import ACME, GLOBEX, SECONDS, Probe, Witness, opening, paid


def zone_is_kept(it: Probe) -> None:
    it.get(f"/zones/{it.zone()}")


def zone_is_deleted(it: Probe) -> None:
    zone = it.zone()
    it.delete(f"/zones/{zone}")
    it.get(f"/zones/{zone}")


def zone_comes_back(it: Probe) -> None:
    zone = it.zone()
    it.advance("PT1H")
    it.delete(f"/zones/{zone}")
    it.ask("POST", f"/zones/{zone}/restore")


def policy_is_kept(it: Probe) -> None:
    it.ask("PUT", f"/orgs/{ACME}/billing/degradation/policy", json={"policy": "manual"})
    it.billing("degradation")


def end_is_taken_away(it: Probe) -> None:
    it.limit("zones", 5, expires_at="2026-05-01T00:00:00Z")
    it.limit("zones", 5, expires_at=None)


def pin(it: Probe, device: str) -> None:
    it.post(f"/orgs/{ACME}/billing/degradation/resource", {"resource": "devices", "resource_id": device, "keep": True})


def two_pins(it: Probe) -> None:
    integration = it.integration()
    _, second, third = (it.device(integration, name) for name in "abc")
    it.limit("devices", 2)
    pin(it, third)
    pin(it, second)


def one_pin(it: Probe) -> None:
    integration = it.integration()
    _, second = (it.device(integration, name) for name in "ab")
    it.limit("devices", 1)
    pin(it, second)


def refused_zone(it: Probe) -> None:
    it.limit("zones", 0)
    it.zone()
    it.get("/zones")


def dependents_go(it: Probe) -> None:
    integration = it.integration()
    device = it.device(integration)
    it.delete(f"/integrations/{integration}", query=b"recursive=true")
    it.get(f"/devices/{device}")


def second_page(it: Probe) -> None:
    it.zones("a", "b", "c")
    it.get("/zones", query=b"limit=1&offset=1")


def short_page(it: Probe) -> None:
    it.zones("a", "b")
    it.get("/zones", query=b"limit=1")


def deleted_is_not_listed(it: Probe) -> None:
    it.delete(f"/zones/{it.zone()}")
    it.get("/zones")


def room_for(limit: int, *names: str) -> Witness:
    def witness(it: Probe) -> None:
        it.limit("zones", limit)
        it.zones(*names)

    return witness


def uses(limit: int) -> Witness:
    def witness(it: Probe) -> None:
        it.limit("ai_requests", limit)
        it.translate()

    return witness


def over_the_limit(it: Probe) -> None:
    it.zone()
    it.limit("zones", 0)
    it.zone()


def refused_use(it: Probe) -> None:
    uses(0)(it)
    it.billing("usage")


def usage_after_deletion(it: Probe) -> None:
    it.delete(f"/zones/{it.zone()}")
    it.billing("usage")


def room_after_deletion(it: Probe) -> None:
    it.limit("zones", 1)
    it.delete(f"/zones/{it.zone()}")
    it.zone()


def opened(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.open(door)
    it.billing("usage")


def lower_than_the_tiers(it: Probe) -> None:
    it.limit("zones", 0)
    it.zone()


def of_one_period(it: Probe) -> None:
    it.limit("ai_requests", 0, period="month")
    it.billing("usage")


def of_another(it: Probe) -> None:
    it.limit("zones", 0, org=GLOBEX)
    it.zone()


def set_twice(it: Probe) -> None:
    it.limit("zones", 1)
    it.limit("zones", 2)


def unknown_tier(it: Probe) -> None:
    it.buy("pro")
    it.buy("gold")
    it.billing("plan")


def downgrade(it: Probe) -> None:
    it.buy("pro")
    it.zones("a", "b", "c", "d")
    it.buy("free")


def bought_twice(it: Probe) -> None:
    it.buy("pro")
    it.buy("pro")


def bought(it: Probe) -> None:
    it.buy("pro")
    it.billing("plan")


def keyed_twice(after: str = "PT0S", **second: Any) -> Witness:
    """A door opened with a key, and once more after a while."""

    def witness(it: Probe) -> None:
        (door,) = it.doors("Front")
        it.open(door, idempotency="k")
        it.advance(after)
        it.open(door, idempotency="k", **second)

    return witness


def keyed_elsewhere(it: Probe) -> None:
    front, back = it.doors("Front", "Back")
    it.open(front, idempotency="k")
    it.open(back, idempotency="k")


def keyed_and_refused(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.limit("door_opens", 0)
    it.open(door, idempotency="k")
    it.limit("door_opens", 5)
    it.open(door, idempotency="k")


def event(**more: Any) -> Witness:
    return lambda it: _only(it.event(paid("pro"), **more))


def with_empty_secret(it: Probe) -> None:
    """The scheme itself does not sign with none."""
    mac = hmac.digest(b"", f"{SECONDS}.".encode() + paid("pro"), "sha256").hex()
    it.event(paid("pro"), header=f"t={SECONDS},v1={mac}")


def other_body(it: Probe) -> None:
    from mock_server.webhooks.schemes import stripe
    from mock_server.webhooks.schemes.protocol import Message

    ((_, header),) = stripe.SCHEME.sign(Message(paid("pro")), "whsec_demo", SECONDS).headers
    it.event(paid("pro"), header=header)
    it.event(paid("business"), header=header)


def written_otherwise(it: Probe) -> None:
    from mock_server.webhooks.schemes import stripe
    from mock_server.webhooks.schemes.protocol import Message

    ((_, header),) = stripe.SCHEME.sign(Message(paid("pro")), "whsec_demo", SECONDS).headers
    it.event(paid("pro", indent=2), header=header)


def event_again(it: Probe) -> None:
    it.event(paid("pro"))
    it.buy("starter")
    it.event(paid("pro"))
    it.billing("plan")


def older_event(it: Probe) -> None:
    it.event(paid("pro", "evt_2", SECONDS))
    it.event(paid("starter", "evt_1", SECONDS - 60))
    it.billing("plan")


def devices_at_once(it: Probe) -> None:
    body = {"org_id": ACME, "integration_id": it.integration(), "name": "Lock"}
    it.limit("devices", 1)
    it.at_once(*[("POST", "/devices", {"key": "demo-owner", "json": body})] * 2)


def opened_at_once(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.limit("door_opens", 1)
    it.at_once(*[opening(door)] * 2)


def keyed_at_once(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.at_once(*[opening(door, idempotency="k")] * 2)


def limited_at_once(it: Probe) -> None:
    body = {"subject_type": "org", "subject_id": ACME, "limit_value": 5}
    asked = [{"key": "demo-operator", "json": {**body, "quota_key": quota}} for quota in ("zones", "devices")]
    it.at_once(*[("POST", "/admin/quota_overrides", each) for each in asked])
    it.get("/admin/quota_overrides", "demo-operator")


def opened_while_deleted(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.at_once(opening(door), ("DELETE", f"/entities/{door}", {"key": "demo-owner"}))
    it.get("/entities")


def bought_at_once(it: Probe) -> None:
    body = {"tier_slug": "pro"}
    it.at_once(*[("POST", f"/orgs/{ACME}/billing/checkout", {"key": "demo-owner", "json": body})] * 2)


def usage_before_and_after(it: Probe) -> None:
    it.billing("usage")
    it.zone()
    it.billing("usage")


def plan_before_and_after(it: Probe) -> None:
    it.billing("plan")
    it.buy("pro")
    it.billing("plan")


def key_before_and_after(it: Probe) -> None:
    key, token = it.key()
    it.get("/zones", token)
    it.delete(f"/api-keys/{key}")
    it.get("/zones", token)


def _only(_: Any) -> None:
    """A witness gives nothing."""


WITNESSES: Mapping[str, Witness] = {
    # crud
    "zone-lost": zone_is_kept,
    "delete-does-nothing": zone_is_deleted,
    "policy-not-kept": policy_is_kept,
    "null-ignored": end_is_taken_away,
    "pin-forgets-others": two_pins,
    "refused-zone-kept": refused_zone,
    "restored-is-new": zone_comes_back,
    "delete-is-purge": zone_is_deleted,
    "dependents-stay": dependents_go,
    # pagination
    "page-skips": second_page,
    "page-repeats": second_page,
    "limit-ignored": short_page,
    "total-of-page": short_page,
    "deleted-listed": deleted_is_not_listed,
    # quotas
    "capacity-plus-one": room_for(1, "a", "b"),
    "capacity-minus-one": room_for(1, "a"),
    "capacity-off": room_for(0, "a"),
    "metered-plus-one": uses(0),
    "metered-minus-one": uses(1),
    "over-limit-free": over_the_limit,
    "refused-use-counts": refused_use,
    "refusal-counts-itself": uses(0),
    "deleted-reported": usage_after_deletion,
    "deleted-counts": room_after_deletion,
    "full-is-403": room_for(0, "a"),
    "charged-twice": opened,
    "only-day-counts": opened,
    # overrides
    "override-ignored": lower_than_the_tiers,
    "larger-limit-holds": lower_than_the_tiers,
    "zero-is-unlimited": lower_than_the_tiers,
    "override-of-any-period": of_one_period,
    "override-of-all": of_another,
    "override-twice": set_twice,
    # degradation
    "pins-ignored": one_pin,
    # checkout
    "unknown-tier-resets": unknown_tier,
    "downgrade-refused": downgrade,
    "unpublished-taken": lambda it: _only(it.buy("enterprise-2024")),
    "same-tier-new-id": bought_twice,
    "tier-stays": bought,
    # idempotency
    "key-ignored": keyed_twice(),
    "other-payload-replayed": keyed_twice(body={"because": "other"}),
    "key-of-all-entities": keyed_elsewhere,
    "key-of-all-callers": keyed_twice(key="demo-member"),
    "key-forgotten-early": keyed_twice("PT2H"),
    "key-never-forgotten": keyed_twice("P1D"),
    "replay-differs": keyed_twice("PT10M"),
    "refused-key-kept": keyed_and_refused,
    # ingress
    "signature-unchecked": event(header=f"t={SECONDS},v1={'0' * 64}"),
    "signature-without-body": other_body,
    "unsigned-taken": event(header=""),
    "old-taken": event(at=-3600),
    "a-second-older-taken": event(at=-301),
    "empty-secret-taken": with_empty_secret,
    "rewritten-taken": written_otherwise,
    "only-rewritten-taken": lambda it: _only(it.event(paid("pro", indent=2))),
    "event-twice": event_again,
    "events-in-any-order": older_event,
    # races
    "race-for-room": devices_at_once,
    "race-for-uses": opened_at_once,
    "race-with-one-key": keyed_at_once,
    "override-lost": limited_at_once,
    "deleted-comes-back": opened_while_deleted,
    "two-subscriptions": bought_at_once,
    # staleness
    "usage-one-behind": usage_before_and_after,
    "plan-cached": plan_before_and_after,
    "key-cached": key_before_and_after,
}
