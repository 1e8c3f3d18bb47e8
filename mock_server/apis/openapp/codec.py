"""OpenApp's domain state as JSON values and back, for saving and loading worlds. Lists are sorted, so files diff well."""

from __future__ import annotations

from typing import Any

import msgspec
from rpds import HashTrieMap

from .complaints import complaints
from .model.credentials import digest
from .model.limits import row
from .model.resources import KINDS, Holdings, Shelf, oldest
from .model.state import Catalog, OpenApp, Org
from .state_file import OrgFile, StateFile, homes, in_rotation, numbered


def dump(state: OpenApp) -> dict[str, Any]:
    orgs = [_org_file(state, org) for _, org in sorted(state.orgs.items())]
    credentials = sorted(state.credentials.values(), key=lambda each: (each.position, each.secret))
    users = {row.id: row for holdings in state.holdings.values() for row in holdings.users.values()}
    file = StateFile(
        tiers=list(state.catalog.tiers.values()),
        settings=state.settings,
        orgs=orgs,
        credentials=credentials,
        webhook_secrets={n: each[0] if len(each) == 1 else each for n, each in _sorted(state.webhook_secrets).items()},
        users=[users[user_id] for user_id in sorted(users)],
        portals=list(_sorted(state.portals).values()),
        serial=state.serial,
    )
    built: dict[str, Any] = msgspec.to_builtins(file)
    return built


def _org_file(state: OpenApp, org: Org) -> OrgFile:
    holdings = state.held_by(org.id)
    rows = {kind: oldest(holdings.shelf(kind).live) + oldest(holdings.shelf(kind).deleted) for kind in KINDS}
    return OrgFile(
        org=org,
        overrides=sorted(_sorted(state.overrides.get(org.id)).values(), key=lambda each: each.id),
        lifecycle=state.lifecycles.get(org.id),
        executions=oldest(holdings.executions),
        meters=_sorted(holdings.meters),
        sessions=_sorted(holdings.sessions),
        **rows,
    )


def load(value: Any) -> OpenApp:
    """Raises ValueError, which names the member that does not fit."""
    file = msgspec.convert(value, StateFile)
    tiers = {tier.slug: tier for tier in sorted(file.tiers, key=lambda tier: (tier.sort_order, tier.slug))}
    for complaint in complaints(file, tiers):
        raise ValueError(complaint)
    return OpenApp(
        catalog=Catalog(tiers),
        settings=file.settings,
        orgs=HashTrieMap({entry.org.id: entry.org for entry in file.orgs}),
        holdings=HashTrieMap({entry.org.id: _holdings(file, entry) for entry in file.orgs}),
        overrides=HashTrieMap(
            {
                e.org.id: HashTrieMap({row(each.quota_key, each.period): each for each in e.overrides})
                for e in file.orgs
                if e.overrides
            }
        ),
        lifecycles=HashTrieMap({e.org.id: e.lifecycle for e in file.orgs if e.lifecycle is not None}),
        homes=HashTrieMap(homes(file)),
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
        api_keys=HashTrieMap({key.digest: key.id for entry in file.orgs for key in entry.api_keys}),
        portals=HashTrieMap({each.id: each for each in file.portals}),
        webhook_secrets=HashTrieMap({name: in_rotation(each) for name, each in file.webhook_secrets.items()}),
        serial=max(file.serial, 1 + max((each.serial for each in numbered(file)), default=-1)),
    )


def _holdings(file: StateFile, entry: OrgFile) -> Holdings:
    org_id = entry.org.id
    shelves = {
        kind: Shelf(
            HashTrieMap({row.id: row for row in rows if row.deleted_at is None}),
            HashTrieMap({row.id: row for row in rows if row.deleted_at is not None}),
        )
        for kind, rows in entry.rows()
    }
    return Holdings(
        **shelves,
        users=HashTrieMap({row.id: row for row in file.users if org_id in row.roles}),
        executions=HashTrieMap({row.id: row for row in entry.executions}),
        children=HashTrieMap({each.org.id: True for each in file.orgs if each.org.parent_id == org_id}),
        meters=HashTrieMap(entry.meters),
        sessions=HashTrieMap(entry.sessions),
    )


def _sorted(values: HashTrieMap[str, Any] | None) -> dict[str, Any]:
    return dict(sorted(values.items())) if values is not None else {}
