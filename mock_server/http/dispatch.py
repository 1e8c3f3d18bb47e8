"""The one ASGI app around everything: it finds world, API and operation, asks Connexion, checks and journals.

client -> world chosen -> route: operation, or 404, or 405 -> what `world_requests` does there -> client
"""

from __future__ import annotations

import asyncio
import logging

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from mock_server import machine
from mock_server.api import Token
from mock_server.engine.callers import Rejected
from mock_server.engine.ids import ulid
from mock_server.engine.problems import Problem
from mock_server.store.worlds import World

from . import pages
from .addressing import CONTROL, Address, address_of, is_loopback, origin_of, unknown_world, world_name
from .answers import Answer, answer_to, preflight
from .bodies import ClientGone
from .delivery import deliver
from .exchange import Call, Refusal
from .mock import Mock
from .operate import checked, identity, operate, unrouted
from .problems import FORBIDDEN_HOST, FORBIDDEN_ORIGIN, INTERNAL_ERROR, INVALID_REQUEST, STOPPING
from .problems import METHOD_NOT_ALLOWED as METHOD_REFUSED
from .problems import ROUTE_NOT_FOUND as NO_ROUTE
from .routes import LONGEST_PATH, split_path
from .stages import read_request_body
from .world_requests import Visit, correlation_id

log = logging.getLogger("mockbill")
access_log = logging.getLogger("mockbill.access")

PAGE_METHODS = "GET, HEAD, OPTIONS"


