"""How OpenApp's things are made, and for each operation a request that succeeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.bench import NotVerified
from contracts.case import Case
from contracts.http import Answer

KINDS: Mapping[str, str] = {
    "integration": "integrations",
    "device": "devices",
    "entity": "entities",
    "zone": "zones",
    "api_key": "api_keys",
    "user": "org_users",
}
"""What `POST` makes -> the capacity quota that counts it."""
PLURAL: Mapping[str, str] = {
    "integration": "integrations",
    "device": "devices",
    "entity": "entities",
    "zone": "zones",
    "api_key": "api_keys",
}
"""What can be flagged, pinned and put away -> how lists and the lifecycle call it."""
POLICIES = ("newest_first", "oldest_first", "least_recently_used", "manual")
FULL: Mapping[str, Mapping[str, Any]] = {
    "integration": {
        "provider_type": "mqtt",
        "name": {"en": "Full", "de": "Voll"},
        "enabled": False,
        "config": {"a": 1},
    },
    "device": {"name": {"en": "Full"}, "external_id": "ext-1", "device_metadata": {"floor": "2"}},
    "entity": {
        "entity_type": "light",
        "name": "Lamp",
        "external_id": "ext-2",
        "channel_index": 3,
        "metadata": {"k": "v"},
    },
    "zone": {"name": {"en": "Full"}, "external_id": "ext-3"},
    "user": {"name": {"en": "Full"}, "email": "full@acme.example", "phone": "+491700000000", "first_name": "Fu"},
}
"""All that may be said of a thing when it is made."""
SOFT = ("integration", "device", "entity", "zone", "api_key")
"""What a deletion only puts away."""
METERED: Mapping[str, str] = {
    "reverse_geocode": "geocoding_requests",
    "translate_locale_content": "ai_requests",
    "create_scripting_execution": "scripting_executions",
    "execute_entity_action": "door_opens",
}
"""What uses up a metered quota of the case's organization."""
OPEN = "switchable.open"


class Stock:
    """One of each thing in a case's organization, made when it is first asked for.

    `stock["device"]` is the id of a device that is there, `stock["deleted device"]` of one that was deleted.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._ids: dict[str, str] = {}

    def __getitem__(self, thing: str) -> str:
        if thing not in self._ids:
            deleted, _, kind = thing.rpartition(" ")
            made = self.another(kind)
            if deleted:
                self.case.ask(**deletion(kind, made))
            self._ids[thing] = made
        return self._ids[thing]

    def another(self, kind: str) -> str:
        """One more of a kind; its id."""
        return str(done(self.case.ask(**self.creation(kind))).json["id"])

    def creation(self, kind: str) -> dict[str, Any]:
        """The arguments of `ask` that make one more of a kind; what it hangs on is made first."""
        org = self.case.org
        bodies: dict[str, Callable[[], Any]] = {
            "integration": lambda: {"org_id": org, "provider_type": "virtual_demo", "name": "Demo"},
            "device": lambda: {"org_id": org, "integration_id": self["integration"], "name": "Front"},
            "entity": lambda: {"device_id": self["device"], "entity_type": "door", "name": "Front door"},
            "zone": lambda: {"name": "Lobby"},
            "user": lambda: {"name": "Una"},
            "api_key": lambda: {"name": "laptop", "scoped_roles": ["entities:set_state", "devices:read"]},
            "org": lambda: {"name": "Annex", "parent_id": org},
            "execution": lambda: {"script": "open()"},
        }
        operation = "create_scripting_execution" if kind == "execution" else f"create_{kind}"
        return {"operation": operation, "json": bodies[kind]()}


def done(answer: Answer) -> Answer:
    """An answer that a law builds on. Raises NotVerified if it is a refusal: then nothing can be said."""
    if answer.status >= 300:
        raise NotVerified(f"what it takes could not be made: {answer.status} {answer.body[:200].decode('latin-1')}")
    return answer


def is_bound(case: Case) -> bool:
    """Whether a write may only name what the run has made: then some requests that would be refused cannot be sent."""
    return case.target.may == "own-objects" and not case.place.is_own


def new_key(case: Case, caller: str = "owner", org: str | None = None, **body: Any) -> Mapping[str, str]:
    """A new API key with `id` and `token`. `org`: of another organization than the case's."""
    headers = {} if org is None else {"X-Org": org}
    made = done(case.ask("create_api_key", caller, headers=headers, json={"name": "laptop", **body}))
    return {"id": made.json["id"], "token": made.json["token"]}


def deletion(kind: str, made: str) -> dict[str, Any]:
    """The arguments of `ask` that delete one of a kind, with what hangs on it."""
    query = (
        {"recursive": "true"} if kind in ("integration", "device") else {"cascade": "detach"} if kind == "zone" else {}
    )
    verb = {"api_key": "revoke_api_key", "execution": "cancel_scripting_execution"}.get(kind, f"delete_{kind}")
    return {"operation": verb, "path": {"id": made}, "query": query}


def override(case: Case, key: str, limit: int, period: str | None = None, expires: str | None = None) -> dict[str, Any]:
    """The arguments of `ask` that set a limit for the case's organization. `expires`: how long from now, ISO 8601."""
    body: dict[str, Any] = {"subject_type": "org", "subject_id": case.org, "quota_key": key, "limit_value": limit}
    if period is not None:
        body["period"] = period
    if expires is not None:
        body["expires_at"] = f"{{{{now+{expires}}}}}"
    return {"operation": "post_admin_quota_override", "caller": "operator", "json": body}


