"""What the part of a scenario that speaks of OpenApp may contain (format 1). docs/scenarios.md explains it to users.

A moment is an RFC 3339 instant, or how long before the world's start it was: `-P40D`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .model.bounds import Count, ExternalId, Id, Localized, Name, Provider, Role, Secret, Uses
from .model.resources import EntityType, ProviderType
from .model.roles import Permission, ResourceRole
from .model.state import SelectionPolicy, Settings

Text = Annotated[str, Meta(min_length=1, max_length=500)]
Moment = Annotated[str, Meta(min_length=3, max_length=40)]

WebhookSecret = Annotated[str, Meta(pattern=r"\S", max_length=500)]
WebhookSecrets = Annotated[list[WebhookSecret], Meta(min_length=1, max_length=5)]
"""Several while a secret is being changed: each of them is good."""


class SubscriptionPart(Struct, frozen=True, forbid_unknown_fields=True):
    external_id: ExternalId
    subscription_id: ExternalId
    status: Literal["active", "past_due", "canceled"] = "active"
    provider: Provider = "stripe"


class ResourcePart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`pinned`: true for a survivor, false for what somebody released."""

    id: Id
    created: Moment | None = None
    pinned: bool | None = None


class IntegrationPart(ResourcePart, frozen=True, kw_only=True):
    name: Text | Localized
    provider_type: ProviderType = "virtual_demo"
    enabled: bool = True


class ZonePart(ResourcePart, frozen=True, kw_only=True):
    name: Text | Localized
    integration: Id | None = None
    parent: Id | None = None


class DevicePart(ResourcePart, frozen=True, kw_only=True):
    name: Text | Localized
    integration: Id
    zone: Id | None = None
    external_id: ExternalId | None = None


class EntityPart(ResourcePart, frozen=True, kw_only=True):
    device: Id
    type: EntityType = "door"
    name: Name | None = None
    zone: Id | None = None
    last_used: Moment | None = None


class ApiKeyPart(ResourcePart, frozen=True, kw_only=True):
    """It lives for a year from the world's start, whenever it was made."""

    name: Name
    secret: Annotated[Secret, Meta(min_length=4)]
    permissions: list[Permission] = []
    scoped_roles: list[ResourceRole] | None = None
    last_used: Moment | None = None


class UserPart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Id
    name: Text | Localized
    email: Annotated[str, Meta(min_length=3, max_length=320)] | None = None
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=20)] = ("member",)
    created: Moment | None = None


class PortalPart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Id
    name: Text | Localized
    mode: Literal["guest_directory", "resident_quick_open", "guest_quick_open"] = "guest_quick_open"


class OrgPart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`used`: uses of metered quotas on the first day. `over_capacity_since` begins the lifecycle then, not at the start."""

    id: Id
    name: Text | Localized
    tier: str | None = None
    parent: Id | None = None
    description: Annotated[str, Meta(max_length=2000)] | None = None
    created: Moment | None = None
    subscription: SubscriptionPart | None = None
    selection_policy: SelectionPolicy = "newest_first"
    over_capacity_since: Moment | None = None
    users: list[UserPart] = []
    integrations: list[IntegrationPart] = []
    zones: list[ZonePart] = []
    devices: list[DevicePart] = []
    entities: list[EntityPart] = []
    api_keys: list[ApiKeyPart] = []
    portals: list[PortalPart] = []
    used: Mapping[str, Uses] = {}


class OverridePart(Struct, frozen=True, forbid_unknown_fields=True):
    org: Id
    quota_key: str
    limit: Count
    period: str | None = None
    expires_at: str | None = None
    reason: Annotated[str, Meta(max_length=500)] | None = None


class CredentialPart(Struct, frozen=True, forbid_unknown_fields=True):
    secret: Secret
    role: Role
    org: Id | None = None
    permissions: list[Permission] = []
    revoked: bool = False


class GeneratePart(Struct, frozen=True, forbid_unknown_fields=True):
    """Organizations made up from the world's seed, beside those that are written down."""

    orgs: Annotated[int, Meta(ge=0, le=1_000)]


class OpenAppPart(Struct, frozen=True, forbid_unknown_fields=True):
    catalog: str = "openapp"
    settings: Settings = Settings()
    orgs: list[OrgPart] = []
    overrides: list[OverridePart] = []
    credentials: list[CredentialPart] = []
    webhook_secrets: dict[str, WebhookSecret | WebhookSecrets] = {}
    generate: GeneratePart | None = None