class Dispatcher:
    """The ASGI app of a mock."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self._control_seed = mock.fresh_seed()
        self._control_calls = 0

    def prepare(self) -> None:
        """Put together now what the first request to the root API would have to wait for."""
        served = self.mock.served[self.mock.options.root_api]
        _ = served.routes, served.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            started = machine.stopwatch()
            try:
                answer = await self._answer(scope, receive)
            except ClientGone:
                return
            except Exception as error:
                log.exception("%s %s failed", scope["method"], _printable(scope["path"]))
                self.mock.breaches.append(f"{scope['method']} {_printable(scope['path'])}: {error!r}")
                answer = self._refused_by_control(INTERNAL_ERROR(), Headers(raw=[]))
            except asyncio.CancelledError:
                # The server stops while the rest of a body is awaited. The task ends here either way.
                answer = self._refused_by_control(STOPPING(), Headers(raw=[]))
                answer.add("connection", "close")
            _log_access(scope, answer, machine.stopwatch() - started)
            await deliver(answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        headers = Headers(raw=scope["headers"])
        hosts = len(headers.getlist("host"))
        if hosts > 1 or (not hosts and scope.get("http_version") == "1.1"):
            reason = "it carries Host more than once" if hosts else "it carries no Host, as HTTP/1.1 asks for"
            return self._refused_by_control(INVALID_REQUEST(reason=reason, place="header", name="Host"), headers)
        if not raw_path.startswith(b"/") or len(raw_path) > LONGEST_PATH:
            return self._no_path(scope["method"], raw_path, headers)
        segments = split_path(raw_path)
        if segments[0] == CONTROL:
            return await self._control(scope, receive, headers, segments[1:] or [""])
        token: Token | Rejected | None = None
        try:
            address = address_of(self.mock, segments)
            if (page := self._page(address, scope, headers)) is not None:
                return page
            api = self.mock.served[address.api].api
            token = api.token(headers, self.mock.options.strict)
            name = world_name(address, headers, token if isinstance(token, Token) else None)
            world = self.mock.worlds.get(name)
            if world is None:
                if not self.mock.options.auto_worlds:
                    raise Refusal(unknown_world(name, origin_of(scope, headers, self.mock.options.public_url)))
                world = self.mock.create_automatically(name)
        except Refusal as refusal:
            # No world is known, so no API speaks: mockbill answers for itself.
            return self._refused_by_control(refusal.problem, headers)
        return await self._in_world(scope, receive, headers, address, world, token)

    async def _in_world(
        self,
        scope: Scope,
        receive: Receive,
        headers: Headers,
        address: Address,
        world: World,
        token: Token | Rejected | None,
    ) -> Answer:
        mock = self.mock
        world.used_at = mock.wall()
        if (page := pages.of_api(mock, address, scope, headers, world)) is not None:
            page.add("x-request-id", self._control_id(headers))
            return page
        return await Visit(mock, scope, headers, address, world, token).answer(receive)

    def _page(self, address: Address, scope: Scope, headers: Headers) -> Answer | None:
        """A page of ours, read with GET or HEAD, and like every answer with a request id."""
        page, method = pages.find(self.mock, address, scope, headers), scope["method"]
        if page is None:
            return None
        if method == "OPTIONS":
            page = preflight(PAGE_METHODS, Headers(raw=[]))
        elif method not in ("GET", "HEAD"):
            problem = METHOD_REFUSED(method=method[:20], path=scope["path"][:200], allow=PAGE_METHODS)
            return self._refused_by_control(problem.with_headers(("Allow", PAGE_METHODS)), headers)
        page.add("x-request-id", self._control_id(headers))
        return page

    def _no_path(self, method: str, target: bytes, headers: Headers) -> Answer:
        """A request target that is no path of ours; `OPTIONS *` asks about the server as a whole."""
        if method == "OPTIONS" and target == b"*":
            answer = preflight("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", Headers(raw=[]))
            answer.add("x-request-id", self._control_id(headers))
            return answer
        shown = target[:200].decode("ascii", "backslashreplace")
        return self._refused_by_control(NO_ROUTE(method=method[:20], path=shown, api="this server"), headers)

    # -- the control API ------------------------------------------------------------------------------------------

    async def _control(self, scope: Scope, receive: Receive, headers: Headers, rest: list[str]) -> Answer:
        mock, served, method = self.mock, self.mock.control, scope["method"]
        request_id = self._control_id(headers)
        address = Address("control", "/" + CONTROL, rest, None, True)
        node, parameters = served.routes.find([CONTROL, *rest])
        is_for_us = self._is_ours(headers.get("host", ""))
        if is_for_us and (page := self._page(address, scope, headers)) is not None:
            return page
        origin = headers.get("origin")
        if is_for_us and origin is not None and not self._is_ours(origin.partition("://")[2]):
            shown = origin[:100].encode("ascii", "backslashreplace").decode()
            answer = answer_to(served.api, FORBIDDEN_ORIGIN(origin=shown), request_id)
        elif not is_for_us:
            problem = FORBIDDEN_HOST(host=headers.get("host", "")[:100].encode("ascii", "backslashreplace").decode())
            answer = answer_to(served.api, problem, request_id)
        elif node is not None and method == "OPTIONS":
            answer = preflight(node.allow, Headers(raw=[]))
        elif node is None or method not in node.methods:
            answer = unrouted(mock, served, node, method, address, request_id)
        else:
            call = Call(mock, served.api, node.methods[method], headers)
            call.path, call.query_string, call.receive = parameters, scope["query_string"], receive
            call.base_url = origin_of(scope, headers, mock.options.public_url)
            call.token = served.api.token(headers, True)
            call.identity = identity(served.api, call.token, mock, 0)
            answer = await self._control_answer(call, scope, receive, request_id)
        answer.add("x-request-id", request_id)
        return answer

    async def _control_answer(self, call: Call, scope: Scope, receive: Receive, request_id: str) -> Answer:
        served = self.mock.control
        try:
            if call.operation.takes_body:
                await read_request_body(call, receive)
        except Refusal as refusal:
            answer = answer_to(served.api, refusal.problem, request_id)
            return checked(self.mock, served, call, answer, request_id)
        return await operate(self.mock, served, call, scope, receive, request_id)

    def _refused_by_control(self, problem: Problem, headers: Headers) -> Answer:
        request_id = self._control_id(headers)
        answer = answer_to(self.mock.control.api, problem, request_id)
        answer.add("x-request-id", request_id)
        answer.allow_any_origin(headers)
        return answer

    def _control_id(self, headers: Headers) -> str:
        self._control_calls += 1
        return correlation_id(headers) or ulid(self.mock.wall(), self._control_seed, "control", self._control_calls)

    def _is_ours(self, host: str) -> bool:
        """Neither by its origin nor by rebinding its name to this machine may another site reach the control API."""
        public_url = self.mock.options.public_url
        if is_loopback(host):
            return True
        return public_url is not None and host == public_url.partition("://")[2].split("/")[0]


def _printable(path: str) -> str:
    return path[:200].encode("unicode_escape").decode()


def _log_access(scope: Scope, answer: Answer, seconds: float) -> None:
    if access_log.isEnabledFor(logging.INFO):
        path = _printable(scope["path"])
        access_log.info(
            "%s %s %s %s %s %.1f ms", answer.world, answer.status, scope["method"], path, answer.problem, seconds * 1000
        )


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message: Message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
