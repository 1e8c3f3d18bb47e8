"""Everything that the service keeps, as plain objects, and where it starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from ulid import ULID

from .errors import foreign, invalid, missing, no_org

ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
KINDS = ("integrations", "devices", "zones", "entities", "api_keys")
MEMBER = frozenset({"devices:list", "devices:read", "entities:list", "entities:read", "entities:set_state"})


@dataclass
class Org:
    id: str
    name: dict[str, str]
    tier: str
    created_at: datetime
    description: str | None = None
    parent_id: str | None = None
    depth: int = 1
    subscription: dict[str, Any] | None = None
    policy: str = "newest_first"
    stage: str = "none"
    since: datetime | None = None
    over_since: datetime | None = None
    flagged: dict[tuple[str, str], dict[str, datetime | None]] = field(default_factory=dict)
    used: dict[tuple[str, str], int] = field(default_factory=dict)  # (key, label of the window) -> amount
    sessions: dict[str, int] = field(default_factory=dict)


@dataclass
class User:
    id: str
    data: dict[str, Any]
    roles: dict[str, list[str]]
    created_at: datetime


@dataclass
class Thing:
    """An integration, a device, a zone, an entity or an API key; `deleted_at` of a key says when it was revoked."""

    kind: str
    id: str
    org_id: str
    data: dict[str, Any]
    order: int
    used: tuple[datetime, int]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    pinned: bool = False
    released: bool = False


@dataclass
class Override:
    id: str
    org_id: str
    key: str
    period: str
    limit: int
    expires_at: datetime | None
    reason: str | None
    created_at: datetime
    updated_at: datetime


@dataclass
class Execution:
    id: str
    org_id: str
    script: str
    created_at: datetime
    canceled_at: datetime | None = None


@dataclass(frozen=True)
class Caller:
    org_id: str | None
    permissions: frozenset[str]
    operator: bool = False
    key: Thing | None = None

    def may(self, permission: str) -> bool:
        return self.operator or permission in self.permissions

    @property
    def waits(self) -> bool:
        return not (self.operator or "admin" in self.permissions)


class World:
    def __init__(self, now: datetime, catalog: Path, permissions: frozenset[str]) -> None:
        self.now = now
        self.base_url = "http://127.0.0.1"
        self.counter = 0
        self.known_permissions = permissions
        self.tiers = {tier["slug"]: tier for tier in _read_catalog(catalog)}
        self.default_tier = next(s for s, t in self.tiers.items() if t.get("default_for_personal"))
        self.orgs: dict[str, Org] = {}
        self.users: dict[str, User] = {}
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self.owned: dict[tuple[str, str], dict[str, Thing]] = {}  # (kind, org) -> the same things
        self.keys_by_secret: dict[str, Thing] = {}
        self.overrides: dict[tuple[str, str, str], Override] = {}
        self.executions: dict[str, Execution] = {}
        self.replays: dict[tuple[str, str, str], tuple[Any, dict[str, Any], datetime]] = {}
        self.events_seen: set[tuple[str, str]] = set()
        self.applied: dict[tuple[str, str], dict[str, int]] = {}  # subscription -> newest event, newest plan event
        self.webhook_secrets = {"stripe": "whsec_demo"}
        self._start(permissions)

    def _start(self, permissions: frozenset[str]) -> None:
        for org_id, name, tier in ((ACME, "Acme Doors", "free"), (GLOBEX, "Globex Gates", "pro")):
            self.orgs[org_id] = Org(org_id, {"en": name}, tier, self.now)
        self.orgs[GLOBEX].subscription = {
            "external_id": "sub_demo_globex",
            "subscription_id": "01J9ZC3M4N5P6Q7R8S9T0V1W2Z",
            "provider": "stripe",
            "status": "active",
            "tier_slug": "pro",
        }
        people = (("3A", "Ada Acme", "ada@acme.example", ACME), ("3B", "Gil Globex", "gil@globex.example", GLOBEX))
        for end, name, email, org_id in people:
            user_id = "01J9ZC3M4N5P6Q7R8S9T0V1W" + end
            data = {"name": {"en": name}, "email": email, "email_is_synthetic": False}
            self.users[user_id] = User(user_id, data, {org_id: ["owner"]}, self.now)
        owner = (permissions - {"operator"}) | {"admin"}
        self.credentials = {
            "demo-owner": Caller(ACME, owner),
            "demo-reader": Caller(ACME, frozenset({"billing:read"})),
            "demo-member": Caller(ACME, MEMBER),
            "demo-globex": Caller(GLOBEX, owner),
            "demo-operator": Caller(None, permissions, operator=True),
        }
        self.revoked = {"demo-revoked"}
        self.portals = {"portal-demo": {"org_id": ACME, "name": {"en": "Acme front door"}}}

    def tick(self) -> int:
        self.counter += 1
        return self.counter

    def add(self, kind: str, org_id: str, data: dict[str, Any]) -> Thing:
        order = self.tick()
        thing = Thing(kind, str(ULID()), org_id, data, order, (self.now, order), self.now, self.now)
        self.things[kind][thing.id] = thing
        self.owned.setdefault((kind, org_id), {})[thing.id] = thing
        return thing

    def forget(self, thing: Thing) -> None:
        self.things[thing.kind].pop(thing.id, None)
        self.owned.get((thing.kind, thing.org_id), {}).pop(thing.id, None)
        if thing.kind == "api_keys":
            self.keys_by_secret.pop(thing.data["secret"], None)

    def all_of(self, kind: str, org_id: str) -> list[Thing]:
        return list(self.owned.get((kind, org_id), {}).values())

    def live(self, kind: str, org_id: str) -> list[Thing]:
        return [thing for thing in self.owned.get((kind, org_id), {}).values() if not thing.deleted_at]

    def count(self, key: str, org_id: str) -> int:
        if key == "org_users":
            return sum(org_id in user.roles for user in self.users.values())
        if key == "organizations":
            return sum(org.parent_id == org_id for org in self.orgs.values())
        return sum(not thing.deleted_at for thing in self.owned.get((key, org_id), {}).values())

    def reaches(self, caller: Caller, org_id: str | None) -> bool:
        if caller.operator:
            return org_id in self.orgs
        while org_id is not None:
            if org_id == caller.org_id:
                return True
            org = self.orgs.get(org_id)
            org_id = org.parent_id if org else None
        return False

    def org(self, caller: Caller, org_id: str) -> Org:
        """The organization, or the refusal that does not tell whether a foreign one exists."""
        if not self.reaches(caller, org_id):
            raise no_org(org_id) if caller.operator else foreign(org_id)
        return self.orgs[org_id]

    def own_org(self, caller: Caller, x_org: str | None) -> Org:
        """What `X-Org` is about: without it the caller's own."""
        wanted = x_org or caller.org_id
        if wanted is None:
            raise invalid(
                "header parameter 'X-Org': this credential belongs to no organization; say which one this is about.",
                place="header",
                name="X-Org",
            )
        return self.org(caller, wanted)

    def find(self, caller: Caller, kind: str, thing_id: str, live: bool = False) -> Thing:
        thing = self.things[kind].get(thing_id)
        if thing is None or not self.reaches(caller, thing.org_id):
            raise missing(kind, thing_id)
        if live and thing.deleted_at:
            raise missing(kind, thing_id, f"'{thing_id}' in {kind} is deleted; restore it or purge it.")
        return thing


def _read_catalog(path: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return sorted(document["tiers"], key=lambda tier: tier["sort_order"])