def opening(entity: str, key: str | None = None, caller: str = "owner", body: Any = None) -> dict[str, Any]:
    """The arguments of `ask` that open a door."""
    headers = {} if key is None else {"Idempotency-Key": key}
    path = {"id": entity, "action_id": OPEN}
    return {
        "operation": "execute_entity_action", "caller": caller, "path": path, "headers": headers, "json": body or {},
    }  # fmt: skip


def billing(case: Case, what: str, caller: str = "owner", **more: Any) -> dict[str, Any]:
    """The arguments of `ask` for an operation under /orgs/{id}/billing: plan, usage, degradation, checkout, ..."""
    verb = {"checkout": "post", "portal": "post", "degradation_resource": "post", "degradation_policy": "put"}
    return {
        "operation": f"{verb.get(what, 'get')}_org_billing_{what}",
        "caller": caller,
        "path": {"id": case.org},
        **more,
    }


def request_for(stock: Stock, operation: str) -> dict[str, Any]:
    """The arguments of `ask` for a request that succeeds. What it needs is made first.

    A webhook succeeds only where the secret is known; the public portal only where there is one.
    """
    case = stock.case
    verb, _, kind = operation.partition("_")
    if verb == "create" and operation != "create_scripting_execution":
        return stock.creation(kind)
    if verb in ("get", "delete") and kind in (*SOFT, "user"):
        return {"operation": operation, "path": {"id": stock.another(kind) if verb == "delete" else stock[kind]}} | (
            {"query": deletion(kind, "")["query"]} if verb == "delete" else {}
        )
    if verb == "revoke":
        return {"operation": operation, "path": {"id": stock.another(kind)}}
    if verb in ("restore", "purge"):
        deleted = stock.another(kind)
        case.ask(**deletion(kind, deleted))
        return {"operation": operation, "path": {"id": deleted}}
    return {"operation": operation, **_others(stock)[operation]()}


def _others(stock: Stock) -> dict[str, Callable[[], dict[str, Any]]]:
    case = stock.case
    org = {"path": {"id": case.org}}
    pinned: Callable[[], Any] = lambda: {"resource": "zones", "resource_id": stock["zone"], "keep": True}  # noqa: E731
    text = {"title": "Hello", "body": "World", "source_locale": "en", "target_locales": ["de"]}
    event = {"id": "evt_x", "type": "ping", "created": 1, "data": {"object": {}}}
    simple = ("get_status", "get_plans", "list_orgs", *(f"list_{kind}" for kind in LISTED))
    reads = ("plan", "upgrade_options", "usage", "degradation")
    return {
        **dict.fromkeys(simple, dict),
        **{f"get_org_billing_{what}": (lambda: {**org}) for what in reads},
        "get_org": lambda: {**org},
        "get_org_permissions": lambda: {**org},
        "put_org_billing_degradation_policy": lambda: {**org, "json": {"policy": "oldest_first"}},
        "post_org_billing_degradation_resource": lambda: {**org, "json": pinned()},
        "post_org_billing_checkout": lambda: {**org, "json": {"tier_slug": "pro"}},
        "post_org_billing_portal": lambda: {**org, "json": {"return_url": "https://app.test/"}},
        "get_admin_quota_overrides": lambda: {"caller": "operator"},
        "post_admin_quota_override": lambda: {k: v for k, v in override(case, "devices", 7).items() if k != "operation"},
        "post_billing_webhook": lambda: {
            "caller": None, "path": {"provider": "stripe"}, "json": event, "signing": {}, "media_type": "application/json",
        },
        "execute_entity_action": lambda: {"path": {"id": stock["entity"], "action_id": OPEN}, "json": {}},
        "create_scripting_execution": lambda: {"json": {"script": "open()"}},
        "get_scripting_execution": lambda: {"path": {"id": stock["execution"]}},
        "cancel_scripting_execution": lambda: {"path": {"id": stock.another("execution")}},
        "get_public_portal": lambda: {"caller": None, "path": {"publicPortalId": case.name("portal")}},
        "translate_locale_content": lambda: {"json": text},
        "reverse_geocode": lambda: {"json": {"lat": 52.5, "lng": 13.4}},
    }  # fmt: skip


LISTED = ("integrations", "devices", "entities", "zones", "api_keys", "users", "scripting_executions")
READS = ("get_org_billing_plan", "get_org_billing_usage", "get_org_billing_degradation")


def look(case: Case, caller: str = "owner") -> None:
    """Everything that can be read of the case's organization, held against what the model says."""
    for operation in READS:
        case.ask(operation, caller, path={"id": case.org})
    for kind in LISTED:
        if kind == "scripting_executions" and case.place.clock is None:
            continue  # how far they have come is a matter of the machine's time
        query = {"include_deleted": "true"} if kind in ("integrations", "devices", "entities", "zones") else {}
        case.ask(f"list_{kind}", caller, query=query)
    if "operator" in case.target.credentials:
        case.ask("get_admin_quota_overrides", "operator")
