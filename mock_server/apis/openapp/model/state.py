"""OpenApp's domain state: one immutable value. Maps are persistent; their order never reaches an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.instants import Instant
from mock_server.engine.windows import Calendar

from .bounds import Count, ExternalId, Id, Localized, Moment, Order, Provider, ProviderTime, Role, Secret, Slug, Uses
from .credentials import digest
from .localized import in_one_language
from .quotas import CALENDAR_PERIODS, PERIODS, QUOTAS
from .resources import NOTHING, Holdings, Kind, Portal
from .roles import Permission, spelled_out

SubscriptionStatus = Literal["active", "pending", "past_due", "canceled"]
SelectionPolicy = Literal["newest_first", "oldest_first", "least_recently_used", "manual"]
Stage = Literal["warned", "degraded", "marked_for_delete"]


class EffectiveLimit(msgspec.Struct, frozen=True):
    """`value` None is unlimited. `source` is LimitSource as it goes over the wire."""

    value: int | None
    source: Mapping[str, str]


class Tier(msgspec.Struct, frozen=True, dict=True):
    """`quotas`: key -> period -> limit, where None is unlimited. `provider_prices`: provider -> price ids.

    `amount`: what an invoice for it comes to in US cents, where its provider does not say; 0 if nobody knows.
    """

    slug: Slug
    name: Localized
    sort_order: Order
    description: Localized | None = None
    is_published: bool = True
    is_default_for_personal: bool = False
    quotas: Mapping[str, Mapping[str, Count | None]] = {}
    provider_prices: Mapping[str, tuple[str, ...]] = {}
    amount: Uses = 0

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
    def limits(self) -> dict[tuple[str, str], EffectiveLimit]:
        """By quota key and period."""
        source = {"kind": "tier", "slug": self.slug}
        return {
            (key, period): EffectiveLimit(value, source)
            for key, limits in self.quotas.items()
            for period, value in limits.items()
        }

    @cached_property
    def windows(self) -> dict[str, tuple[tuple[Calendar, EffectiveLimit], ...]]:
        """For each metered quota the calendar windows in which this tier limits it."""
        limited = {
            key: tuple(
                (period, self.limits[key, period]) for period in CALENDAR_PERIODS if (key, period) in self.limits
            )
            for key in self.quotas
        }
        return {key: tuple(each for each in windows if each[1].value is not None) for key, windows in limited.items()}

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
    provider: Literal["stripe", "paddle", "lemonsqueezy", "square"] = "stripe"
    webhook_tolerance_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 300
    lifecycle_enabled: bool = True
    warn_days: Annotated[int, Meta(ge=0, le=3650)] = 7
    degrade_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    purge_days: Annotated[int, Meta(ge=0, le=3650)] = 14
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    max_delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 2_000
    delays: Literal["reported", "real"] = "reported"


class Subscription(msgspec.Struct, frozen=True):
    """`provider_time`: the provider's own time (seconds) of the newest event applied to it; older ones change nothing
    but the plan, and that only if they are newer than `plan_time`, when the provider last said which one it is.

    `alias`: the id that the provider gave what is still pending here under an id of ours.
    """

    external_id: ExternalId
    subscription_id: ExternalId
    provider: Provider
    status: SubscriptionStatus
    tier_slug: Slug
    provider_time: ProviderTime = 0
    plan_time: ProviderTime = 0
    alias: ExternalId | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The ids by which a provider's event may mean it."""
        return (self.external_id,) if self.alias is None else (self.external_id, self.alias)


class Org(msgspec.Struct, frozen=True):
    """`pending` is a hosted checkout that waits for the provider's webhook; it changes nothing until then."""

    id: Id
    name: Localized
    tier_slug: Slug
    created_at: Moment
    updated_at: Moment
    serial: Count = 0
    parent_id: Id | None = None
    description: Annotated[str, Meta(max_length=2000)] | None = None
    subscription: Subscription | None = None
    pending: Subscription | None = None
    selection_policy: SelectionPolicy = "newest_first"

    @property
    def label(self) -> str:
        """Its name in one language, for texts of ours."""
        return in_one_language(self.name)


class Flag(msgspec.Struct, frozen=True):
    """A resource chosen to go. `marked_at`: since when it is marked for deletion."""

    kind: Kind
    id: Id
    flagged_at: Moment
    marked_at: Moment | None = None


class Lifecycle(msgspec.Struct, frozen=True):
    """How far it has gone with an organization that is over capacity `since` then. `entered_at`: into this stage."""

    stage: Stage
    since: Moment
    entered_at: Moment
    flags: tuple[Flag, ...] = ()


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
        return Caller(self.name, self.org, spelled_out(self.permissions), id=digest(self.secret)[:32])


class OpenApp(msgspec.Struct, frozen=True):
    """`holdings`, `overrides` and `lifecycles` by organization; overrides below it by "key/period".

    `homes`: id of a resource, user or execution -> organization. `by_external_id`: a subscription's external id ->
    organization, so that a provider's event finds its way. `credentials`: digest of the secret -> credential;
    `api_keys`: digest of an API key's secret -> the key's id. `webhook_secrets`: provider -> its secrets, of
    which any may sign. `serial` numbers what is created next.
    """

    catalog: Catalog
    settings: Settings
    orgs: HashTrieMap[str, Org] = HashTrieMap()
    holdings: HashTrieMap[str, Holdings] = HashTrieMap()
    overrides: HashTrieMap[str, HashTrieMap[str, Override]] = HashTrieMap()
    lifecycles: HashTrieMap[str, Lifecycle] = HashTrieMap()
    homes: HashTrieMap[str, str] = HashTrieMap()
    by_external_id: HashTrieMap[str, str] = HashTrieMap()
    credentials: HashTrieMap[str, Credential] = HashTrieMap()
    api_keys: HashTrieMap[str, str] = HashTrieMap()
    portals: HashTrieMap[str, Portal] = HashTrieMap()
    webhook_secrets: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    serial: int = 0

    def with_org(self, org: Org, **changes: Any) -> OpenApp:
        return msgspec.structs.replace(self, orgs=self.orgs.insert(org.id, org), **changes)

    def held_by(self, org_id: str) -> Holdings:
        holdings: Holdings = self.holdings.get(org_id, NOTHING)
        return holdings

    def with_holdings(self, org_id: str, holdings: Holdings, **changes: Any) -> OpenApp:
        return msgspec.structs.replace(self, holdings=self.holdings.insert(org_id, holdings), **changes)
