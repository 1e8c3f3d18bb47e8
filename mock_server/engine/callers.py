"""Who asks: what a credential stands for."""

from __future__ import annotations

import msgspec

OPERATOR = "operator"


class Caller(msgspec.Struct, frozen=True):
    """`name` is how the journal calls the credential (never the secret); `org` is its home, if it has one.

    The permission `operator` stands for all others and reaches every organization. `key` is the id of the API key
    that was shown, where the API lets callers make keys; None for credentials that came with the scenario. `id`
    tells callers apart that have the same name; it is no secret.
    """

    name: str
    org: str | None = None
    permissions: frozenset[str] = frozenset()
    key: str | None = None
    id: str = ""

    @property
    def is_operator(self) -> bool:
        return OPERATOR in self.permissions

    def may(self, permission: str) -> bool:
        return permission in self.permissions or self.is_operator


ANONYMOUS = Caller("anonymous")


class Rejected(msgspec.Struct, frozen=True):
    """No caller could be made of the request's credentials; `reason` completes the sentence "refused because ..."."""

    reason: str
