"""No side effect: whatever is refused changes nothing that can be read, and uses up no quota.

What is refused for want of a credential or a permission is looked at by the family `access`, a webhook by `ingress`.
"""

from __future__ import annotations

from contracts.law import Law
from contracts.openapp import no_room, refusals
from contracts.target import Need

REFUSAL = "/components/responses"


def _needs(*more: Need) -> frozenset[Need]:
    return frozenset(("writes", *more))


LAWS = (
    Law("effects.invalid", "An invalid request changes nothing",
        f"{REFUSAL}/InvalidRequest", _needs(), refusals.invalid),
    Law("effects.unreadable", "A body of another type, or too large, changes nothing",
        f"{REFUSAL}/UnsupportedMediaType", _needs(), refusals.unreadable),
    Law("effects.missing", "A request about what is not there changes nothing",
        f"{REFUSAL}/ResourceNotFound", _needs(), refusals.missing),
    Law("effects.conflict", "A request that cannot be met as things are changes nothing",
        "docs/apis/openapp.md#resources", _needs(), no_room.conflicts),
    Law("effects.quota", "A request that finds no room changes nothing and uses up nothing",
        "docs/apis/openapp.md#quotas", _needs("operator"), no_room.full),
    Law("effects.unavailable", "An action that is not offered changes nothing",
        f"{REFUSAL}/ActionNotImplemented", _needs(), refusals.not_there),
)  # fmt: skip
