"""Races: calls at the same time come to what they would have come to one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.bench import Bench
from contracts.law import Law
from contracts.openapp.disappearing import (
    brought_back,
    deleted_at_once,
    filled_while_deleted,
    one_event,
    opened_while_deleted,
    revoked_key,
)
from contracts.openapp.medley import SUBJECTS, with_another
from contracts.openapp.scenes import one_key, one_override, plans, room_for, uses_of
from contracts.openapp.stock import KINDS, METERED
from contracts.races.racing import Scene, racing

QUOTAS = "docs/apis/openapp.md#quotas"
RESOURCES = "docs/apis/openapp.md#resources"


def _bursts(quick: int, full: int, scenes: Sequence[Scene]) -> Callable[[Bench], None]:
    """So many bursts of each scene."""

    def check(bench: Bench) -> None:
        with racing(bench) as race:
            for _ in range(bench.scale(quick, full)):
                for scene in scenes:
                    race.race(scene)

    return check


CAPACITY = [room_for(kind) for kind in KINDS]
USES = [uses_of(operation) for operation in METERED]
DELETION = [
    *[Scene("execute_entity_action", opened_while_deleted)] * 6,
    *[Scene("create_device", filled_while_deleted("device"))] * 2,
    *[Scene("create_entity", filled_while_deleted("entity"))] * 2,
    *(Scene(f"delete_{kind}", deleted_at_once(kind)) for kind in ("zone", "device", "integration")),
    *(Scene(f"restore_{kind}", brought_back(kind)) for kind in ("zone", "integration")),
]

LAWS = (
    Law(
        "races.capacity",
        "However many are made at once, no more are accepted than fit in",
        QUOTAS,
        frozenset({"writes"}),
        _bursts(2, 20, CAPACITY),
    ),
    Law(
        "races.metered",
        "However many uses come at once, no more are accepted than the limit, and each is counted",
        QUOTAS,
        frozenset({"writes"}),
        _bursts(3, 25, USES),
    ),
    Law(
        "races.idempotency-key",
        "One Idempotency-Key sent several times at once is carried out and counted once",
        "/paths/~1entities~1{id}~1actions~1{action_id}/post",
        frozenset({"writes"}),
        _bursts(5, 40, [Scene("execute_entity_action", one_key)]),
    ),
    Law(
        "races.overrides",
        "One limit set several times at once is one override, with one of the values",
        "/paths/~1admin~1quota_overrides/post",
        frozenset({"writes", "operator"}),
        _bursts(5, 40, [Scene("post_admin_quota_override", one_override)]),
    ),
    Law(
        "races.checkout",
        "Several plans bought at once leave one subscription, and plan and usage agree with it",
        "/paths/~1orgs~1{id}~1billing~1checkout/post",
        frozenset({"writes"}),
        _bursts(5, 40, [Scene("post_org_billing_checkout", plans)]),
    ),
    Law(
        "races.webhook",
        "Events that come several times, or overtake each other, are applied once and the newest holds",
        "/paths/~1billing~1webhooks~1{provider}/post",
        frozenset({"writes", "webhook-secret"}),
        _bursts(5, 40, [Scene("post_billing_webhook", one_event)]),
    ),
    Law(
        "races.deletion",
        "What is deleted, restored or purged while it is used leaves nothing behind and comes back once",
        RESOURCES,
        frozenset({"writes"}),
        _bursts(1, 12, DELETION),
    ),
    Law(
        "races.revocation",
        "Once the revocation of a key has been answered, nothing more is done for it",
        RESOURCES,
        frozenset({"writes"}),
        _bursts(4, 30, [Scene("revoke_api_key", revoked_key)]),
    ),
    Law(
        "races.linearizable",
        "There is an order of calls made at the same time that explains all their answers and what they left",
        "docs/apis/openapp.md",
        frozenset({"writes"}),
        _bursts(2, 16, [Scene("", with_another(each)) for each in SUBJECTS]),
    ),
)
