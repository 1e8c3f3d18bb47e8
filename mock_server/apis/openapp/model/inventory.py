"""POST /integrations, /devices, /entities, /zones: new capacity resources, each within its quota."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused

from .access import live_resource, no_such, org_in_question
from .capacity import filling, no_room
from .lifetimes import Answer, common, placed
from .localized import localized
from .resources import Device, Entity, Integration, Resource, Zone
from .state import OpenApp, Org
from .views import view

Body = Mapping[str, Any]


def create_integration(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Body) -> Answer:
    """Of the secrets only the names are kept."""
    org = org_in_question(state, caller, x_org, body["org_id"])
    if isinstance(org, Refused):
        return org
    row = Integration(
        **common(state, context, org),
        name=localized(body.get("name") or body["provider_type"].replace("_", " ").title()),
        provider_type=body["provider_type"],
        enabled=body.get("enabled", True),
        config=body.get("config"),
        credentials_set=tuple(sorted(body.get("secrets") or ())),
    )
    return _within_quota(state, context, org, "integrations", row)


def create_device(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Body) -> Answer:
    org = org_in_question(state, caller, x_org, body["org_id"])
    if isinstance(org, Refused):
        return org
    missing = _missing(state, org, integrations=body["integration_id"], zones=body.get("zone_id"))
    if missing is not None:
        return missing
    row = Device(
        **common(state, context, org),
        name=localized(body["name"]),
        integration_id=body["integration_id"],
        external_id=body.get("external_id"),
        device_metadata=body.get("device_metadata"),
        zone_id=body.get("zone_id"),
    )
    return _within_quota(state, context, org, "devices", row)


def create_entity(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Body) -> Answer:
    """Its organization is that of its device."""
    if x_org is not None and isinstance(asked := org_in_question(state, caller, x_org), Refused):
        return asked
    device = live_resource(state, caller, "devices", body["device_id"])
    if isinstance(device, Refused):
        return device
    org = state.orgs[device.org_id]
    if x_org is not None and x_org != org.id:
        return Refused(no_such("devices", body["device_id"], x_org))
    missing = _missing(state, org, zones=body.get("zone_id"))
    if missing is not None:
        return missing
    row = Entity(
        **common(state, context, org),
        device_id=device.id,
        entity_type=body["entity_type"],
        name=body.get("name"),
        external_id=body.get("external_id"),
        channel_index=body.get("channel_index"),
        metadata=body.get("metadata"),
        zone_id=body.get("zone_id"),
    )
    return _within_quota(state, context, org, "entities", row)


def create_zone(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Body) -> Answer:
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    missing = _missing(state, org, integrations=body.get("integration_id"), zones=body.get("parent_zone_id"))
    if missing is not None:
        return missing
    row = Zone(
        **common(state, context, org),
        name=localized(body["name"]),
        integration_id=body.get("integration_id"),
        parent_zone_id=body.get("parent_zone_id"),
        external_id=body.get("external_id"),
        site_ids=tuple(body.get("site_ids") or ()),
    )
    return _within_quota(state, context, org, "zones", row)


def _within_quota(state: OpenApp, context: Context, org: Org, kind: str, row: Resource) -> Answer:
    full = no_room(state, org, kind, context.now)
    if full is not None:
        return full
    return Accepted(placed(state, kind, row), view(kind, row), filling(state, org, kind, context.now))


def _missing(state: OpenApp, org: Org, **references: str | None) -> Refused | None:
    """What the organization does not have of the resources that a body refers to, by kind."""
    holdings = state.held_by(org.id)
    for kind, resource_id in references.items():
        if resource_id is not None and resource_id not in holdings.shelf(kind).live:
            return Refused(no_such(kind, resource_id, org.id))
    return None
