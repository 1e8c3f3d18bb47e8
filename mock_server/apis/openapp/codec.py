"""OpenApp's domain state as JSON values and back, for saving and loading worlds. Lists are sorted, so files diff well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from rpds import HashTrieMap

from .credentials import SEPARATOR
from .model.credentials import digest
from .model.limits import row
from .model.quotas import CAPACITY_KEYS, QUOTAS
from .model.state import Catalog, Count, Counter, Credential, OpenApp, Org, Override, Settings, Tier


class OrgFile(Struct, frozen=True, forbid_unknown_fields=True):
    org: Org
    capacity: dict[str, Count] = {}
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
    for complaint in _complaints(file, tiers):
        raise ValueError(complaint)
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
                name: entry.org.id
                for entry in file.orgs
                for subscription in (entry.org.subscription, entry.org.pending)
                if subscription is not None
                for name in subscription.names
            }
        ),
        credentials=HashTrieMap({digest(each.secret): each for each in file.credentials}),
        webhook_secrets=HashTrieMap(file.webhook_secrets),
    )


def _complaints(file: StateFile, tiers: Mapping[str, Tier]) -> Iterator[str]:
    """What no type can say: names that stand twice or lead nowhere."""
    if sum(tier.is_default_for_personal for tier in tiers.values()) != 1:
        yield "exactly one tier must have is_default_for_personal: true - at `$.tiers`"
    yield from _twice((tier.slug for tier in file.tiers), "tiers")
    yield from _twice((entry.org.id for entry in file.orgs), "orgs")
    yield from _twice((each.secret for each in file.credentials), "credentials")
    for tier in file.tiers:
        for key, limits in tier.quotas.items():
            if key not in QUOTAS or not limits.keys() <= set(QUOTAS[key].allowed):
                yield f"tier {tier.slug!r} limits {key!r} in a way that does not exist - at `$.tiers`"
    for n, entry in enumerate(file.orgs):
        for complaint in _complaints_about(entry, tiers):
            yield f"{complaint} - at `$.orgs[{n}]`"
    subscriptions = [each for entry in file.orgs for each in (entry.org.subscription, entry.org.pending) if each]
    external_ids = [name for each in subscriptions for name in each.names]
    yield from _twice(external_ids, "external ids")
    if any(SEPARATOR in each.secret for each in file.credentials):
        yield f"a secret cannot contain {SEPARATOR!r} - at `$.credentials`"
    org_ids = {entry.org.id for entry in file.orgs}
    if any(each.org is not None and each.org not in org_ids for each in file.credentials):
        yield "a credential of an organization that does not exist - at `$.credentials`"


def _complaints_about(entry: OrgFile, tiers: Mapping[str, Tier]) -> Iterator[str]:
    held = [each.tier_slug for each in (entry.org.subscription, entry.org.pending) if each]
    if unknown := sorted({entry.org.tier_slug, *held} - tiers.keys()):
        yield f"there is no tier {unknown[0]!r}"
    if entry.capacity.keys() - set(CAPACITY_KEYS):
        yield "a capacity that does not exist"
    rows = [(each.quota_key, each.period) for each in entry.overrides]
    if len(set(rows)) != len(rows) or any(each.org_id != entry.org.id for each in entry.overrides):
        yield "an override twice, or of another organization"
    if any(key not in QUOTAS or period not in QUOTAS[key].allowed for key, period in rows):
        yield "an override of a quota that does not exist"


def _twice(names: Iterable[str], what: str) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"two {what} are the same"
        seen.add(name)


def _sorted(values: HashTrieMap[str, Any] | None) -> dict[str, Any]:
    return dict(sorted(values.items())) if values is not None else {}
