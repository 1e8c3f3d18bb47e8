"""How OpenApp's domain state is written into a file, as types. What follows from the rest is not written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from .model.bounds import Uses
from .model.resources import KINDS, ApiKey, Device, Entity, Execution, Integration, Meter, Portal, Session, User, Zone
from .model.state import Credential, Lifecycle, Org, Override, Settings, Tier

WebhookSecrets = Annotated[tuple[str, ...], Meta(min_length=1, max_length=5)]
"""While a secret is being changed there are several; a single one stands for itself, as it always did."""


class OrgFile(Struct, frozen=True, forbid_unknown_fields=True):
    org: Org
    overrides: list[Override] = []
    lifecycle: Lifecycle | None = None
    integrations: list[Integration] = []
    zones: list[Zone] = []
    devices: list[Device] = []
    entities: list[Entity] = []
    api_keys: list[ApiKey] = []
    executions: list[Execution] = []
    meters: dict[str, Meter] = {}
    sessions: dict[str, tuple[Session, ...]] = {}

    def rows(self) -> Iterable[tuple[str, list[Any]]]:
        return ((kind, getattr(self, kind)) for kind in KINDS)


class StateFile(Struct, frozen=True, forbid_unknown_fields=True):
    tiers: list[Tier]
    settings: Settings
    orgs: list[OrgFile]
    credentials: list[Credential]
    webhook_secrets: dict[str, str | WebhookSecrets]
    users: list[User] = []
    portals: list[Portal] = []
    serial: Uses = 0


def in_rotation(secrets: str | Sequence[str]) -> tuple[str, ...]:
    return (secrets,) if isinstance(secrets, str) else tuple(secrets)


def homes(file: StateFile) -> dict[str, str]:
    """Which organization a resource, an execution or a user belongs to."""
    found = {row.id: min(row.roles) for row in file.users if row.roles}
    for entry in file.orgs:
        for _, rows in entry.rows():
            found |= {row.id: entry.org.id for row in rows}
        found |= {row.id: entry.org.id for row in entry.executions}
    return found


def numbered(file: StateFile) -> list[Any]:
    """All that has an id and a serial of its own."""
    orgs = [entry.org for entry in file.orgs]
    resources = [row for entry in file.orgs for _, rows in entry.rows() for row in rows]
    return orgs + resources + [row for entry in file.orgs for row in entry.executions] + list(file.users)
