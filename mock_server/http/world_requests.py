"""A request to an API in a world: journaled, and hit by the world's faults.

journal opens -> body read (413) -> before-faults -> Connexion app (401, 403, 415, 400, handler) -> answer checked ->
after-faults -> journal closes
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from functools import partial

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from mock_server import machine
from mock_server.api import Token
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.ids import ulid
from mock_server.engine.instants import Instant
from mock_server.store.faults import Strike, When
from mock_server.store.journal import Delivery, Entry
from mock_server.store.worlds import World

from .addressing import Address, base_url
from .answers import Answer, answer_to, preflight
from .bodies import ClientGone, disconnected
from .breaking import instead, malformed
from .exchange import Call, Refusal
from .mock import Mock
from .operate import checked, identity, operate, unrouted
from .sealing import marked_secrets, seal
from .stages import read_request_body

_CORRELATION_ID = re.compile(r"[!-~]{1,128}", re.ASCII)


def correlation_id(headers: Headers) -> str | None:
    sent = headers.getlist("x-correlation-id")
    return sent[0] if len(sent) == 1 and _CORRELATION_ID.fullmatch(sent[0]) else None


class Visit:
    """One request, from its world to its answer. Carried out once; twice if a fault wants it so."""

    def __init__(
        self, mock: Mock, scope: Scope, headers: Headers, address: Address, world: World, token: Token | Rejected | None
    ) -> None:
        self.mock, self.scope, self.headers, self.address = mock, scope, headers, address
        self.world, self.token = world, token
        self.served = mock.served[address.api]
        self.node, self.parameters = self.served.routes.find(address.rest)
        self.operation = None if self.node is None else self.node.methods.get(scope["method"])

    async def answer(self, receive: Receive) -> Answer:
        if self.operation is None:
            return self._without_operation()
        repeats = self._strikes("duplicate") if self.world.has_faults else []
        if repeats:
            body = await self._carried_out(receive, repeats)
            receive = _again(body.raw, receive)
        return (await self._carried_out(receive, [])).answer

    def _without_operation(self) -> Answer:
        entry, request_id, started = self._opened(self.mock.now_in(self.world))
        method = self.scope["method"]
        if self.node is not None and method == "OPTIONS":
            answer = preflight(self.node.allow, self.headers)
        else:
            answer = unrouted(self.mock, self.served, self.node, method, self.address, request_id)
        return self._closed(entry, answer, request_id, started)

    async def _carried_out(self, receive: Receive, repeats: list[Strike]) -> _Done:
        """With `repeats` the answer goes nowhere: the work is about to be done once more."""
        assert self.operation is not None
        entry, request_id, started = self._opened(self.mock.now_in(self.world))
        call = self._call(entry, request_id)
        faults = _Faults(repeats)
        try:
            answer = await self._worked(call, receive, faults, request_id)
            if self.world.has_faults:
                answer = await self._damaged(call, answer, receive, faults, request_id)
        except ClientGone:
            entry.problem, entry.delivery, entry.body = "client_gone", "client_gone", call.raw
            entry.worked = faults.worked
            self._note(entry, call, faults)
            self._keep(entry, started, call)
            raise
        entry.worked = faults.worked
        entry.delivery = "repeated" if repeats else faults.delivery
        entry.body = call.raw
        self._note(entry, call, faults)
        return _Done(self._closed(entry, answer, request_id, started, call, faults.secrets), call.raw)

    async def _worked(self, call: Call, receive: Receive, faults: _Faults, request_id: str) -> Answer:
        """The API's own answer, or that of a fault before it."""
        api = self.served.api
        if call.operation.takes_body:
            try:
                await read_request_body(call, receive)
            except Refusal as refusal:
                answer = answer_to(api, refusal.problem, request_id)
                return checked(self.mock, self.served, call, answer, request_id)
        strikes = self._strikes("before", call) if self.world.has_faults else []
        if strikes:
            faults.act(strikes, "late")
            await self._wait(strikes, receive, faults)
            rule = strikes[-1].rule
            if rule.do == "lose":
                return faults.losing(Answer(), rule.how)
            if rule.do != "delay":
                faults.delivery = "malformed" if rule.do == "malform" else "replaced"
                return instead(rule, api, request_id)
        answer = await operate(self.mock, self.served, call, self.scope, receive, request_id)
        faults.worked = answer.status
        return answer

    async def _damaged(self, call: Call, answer: Answer, receive: Receive, faults: _Faults, request_id: str) -> Answer:
        """What the faults after the work leave of an answer."""
        if faults.has_replaced or not (strikes := self._strikes("after", call)):
            return answer
        faults.act(strikes, "late")
        await self._wait(strikes, receive, faults)
        rule = strikes[-1].rule
        if rule.do == "lose":
            return faults.losing(answer, rule.how)
        if rule.do == "truncate":
            answer.hang_up = "reset" if rule.how == "reset" else "close"
            answer.keep = len(answer.body) // 2 if rule.keep is None else rule.keep
            faults.delivery = "truncated"
        elif rule.do == "malform":
            faults.delivery = "malformed"
            faults.secrets = marked_secrets(call.operation, answer.status, b"", answer.body)
            return malformed(rule, call.operation.responses.get(answer.status), answer)
        elif rule.do == "answer":
            faults.delivery = "replaced"
            return instead(rule, self.served.api, request_id)
        return answer

    def _strikes(self, when: When, call: Call | None = None) -> list[Strike]:
        assert self.operation is not None
        caller = self._identity() if call is None else call.identity
        world = self.world
        return world.faults.strikes(when, self.operation.id, _name_of(caller), self.scope["method"], world.state.seed)

    async def _wait(self, strikes: list[Strike], receive: Receive, faults: _Faults) -> None:
        seconds = sum(strike.seconds for strike in strikes)
        if seconds > 0 and await _gone_within(self.mock.sleep(seconds), receive):
            faults.delivery = "client_gone"
            raise ClientGone

    def _identity(self) -> Caller | Rejected | None:
        now = self.mock.now_in(self.world)
        return identity(self.served.api, self.token, self.world.state.apis[self.served.api.name], now)

    def _opened(self, now: Instant) -> tuple[Entry, str, float]:
        world, scope = self.world, self.scope
        path = (scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        number, wall = world.journal.next_number(), world.used_at
        entry = Entry(number, now, wall, self.served.api.name, scope["method"], path, query)
        entry.headers, entry.state = scope["headers"], world.state
        request_id = correlation_id(self.headers) or ulid(now, world.state.seed, "request", number)
        self.journal = world.journal
        return entry, request_id, machine.stopwatch()

    def _call(self, entry: Entry, request_id: str) -> Call:
        assert self.operation is not None
        call = Call(self.mock, self.served.api, self.operation, self.headers)
        call.world, call.request_id, call.token = self.world, request_id, self.token
        call.path, call.query_string = dict(self.parameters), self.scope["query_string"]
        call.base_url = base_url(self.mock, self.scope, self.headers, self.address, self.world.name)
        call.identity = identity(self.served.api, self.token, self.world.state.apis[self.served.api.name], entry.at)
        entry.operation, entry.caller = self.operation.id, _name_of(call.identity)
        entry.asked_by = call.identity if isinstance(call.identity, Caller) else None
        return call

    def _note(self, entry: Entry, call: Call, faults: _Faults) -> None:
        entry.faults, entry.steps, entry.changed = tuple(faults.names), call.steps or (), bool(call.steps)
        entry.state, entry.at = call.seen or entry.state, call.now or entry.at
        if call.journal is not None and call.journal is not self.journal:
            # The world was reset before it was decided upon, so it belongs to the world's new story.
            entry.number, self.journal = call.journal.next_number(), call.journal

    def _closed(
        self,
        entry: Entry,
        answer: Answer,
        request_id: str,
        started: float,
        call: Call | None = None,
        known: Sequence[str] = (),
    ) -> Answer:
        answer.add("x-request-id", request_id)
        answer.add("x-mock-request", str(entry.number))
        answer.allow_any_origin(self.headers)
        entry.status, entry.answer, entry.answer_headers = answer.status, answer.body, answer.headers
        entry.problem = None if answer.problem == "-" else answer.problem
        entry.refusal = answer.refusal
        self._keep(entry, started, call, known)
        answer.world = self.world.name
        return answer

    def _keep(self, entry: Entry, started: float, call: Call | None, known: Sequence[str] = ()) -> None:
        # Most entries are never looked at, so what is secret in them is looked for when one is.
        entry.seal = partial(seal, self.served.api, known, None if call is None else call.operation)
        entry.seconds = machine.stopwatch() - started
        self.mock.worlds.close(self.world, self.journal, entry)


class _Done:
    def __init__(self, answer: Answer, raw: bytes) -> None:
        self.answer = answer
        self.raw = raw


class _Faults:
    """What faults have done to one carrying out of a request."""

    def __init__(self, repeats: list[Strike]) -> None:
        self.names = [strike.rule.id for strike in repeats]
        self.delivery: Delivery = "whole"
        self.worked = 0
        self.secrets: list[str] = []
        """Of an answer that was damaged so that they could not be found in it any more."""

    @property
    def has_replaced(self) -> bool:
        return self.delivery not in ("whole", "late")

    def act(self, strikes: list[Strike], how: Delivery) -> None:
        self.names += [strike.rule.id for strike in strikes]
        if any(strike.seconds > 0 for strike in strikes):
            self.delivery = how

    def losing(self, answer: Answer, how: str | None) -> Answer:
        self.delivery = "lost"
        answer.hang_up = "reset" if how == "reset" else "close"
        return answer


def _name_of(caller: Caller | Rejected | None) -> str:
    """How the journal and the faults call a caller."""
    if isinstance(caller, Caller):
        return caller.name
    return "anonymous" if caller is None else "rejected"


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what the client goes on to say."""
    rest = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        return next(rest, None) or await receive()

    return again


async def _gone_within(delay: Awaitable[None], receive: Receive) -> bool:
    """Let the delay pass, but not longer than the client waits. Whether the client went."""
    waiting = asyncio.ensure_future(delay)
    news = asyncio.ensure_future(disconnected(receive))
    try:
        await asyncio.wait((waiting, news), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and news.done() and news.result():
            return True
        await waiting
        return False
    finally:
        waiting.cancel()
        news.cancel()
