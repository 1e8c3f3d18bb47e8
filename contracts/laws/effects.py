"""No side effect: whatever is refused changes nothing that can be read, and uses up no quota.

What is refused for want of a credential or a permission is looked at by the family `access`, a webhook by `ingress`.
"""

from __future__ import annotations

from contracts.law import Law, writing
from contracts.openapp import no_room, refusals

REFUSAL = "/components/responses"


LAWS = (
    Law("effects.invalid", "An invalid request changes nothing",
        f"{REFUSAL}/InvalidRequest", writing(), refusals.invalid),
    Law("effects.unreadable", "A body of another type, or too large, changes nothing",
        f"{REFUSAL}/UnsupportedMediaType", writing(), refusals.unreadable),
    Law("effects.missing", "A request about what is not there changes nothing",
        f"{REFUSAL}/ResourceNotFound", writing(), refusals.missing),
    Law("effects.conflict", "A request that cannot be met as things are changes nothing",
        "docs/apis/openapp.md#resources", writing(), no_room.conflicts),
    Law("effects.quota", "A request that finds no room changes nothing and uses up nothing",
        "docs/apis/openapp.md#quotas", writing("operator"), no_room.full),
    Law("effects.unavailable", "An action that is not offered changes nothing",
        f"{REFUSAL}/ActionNotImplemented", writing(), refusals.not_there),
)  # fmt: skip
