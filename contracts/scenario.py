"""What worlds of a mockbill start with: who may call, and which organizations there are."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from mock_server.fixtures import find, names, read_yaml

from .target import ControlPort, Ports, Role, Target

API = "openapp"


class Start(msgspec.Struct, frozen=True):
    """What one scenario gives a target."""

    credentials: dict[str, str]
    org: str
    other_org: str
    portal: str | None
    webhook_secret: str | None


@cache
def scenarios() -> tuple[str, ...]:
    """Those that a run can start from: two organizations and somebody who owns the first."""
    return tuple(name for name in names("worlds") if start_of(name) is not None)


@cache
def start_of(scenario: str) -> Start | None:
    """What a scenario of the package gives; None if it is too small for a run."""
    document: Any = read_yaml(find("worlds", scenario)).value
    part = document["apis"].get(API, {})
    orgs = part.get("orgs", [])
    if len(orgs) < 2:
        return None
    org, other = orgs[0]["id"], orgs[1]["id"]
    found: dict[str, str] = {}
    for each in part.get("credentials", []):
        found.setdefault(_role(each, org, other), each["secret"])
    found.pop("", None)
    portals = orgs[0].get("portals", [])
    secret = part.get("webhook_secrets", {}).get("stripe")
    # Several while it is being changed; the first is the one to sign with.
    secret = secret[0] if isinstance(secret, list) else secret
    return Start(found, org, other, portals[0]["id"] if portals else None, secret) if "owner" in found else None


def _role(credential: Any, org: str, other: str) -> Role | str:
    """Whose credential it is in a run; "" if nobody's."""
    if credential.get("revoked"):
        return "revoked"
    if credential["role"] == "operator":
        return "operator"
    if credential.get("org") == other:
        return "other" if credential["role"] == "owner" else ""
    return str(credential["role"]) if credential.get("org") == org else ""


def with_what_worlds_have(target: Target, control: ControlPort) -> Target:
    """The target, with what is not said of it taken from the scenario that the control port's worlds start from."""
    start = start_of(control.scenario)
    assert start is not None, "config.py and discovery.py name no other"
    ports = Ports(control, target.ports.clock, target.ports.usage, target.ports.webhook_secret or start.webhook_secret)
    return msgspec.structs.replace(
        target,
        credentials={**start.credentials, **target.credentials},
        org=target.org or start.org,
        other_org=target.other_org or start.other_org,
        portal=target.portal or start.portal,
        ports=ports,
    )
