"""Access: who is let in, what it may do, and whose things it sees. Whatever is refused leaves no trace."""

from __future__ import annotations

from functools import partial

from contracts.law import Law
from contracts.openapp import beyond, borders, credentials, key_access, roles, tenants
from contracts.target import Need

UNAUTHENTICATED = "/components/responses/Unauthenticated"
FORBIDDEN = "/components/responses/Forbidden"
RESOURCES = "docs/apis/openapp.md#resources"
KEYS = "/components/schemas/CreateApiKeyRequest"


def _needs(*more: Need) -> frozenset[Need]:
    return frozenset(("writes", *more))


LAWS = (
    Law("access.authentication", "Without a known credential nothing is told and nothing is done",
        UNAUTHENTICATED, _needs(), credentials.authentication),
    Law("access.revoked", "A revoked credential counts for nothing",
        UNAUTHENTICATED, _needs("revoked"), credentials.revoked),
    Law("access.ways", "A credential counts where the contract says that it is sent, and nowhere else",
        "docs/apis/openapp.md#credentials", _needs(), credentials.ways),
    Law("access.public", "What everybody may ask is answered whatever credential comes along",
        "/paths/~1plans/get/security", _needs(), credentials.public),
    Law("access.reader", "Who may read billing can neither buy nor change anything",
        FORBIDDEN, _needs("reader"), partial(roles.of, "reader")),
    Law("access.member", "Who has no role for something cannot do it",
        FORBIDDEN, _needs("member"), partial(roles.of, "member")),
    Law("access.operator", "An operator may everything, in the organization that it names",
        "/components/parameters/XOrg", _needs("operator"), partial(roles.of, "operator")),
    Law("access.nobodys", "An organization that does not exist is not found, by those who would reach it",
        "/components/responses/NotFound", _needs("operator"), beyond.nobodys),
    Law("access.administration", "What is for operators is refused to all others",
        "/paths/~1admin~1quota_overrides/post/x-permission", _needs("operator"), roles.administration),
    Law("access.tenants-read", "What belongs to another organization cannot be read",
        RESOURCES, _needs("other"), tenants.read),
    Law("access.tenants-write", "What belongs to another organization cannot be changed",
        RESOURCES, _needs("other"), tenants.write),
    Law("access.tenants-list", "A list shows one organization's things",
        "/components/parameters/XOrg", _needs("other"), tenants.listed),
    Law("access.tenants-quota", "What one organization has or uses counts for no other",
        "docs/apis/openapp.md#quotas", _needs("operator"), tenants.quotas),
    Law("access.references", "What something refers to belongs to the same organization",
        "/components/responses/ReferenceNotFound", _needs("other"), borders.references),
    Law("access.users", "Of a user in several organizations each sees its own part",
        RESOURCES, _needs(), borders.seen_roles),
    Law("access.branches", "An organization reaches those below it, and none above",
        RESOURCES, _needs(), borders.branches),
    Law("access.existence", "Nobody learns which ids others have",
        RESOURCES, _needs("other"), borders.existence),
    Law("access.key-roles", "An API key has the roles that it was given", "/components/schemas/ScopedRoles", _needs(),
        key_access.roles),
    Law("access.key-entities", "An API key acts on the entities that it is for",
        "/components/schemas/ScopedEntityIds", _needs(), key_access.entities),
    Law("access.key-makers", "An API key that is made with another may no more and lasts no longer",
        RESOURCES, _needs(), key_access.makers),
    Law("access.key-revocation", "A revoked API key counts for nothing until it is restored",
        "/paths/~1api-keys~1{id}/delete", _needs(), key_access.revocation),
    Law("access.key-expiry", "An API key counts until it expires",
        "/components/schemas/ApiKeyExpiry", _needs("clock"), key_access.expiry),
)  # fmt: skip
