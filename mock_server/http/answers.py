"""Answers on their way out: collected from Connexion or made of a problem, checked, then sent in one piece."""

from __future__ import annotations

import logging
import re
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import Message, Send

from mock_server.api import Api
from mock_server.engine.problems import Problem

from .contract import ResponseRule
from .mock import Mock
from .problems import CONTRACT_BREACH

log = logging.getLogger("mockbill")

EXPOSED = b"X-Request-Id, X-Mock-Request, Retry-After, WWW-Authenticate, Allow"
_HEADER_NAMES = re.compile(r"[A-Za-z0-9_-]{1,64}(?:\s*,\s*[A-Za-z0-9_-]{1,64}){0,50}", re.ASCII)


class Answer:
    """Status, headers (lower-case names) and the whole body.

    problem, world    for the log
    refusal           what it refuses with, if it does
    hang_up, keep     a fault closes or resets the connection instead of sending it, perhaps after `keep` bytes
    """

    __slots__ = ("body", "hang_up", "headers", "keep", "problem", "refusal", "status", "world")

    def __init__(self, status: int = 0, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = headers if headers is not None else []
        self.body = body
        self.problem = "-"
        self.world = "-"
        self.refusal: Problem | None = None
        self.hang_up: Literal["close", "reset"] | None = None
        self.keep: int | None = None

    async def receive(self, message: Message) -> None:
        """The `send` that Connexion's app is given."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send, *, is_head: bool = False) -> None:
        headers = self.headers
        if self.body or self.status not in (204, 304):
            # A new list: the journal keeps the one that is there.
            headers = [*headers, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else self.body})

    def add(self, name: str, value: str) -> None:
        self.headers.append((name.encode("latin-1"), value.encode("latin-1")))

    def allow_any_origin(self, request: Headers) -> None:
        if "origin" in request:
            self.headers += [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)]

    def header_map(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}


def answer_to(api: Api, problem: Problem, request_id: str) -> Answer:
    """The problem in the API's own error envelope."""
    body, media_type = api.render(problem, request_id)
    answer = Answer(problem.type.status, [(b"content-type", media_type.encode())], body)
    answer.problem, answer.refusal = problem.type.code, problem
    for name, value in problem.headers:
        answer.add(name.lower(), value)
    return answer


def corrected(mock: Mock, api: Api, what: str, rule: ResponseRule | None, answer: Answer, request_id: str) -> Answer:
    """The answer if it keeps the contract; else a 500 that says how it did not."""
    headers = answer.header_map()
    headers["x-request-id"] = request_id
    reason = mock.check.breach(rule, answer.status, headers, answer.body)
    if reason is None:
        return answer
    breach = f"{what}: {reason}"
    log.error("contract breach: %s", breach)
    mock.breaches.append(breach)
    return answer_to(api, CONTRACT_BREACH(operation=what, reason=reason), request_id)


def preflight(allow: str, request: Headers) -> Answer:
    """OPTIONS: which methods there are, and what a browser wants to know before it sends one."""
    answer = Answer(204, [(b"allow", allow.encode())])
    if "access-control-request-method" in request:
        answer.add("access-control-allow-methods", allow)
        answer.add("access-control-max-age", "600")
        wanted = request.get("access-control-request-headers", "")
        if _HEADER_NAMES.fullmatch(wanted):
            answer.add("access-control-allow-headers", wanted)
    return answer
