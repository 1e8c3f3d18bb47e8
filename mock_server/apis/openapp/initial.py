"""The part of a scenario that speaks of OpenApp, and the first state that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from rpds import HashTrieMap

from mock_server.engine.decisions import Accepted, Effect
from mock_server.engine.ids import ulid
from mock_server.engine.instants import Instant, InvalidTime, parse_instant
from mock_server.fixtures import FixtureError, Located, find, read_yaml

from .catalog import read_catalog
from .credentials import SEPARATOR
from .model.credentials import digest
from .model.lifecycle import rebalanced
from .model.limits import row
from .model.overrides import expiry
from .model.quotas import QUOTAS
from .model.state import Catalog, Credential, OpenApp, Override
from .scenario_parts import CredentialPart, OpenAppPart, OrgPart, OverridePart
from .state_file import in_rotation
from .stocked import Stock, moment


def initial_state(
    document: Located[Any], now: Instant, seed: int, options: Mapping[str, int]
) -> Accepted[OpenApp, None]:
    """Raises FixtureError with file, line and member for whatever does not fit together.

    `options`: `orgs`, how many organizations to make up instead of what the scenario says.
    """
    part = document.convert(OpenAppPart)
    try:
        catalog = _catalog(str(find("catalogs", part.catalog, beside=document.file)))
    except FixtureError as error:
        raise FixtureError(document.place("$.catalog"), str(error)) from None
    secrets = {name: in_rotation(each) for name, each in part.webhook_secrets.items()}
    state = OpenApp(catalog, part.settings, webhook_secrets=HashTrieMap(secrets))
    orgs, credentials, overrides = list(part.orgs), list(part.credentials), list(part.overrides)
    if part.generate is not None:
        # Only here, because reading the library's word lists takes longer than all else that a start does.
        from .generated import made_up

        made = made_up(catalog, seed, options.get("orgs", part.generate.orgs), now)
        orgs += made.orgs
        credentials += made.credentials
        overrides += made.overrides
    elif "orgs" in options:
        raise FixtureError(document.file, "this scenario makes up no organizations: it has no part `generate`")
    for n, org in enumerate(orgs):
        state = Stock(state, org, now, document, f"$.orgs[{n}]").put()
    effects: list[Effect] = []
    begins = {
        org.id: moment(org.over_capacity_since, now, document, f"$.orgs[{n}].over_capacity_since")
        for n, org in enumerate(orgs)
    }
    for n, override in enumerate(overrides):
        # One that has expired since the organization was too large has changed that when it did.
        since = begins.get(override.org, now)
        state, effect = _with_override(state, override, now, since, n, document, f"$.overrides[{n}]")
        effects.append(effect)
    for n, credential in enumerate(credentials):
        state = _with_credential(state, credential, n, document, f"$.credentials[{n}]")
    for n, org in enumerate(orgs):
        state, begun = _with_lifecycle(state, org, now, document, f"$.orgs[{n}].over_capacity_since")
        effects += begun
    return Accepted(state, None, tuple(effects))


def _with_lifecycle(
    state: OpenApp, org: OrgPart, now: Instant, document: Located[Any], where: str
) -> tuple[OpenApp, tuple[Effect, ...]]:
    """Whoever holds too much is warned; how long ago decides how far it has gone by the start."""
    since = moment(org.over_capacity_since, now, document, where)
    state, effects = rebalanced(state, org.id, since)
    is_on = state.settings.lifecycle_enabled
    if org.over_capacity_since is not None and is_on and org.id not in state.lifecycles:
        raise FixtureError(document.place(where), "the organization holds no more than its limits allow")
    return state, effects


@lru_cache(maxsize=64)
def _catalog(path: str) -> Catalog:
    return read_catalog(read_yaml(Path(path)))


def _with_override(
    state: OpenApp, part: OverridePart, now: Instant, since: Instant, n: int, document: Located[Any], where: str
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
    return msgspec.structs.replace(state, overrides=overrides), expiry(override, since)


def _with_credential(state: OpenApp, part: CredentialPart, n: int, document: Located[Any], where: str) -> OpenApp:
    key = digest(part.secret)
    if key in state.credentials or key in state.api_keys:
        raise FixtureError(document.place(f"{where}.secret"), "two credentials share this secret")
    if SEPARATOR in part.secret:
        place = document.place(f"{where}.secret")
        raise FixtureError(place, f"a secret cannot contain {SEPARATOR!r}, which separates it from what stands before")
    if part.org is not None and part.org not in state.orgs:
        raise FixtureError(document.place(f"{where}.org"), f"the scenario has no organization {part.org}")
    home = state.orgs[part.org].label if part.org is not None else None
    name = f"{part.role} of {home}" if home else part.role
    name = f"{name[:280]} (revoked)" if part.revoked else name[:300]
    credential = Credential(part.secret, name, part.role, part.org, tuple(part.permissions), part.revoked, n)
    return msgspec.structs.replace(state, credentials=state.credentials.insert(key, credential))
