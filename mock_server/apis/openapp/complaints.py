"""What no type can say of a state from a file: names that stand twice or lead nowhere, things that cannot hang together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .credentials import SEPARATOR
from .model.credentials import digest
from .model.organizations import DEEPEST
from .model.quotas import QUOTAS
from .model.state import Tier
from .state_file import OrgFile, StateFile, numbered


def complaints(file: StateFile, tiers: Mapping[str, Tier]) -> Iterator[str]:
    if sum(tier.is_default_for_personal for tier in tiers.values()) != 1:
        yield "exactly one tier must have is_default_for_personal: true - at `$.tiers`"
    yield from _twice((tier.slug for tier in file.tiers), "tiers")
    yield from _twice((entry.org.id for entry in file.orgs), "orgs")
    yield from _twice((each.secret for each in file.credentials), "credentials")
    yield from _twice((each.id for each in numbered(file)), "ids")
    yield from _twice((str(each.serial) for each in numbered(file)), "serials")
    yield from _twice((each.id for each in file.portals), "portals")
    yield from _twice((each.id for entry in file.orgs for each in entry.overrides), "overrides")
    secrets = [digest(each.secret) for each in file.credentials]
    yield from _twice([*secrets, *(key.digest for entry in file.orgs for key in entry.api_keys)], "secrets")
    for tier in file.tiers:
        for key, limits in tier.quotas.items():
            if key not in QUOTAS or not limits.keys() <= set(QUOTAS[key].allowed):
                yield f"tier {tier.slug!r} limits {key!r} in a way that does not exist - at `$.tiers`"
    parents = {entry.org.id: entry.org.parent_id for entry in file.orgs}
    for n, entry in enumerate(file.orgs):
        for complaint in (*_about_org(entry, tiers, parents), *_about_resources(entry)):
            yield f"{complaint} - at `$.orgs[{n}]`"
    subscriptions = [each for entry in file.orgs for each in (entry.org.subscription, entry.org.pending) if each]
    yield from _twice((name for each in subscriptions for name in each.names), "external ids")
    if any(SEPARATOR in each.secret for each in file.credentials):
        yield f"a secret cannot contain {SEPARATOR!r} - at `$.credentials`"
    if any(each.org is not None and each.org not in parents for each in file.credentials):
        yield "a credential of an organization that does not exist - at `$.credentials`"
    if any(each.org_id not in parents for each in file.portals):
        yield "a portal of an organization that does not exist - at `$.portals`"
    if any(not each.roles or each.roles.keys() - parents.keys() for each in file.users):
        yield "a user without an organization, or of one that does not exist - at `$.users`"


def _about_org(entry: OrgFile, tiers: Mapping[str, Tier], parents: Mapping[str, str | None]) -> Iterator[str]:
    held = [each.tier_slug for each in (entry.org.subscription, entry.org.pending) if each]
    if unknown := sorted({entry.org.tier_slug, *held} - tiers.keys()):
        yield f"there is no tier {unknown[0]!r}"
    above, depth = entry.org.parent_id, 0
    while above is not None and depth < DEEPEST:
        if above not in parents:
            yield f"there is no organization {above!r} above it"
        above, depth = parents.get(above), depth + 1
    if depth >= DEEPEST:
        yield f"organizations nested more than {DEEPEST} deep, or in a circle"
    rows = [(each.quota_key, each.period) for each in entry.overrides]
    if len(set(rows)) != len(rows) or any(each.org_id != entry.org.id for each in entry.overrides):
        yield "an override twice, or of another organization"
    if any(key not in QUOTAS or period not in QUOTAS[key].allowed for key, period in rows):
        yield "an override of a quota that does not exist"
    if any(key not in QUOTAS or QUOTAS[key].is_capacity for key in (*entry.meters, *entry.sessions)):
        yield "uses of a quota that is not metered"
    if not all(entry.sessions.values()):
        yield "a quota counted per session, and no session"
    for sessions in entry.sessions.values():
        yield from _twice((each.id for each in sessions), "sessions")


def _about_resources(entry: OrgFile) -> Iterator[str]:
    everything = [*(row for _, rows in entry.rows() for row in rows), *entry.executions]
    if any(row.org_id != entry.org.id for row in everything):
        yield "a resource of another organization"
    live = {kind: {row.id for row in rows if row.deleted_at is None} for kind, rows in entry.rows()}
    references = [
        *((device.deleted_at, "integrations", device.integration_id, True) for device in entry.devices),
        *((entity.deleted_at, "devices", entity.device_id, True) for entity in entry.entities),
        *((device.deleted_at, "zones", device.zone_id, False) for device in entry.devices),
        *((entity.deleted_at, "zones", entity.zone_id, False) for entity in entry.entities),
        *((zone.deleted_at, "integrations", zone.integration_id, False) for zone in entry.zones),
        *((zone.deleted_at, "zones", zone.parent_zone_id, False) for zone in entry.zones),
    ]
    for deleted_at, kind, resource_id, is_needed in references:
        if deleted_at is None and resource_id not in live[kind] and (is_needed or resource_id is not None):
            yield f"something live hangs on {resource_id!r}, which is not among the live {kind}"
    flags = entry.lifecycle.flags if entry.lifecycle is not None else ()
    yield from _twice((flag.id for flag in flags), "flags")
    if any(flag.id not in live[flag.kind] for flag in flags):
        yield "a flag on a resource that is not there"


def _twice(names: Iterable[str], what: str) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"two {what} are the same"
        seen.add(name)
