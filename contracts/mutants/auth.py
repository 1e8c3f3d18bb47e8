"""Credentials that count although they should not, or do not although they should."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from mock_server.apis.openapp import credentials
from mock_server.apis.openapp.model.credentials import digest
from mock_server.engine.callers import OPERATOR, Caller, Rejected
from mock_server.http.exchange import Call
from mock_server.http.world_requests import Visit

from .around import Exchange, on_answer
from .mutant import Install, family, in_api, patched, replacing, together

mutant = family("auth")

USAGE = "get_org_billing_usage"
ALMIGHTY = Caller("nobody", None, frozenset({OPERATOR}))


def _judged(judge: Any) -> Install:
    """Another caller than the one that the credential stands for, for one call."""

    def make(real: Any) -> Any:
        def faulty(self: Visit, *args: Any) -> Call:
            call: Call = real(self, *args)
            if call.api.name == "openapp":
                call.identity = judge(call)
            return call

        return faulty

    return patched(Visit, "_call", make)


def _anybody(call: Call) -> Any:
    return call.identity if isinstance(call.identity, Caller) or call.operation.id != USAGE else ALMIGHTY


def _whoever(call: Call) -> Any:
    """An unknown token stands for the first credential that there is."""
    if not isinstance(call.identity, Rejected) or "not known" not in call.identity.reason:
        return call.identity
    known = call.world.state.apis["openapp"].credentials.values()
    return min(known, key=lambda each: each.position).caller


def _bad_keys_refused(where: str) -> Install:
    """Credentials are judged where none is asked for."""
    is_bad = ContextVar("is_bad", default=False)

    def noted(call: Call) -> Any:
        is_bad.set(isinstance(call.identity, Rejected))
        return call.identity

    def refused(it: Exchange) -> None:
        if is_bad.get():
            it.refuse(401, "unauthenticated", "Its credential is not known.")
            it.set("www-authenticate", credentials.CHALLENGE)

    return together(_judged(noted), on_answer(where, refused, 200))


def _revoked_too(real: Any) -> Any:
    def faulty(state: Any, secret: str, now: int) -> Any:
        caller = real(state, secret, now)
        if isinstance(caller, Rejected) and (row := state.credentials.get(digest(secret))) is not None:
            return row.caller
        return caller

    return faulty


def _key_of(state: Any, key_id: str) -> Any:
    shelf = state.held_by(state.homes[key_id]).api_keys
    return shelf.live.get(key_id) or shelf.deleted.get(key_id)


def _expired_a_second_late(real: Any) -> Any:
    return lambda state, key_id, now: real(state, key_id, now - 1_000_000)


def _not_found(it: Exchange) -> None:
    it.refuse(404, "not_found", "There is nothing here.")


MUTANTS = (
    mutant("usage-without-credential", "usage is told to whoever asks without a credential", _judged(_anybody), 38),
    mutant("any-token", "a token that nobody knows stands for the owner", _judged(_whoever), 39),
    mutant("unauthenticated-is-404", "401 is answered as 404", on_answer("* *", _not_found, 401), 40),
    mutant("bad-key-on-plans", "plans are refused for a bad credential", _bad_keys_refused("GET /plans")),
    mutant("revoked-credential", "a revoked credential counts", in_api("identify", _revoked_too)),
    mutant(
        "key-a-second-longer",
        "an API key counts a second too long",
        replacing(credentials._api_key, _expired_a_second_late),
    ),
)
