"""The part of a scenario that speaks of OpenApp, and the first state that follows from it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from rpds import HashTrieMap

from mock_server.engine.decisions import Accepted, Effect
from mock_server.engine.ids import ulid
from mock_server.engine.instants import Instant, InvalidTime, parse_instant
from mock_server.fixtures import FixtureError, Located, find, read_yaml

from .catalog import read_catalog
from .credentials import SEPARATOR
from .model.credentials import digest
from .model.limits import row
from .model.overrides import expiry
from .model.quotas import CAPACITY_KEYS, QUOTAS
from .model.state import (
    Catalog,
    Count,
    Credential,
    ExternalId,
    Id,
    Name,
    OpenApp,
    Org,
    Override,
    Permission,
    Provider,
    Role,
    Secret,
    SelectionPolicy,
    Settings,
    Subscription,
)


class SubscriptionPart(Struct, frozen=True, forbid_unknown_fields=True):
    external_id: ExternalId
    subscription_id: ExternalId
    status: Literal["active", "past_due", "canceled"] = "active"
    provider: Provider = "stripe"


class OrgPart(Struct, frozen=True, forbid_unknown_fields=True):
    id: Id
    name: Name
    tier: str | None = None
    capacity: dict[str, Count] = {}
    subscription: SubscriptionPart | None = None
    selection_policy: SelectionPolicy = "newest_first"


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


class OpenAppPart(Struct, frozen=True, forbid_unknown_fields=True):
    catalog: str = "openapp"
    settings: Settings = Settings()
    orgs: list[OrgPart] = []
    overrides: list[OverridePart] = []
    credentials: list[CredentialPart] = []
    webhook_secrets: dict[str, str] = {}


def initial_state(document: Located[Any], now: Instant) -> Accepted[OpenApp, None]:
    """Raises FixtureError with file, line and member for whatever does not fit together."""
    part = document.convert(OpenAppPart)
    try:
        catalog = _catalog(str(find("catalogs", part.catalog, beside=document.file)))
    except FixtureError as error:
        raise FixtureError(document.place("$.catalog"), str(error)) from None
    state = OpenApp(catalog, part.settings, webhook_secrets=HashTrieMap(part.webhook_secrets))
    for n, org in enumerate(part.orgs):
        state = _with_org(state, org, document, f"$.orgs[{n}]")
    effects: list[Effect] = []
    for n, override in enumerate(part.overrides):
        state, effect = _with_override(state, override, now, n, document, f"$.overrides[{n}]")
        effects.append(effect)
    for n, credential in enumerate(part.credentials):
        state = _with_credential(state, credential, n, document, f"$.credentials[{n}]")
    return Accepted(state, None, tuple(effects))


@lru_cache(maxsize=64)
def _catalog(path: str) -> Catalog:
    return read_catalog(read_yaml(Path(path)))


def _with_org(state: OpenApp, part: OrgPart, document: Located[Any], where: str) -> OpenApp:
    if part.id in state.orgs:
        raise FixtureError(document.place(f"{where}.id"), f"there are two organizations with the id {part.id}")
    tier = part.tier if part.tier is not None else state.catalog.default.slug
    if tier not in state.catalog.tiers:
        tiers = ", ".join(state.catalog.tiers)
        raise FixtureError(document.place(f"{where}.tier"), f"the catalog has no tier {tier!r}; there are: {tiers}")
    for key in part.capacity:
        if key not in CAPACITY_KEYS:
            place = document.place(f"{where}.capacity.{key}")
            raise FixtureError(place, f"{key!r} is no capacity quota; there are: {', '.join(CAPACITY_KEYS)}")
    given, subscription = part.subscription, None
    if given is not None:
        subscription = Subscription(given.external_id, given.subscription_id, given.provider, given.status, tier)
    org = Org(part.id, part.name, tier, subscription, selection_policy=part.selection_policy)
    index = state.by_external_id
    if subscription is not None:
        index = index.insert(subscription.external_id, org.id)
    capacity = state.capacity.insert(org.id, HashTrieMap(part.capacity)) if part.capacity else state.capacity
    return state.with_org(org, by_external_id=index, capacity=capacity)


def _with_override(
    state: OpenApp, part: OverridePart, now: Instant, n: int, document: Located[Any], where: str
) -> tuple[OpenApp, Effect]:
    quota = QUOTAS.get(part.quota_key)
    if quota is None:
        raise FixtureError(document.place(f"{where}.quota_key"), f"unknown quota; there are: {', '.join(QUOTAS)}")
    period = part.period or quota.default_period
    if period not in quota.allowed:
        raise FixtureError(document.place(f"{where}.period"), f"must be one of: {', '.join(quota.allowed)}")
    if part.org not in state.orgs:
        raise FixtureError(document.place(f"{where}.org"), f"the scenario has no organization {part.org}")
    try:
        expires_at = None if part.expires_at is None else parse_instant(part.expires_at)
    except InvalidTime as error:
        raise FixtureError(document.place(f"{where}.expires_at"), str(error)) from None
    kept: HashTrieMap[str, Override] = state.overrides.get(part.org) or HashTrieMap()
    if row(part.quota_key, period) in kept:
        raise FixtureError(document.place(where), f"there are two overrides of {part.quota_key} per {period} for it")
    # Its id comes from its place in the file: the same in every world that starts at the same time.
    override = Override(
        ulid(now, 0, "scenario/override", n),
        part.org, part.quota_key, period, part.limit, now, now, expires_at, part.reason,
    )  # fmt: skip
    overrides = state.overrides.insert(part.org, kept.insert(row(part.quota_key, period), override))
    return msgspec.structs.replace(state, overrides=overrides), expiry(override, now)


def _with_credential(state: OpenApp, part: CredentialPart, n: int, document: Located[Any], where: str) -> OpenApp:
    key = digest(part.secret)
    if key in state.credentials:
        raise FixtureError(document.place(f"{where}.secret"), "two credentials share this secret")
    if SEPARATOR in part.secret:
        place = document.place(f"{where}.secret")
        raise FixtureError(place, f"a secret cannot contain {SEPARATOR!r}, which separates it from what stands before")
    if part.org is not None and part.org not in state.orgs:
        raise FixtureError(document.place(f"{where}.org"), f"the scenario has no organization {part.org}")
    home = state.orgs[part.org].name if part.org is not None else None
    name = f"{part.role} of {home}" if home else part.role
    name = f"{name} (revoked)" if part.revoked else name
    credential = Credential(part.secret, name, part.role, part.org, tuple(part.permissions), part.revoked, n)
    return msgspec.structs.replace(state, credentials=state.credentials.insert(key, credential))
