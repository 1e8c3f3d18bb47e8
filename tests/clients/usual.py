"""What the tests of several files do with a client of openapp-sdk."""

from __future__ import annotations

from .session import Client
from .world import ACME


def used(client: Client, key: str, period: str = "lifetime", org: str = ACME) -> int:
    items = client.billing.usage(org)["items"]
    return next(item["current"] for item in items if (item["key"], item["period"]) == (key, period))


def hub(client: Client, org: str = ACME) -> str:
    """A new integration's id."""
    made = client.integrations.create(org_id=org, provider_type="virtual_demo", name="Hub")["id"]
    assert isinstance(made, str)
    return made


def door(client: Client) -> str:
    """A new door's id."""
    device = client.devices.create(org_id=ACME, integration_id=hub(client), name="Gate")["id"]
    made = client.entities.create(device_id=device, entity_type="door")["id"]
    assert isinstance(made, str)
    return made
