"""An organization of a scenario with all that it holds, put into a state."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
from rpds import HashTrieMap

from mock_server.engine.instants import DAY, LATEST, Instant, InvalidTime, add_duration, checked, parse_instant
from mock_server.fixtures import FixtureError, Located

from .credentials import SEPARATOR
from .model.credentials import digest
from .model.lifetimes import placed
from .model.localized import localized
from .model.organizations import with_organization
from .model.quotas import QUOTAS
from .model.resources import ApiKey, Device, Entity, Integration, Meter, Portal, User, Zone
from .model.state import OpenApp, Org, Subscription
from .model.users import with_user
from .scenario_parts import OrgPart, ResourcePart

KEY_LIFE = 365 * DAY
FAR_FROM_EDGES = parse_instant("2001-01-01T00:00:00Z")
"""From where `-P2M` is measured: the same length whenever the world starts."""


class Stock:
    """Puts one organization into a state; complaints name the member of the file that does not fit."""

    def __init__(self, state: OpenApp, part: OrgPart, start: Instant, document: Located[Any], where: str) -> None:
        self.state, self.part, self.start = state, part, start
        self.document, self.where = document, where

    def put(self) -> OpenApp:
        part, state = self.part, self.state
        if part.id in state.orgs:
            self._fail("id", f"there are two organizations with the id {part.id}")
        tier = part.tier if part.tier is not None else state.catalog.default.slug
        if tier not in state.catalog.tiers:
            self._fail("tier", f"the catalog has no tier {tier!r}; there are: {', '.join(state.catalog.tiers)}")
        if part.parent is not None and part.parent not in state.orgs:
            self._fail("parent", f"there is no organization {part.parent} before this one")
        subscription = self._subscription(tier)
        created = self._moment("created", part.created)
        org = Org(
            id=part.id,
            name=localized(part.name),
            tier_slug=tier,
            created_at=created,
            updated_at=created,
            serial=state.serial,
            parent_id=part.parent,
            description=part.description,
            subscription=subscription,
            selection_policy=part.selection_policy,
        )
        self.state = with_organization(state, org)
        if subscription is not None:
            by_external_id = self.state.by_external_id.insert(subscription.external_id, org.id)
            self.state = msgspec.structs.replace(self.state, by_external_id=by_external_id)
        self._users()
        self._resources()
        self._portals()
        self._use(org)
        return self.state

    def _subscription(self, tier: str) -> Subscription | None:
        given = self.part.subscription
        if given is None:
            return None
        if given.external_id in self.state.by_external_id:
            self._fail("subscription.external_id", "two subscriptions share this external id")
        return Subscription(given.external_id, given.subscription_id, given.provider, given.status, tier)

    def _users(self) -> None:
        for n, part in enumerate(self.part.users):
            self._new_id(part.id, f"users[{n}]")
            created = self._moment(f"users[{n}].created", part.created)
            row = User(
                id=part.id,
                name=localized(part.name),
                email=part.email or f"{part.id.lower()}@phone.invalid",
                email_is_synthetic=part.email is None,
                serial=self.state.serial,
                created_at=created,
                updated_at=created,
                roles={self.part.id: tuple(part.roles)},
            )
            self.state = with_user(self.state, row)

    def _resources(self) -> None:
        for n, integration in enumerate(self.part.integrations):
            row: Any = Integration(
                **self._common(integration, f"integrations[{n}]"),
                name=localized(integration.name),
                provider_type=integration.provider_type,
                enabled=integration.enabled,
            )
            self._place("integrations", row)
        for n, zone in enumerate(self.part.zones):
            self._refers(f"zones[{n}]", integrations=("integration", zone.integration), zones=("parent", zone.parent))
            row = Zone(
                **self._common(zone, f"zones[{n}]"),
                name=localized(zone.name),
                integration_id=zone.integration,
                parent_zone_id=zone.parent,
            )
            self._place("zones", row)
        for n, device in enumerate(self.part.devices):
            self._refers(f"devices[{n}]", integrations=("integration", device.integration), zones=("zone", device.zone))
            row = Device(
                **self._common(device, f"devices[{n}]"),
                name=localized(device.name),
                integration_id=device.integration,
                zone_id=device.zone,
                external_id=device.external_id,
            )
            self._place("devices", row)
        for n, entity in enumerate(self.part.entities):
            self._refers(f"entities[{n}]", devices=("device", entity.device), zones=("zone", entity.zone))
            row = Entity(
                **self._common(entity, f"entities[{n}]"),
                device_id=entity.device,
                entity_type=entity.type,
                name=entity.name,
                zone_id=entity.zone,
                last_used_at=self._use_of(f"entities[{n}]", entity.last_used),
            )
            self._place("entities", row)
        for n in range(len(self.part.api_keys)):
            self._api_key(n)

    def _api_key(self, n: int) -> None:
        part, at = self.part.api_keys[n], f"api_keys[{n}]"
        hashed = digest(part.secret)
        if hashed in self.state.api_keys:
            self._fail(f"{at}.secret", "two API keys share this secret")
        if SEPARATOR in part.secret:
            self._fail(f"{at}.secret", f"a secret cannot contain {SEPARATOR!r}")
        if "operator" in part.permissions:
            self._fail(f"{at}.permissions", "an API key cannot be an operator's")
        row = ApiKey(
            **self._common(part, at),
            name=part.name,
            digest=hashed,
            token_suffix=part.secret[-4:],
            base_url="http://127.0.0.1:4010",
            expires_at=min(self.start + KEY_LIFE, LATEST),
            permissions=tuple(part.permissions if part.scoped_roles is None else part.scoped_roles),
            scoped_roles=None if part.scoped_roles is None else tuple(part.scoped_roles),
            last_used_at=self._use_of(at, part.last_used),
        )
        self._place("api_keys", row, api_keys=self.state.api_keys.insert(hashed, row.id))

    def _portals(self) -> None:
        for n, part in enumerate(self.part.portals):
            if part.id in self.state.portals:
                self._fail(f"portals[{n}].id", f"there are two portals with the id {part.id}")
            portal = Portal(id=part.id, org_id=self.part.id, name=localized(part.name), mode=part.mode)
            self.state = msgspec.structs.replace(self.state, portals=self.state.portals.insert(part.id, portal))

    def _use(self, org: Org) -> None:
        for key in self.part.used:
            if key not in QUOTAS or QUOTAS[key].is_capacity:
                self._fail(f"used.{key}", f"{key!r} is no metered quota")
        day = self.start // DAY
        meters: HashTrieMap[str, Meter] = HashTrieMap(
            {key: Meter(day, used, used, used) for key, used in self.part.used.items()}
        )
        if len(meters):
            holdings = msgspec.structs.replace(self.state.held_by(org.id), meters=meters)
            self.state = self.state.with_holdings(org.id, holdings)

    def _place(self, kind: str, row: Any, **changes: Any) -> None:
        self.state = placed(self.state, kind, row, **changes)

    def _common(self, part: ResourcePart, at: str) -> dict[str, Any]:
        self._new_id(part.id, at)
        created = self._moment(f"{at}.created", part.created)
        return {
            "id": part.id,
            "org_id": self.part.id,
            "serial": self.state.serial,
            "created_at": created,
            "updated_at": created,
            "keep": part.pinned,
        }

    def _new_id(self, new: str, at: str) -> None:
        if new in self.state.homes:
            self._fail(f"{at}.id", f"something else has the id {new} already")

    def _refers(self, at: str, **references: tuple[str, str | None]) -> None:
        holdings = self.state.held_by(self.part.id)
        for kind, (member, resource_id) in references.items():
            if resource_id is not None and resource_id not in holdings.shelf(kind).live:
                self._fail(f"{at}.{member}", f"the organization has no {kind[:-1]} {resource_id} before this one")

    def _use_of(self, at: str, text: str | None) -> Instant | None:
        return None if text is None else self._moment(f"{at}.last_used", text)

    def _moment(self, member: str, text: str | None) -> Instant:
        return moment(text, self.start, self.document, f"{self.where}.{member}")

    def _fail(self, member: str, reason: str) -> NoReturn:
        raise FixtureError(self.document.place(f"{self.where}.{member}"), reason)


def moment(text: str | None, start: Instant, document: Located[Any], where: str) -> Instant:
    """The start, an instant, or so long before the start (`-P40D`). Not after the start: it has happened already."""
    if text is None:
        return start
    try:
        if text.startswith("-P"):
            return checked(start - (add_duration(FAR_FROM_EDGES, text[1:]) - FAR_FROM_EDGES))
        instant = parse_instant(text)
    except InvalidTime as error:
        raise FixtureError(document.place(where), f"neither an instant nor a time before the start: {error}") from None
    if instant > start:
        raise FixtureError(document.place(where), "lies after the world's start")
    return instant
