"""For each law of five families a lie that breaks it: what an implementation might do, as small as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .liar import Exchange, Lie

ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
USAGE, PLAN, DEGRADATION = (rf"/orgs/[^/]+/billing/{what}" for what in ("usage", "plan", "degradation"))
WEBHOOK = "/billing/webhooks/stripe"
ACTION = r"/entities/[^/]+/actions/[^/]+"


def taken_for(another: str, when: Callable[[Exchange], bool]) -> Lie:
    """Whoever asks is taken for another caller."""

    def lie(it: Exchange) -> None:
        if when(it):
            it.headers.pop("authorization", None)
            it.headers["x-api-key"] = another
            it.repeated = []
        it.send()

    return lie


def told(method: str, pattern: str, change: Callable[[Any], Any]) -> Lie:
    """A success is told otherwise than it is."""

    def lie(it: Exchange) -> None:
        it.send()
        if it.is_a(method, pattern) and it.status < 300:
            it.tell(change(it.json))

    return lie


def asked(change: Callable[[Exchange], None], when: Callable[[Exchange], bool]) -> Lie:
    """Something else is done than what was asked for."""

    def lie(it: Exchange) -> None:
        if when(it):
            change(it)
        it.send()

    return lie


def is_a(method: str, pattern: str, key: str | None = None) -> Callable[[Exchange], bool]:
    return lambda it: it.is_a(method, pattern) and (key is None or it.key == key)


def by_a_made_key(method: str, pattern: str) -> Callable[[Exchange], bool]:
    return lambda it: it.is_a(method, pattern) and "_openapp_" in (it.key or "")


def leaking(status: int) -> Callable[[], Lie]:
    """What is refused with a status uses something up."""

    def lie(it: Exchange) -> None:
        it.send()
        if it.status == status and it.method != "GET":
            it.control("POST", "/usage", {"org": ACME, "key": "geocoding_requests", "amount": 1})

    return lambda: lie


def items(change: Callable[[dict[str, Any]], None], key: str = "") -> Callable[[Any], Any]:
    """A usage report with other items."""

    def changed(report: Any) -> Any:
        for item in report["items"]:
            if not key or item["key"] == key:
                change(item)
        return report

    return changed


def basic_counts(it: Exchange) -> None:
    if it.headers.get("authorization", "").startswith("Basic "):
        it.headers["x-api-key"] = it.headers.pop("authorization")[6:]
    it.send()


def bad_key_on_plans(it: Exchange) -> None:
    if it.path == "/plans" and it.key is not None:
        it.path, it.method = "/zones", "GET"
    it.send()


def deleted_behind_a_refusal(it: Exchange) -> None:
    it.send()
    if it.is_a("DELETE", "/zones/[^/]+") and it.key == "demo-globex":
        it.again(headers={**it.headers, "x-api-key": "demo-owner"})


def counted_here(it: Exchange) -> None:
    """What is made below counts above."""
    it.send()
    if it.is_a("POST", "/zones") and it.headers.get("x-org", ACME) != ACME:
        it.again(headers={name: value for name, value in it.headers.items() if name != "x-org"})


def parent_dropped(it: Exchange) -> None:
    if it.is_a("POST", "/zones") and "parent_zone_id" in (it.asked or {}):
        it.ask({name: value for name, value in it.asked.items() if name != "parent_zone_id"})
    it.send()


def existence_told(it: Exchange) -> None:
    it.send()
    if it.is_a("GET", "/zones/[^/]+") and it.status == 404:
        there = it.again(headers={**it.headers, "x-api-key": "demo-owner"}).status == 200
        it.tell({**it.json, "details": {**it.json["details"], "hint": "not yours" if there else "not there"}})


def nobodys_is_forbidden(it: Exchange) -> None:
    it.send()
    if it.key == "demo-operator" and it.status == 404:
        it.status = 403
        it.tell({**it.json, "error_code": "forbidden", "code": "forbidden"})


def refused_key_counts(it: Exchange) -> None:
    it.send()
    if it.status == 401 and "_openapp_" in (it.key or ""):
        it.headers["x-api-key"] = "demo-owner"
        it.send()


def new_id_each_time(method: str, pattern: str, member: str) -> Callable[[], Lie]:
    def make() -> Lie:
        numbers = iter(range(10**6))

        def lie(it: Exchange) -> None:
            it.send()
            if it.is_a(method, pattern) and it.status < 300:
                it.tell({**it.json, member: f"another_{next(numbers)}"})

        return lie

    return make


def without_key(it: Exchange) -> None:
    it.headers.pop("idempotency-key", None)
    it.send()


def first_answer_for(name: Callable[[Exchange], Any]) -> Callable[[], Lie]:
    """Whatever has the same name is answered as the first was."""

    def make() -> Lie:
        kept: dict[Any, tuple[int, Any, bytes]] = {}

        def lie(it: Exchange) -> None:
            key = it.headers.get("idempotency-key")
            known = (it.world, key, name(it))
            if key is not None and known in kept:
                it.status, it.answer_headers, it.answer = kept[known]
                return
            it.send()
            if key is not None:
                kept[known] = (it.status, it.answer_headers, it.answer)

        return lie

    return make


def signed_anew(change: Callable[[Any], Any]) -> Callable[[], Lie]:
    """An event is read as another one."""

    def lie(it: Exchange) -> None:
        if it.path == WEBHOOK and isinstance(it.asked, dict) and "data" in it.asked:
            it.ask(change(it.asked))
            it.sign(int(it.headers["stripe-signature"].split(",")[0][2:]))
        it.send()

    return lambda: lie


def any_signature(it: Exchange) -> None:
    if it.path == WEBHOOK and it.headers.get("stripe-signature", "").startswith("t="):
        it.sign(int(it.headers["stripe-signature"].split(",")[0][2:]))
    it.send()


def any_age(it: Exchange) -> None:
    it.send()
    if it.path == WEBHOOK and it.status == 400 and it.json["error_code"] == "signature_expired":
        it.sign(int(it.headers["stripe-signature"].split(",")[0][2:]) + 3600)
        it.send()


def anything_is_an_event(it: Exchange) -> None:
    it.send()
    if it.path == WEBHOOK and it.status == 400 and it.json["error_code"] == "invalid_payload":
        it.status = 200
        it.tell({"provider": "stripe", "events": []})


def new_event_each_time() -> Lie:
    numbers = iter(range(10**6))
    return signed_anew(lambda event: {**event, "id": f"{event['id']}_{next(numbers)}"})()


def newest_of_all() -> Lie:
    numbers = iter(range(2_000_000_000, 2_001_000_000))
    return signed_anew(lambda event: {**event, "created": next(numbers)})()


def with_thing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda event: {**event, "data": {"object": change(event["data"]["object"])}}


def policy_forgotten(it: Exchange) -> None:
    it.send()
    if it.is_a("GET", DEGRADATION):
        it.tell({**it.json, "selection_policy": "newest_first"})


def changing() -> Lie:
    numbers = iter(range(10**6))
    return told("GET", USAGE, items(lambda item: item.update(current=next(numbers)), "geocoding_requests"))


LIES: Mapping[str, Callable[[], Lie]] = {
    "access.authentication": lambda: taken_for("demo-owner", lambda it: it.is_a("GET", "/zones") and it.key is None),
    "access.revoked": lambda: taken_for("demo-owner", is_a("GET", "/zones", "demo-revoked")),
    "access.ways": lambda: basic_counts,
    "access.public": lambda: bad_key_on_plans,
    "access.reader": lambda: taken_for("demo-owner", is_a("POST", r"/orgs/[^/]+/billing/checkout", "demo-reader")),
    "access.member": lambda: taken_for("demo-owner", is_a("GET", PLAN, "demo-member")),
    "access.operator": lambda: taken_for("demo-member", is_a("GET", PLAN, "demo-operator")),
    "access.nobodys": lambda: nobodys_is_forbidden,
    "access.administration": lambda: taken_for("demo-operator", is_a("GET", "/admin/quota_overrides", "demo-owner")),
    "access.tenants-read": lambda: taken_for("demo-owner", is_a("GET", "/zones/[^/]+", "demo-globex")),
    "access.tenants-write": lambda: deleted_behind_a_refusal,
    "access.tenants-list": lambda: taken_for("demo-owner", is_a("GET", "/zones", "demo-globex")),
    "access.tenants-quota": lambda: counted_here,
    "access.references": lambda: parent_dropped,
    "access.users": lambda: told(
        "GET", "/users/[^/]+", lambda user: {**user, "roles": {**user["roles"], "x": ["owner"]}}
    ),
    "access.branches": lambda: taken_for("demo-owner", by_a_made_key("GET", "/zones/[^/]+")),
    "access.existence": lambda: existence_told,
    "access.key-roles": lambda: taken_for("demo-owner", by_a_made_key("POST", "/zones")),
    "access.key-entities": lambda: taken_for("demo-owner", by_a_made_key("POST", ACTION)),
    "access.key-makers": lambda: taken_for("demo-owner", by_a_made_key("POST", "/api-keys")),
    "access.key-revocation": lambda: refused_key_counts,
    "access.key-expiry": lambda: refused_key_counts,
    "effects.invalid": leaking(400),
    "effects.unreadable": leaking(415),
    "effects.missing": leaking(404),
    "effects.conflict": leaking(409),
    "effects.quota": leaking(429),
    "effects.unavailable": leaking(501),
    "idempotency.checkout": new_id_each_time("POST", r"/orgs/[^/]+/billing/checkout", "external_id"),
    "idempotency.override": new_id_each_time("POST", "/admin/quota_overrides", "id"),
    "idempotency.replay": lambda: without_key,
    "idempotency.conflict": lambda: without_key,
    "idempotency.scope": first_answer_for(lambda it: None),
    "idempotency.callers": first_answer_for(lambda it: it.path),
    "idempotency.refused": first_answer_for(lambda it: it.path.partition("/actions")[0]),
    "idempotency.lifetime": lambda: without_key,
    "idempotency.event": new_event_each_time,
    "metamorphic.counts": lambda: told("GET", USAGE, items(lambda item: item.update(current=9), "zones")),
    "metamorphic.limits": lambda: told("GET", USAGE, items(lambda item: item["limit"].update(value=9), "zones")),
    "metamorphic.tiers": lambda: told("GET", USAGE, lambda report: {**report, "tier_slug": "business"}),
    "metamorphic.overages": lambda: told("GET", DEGRADATION, lambda report: {**report, "over_capacity": True}),
    "metamorphic.windows": lambda: told("GET", USAGE, items(lambda item: item.update(period_label="day:2001-01-01"))),
    "metamorphic.uses": lambda: told("GET", USAGE, items(lambda item: item.update(current=0), "door_opens")),
    "metamorphic.overrides": lambda: told(
        "GET",
        "/admin/quota_overrides",
        lambda found: {"overrides": [{**row, "active": False} for row in found["overrides"]]},
    ),
    "metamorphic.pages": lambda: asked(
        lambda it: it.query.pop("offset", None) and None, lambda it: it.is_a("GET", "/zones")
    ),
    "metamorphic.order": lambda: told("GET", "/zones", lambda found: {**found, "items": found["items"][::-1]}),
    "metamorphic.filters": lambda: asked(
        lambda it: it.query.pop("only_deleted", None) and None, lambda it: it.is_a("GET", "/zones")
    ),
    "metamorphic.twice": changing,
    "metamorphic.created": lambda: told("GET", "/zones/[^/]+", lambda zone: {**zone, "name": {"en": "Another"}}),
    "metamorphic.changed": lambda: policy_forgotten,
    "metamorphic.deleted": lambda: told(
        "GET", "/zones/[^/]+", lambda zone: {name: each for name, each in zone.items() if name != "deleted_at"}
    ),
    "ingress.signature": lambda: any_signature,
    "ingress.age": lambda: any_age,
    "ingress.payload": lambda: anything_is_an_event,
    "ingress.repeats": new_event_each_time,
    "ingress.disorder": newest_of_all,
    "ingress.plans": signed_anew(with_thing(lambda thing: {**thing, "items": {}})),
    "ingress.states": signed_anew(with_thing(lambda thing: {**thing, "status": "active"})),
    "ingress.ownership": signed_anew(with_thing(lambda thing: {**thing, "metadata": {"org_id": ACME}})),
}
