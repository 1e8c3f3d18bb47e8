"""Witnesses of what single requests show: shapes, validation, credentials, and whose organization it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .witnessing import ACME, GLOBEX, Probe, Witness

NOWHERE = "01J9ZC3M4N5P6Q7R8S9T0V1W99"
JSON = {"content-type": "application/json"}
LARGEST_ZONE = 65_536


def asking(method: str, path: str, key: str | None = "demo-owner", **more: Any) -> Witness:
    return lambda it: _only(it.ask(method, path, key, **more))


def billing(path: str, key: str | None = "demo-owner", org: str = ACME) -> Witness:
    return lambda it: _only(it.billing(path, key, org))


def no_use_left(it: Probe) -> None:
    it.limit("ai_requests", 0)
    it.translate()


def revoking(it: Probe) -> None:
    key, _ = it.key()
    it.delete(f"/api-keys/{key}")


def key_lapses(it: Probe) -> None:
    _, token = it.key(expires_in="60s")
    it.advance("PT60S")
    it.get("/zones", token)


def listing_keys(it: Probe) -> None:
    it.key()
    it.get("/api-keys")


def scoped_key(it: Probe) -> None:
    _, token = it.key(scoped_roles=["zones:list"])
    it.zone(key=token)


def with_integration(then: Callable[[Probe, str], Any]) -> Witness:
    return lambda it: _only(then(it, it.integration()))


def with_zone(then: Callable[[Probe, str], Any]) -> Witness:
    return lambda it: _only(then(it, it.zone()))


def other_door(it: Probe) -> None:
    front, back = it.doors("Front", "Back")
    _, token = it.key(scoped_entity_ids=[front])
    it.open(back, token)


def longer_key(it: Probe) -> None:
    _, token = it.key(expires_in="1h")
    it.post("/api-keys", {"name": "Longer", "expires_in": "2h"}, token)


def zone_in_others(it: Probe) -> None:
    it.zone(parent_zone_id=it.zone(key="demo-globex"))


def user_of_two(it: Probe) -> None:
    annex = it.annex()
    user = it.post("/users", {"name": "Una", "roles": {ACME: ["member"], annex: ["member"]}}).json["id"]
    token = it.post("/api-keys", {"name": "Robot"}, headers={"x-org": annex}).json["token"]
    it.get(f"/users/{user}", token)


def usage_twice(it: Probe) -> None:
    it.billing("usage")
    it.billing("usage")


def policy_of_others(it: Probe) -> None:
    it.ask("PUT", f"/orgs/{GLOBEX}/billing/degradation/policy", json={"policy": "manual"})


def place(it: Probe) -> None:
    it.post("/reverse-geocode", {"lat": 52, "lng": 13}, headers={"x-org": GLOBEX})


def _only(_: Any) -> None:
    """A witness gives nothing."""


WITNESSES: Mapping[str, Witness] = {
    # schema
    "null-omitted": billing("degradation"),
    "extra-property": listing_keys,
    "id-is-integer": billing("plan"),
    "date-without-zone": billing("usage"),
    "enum-renamed": billing("degradation"),
    "count-as-float": billing("usage"),
    "other-envelope": asking("GET", "/zones/none"),
    "error-as-html": asking("GET", "/zones/none"),
    "plans-as-text": asking("GET", "/plans"),
    "created-is-200": lambda it: _only(it.key()),
    "invalid-is-422": asking("POST", "/zones", json={}),
    "revoked-with-body": revoking,
    "no-request-id": asking("GET", "/plans"),
    "no-retry-after": no_use_left,
    "no-challenge": billing("plan", key=None),
    "no-allow": asking("DELETE", "/plans"),
    "any-method": asking("DELETE", "/plans"),
    "publicly-cacheable": billing("usage"),
    # input
    "unknown-member": asking("POST", "/zones", json={"name": "Hall", "colour": "red"}),
    "limit-below-minimum": asking("GET", "/scripting/executions", query=b"limit=0"),
    "limit-above-maximum": asking("GET", "/zones", query=b"limit=201"),
    "number-in-text": lambda it: _only(it.limit("zones", "5")),
    "required-defaulted": asking("POST", "/integrations", json={"org_id": ACME}),
    "body-unchecked": asking("POST", "/ai/translate-locale-content", json={"target_locales": 5}),
    "bad-query-ignored": asking("GET", "/zones", query=b"limit=many"),
    "long-name-refused": asking("POST", "/zones", json={"name": "x" * 101}),
    "null-refused": lambda it: _only(it.limit("zones", 5, expires_at=None)),
    "any-media-type": asking("POST", "/zones", body=b'{"name":"Hall"}', headers={"content-type": "text/plain"}),
    "no-json-is-500": asking("POST", "/zones", body=b"{", headers=JSON),
    "unicode-is-500": asking("POST", "/zones", json={"name": "\u6771\u4eac"}),
    "big-number-is-500": lambda it: _only(it.limit("zones", 2**63)),
    "nul-is-500": asking("POST", "/zones", json={"name": "a\0b"}),
    "head-is-404": asking("HEAD", "/plans"),
    "body-a-byte-larger": asking("POST", "/zones", body=b'{"name":"Hall"}'.ljust(LARGEST_ZONE + 1), headers=JSON),
    "large-policy-read": asking(
        "PUT", f"/orgs/{ACME}/billing/degradation/policy", body=b" " * (2**20 + 1), headers=JSON
    ),
    "bad-id-unheeded": asking("GET", "/plans", headers={"x-correlation-id": "two words"}),
    "bad-id-is-500": asking("GET", "/zones/a%20b"),
    # auth
    "usage-without-credential": billing("usage", key=None),
    "any-token": billing("plan", key="nobody"),
    "unauthenticated-is-404": billing("plan", key=None),
    "bad-key-on-plans": asking("GET", "/plans", key="nobody"),
    "revoked-credential": billing("plan", key="demo-revoked"),
    "key-a-second-longer": key_lapses,
    # tenancy
    "read-across": with_integration(lambda it, row: it.get(f"/integrations/{row}", "demo-globex")),
    "plan-across": billing("plan", org=GLOBEX),
    "usage-across": billing("usage", org=GLOBEX),
    "policy-across": policy_of_others,
    "delete-across": with_zone(lambda it, row: it.delete(f"/zones/{row}", "demo-globex")),
    "charge-across": place,
    "all-across": billing("plan", org=GLOBEX),
    "lists-of-all": with_zone(lambda it, _: it.get("/zones", "demo-globex")),
    "org-existence": billing("plan", org=NOWHERE),
    "owner-overrides": lambda it: _only(it.limit("zones", 99, key="demo-owner")),
    "reader-buys": lambda it: _only(it.buy("pro", key="demo-reader")),
    "key-may-all": scoped_key,
    "operator-confined": billing("plan", key="demo-operator"),
    "nobodys-is-forbidden": billing("plan", key="demo-operator", org=NOWHERE),
    "member-reads-plan": billing("plan", key="demo-member"),
    "parent-across": zone_in_others,
    "key-for-all-entities": other_door,
    "key-outlives-maker": longer_key,
    "roles-elsewhere": user_of_two,
    # pagination, quotas, checkout: as single answers show them
    "usage-turning": usage_twice,
    "published-otherwise": asking("GET", "/plans"),
    "own-tier-offered": billing("upgrade-options"),
}
