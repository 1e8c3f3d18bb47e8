"""Check, then act, with a gap between the two in which others get in.

The server is one event loop, so a race needs an `await` between its check and its act: each operation here looks at
the world, waits a moment, and then decides on what it saw.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import msgspec

from mock_server.api import Token
from mock_server.apis.openapp.model import access, capacity, checkout, doors, metering, overrides, webhook_ingress
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.decisions import Refused
from mock_server.engine.instants import DAY
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call
from mock_server.http.stages import CALL, HandlerCall

from .mutant import Install, family, in_api, patched, replacing, together

mutant = family("races")

GAP_SECONDS = 0.03
OPEN, CREATE, OVERRIDE, CHECKOUT, EVENT = (
    "execute_entity_action",
    "create_device",
    "post_admin_quota_override",
    "post_org_billing_checkout",
    "post_billing_webhook",
)

_seen: ContextVar[WorldState | None] = ContextVar("seen", default=None)


def seen(state: Any) -> Any:
    """OpenApp's state as it was before the gap; the state itself where there is no gap."""
    world = _seen.get()
    return state if world is None else world.apis["openapp"]


def racing(operation_id: str, *faults: Install) -> Install:
    """A gap before an operation's handler, and faults that look across it with `seen`."""

    def make(real: Any) -> Any:
        async def faulty(self: Any, scope: Any, receive: Any, send: Any) -> None:
            call: Call = scope[CALL]
            if call.api.name != "openapp" or call.operation.id != operation_id:
                await real(self, scope, receive, send)
                return
            token = _seen.set(call.world.state)
            try:
                await asyncio.sleep(GAP_SECONDS)
                await real(self, scope, receive, send)
            finally:
                _seen.reset(token)

        return faulty

    return together(patched(HandlerCall, "__call__", make), *faults)


def _room_as_seen(real: Any) -> Any:
    return lambda state, org, key, now: real(seen(state), seen(state).orgs[org.id], key, now)


def _limits_as_seen(real: Any) -> Any:
    """Whether there is room was looked up before; how much has been used is added up now."""

    def faulty(state: Any, org: Any, charges: Any, now: int) -> Any:
        before = seen(state)
        checked = real(before, before.orgs[org.id], charges, now)
        if isinstance(checked, Refused):
            return checked
        meters = state.held_by(org.id).meters
        for key, amount in charges.items():
            meters = meters.insert(key, metering._used(meters.get(key), now // DAY, amount))
        return meters

    return faulty


def _memory_as_seen(real: Any) -> Any:
    def faulty(state: Any, context: Any, *args: Any) -> Any:
        world = _seen.get()
        return real(state, context if world is None else msgspec.structs.replace(context, memory=world.memory), *args)

    return faulty


def _overrides_as_seen(real: Any) -> Any:
    def faulty(state: Any, *args: Any) -> Any:
        return real(msgspec.structs.replace(state, overrides=seen(state).overrides), *args)

    return faulty


def _orgs_as_seen(real: Any) -> Any:
    def faulty(state: Any, context: Any, caller: Any, org_id: str, tier_slug: str) -> Any:
        before = seen(state).orgs.get(org_id)
        state = state if before is None else state.with_org(before)
        return real(state, context, caller, org_id, tier_slug)

    return faulty


def _entity_as_seen(real: Any) -> Any:
    return lambda state, *args: real(seen(state), *args)


def _all_as_seen(real: Any) -> Any:
    """What an event is held against, and what it is put on top of, is what was there before the gap."""
    return lambda state, *args: real(seen(state), *args)


def _cached_again() -> Install:
    """Revoking a key takes it out of the cache; whoever has been let in before puts it back."""
    cache: dict[str, Caller] = {}

    def identify(real: Any) -> Any:
        def faulty(state: Any, secret: str, now: int) -> Any:
            found = real(state, secret, now)
            is_revoked = isinstance(found, Rejected) and "revoked" in found.reason
            return cache.get(secret, found) if is_revoked else found

        return faulty

    def handler(real: Any) -> Any:
        async def faulty(self: Any, scope: Any, receive: Any, send: Any) -> None:
            call: Call = scope[CALL]
            if call.operation.id == "list_zones" and call.caller.key is not None and isinstance(call.token, Token):
                await asyncio.sleep(GAP_SECONDS)
                cache[call.token.secret] = call.caller
            elif call.operation.id == "revoke_api_key":
                for secret in [secret for secret, caller in cache.items() if caller.key == call.path["id"]]:
                    del cache[secret]
            await real(self, scope, receive, send)

        return faulty

    return together(in_api("identify", identify), patched(HandlerCall, "__call__", handler))


MUTANTS = (
    mutant(
        "race-for-room",
        "devices created at once overshoot the limit",
        racing(CREATE, replacing(capacity.no_room, _room_as_seen)),
        87,
    ),
    mutant(
        "race-for-uses",
        "doors opened at once overshoot the limit",
        racing(OPEN, replacing(metering.metered, _limits_as_seen)),
        87,
    ),
    mutant(
        "race-with-one-key",
        "the same key sent at once charges twice",
        racing(OPEN, replacing(doors.execute_action, _memory_as_seen)),
        88,
    ),
    mutant(
        "override-lost",
        "of overrides set at once one is lost",
        racing(OVERRIDE, replacing(overrides.upsert_override, _overrides_as_seen)),
        89,
    ),
    mutant(
        "deleted-comes-back",
        "a door that is opened while it is deleted is there again",
        racing(OPEN, replacing(access.live_resource, _entity_as_seen, seen_by=doors)),
        90,
    ),
    mutant(
        "two-subscriptions",
        "checkouts at once give two subscriptions",
        racing(CHECKOUT, replacing(checkout.checkout, _orgs_as_seen)),
    ),
    mutant(
        "event-lost",
        "of events at once the last one counts, and not the newest",
        racing(EVENT, replacing(webhook_ingress.receive, _all_as_seen)),
    ),
    mutant("revoked-while-used", "a key that is revoked while it is used goes on being good", _cached_again()),
)
