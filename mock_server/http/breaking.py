"""Answers that are broken on purpose: instead of the API's own, or made of it."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec

from mock_server.api import Api
from mock_server.engine.problems import ProblemType
from mock_server.store.faults import How, Rule

from .answers import Answer, answer_to
from .contract import ResponseRule
from .schemas import first_error

_MOST_TRIED = 500
_USUAL_CODES = {
    400: "invalid_request",
    401: "unauthenticated",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "rate_limited",
    500: "internal_error",
    501: "not_implemented",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}
_PROXY_PAGE = b"<html>\r\n<head><title>%s</title></head>\r\n<body><h1>%s</h1></body>\r\n</html>\r\n"
UNKNOWN_MEMBER = "x_mockbill_unknown"
WITHOUT_BODY = (204, 304)
"""Statuses after which a client expects no body: it would take one for the beginning of the next answer."""


def instead(rule: Rule, api: Api, request_id: str) -> Answer:
    """What a fault answers in place of the API."""
    if rule.do == "malform":
        return _unreadable(rule)
    status = rule.status or 500
    if status in WITHOUT_BODY:
        return Answer(status)
    code = rule.code or _USUAL_CODES.get(status, f"status_{status}")
    text = rule.message or f"The fault {rule.id!r} of this world answers so."
    kind = ProblemType(code, status, "{_text}", "fault")
    problem = kind(fault=rule.id, _text=text)
    if rule.retry_after is not None:
        problem = problem.with_headers(("Retry-After", str(rule.retry_after)))
    if status == 401:
        problem = problem.with_headers(("WWW-Authenticate", api.challenge))
    return answer_to(api, problem, request_id)


def _unreadable(rule: Rule) -> Answer:
    """Not the API's answer at all: what stands between it and the client speaks."""
    json = [(b"content-type", b"application/json")]
    if rule.how == "html":
        status = rule.status or 502
        phrase = f"{status} {_phrase(status)}".encode()
        return Answer(status, [(b"content-type", b"text/html")], _PROXY_PAGE % (phrase, phrase))
    return Answer(rule.status or 200, json, b"" if rule.how == "empty" else b'{"unfinished": ')


def malformed(rule: Rule, declared: ResponseRule | None, answer: Answer) -> Answer:
    """The API's answer, damaged so that it is not what the bundle declares."""
    how = rule.how or "not_json"
    if how == "html" or not answer.body:
        return _unreadable(rule)
    if how == "empty":
        body = b""
    elif how == "not_json":
        body = answer.body[:-1] + b"\x00"
    else:
        body = broken_json(answer.body, declared, how)
    return Answer(rule.status or answer.status, list(answer.headers), body)


def broken_json(body: bytes, declared: ResponseRule | None, how: How) -> bytes:
    """The JSON with one member changed so that it breaks its schema; no JSON any more if no such change does."""
    validator = declared.body_validator("application/json") if declared and declared.media_types else None
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return b'{"unfinished": '
    if validator is not None:
        for candidate in islice(_candidates(value, how), _MOST_TRIED):
            if first_error(validator, candidate) is not None:
                return msgspec.json.encode(candidate)
    return body[:-1] + b"\x00"


def _candidates(value: Any, how: How) -> Iterator[Any]:
    """Copies of `value`, each with one place changed; the outermost places first."""
    for path in _paths(value, only_members=how in ("missing_member", "unknown_member")):
        changed = holder = copy.copy(value)
        for step in path[:-1]:
            # Only what lies on the way to the place: an answer may hold thousands of things.
            holder[step] = copy.copy(holder[step])
            holder = holder[step]
        if how == "missing_member":
            del holder[path[-1]]
        elif how == "unknown_member":
            holder[UNKNOWN_MEMBER] = True
        else:
            holder[path[-1]] = None if how == "null_member" else _of_another_type(holder[path[-1]])
        yield changed


def _paths(value: Any, *, only_members: bool) -> Iterator[tuple[Any, ...]]:
    waiting: deque[tuple[tuple[Any, ...], Any]] = deque([((), value)])
    while waiting:
        path, node = waiting.popleft()
        steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, inner in steps:
            if isinstance(node, dict) or not only_members:
                yield (*path, step)
            waiting.append(((*path, step), inner))


def _of_another_type(value: Any) -> Any:
    changes: dict[type, Callable[[Any], Any]] = {
        str: lambda _: 12345,
        bool: lambda it: "yes" if it else "no",
        int: str,
        float: str,
        list: lambda _: {"items": "no list"},
        dict: lambda _: ["no object"],
    }
    return changes[type(value)](value) if type(value) in changes else 12345


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
