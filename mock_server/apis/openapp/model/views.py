"""How resources look in answers: members that are not set are left out."""

from __future__ import annotations

from typing import Any

from mock_server.engine.instants import Instant, format_instant

from .doors import Executed, Slowed
from .resources import ApiKey, Device, Entity, Execution, Integration, Portal, Resource, User, Zone
from .state import OpenApp, Org


def organization(state: OpenApp, org: Org) -> dict[str, Any]:
    """OrganizationResponse. `user_roles`: who is in it, and as what."""
    users = state.held_by(org.id).users
    return _set(
        id=org.id,
        name=org.name,
        description=org.description,
        parent_id=org.parent_id,
        is_personal=False,
        user_roles={user_id: users[user_id].roles[org.id] for user_id in sorted(users)},
        created_at=format_instant(org.created_at),
        updated_at=format_instant(org.updated_at),
    )


def integration(row: Integration) -> dict[str, Any]:
    return _set(
        **_common(row),
        name=row.name,
        provider_type=row.provider_type,
        provider_type_name={"en": row.provider_type.replace("_", " ").title()},
        enabled=row.enabled,
        health="ok",
        config=row.config,
        credentials_set=row.credentials_set,
    )


def device(row: Device) -> dict[str, Any]:
    return _set(
        **_common(row),
        name=row.name,
        integration_id=row.integration_id,
        external_id=row.external_id,
        device_metadata=row.device_metadata,
        zone_id=row.zone_id,
        credentials_set=[],
    )


def entity(row: Entity) -> dict[str, Any]:
    return _set(
        **_common(row),
        device_id=row.device_id,
        entity_type=row.entity_type,
        name=row.name,
        external_id=row.external_id,
        channel_index=row.channel_index,
        metadata=row.metadata,
        zone_id=row.zone_id,
    )


def zone(row: Zone) -> dict[str, Any]:
    return _set(
        **_common(row),
        name=row.name,
        integration_id=row.integration_id,
        parent_zone_id=row.parent_zone_id,
        external_id=row.external_id,
        provider_links=[],
        site_ids=row.site_ids,
    )


def api_key(row: ApiKey) -> dict[str, Any]:
    """ApiKeyListItem: never the token."""
    return _set(
        id=row.id,
        name=row.name,
        token_suffix=row.token_suffix,
        base_url=row.base_url,
        expires_at=format_instant(row.expires_at),
        created_at=format_instant(row.created_at),
        updated_at=format_instant(row.updated_at),
        last_used_at=_moment(row.last_used_at),
        revoked_at=_moment(row.deleted_at),
        scoped_roles=row.scoped_roles,
        scoped_entity_ids=row.scoped_entity_ids,
    )


def user(row: User) -> dict[str, Any]:
    return _set(
        id=row.id,
        name=row.name,
        email=row.email,
        email_is_synthetic=row.email_is_synthetic,
        phone=row.phone,
        first_name=row.first_name,
        last_name=row.last_name,
        roles=row.roles,
        created_at=format_instant(row.created_at),
        updated_at=format_instant(row.updated_at),
    )


def execution(row: Execution, *, with_result: bool = True) -> dict[str, Any]:
    """ScriptingExecution; a ScriptingExecutionSummary without the result."""
    view = _set(
        id=row.id,
        status=row.status,
        created_at=format_instant(row.created_at),
        started_at=_moment(row.started_at),
        completed_at=_moment(row.completed_at),
        error=_error(row),
    )
    return {**view, "result": row.result} if with_result and row.status == "succeeded" else view


def portal(row: Portal) -> dict[str, Any]:
    return {
        "public_portal_id": row.id,
        "mode": row.mode,
        "entry_kind": "door",
        "door_connected": True,
        "name": row.name,
    }


def executed(done: Executed) -> dict[str, Any]:
    """EntityActionResponse without the correlation id, which is the request's."""
    return _set(
        entity_id=done.entity_id,
        action_id=done.action_id,
        executed_at=format_instant(done.at),
        idempotent_replay=done.is_replay,
        degradation=None if done.slowed is None else _slowed(done.slowed),
    )


def _slowed(slowed: Slowed) -> dict[str, Any]:
    return {
        "stage": slowed.stage,
        "degradation_level": slowed.level,
        "delay_ms": slowed.delay_ms,
        "message": f"The organization holds more than its plan allows: slowed down by {slowed.delay_ms} ms.",
    }


VIEWS = {"integrations": integration, "devices": device, "entities": entity, "zones": zone, "api_keys": api_key}


def view(kind: str, row: Resource) -> dict[str, Any]:
    return VIEWS[kind](row)  # type: ignore[operator,no-any-return]


def _common(row: Resource) -> dict[str, Any]:
    return {
        "id": row.id,
        "org_id": row.org_id,
        "created_at": format_instant(row.created_at),
        "updated_at": format_instant(row.updated_at),
        "deleted_at": _moment(row.deleted_at),
        "purge_at": _moment(row.purge_at),
    }


def _error(row: Execution) -> str | None:
    if row.status == "canceled":
        return "canceled before it had finished"
    return row.fails_with if row.status == "failed" else None


def _moment(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _set(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
