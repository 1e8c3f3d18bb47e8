"""Access: who is let in, what it may do, and whose things it sees. Whatever is refused leaves no trace."""

from __future__ import annotations

from functools import partial

from contracts.law import Law, writing
from contracts.openapp import beyond, borders, credentials, key_access, roles, tenants

UNAUTHENTICATED = "/components/responses/Unauthenticated"
FORBIDDEN = "/components/responses/Forbidden"
RESOURCES = "docs/apis/openapp.md#resources"
KEYS = "/components/schemas/CreateApiKeyRequest"


LAWS = (
    Law("access.authentication", "Without a known credential nothing is told and nothing is done",
        UNAUTHENTICATED, writing(), credentials.authentication),
    Law("access.revoked", "A revoked credential counts for nothing",
        UNAUTHENTICATED, writing("revoked"), credentials.revoked),
    Law("access.ways", "A credential counts where the contract says that it is sent, and nowhere else",
        "docs/apis/openapp.md#credentials", writing(), credentials.ways),
    Law("access.public", "What everybody may ask is answered whatever credential comes along",
        "/paths/~1plans/get/security", writing(), credentials.public),
    Law("access.reader", "Who may read billing can neither buy nor change anything",
        FORBIDDEN, writing("reader"), partial(roles.of, "reader")),
    Law("access.member", "Who has no role for something cannot do it",
        FORBIDDEN, writing("member"), partial(roles.of, "member")),
    Law("access.operator", "An operator may everything, in the organization that it names",
        "/components/parameters/XOrg", writing("operator"), partial(roles.of, "operator")),
    Law("access.nobodys", "An organization that does not exist is not found, by those who would reach it",
        "/components/responses/NotFound", writing("operator"), beyond.nobodys),
    Law("access.administration", "What is for operators is refused to all others",
        "/paths/~1admin~1quota_overrides/post/x-permission", writing("operator"), roles.administration),
    Law("access.tenants-read", "What belongs to another organization cannot be read",
        RESOURCES, writing("other"), tenants.read),
    Law("access.tenants-write", "What belongs to another organization cannot be changed",
        RESOURCES, writing("other"), tenants.write),
    Law("access.tenants-list", "A list shows one organization's things",
        "/components/parameters/XOrg", writing("other"), tenants.listed),
    Law("access.tenants-quota", "What one organization has or uses counts for no other",
        "docs/apis/openapp.md#quotas", writing("operator"), tenants.quotas),
    Law("access.references", "What something refers to belongs to the same organization",
        "/components/responses/ReferenceNotFound", writing("other"), borders.references),
    Law("access.users", "Of a user in several organizations each sees its own part",
        RESOURCES, writing(), borders.seen_roles),
    Law("access.branches", "An organization reaches those below it, and none above",
        RESOURCES, writing(), borders.branches),
    Law("access.existence", "Nobody learns which ids others have",
        RESOURCES, writing("other"), borders.existence),
    Law("access.key-roles", "An API key has the roles that it was given", "/components/schemas/ScopedRoles", writing(),
        key_access.roles),
    Law("access.key-entities", "An API key acts on the entities that it is for",
        "/components/schemas/ScopedEntityIds", writing(), key_access.entities),
    Law("access.key-makers", "An API key that is made with another may no more and lasts no longer",
        RESOURCES, writing(), key_access.makers),
    Law("access.key-revocation", "A revoked API key counts for nothing until it is restored",
        "/paths/~1api-keys~1{id}/delete", writing(), key_access.revocation),
    Law("access.key-expiry", "An API key counts until it expires",
        "/components/schemas/ApiKeyExpiry", writing("clock"), key_access.expiry),
)  # fmt: skip
