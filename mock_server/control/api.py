"""The control API, as the server takes it in: the same shape as an emulated API, but it acts on worlds."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.datastructures import Headers

from mock_server.api import Api, Token
from mock_server.engine.callers import OPERATOR, Caller, Rejected
from mock_server.engine.decisions import Accepted
from mock_server.engine.instants import Instant
from mock_server.http.envelope import render
from mock_server.http.mock import Mock

from . import agenda, audit, clock, deliveries, export, faults, inside, journal, snapshots, state, webhooks, worlds
from .token import matches

OPERATOR_CALLER = Caller("control", None, frozenset({OPERATOR}))


class NoSettings(msgspec.Struct, frozen=True):
    """The control API has no switches."""


def _token(headers: Headers, strict: bool) -> Token | Rejected | None:
    sent = headers.getlist("authorization")
    if len(sent) > 1:
        return Rejected("it carries Authorization more than once")
    scheme, _, text = sent[0].partition(" ") if sent else ("", "", "")
    # Without a token the request may still be fine: `identify` knows whether one is asked for.
    return Token(text.strip() if scheme.lower() == "bearer" else "")


def _identify(mock: Mock, secret: str, now: Instant) -> Caller | Rejected:
    wanted = mock.options.control_token
    if wanted is None or matches(wanted, secret):
        return OPERATOR_CALLER
    return Rejected("it does not carry the control token that was printed at start-up")


def _nothing(*_: Any) -> Any:
    return Accepted(None, None)


API = Api(
    name="control",
    title="mockbill control",
    base_paths=("/_mock",),
    handlers={
        "get_health": worlds.get_health,
        "list_worlds": worlds.list_worlds,
        "create_world": worlds.create_world,
        "get_world": worlds.get_world,
        "delete_world": worlds.delete_world,
        "reset_world": worlds.reset_world,
        "fork_world": worlds.fork_world,
        "list_snapshots": snapshots.list_snapshots,
        "take_snapshot": snapshots.take_snapshot,
        "delete_snapshot": snapshots.delete_snapshot,
        "restore_snapshot": snapshots.restore_snapshot,
        "compare_world": snapshots.compare_world,
        "list_requests": journal.list_requests,
        "clear_requests": journal.clear_requests,
        "get_request": journal.get_request,
        "export_requests": export.export_requests,
        "audit_requests": audit.audit_requests,
        "list_faults": faults.list_faults,
        "add_fault": faults.add_fault,
        "clear_faults": faults.clear_faults,
        "get_fault": faults.get_fault,
        "remove_fault": faults.remove_fault,
        "list_webhook_endpoints": webhooks.list_endpoints,
        "add_webhook_endpoint": webhooks.add_endpoint,
        "get_webhook_endpoint": webhooks.get_endpoint,
        "change_webhook_endpoint": webhooks.change_endpoint,
        "remove_webhook_endpoint": webhooks.remove_endpoint,
        "list_deliveries": deliveries.list_deliveries,
        "get_delivery": deliveries.get_delivery,
        "redeliver": deliveries.redeliver,
        "emit_webhook": deliveries.emit,
        "get_agenda": agenda.get_agenda,
        "get_clock": clock.get_clock,
        "move_clock": clock.move_clock,
        "get_settings": inside.get_settings,
        "change_settings": inside.change_settings,
        "consume_usage": inside.consume_usage,
        "get_state": state.get_state,
        "put_state": state.put_state,
        "list_credentials": inside.list_credentials,
    },
    token=_token,
    identify=_identify,
    challenge='Bearer realm="mockbill control"',
    render=render,
    initial_state=_nothing,
    settings=NoSettings,
    dump=_nothing,
    load=_nothing,
    credentials=lambda _: [],
    token_form=lambda _, secret: secret,
)
