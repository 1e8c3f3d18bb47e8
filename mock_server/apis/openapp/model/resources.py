"""What an organization holds: a frozen struct for each kind of resource, and the shelves that they lie on.

A soft-deleted resource (a revoked API key) lies on the other half of its shelf, where no quota counts it, until it is
restored or purged. How many exist is the size of a shelf, never a number kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.instants import DAY, LATEST, Instant

from .bounds import Count, ExternalId, Id, Localized, Moment, Name, Role, Uses
from .roles import Permission, spelled_out

Kind = Literal["integrations", "devices", "zones", "entities", "api_keys"]
KINDS: tuple[Kind, ...] = ("integrations", "devices", "zones", "entities", "api_keys")
"""CapacityResource, in the order in which a status lists what is flagged."""

SINGULAR = {
    "integrations": "integration",
    "devices": "device",
    "zones": "zone",
    "entities": "entity",
    "api_keys": "API key",
    "organizations": "organization",
    "org_users": "user",
}
PLURAL = {key: key for key in SINGULAR} | {"api_keys": "API keys", "org_users": "users"}
ProviderType = Literal[
    "go2rtc",
    "homeassistant",
    "knx",
    "mqtt",
    "palgate_cloud",
    "shelly_cloud",
    "shelly_websocket",
    "virtual_access",
    "virtual_demo",
    "waveshare",
    "tasmota",
]
EntityType = Literal["directory_listing", "door", "light", "sensor", "switch"]
ExecutionStatus = Literal["pending", "running", "succeeded", "failed", "canceled"]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """`serial` rises with every resource of a world: it orders those that were created at the same instant.

    `keep` is True for a pinned resource, False for one released, None for one that nobody spoke about.
    """

    id: Id
    org_id: Id
    serial: Annotated[int, Meta(ge=0, le=2**53)]
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None = None
    purge_at: Moment | None = None
    keep: bool | None = None


class Integration(Resource, frozen=True, kw_only=True):
    name: Localized
    provider_type: ProviderType
    enabled: bool = True
    config: Mapping[str, Any] | None = None
    credentials_set: tuple[str, ...] = ()


class Device(Resource, frozen=True, kw_only=True):
    name: Localized
    integration_id: Id
    external_id: ExternalId | None = None
    device_metadata: Mapping[str, Any] | None = None
    zone_id: Id | None = None


class Entity(Resource, frozen=True, kw_only=True):
    """`last_used_at` is that of its device, its integration and its zone too: see `selection.last_uses`."""

    device_id: Id
    entity_type: EntityType
    name: Name | None = None
    external_id: ExternalId | None = None
    channel_index: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    metadata: Mapping[str, str] | None = None
    zone_id: Id | None = None
    last_used_at: Moment | None = None


class Zone(Resource, frozen=True, kw_only=True):
    name: Localized
    integration_id: Id | None = None
    parent_zone_id: Id | None = None
    external_id: ExternalId | None = None
    site_ids: tuple[Id, ...] = ()


class ApiKey(Resource, frozen=True, kw_only=True, dict=True):
    """`digest` is that of its secret, which is shown once and not kept. `permissions` are those of whoever made it."""

    name: Name
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    token_suffix: Annotated[str, Meta(pattern="^[!-~]{4}$")]
    base_url: Annotated[str, Meta(min_length=1, max_length=2000)]
    expires_at: Moment
    permissions: tuple[Permission, ...] = ()
    scoped_roles: tuple[Role, ...] | None = None
    scoped_entity_ids: tuple[Id, ...] | None = None
    last_used_at: Moment | None = None

    @cached_property
    def caller(self) -> Caller:
        """Whom a request stands for that shows this key."""
        return Caller(f"API key {self.id}", self.org_id, spelled_out(self.permissions), self.id, self.id)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person, on the shelf of every organization that `roles` names."""

    id: Id
    name: Localized
    email: Annotated[str, Meta(min_length=3, max_length=320)]
    serial: Count
    created_at: Moment
    updated_at: Moment
    roles: Mapping[Id, tuple[Role, ...]]
    email_is_synthetic: bool = False
    phone: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    first_name: Name | None = None
    last_name: Name | None = None


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """A script that runs for a while in the world's time. `fails_with` and `result` are settled from the start."""

    id: Id
    org_id: Id
    serial: Count
    created_at: Moment
    status: ExecutionStatus = "pending"
    started_at: Moment | None = None
    completed_at: Moment | None = None
    result: Any = None
    fails_with: str | None = None


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """A public page in front of a door, which anybody may look at."""

    id: Id
    org_id: Id
    name: Localized
    mode: Literal["guest_directory", "resident_quick_open", "guest_quick_open"] = "guest_quick_open"


class Meter(msgspec.Struct, frozen=True):
    """Uses of a metered quota in the day, the ISO week and the month that `day` (days since 1970) lies in."""

    day: Annotated[int, Meta(ge=0, le=LATEST // DAY)]
    in_day: Uses
    in_week: Uses
    in_month: Uses


class Session(msgspec.Struct, frozen=True):
    """How much of a quota counted per session one session has used; `used_at` is its latest use."""

    id: Annotated[str, Meta(min_length=1, max_length=255)]
    used: Uses
    used_at: Moment


class Shelf(msgspec.Struct, frozen=True):
    """The resources of one kind by id."""

    live: HashTrieMap[str, Any] = HashTrieMap()
    deleted: HashTrieMap[str, Any] = HashTrieMap()


class Holdings(msgspec.Struct, frozen=True):
    """All that one organization holds and has used.

    `children`: ids of the organizations directly below it. `meters` and `sessions` by quota key.
    """

    integrations: Shelf = Shelf()
    devices: Shelf = Shelf()
    zones: Shelf = Shelf()
    entities: Shelf = Shelf()
    api_keys: Shelf = Shelf()
    users: HashTrieMap[str, User] = HashTrieMap()
    executions: HashTrieMap[str, Execution] = HashTrieMap()
    children: HashTrieMap[str, bool] = HashTrieMap()
    meters: HashTrieMap[str, Meter] = HashTrieMap()
    sessions: HashTrieMap[str, tuple[Session, ...]] = HashTrieMap()

    def shelf(self, kind: str) -> Shelf:
        shelf: Shelf = getattr(self, kind)
        return shelf

    def count(self, key: str) -> int:
        """How many of a capacity quota's things exist."""
        if key == "org_users":
            return len(self.users)
        return len(self.children) if key == "organizations" else len(self.shelf(key).live)

    def with_shelf(self, kind: str, shelf: Shelf) -> Holdings:
        return msgspec.structs.replace(self, **{kind: shelf})


NOTHING = Holdings()


def oldest(rows: HashTrieMap[str, Any]) -> list[Any]:
    """In the order of their creation."""
    return sorted(rows.values(), key=creation)


def creation(row: Any) -> tuple[Instant, int]:
    return row.created_at, row.serial
