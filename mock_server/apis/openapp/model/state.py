"""OpenApp's domain state: one immutable value. Maps are persistent; their order never reaches an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.instants import Instant

from .quotas import PERIODS, QUOTAS

Localized = Mapping[str, str]
SubscriptionStatus = Literal["active", "pending", "past_due", "canceled"]
SelectionPolicy = Literal["newest_first", "oldest_first", "least_recently_used", "manual"]


class Tier(msgspec.Struct, frozen=True, dict=True):
    """`quotas`: key -> period -> limit, where None is unlimited. `provider_prices`: provider -> price ids."""

    slug: str
    name: Localized
    sort_order: int
    description: Localized | None = None
    is_published: bool = True
    is_default_for_personal: bool = False
    quotas: Mapping[str, Mapping[str, int | None]] = {}
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
    webhook_tolerance_s: int = msgspec.field(default=300)
    lifecycle_enabled: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.webhook_tolerance_s <= 31_536_000:
            raise ValueError("webhook_tolerance_s is a number of seconds from 0 (off) to 31536000")


class Subscription(msgspec.Struct, frozen=True):
    """`provider_time`: the provider's own time (seconds) of the newest event applied to it; older ones change nothing."""

    external_id: str
    subscription_id: str
    provider: str
    status: SubscriptionStatus
    tier_slug: str
    provider_time: int = 0


class Org(msgspec.Struct, frozen=True):
    """`pending` is a hosted checkout that waits for the provider's webhook; it changes nothing until then."""

    id: str
    name: str
    tier_slug: str
    subscription: Subscription | None = None
    pending: Subscription | None = None
    selection_policy: SelectionPolicy = "newest_first"


class Override(msgspec.Struct, frozen=True):
    id: str
    org_id: str
    quota_key: str
    period: str
    limit_value: int
    created_at: Instant
    updated_at: Instant
    expires_at: Instant | None = None
    reason: str | None = None

    def is_active(self, now: Instant) -> bool:
        return self.expires_at is None or now < self.expires_at


class Counter(msgspec.Struct, frozen=True):
    """Uses of a metered quota in the window that started at `start`."""

    start: Instant
    used: int


class Credential(msgspec.Struct, frozen=True, dict=True):
    """`position` is where the scenario lists it."""

    secret: str
    name: str
    role: str
    org: str | None = None
    permissions: tuple[str, ...] = ()
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
