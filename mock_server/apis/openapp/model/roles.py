"""What a credential may do: the names that the bundle asks for in `x-permission`, and which of them belong together.

`admin` stands for every resource role inside its organization and below it; `operator` for everything everywhere.
"""

from __future__ import annotations

from typing import Literal, get_args

ResourceRole = Literal[
    "api_keys:create",
    "api_keys:delete",
    "api_keys:list",
    "devices:create",
    "devices:delete",
    "devices:list",
    "devices:read",
    "entities:create",
    "entities:delete",
    "entities:list",
    "entities:read",
    "entities:set_state",
    "execute",
    "integrations:create",
    "integrations:delete",
    "integrations:list",
    "integrations:read",
    "orgs:create",
    "orgs:list",
    "orgs:read",
    "users:create",
    "users:delete",
    "users:list",
    "users:read",
    "zones:create",
    "zones:delete",
    "zones:list",
    "zones:read",
]
Permission = Literal[ResourceRole, "admin", "billing:manage", "billing:read", "operator"]

ADMIN = "admin"
RESOURCE_ROLES: tuple[str, ...] = get_args(ResourceRole)
"""What an API key can be scoped to."""


def spelled_out(permissions: tuple[str, ...]) -> frozenset[str]:
    """With all that `admin` stands for."""
    return frozenset(permissions).union(RESOURCE_ROLES if ADMIN in permissions else ())
