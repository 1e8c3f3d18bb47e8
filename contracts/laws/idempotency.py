"""Idempotency and retries: what is sent again is done once, and what is not the same is not taken for it."""

from __future__ import annotations

from contracts.law import Law, writing
from contracts.openapp import ingress, retries

ACTION = "/paths/~1entities~1{id}~1actions~1{action_id}/post"
REPEATS = "docs/apis/openapp.md#sending-something-twice"


LAWS = (
    Law("idempotency.checkout", "Asking for the same plan again gives the same subscription again",
        "/paths/~1orgs~1{id}~1billing~1checkout/post/x-idempotent-by", writing(), retries.checkout),
    Law("idempotency.override", "Setting an override again replaces it, and keeps its id",
        "/paths/~1admin~1quota_overrides/post/x-idempotent-by", writing("operator"), retries.overrides),
    Law("idempotency.replay", "The same Idempotency-Key with the same request is answered alike and counts once",
        ACTION, writing(), retries.replay),
    Law("idempotency.conflict", "The same Idempotency-Key with another request is refused",
        "/components/responses/IdempotencyConflict", writing(), retries.conflict),
    Law("idempotency.scope", "An Idempotency-Key is for one entity", REPEATS, writing(), retries.scope),
    Law("idempotency.callers", "An Idempotency-Key is one caller's", REPEATS, writing("member"), retries.callers),
    Law("idempotency.refused", "A refused request has not used its Idempotency-Key", REPEATS, writing("operator"),
        retries.refused),
    Law("idempotency.lifetime", "An Idempotency-Key is remembered for a day",
        REPEATS, writing("clock"), retries.lifetime),
    Law("idempotency.event", "A provider's event that comes twice counts once",
        "/paths/~1billing~1webhooks~1{provider}/post/x-idempotent-by", writing("webhook-secret"), ingress.once),
)  # fmt: skip
