"""POST /entities/{id}/actions/{action_id}: opening doors, which quotas count and degradation slows but never forbids."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Effect, Refused, Remember
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import DAY, format_instant

from .access import live_resource
from .lifecycle import level, rebalanced
from .lifetimes import Answer, touched
from .metering import metered, with_meters
from .problems import ACTION_NOT_IMPLEMENTED, ENTITY_OUT_OF_SCOPE, IDEMPOTENCY_CONFLICT
from .resources import Entity
from .roles import ADMIN
from .state import OpenApp

OPEN = "switchable.open"
SPELLINGS = {OPEN: OPEN, "open": OPEN}
"""Client libraries use the short form too."""
SWITCHABLE = ("door", "light", "switch")
REMEMBERED_FOR = DAY


def execute_action(
    state: OpenApp,
    context: Context,
    caller: Caller,
    entity_id: str,
    action_id: str,
    body: bytes = b"",
    idempotency_key: str | None = None,
) -> Answer:
    """EntityActionResponse. With an Idempotency-Key a repeat is answered as before, and neither carried out nor counted."""
    entity = live_resource(state, caller, "entities", entity_id)
    if isinstance(entity, Refused):
        return entity
    if not _in_scope(state, caller, entity):
        return Refused(ENTITY_OUT_OF_SCOPE(id=entity.id))
    scope, fingerprint = f"openapp/action/{caller.name}/{entity.id}", ""
    if idempotency_key is not None:
        fingerprint = sha256(action_id.encode() + b"\n" + body).hexdigest()
        record = context.recall(scope, idempotency_key)
        if record is not None and record.fingerprint != fingerprint:
            return Refused(IDEMPOTENCY_CONFLICT(key=idempotency_key, id=entity.id))
        if record is not None:
            return Accepted(state, {**json.loads(record.reply), "idempotent_replay": True})
    action = SPELLINGS.get(action_id)
    if action is None or entity.entity_type not in SWITCHABLE:
        actions = [OPEN] if entity.entity_type in SWITCHABLE else []
        facts = {"action_id": action_id, "entity_type": entity.entity_type, "actions": actions}
        return Refused(ACTION_NOT_IMPLEMENTED(**facts, _listed=", ".join(actions) or "none"))
    org = state.orgs[entity.org_id]
    # What a program opens with a key it made counts as an invocation too, beside the opening itself.
    charges = {"door_opens": 1} if caller.key is None else {"door_opens": 1, "voice_invocations": 1}
    meters = metered(state, org, charges, context.now)
    if isinstance(meters, Refused):
        return meters
    reply = {
        "correlation_id": context.id(),
        "entity_id": entity.id,
        "action_id": action,
        "executed_at": format_instant(context.now),
        "idempotent_replay": False,
    }
    if (slowed := friction(state, org.id, caller, context)) is not None:
        reply["degradation"] = slowed
    effects: tuple[Effect, ...] = ()
    if idempotency_key is not None:
        record = Record(fingerprint, context.now + REMEMBERED_FOR, json.dumps(reply))
        effects = (Remember(scope, idempotency_key, record),)
    state = touched(with_meters(state, org, meters), entity, context.now)
    if org.id in state.lifecycles and org.selection_policy == "least_recently_used":
        state, news = rebalanced(state, org.id, context.now)
        effects += news
    return Accepted(state, reply, effects)


def friction(state: OpenApp, org_id: str, caller: Caller, context: Context) -> dict[str, Any] | None:
    """How much the caller is slowed down; None if it is not. Administrators never are."""
    lifecycle = state.lifecycles.get(org_id)
    share, whole = level(lifecycle, state.settings, context.now)
    if lifecycle is None or not share or caller.is_operator or ADMIN in caller.permissions:
        return None
    delay_ms = state.settings.max_delay_ms * share // whole
    return {
        "stage": lifecycle.stage,
        "degradation_level": round(share / whole, 6),
        "delay_ms": delay_ms,
        "message": f"The organization holds more than its plan allows: this took {delay_ms} ms longer.",
    }


def _in_scope(state: OpenApp, caller: Caller, entity: Entity) -> bool:
    if caller.key is None:
        return True
    key = state.held_by(caller.org or "").api_keys.live.get(caller.key)
    return key is None or key.scoped_entity_ids is None or entity.id in key.scoped_entity_ids
