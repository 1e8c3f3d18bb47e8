"""OpenApp's domain state as JSON values and back, for saving and loading worlds. Lists are sorted, so files diff well."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from rpds import HashTrieMap

from .model.credentials import digest
from .model.limits import row
from .model.state import Catalog, Counter, Credential, OpenApp, Org, Override, Settings, Tier


class OrgFile(Struct, frozen=True, forbid_unknown_fields=True):
    org: Org
    capacity: dict[str, int] = {}
    counters: dict[str, Counter] = {}
    overrides: list[Override] = []


class StateFile(Struct, frozen=True, forbid_unknown_fields=True):
    tiers: list[Tier]
    settings: Settings
    orgs: list[OrgFile]
    credentials: list[Credential]
    webhook_secrets: dict[str, str]


def dump(state: OpenApp) -> dict[str, Any]:
    orgs = [
        OrgFile(
            org=org,
            capacity=_sorted(state.capacity.get(org_id)),
            counters=_sorted(state.counters.get(org_id)),
            overrides=sorted(_sorted(state.overrides.get(org_id)).values(), key=lambda each: each.id),
        )
        for org_id, org in sorted(state.orgs.items())
    ]
    credentials = sorted(state.credentials.values(), key=lambda each: each.position)
    file = StateFile(
        list(state.catalog.tiers.values()), state.settings, orgs, credentials, _sorted(state.webhook_secrets)
    )
    built: dict[str, Any] = msgspec.to_builtins(file)
    return built


def load(value: Any) -> OpenApp:
    """Raises ValueError, which names the member that does not fit."""
    file = msgspec.convert(value, StateFile)
    tiers = {tier.slug: tier for tier in sorted(file.tiers, key=lambda tier: (tier.sort_order, tier.slug))}
    if sum(tier.is_default_for_personal for tier in tiers.values()) != 1:
        raise ValueError("exactly one tier must have is_default_for_personal: true - at `$.tiers`")
    for n, entry in enumerate(file.orgs):
        for subscription in (entry.org.subscription, entry.org.pending):
            if subscription is not None and subscription.tier_slug not in tiers:
                raise ValueError(f"there is no tier {subscription.tier_slug!r} - at `$.orgs[{n}].org`")
        if entry.org.tier_slug not in tiers:
            raise ValueError(f"there is no tier {entry.org.tier_slug!r} - at `$.orgs[{n}].org.tier_slug`")
    return OpenApp(
        catalog=Catalog(tiers),
        settings=file.settings,
        orgs=HashTrieMap({entry.org.id: entry.org for entry in file.orgs}),
        capacity=HashTrieMap({e.org.id: HashTrieMap(e.capacity) for e in file.orgs if e.capacity}),
        counters=HashTrieMap({e.org.id: HashTrieMap(e.counters) for e in file.orgs if e.counters}),
        overrides=HashTrieMap(
            {
                e.org.id: HashTrieMap({row(each.quota_key, each.period): each for each in e.overrides})
                for e in file.orgs
                if e.overrides
            }
        ),
        by_external_id=HashTrieMap(
            {
                subscription.external_id: entry.org.id
                for entry in file.orgs
                for subscription in (entry.org.subscription, entry.org.pending)
                if subscription is not None
            }
        ),
        credentials=HashTrieMap({digest(each.secret): each for each in file.credentials}),
        webhook_secrets=HashTrieMap(file.webhook_secrets),
    )


def _sorted(values: HashTrieMap[str, Any] | None) -> dict[str, Any]:
    return dict(sorted(values.items())) if values is not None else {}
