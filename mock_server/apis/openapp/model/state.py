"""OpenApp's domain state: one immutable value. Maps are persistent; their order never reaches an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.instants import EARLIEST, LATEST, Instant

from .quotas import PERIODS, QUOTAS

# The bounds of spec/openapp, checked wherever a state is read from a file (msgspec.convert), not when it is computed.
Localized = Annotated[
    Mapping[Annotated[str, Meta(min_length=1, max_length=35)], Annotated[str, Meta(max_length=500)]],
    Meta(min_length=1, max_length=50),
]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ExternalId = Annotated[str, Meta(min_length=1, max_length=255)]
Provider = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Order = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Moment = Annotated[Instant, Meta(ge=EARLIEST, le=LATEST)]
ProviderTime = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Secret = Annotated[str, Meta(pattern=r"^[!-?A-~]{1,200}$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Role = Annotated[str, Meta(min_length=1, max_length=64)]
Permission = Literal["billing:read", "billing:manage", "operator"]
SubscriptionStatus = Literal["active", "pending", "past_due", "canceled"]
SelectionPolicy = Literal["newest_first", "oldest_first", "least_recently_used", "manual"]


class Tier(msgspec.Struct, frozen=True, dict=True):
    """`quotas`: key -> period -> limit, where None is unlimited. `provider_prices`: provider -> price ids."""

    slug: Slug
    name: Localized
    sort_order: Order
    description: Localized | None = None
    is_published: bool = True
    is_default_for_personal: bool = False
    quotas: Mapping[str, Mapping[str, Count | None]] = {}
    provider_prices: Mapping[str, tuple[str, ...]] = {}

    @cached_property
    def quota_rows(self) -> list[dict[str, Any]]:
        """PlanQuotaResponse for each limit, in the order of the quota table, whatever the catalog file's."""
        return [
            {"quota_key": key, "period": period, "limit_value": limits[period], "unit": quota.unit}
            for key, quota in QUOTAS.items()
            if (limits := self.quotas.get(key))
            for period in PERIODS
            if period in limits
        ]

    @cached_property
    def reported(self) -> dict[str, tuple[str, ...]]:
        """Which periods of each quota a usage report shows: the usual ones, and any that this tier limits."""
        return {
            key: tuple(period for period in PERIODS if period in quota.reported or period in self.quotas.get(key, {}))
            for key, quota in QUOTAS.items()
        }


class Catalog(msgspec.Struct, frozen=True, dict=True):
    """The tiers by slug, ordered by `sort_order` (then slug)."""

    tiers: Mapping[str, Tier]

    @cached_property
    def default(self) -> Tier:
        return next(tier for tier in self.tiers.values() if tier.is_default_for_personal)

    @cached_property
    def published(self) -> list[Tier]:
        return [tier for tier in self.tiers.values() if tier.is_published]

    def with_price(self, provider: str, price: str) -> Tier | None:
        return next((t for t in self.tiers.values() if price in t.provider_prices.get(provider, ())), None)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The switches of one world (control API: `settings`)."""

    checkout: Literal["instant", "hosted"] = "instant"
    portal: Literal["on", "off"] = "on"
    provider: Literal["stripe"] = "stripe"
    webhook_tolerance_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 300
    lifecycle_enabled: bool = True


class Subscription(msgspec.Struct, frozen=True):
    """`provider_time`: the provider's own time (seconds) of the newest event applied to it; older ones change nothing.

    `alias`: the id that the provider gave what is still pending here under an id of ours.
    """

    external_id: ExternalId
    subscription_id: ExternalId
    provider: Provider
    status: SubscriptionStatus
    tier_slug: Slug
    provider_time: ProviderTime = 0
    alias: ExternalId | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The ids by which a provider's event may mean it."""
        return (self.external_id,) if self.alias is None else (self.external_id, self.alias)


class Org(msgspec.Struct, frozen=True):
    """`pending` is a hosted checkout that waits for the provider's webhook; it changes nothing until then."""

    id: Id
    name: Name
    tier_slug: Slug
    subscription: Subscription | None = None
    pending: Subscription | None = None
    selection_policy: SelectionPolicy = "newest_first"


class Override(msgspec.Struct, frozen=True):
    id: Id
    org_id: Id
    quota_key: str
    period: str
    limit_value: Count
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None = None
    reason: Annotated[str, Meta(max_length=500)] | None = None

    def is_active(self, now: Instant) -> bool:
        return self.expires_at is None or now < self.expires_at


class Counter(msgspec.Struct, frozen=True):
    """Uses of a metered quota in the window that started at `start`."""

    start: Moment
    used: Count


class Credential(msgspec.Struct, frozen=True, dict=True):
    """`position` is where the scenario lists it."""

    secret: Secret
    name: Annotated[str, Meta(min_length=1, max_length=300)]
    role: Role
    org: Id | None = None
    permissions: tuple[Permission, ...] = ()
    revoked: bool = False
    position: int = 0

    @cached_property
    def caller(self) -> Caller:
        return Caller(self.name, self.org, frozenset(self.permissions))


class OpenApp(msgspec.Struct, frozen=True):
    """`capacity`: org -> quota key -> how many exist. `counters` and `overrides`: org -> "key/period" -> value.

    `credentials`: digest of the secret -> credential. `webhook_secrets`: provider -> secret.
    `by_external_id`: a subscription's external id -> org, so that a provider's event finds its way.
    """

    catalog: Catalog
    settings: Settings
    orgs: HashTrieMap[str, Org] = HashTrieMap()
    capacity: HashTrieMap[str, HashTrieMap[str, int]] = HashTrieMap()
    counters: HashTrieMap[str, HashTrieMap[str, Counter]] = HashTrieMap()
    overrides: HashTrieMap[str, HashTrieMap[str, Override]] = HashTrieMap()
    by_external_id: HashTrieMap[str, str] = HashTrieMap()
    credentials: HashTrieMap[str, Credential] = HashTrieMap()
    webhook_secrets: HashTrieMap[str, str] = HashTrieMap()

    def with_org(self, org: Org, **changes: Any) -> OpenApp:
        return msgspec.structs.replace(self, orgs=self.orgs.insert(org.id, org), **changes)
