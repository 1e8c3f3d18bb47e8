"""POST /entities/{id}/actions/{action_id}: opening doors, which quotas count and degradation slows but never forbids."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Effect, Refused, Remember
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import DAY, LATEST, Instant

from .access import in_scope, live_resource
from .bounds import Id, Moment
from .lifecycle import level, rebalanced
from .metering import crossed, metered
from .problems import ACTION_NOT_IMPLEMENTED, ENTITY_OUT_OF_SCOPE, IDEMPOTENCY_CONFLICT
from .resources import Entity, Meter, Shelf
from .roles import ADMIN
from .state import OpenApp, Stage

OPEN = "switchable.open"
SPELLINGS = {OPEN: OPEN, "open": OPEN}
"""Client libraries use the short form too."""
SWITCHABLE = ("door", "light", "switch")
REMEMBERED_FOR = DAY
BY_PEOPLE = {"door_opens": 1}
BY_KEY = {"door_opens": 1, "voice_invocations": 1}
"""What a program opens with a key it made counts as an invocation too."""


class Slowed(msgspec.Struct, frozen=True):
    stage: Stage
    level: Annotated[float, Meta(ge=0, le=1)]
    delay_ms: Annotated[int, Meta(ge=0, le=60_000)]


class Executed(msgspec.Struct, frozen=True):
    """What came of an action; `slowed` only where it was."""

    entity_id: Id
    action_id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    at: Moment
    slowed: Slowed | None = None
    is_replay: bool = False


def execute_action(
    state: OpenApp,
    context: Context,
    caller: Caller,
    entity_id: str,
    action_id: str,
    body: bytes = b"",
    idempotency_key: str | None = None,
) -> Accepted[OpenApp, Executed] | Refused:
    """With an Idempotency-Key a repeat is answered as before, and neither carried out nor counted again."""
    entity = live_resource(state, caller, "entities", entity_id)
    if isinstance(entity, Refused):
        return entity
    if not in_scope(state, caller, entity.id):
        return Refused(ENTITY_OUT_OF_SCOPE(id=entity.id))
    scope, fingerprint = "", ""
    if idempotency_key is not None:
        scope = f"openapp/action/{entity.id}/{caller.id}"
        fingerprint = sha256(SPELLINGS.get(action_id, action_id).encode() + b"\n" + body).hexdigest()
        record = context.recall(scope, idempotency_key)
        if record is not None and record.fingerprint != fingerprint:
            return Refused(IDEMPOTENCY_CONFLICT(key=idempotency_key, id=entity.id))
        if record is not None and (first := _first_reply(record)) is not None:
            return Accepted(state, msgspec.structs.replace(first, is_replay=True))
    action = SPELLINGS.get(action_id)
    if action is None or entity.entity_type not in SWITCHABLE:
        actions = [OPEN] if entity.entity_type in SWITCHABLE else []
        facts = {"action_id": action_id, "entity_type": entity.entity_type, "actions": actions}
        return Refused(ACTION_NOT_IMPLEMENTED(**facts, _listed=", ".join(actions) or "none"))
    org = state.orgs[entity.org_id]
    charges = BY_PEOPLE if caller.key is None else BY_KEY
    meters = metered(state, org, charges, context.now)
    if isinstance(meters, Refused):
        return meters
    effects: tuple[Effect, ...] = crossed(state, org, charges, meters, context.now)
    reply = Executed(entity.id, action, context.now, friction(state, org.id, caller, context))
    if idempotency_key is not None:
        record = Record(fingerprint, min(context.now + REMEMBERED_FOR, LATEST), msgspec.json.encode(reply).decode())
        effects = (*effects, Remember(scope, idempotency_key, record))
    state = _used(state, entity, meters, context.now)
    if org.selection_policy == "least_recently_used" and org.id in state.lifecycles:
        state, news = rebalanced(state, org.id, context.now)
        effects += news
    return Accepted(state, reply, effects)


def friction(state: OpenApp, org_id: str, caller: Caller, context: Context) -> Slowed | None:
    """How much the caller is slowed down; None if it is not. Administrators never are."""
    lifecycle = state.lifecycles.get(org_id)
    if lifecycle is None or caller.is_operator or ADMIN in caller.permissions:
        return None
    share, whole = level(lifecycle, state.settings, context.now)
    delay_ms = state.settings.max_delay_ms * share // whole
    return Slowed(lifecycle.stage, round(share / whole, 6), delay_ms) if delay_ms else None


def _first_reply(record: Record) -> Executed | None:
    """None if it cannot be read, as can be in a state that somebody wrote by hand: then it was never given."""
    try:
        return msgspec.json.decode(record.reply, type=Executed)
    except msgspec.MsgspecError:
        return None


def _used(state: OpenApp, entity: Entity, meters: HashTrieMap[str, Meter], now: Instant) -> OpenApp:
    holdings = state.holdings[entity.org_id]
    entities = holdings.entities
    live = entities.live.insert(entity.id, msgspec.structs.replace(entity, last_used_at=now))
    used = msgspec.structs.replace(holdings, meters=meters, entities=Shelf(live, entities.deleted))
    return state.with_holdings(entity.org_id, used)
