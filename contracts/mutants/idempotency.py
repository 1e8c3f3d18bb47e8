"""Idempotency-Key of an entity's actions: charged twice, mixed up, forgotten, kept for too long."""

from __future__ import annotations

import re
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import msgspec

from mock_server.apis.openapp.model import doors
from mock_server.apis.openapp.model.problems import METER_FULL
from mock_server.engine.decisions import Accepted, Context, Refused, Remember
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import DAY, LATEST, SECOND

from .despite import despite
from .mutant import Install, family, patched, replacing, together

mutant = family("idempotency")

HOUR = 3600 * SECOND
SCOPE = re.compile(r"openapp/action/(?P<entity>[^/]*)/(?P<caller>[^/]*)")


def _executing(change: Any) -> Install:
    """`change` to an action that was accepted: state before, context, the action's arguments, the decision."""

    def make(real: Any) -> Any:
        def faulty(state: Any, context: Any, *args: Any) -> Any:
            decided = real(state, context, *args)
            return decided if isinstance(decided, Refused) else change(state, context, args, decided)

        return faulty

    return replacing(doors.execute_action, make)


def _keyless(real: Any) -> Any:
    return lambda state, context, caller, entity, action, body=b"", key=None: real(
        state, context, caller, entity, action, body
    )


def _same_print(_: Any) -> Any:
    return lambda data: SimpleNamespace(hexdigest=lambda: "")


def _scoped(without: str) -> Install:
    """Keys that are not kept apart by entity (or by caller)."""

    def wider(scope: str) -> str:
        found = SCOPE.fullmatch(scope)
        if found is None:
            return scope
        return "openapp/action/" + "/".join(value for name, value in found.groupdict().items() if name != without)

    def recall(real: Any) -> Any:
        return lambda self, scope, key: real(self, wider(scope), key)

    def remember(_: Any) -> Any:
        return lambda scope, key, record: Remember(wider(scope), key, record)

    return together(patched(Context, "recall", recall), patched(doors, "Remember", remember))


def _remembered_for(duration: int) -> Install:
    return patched(doors, "REMEMBERED_FOR", lambda _: duration)


def _done_now(_: Any, context: Any, __: Any, decided: Any) -> Any:
    """A repeat says that it was done just now."""
    if not decided.reply.is_replay:
        return decided
    return msgspec.structs.replace(decided, reply=msgspec.structs.replace(decided.reply, at=context.now))


def _kept(call: Any, state: Any, context: Any, _: Any) -> Accepted[Any, None]:
    """The key of a refused action is remembered, and so a repeat is answered as if it had been done."""
    key = call.headers.get("idempotency-key")
    if key is None or "action_id" not in call.path:
        return Accepted(state, None)
    entity_id, action = call.path["id"], doors.SPELLINGS[call.path["action_id"]]
    reply = msgspec.json.encode(doors.Executed(entity_id, action, context.now)).decode()
    fingerprint = sha256(action.encode() + b"\n" + call.raw).hexdigest()
    record = Record(fingerprint, min(context.now + DAY, LATEST), reply)
    return Accepted(state, None, (Remember(f"openapp/action/{entity_id}/{call.caller.id}", key, record),))


MUTANTS = (
    mutant("key-ignored", "the same key charges twice", replacing(doors.execute_action, _keyless), 76),
    mutant(
        "other-payload-replayed",
        "a key with another payload is answered as before",
        patched(doors, "sha256", _same_print),
        77,
    ),
    mutant("key-of-all-entities", "a key used for one door counts for all", _scoped("entity"), 78),
    mutant("key-of-all-callers", "a key used by one caller counts for all", _scoped("caller"), 78),
    mutant("key-forgotten-early", "keys are forgotten after an hour", _remembered_for(HOUR), 95),
    mutant("key-never-forgotten", "keys are never forgotten", _remembered_for(LATEST), 95),
    mutant("replay-differs", "a repeat says it was done now", _executing(_done_now), 99),
    mutant("refused-key-kept", "a key is used up by a refusal, and its repeat succeeds", despite(METER_FULL, _kept)),
)
