"""The stages that a request passes inside Connexion: credential, permission, validation, handler.

Each is a Connexion middleware with one object per operation, so whatever is constant about an operation is worked
out once. The last one calls the handler: Connexion's own decorators would rebuild its signature for every request.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, cast
from urllib.parse import parse_qsl

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from connexion.security import AbstractSecurityHandler
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.api import Handler
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.problems import Problem

from .bodies import InvalidJson, parse_json, read_body
from .contract import Operation, Parameter
from .exchange import JSON, Call, Refusal
from .problems import FORBIDDEN, INVALID_REQUEST, UNAUTHENTICATED, UNSUPPORTED_MEDIA_TYPE
from .schemas import first_error

CALL = "mockbill.call"
"""Where the ASGI scope carries the Call."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})", re.ASCII)
_MEDIA_TYPE = re.compile(r"\s*([^\s;/]+/[^\s;]+)\s*(?:;(.*))?", re.DOTALL)
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


class Stage(ABC):
    """What one stage does for one operation."""

    def __init__(self, next_app: ASGIApp, operation: AbstractOperation) -> None:
        self.next_app = next_app
        self.operation = operation

    @abstractmethod
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def middleware(stage: type[Stage]) -> type[RoutedMiddleware]:
    """A Connexion middleware that runs `stage`, one instance for each operation of the bundle."""

    class StageApi(RoutedAPI):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.add_paths()

        def make_operation(self, operation: AbstractOperation) -> Stage:
            return stage(self.next_app, operation)

    class StageMiddleware(RoutedMiddleware):
        api_cls = StageApi

    return StageMiddleware


class Credential(AbstractSecurityHandler):
    """The verdict on the caller, for whichever security scheme Connexion asks: all read the same credential."""

    def get_fn(self, security_scheme: dict[str, Any], required_scopes: list[str]) -> Any:
        def verdict(request: Any) -> dict[str, str]:
            call = cast(Call, request.scope[CALL])
            if not isinstance(call.identity, Caller):
                raise Refusal(unauthenticated(call))
            call.caller = call.identity
            return {"sub": call.caller.name}

        return verdict


def unauthenticated(call: Call) -> Problem:
    reason = call.identity.reason if isinstance(call.identity, Rejected) else "it carries no credential"
    return UNAUTHENTICATED(reason=reason).with_headers(("WWW-Authenticate", call.api.challenge))


class Permission(Stage):
    """403 before anything of the request's content is looked at."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = cast(Call, scope[CALL])
        permission = call.operation.permission
        if permission is not None and not call.caller.may(permission):
            raise Refusal(FORBIDDEN(permission=permission, granted=sorted(call.caller.permissions)))
        await self.next_app(scope, receive, send)


class Validation(Stage):
    """415 and 400: media type, parameters, body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = cast(Call, scope[CALL])
        operation = call.operation
        media_type = _media_type(call, operation) if operation.takes_body else None
        _read_parameters(call, operation, scope)
        if operation.takes_body and operation.body_validator is not None:
            _read_json(call, operation, media_type)
        await self.next_app(scope, receive, send)


class HandlerCall(Stage):
    """Calls the function that Connexion's resolver found for the operationId, and sends what it replies."""

    def __init__(self, next_app: ASGIApp, operation: AbstractOperation) -> None:
        super().__init__(next_app, operation)
        self.function = cast(Handler, operation.function)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = await self.function(scope[CALL])
        body = reply.encoded()
        headers = [(b"content-type", reply.media_type.encode())] if body else []
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


STAGES = [middleware(stage) for stage in (Permission, Validation, HandlerCall)]


async def read_request_body(call: Call, receive: Receive) -> None:
    """413 comes before the credential is judged, so the body is read first."""
    call.raw = await read_body(receive, call.headers, call.operation.largest_body)


def _media_type(call: Call, operation: Operation) -> str | None:
    """The body's media type in lower case, None where a body may be left out and was. Raises Refusal (415)."""
    if not call.raw and not operation.body_required:
        return None
    if "*/*" in operation.body_media_types:
        return None
    for coding in call.headers.getlist("content-encoding"):
        if coding.lower() != "identity":
            raise Refusal(UNSUPPORTED_MEDIA_TYPE(reason=f"Content-Encoding {coding[:60]!r} is not supported"))
    expected = ", ".join(operation.body_media_types)
    declared = call.headers.getlist("content-type")
    if not declared:
        if not call.raw:
            return None  # a missing body is the clearer complaint, and validation makes it
        raise Refusal(UNSUPPORTED_MEDIA_TYPE(reason=f"it has no Content-Type; send {expected}"))
    match = _MEDIA_TYPE.fullmatch(declared[0]) if len(declared) == 1 else None
    media_type = match[1].lower() if match else ""
    if media_type not in operation.body_media_types:
        raise Refusal(UNSUPPORTED_MEDIA_TYPE(reason=f"its Content-Type is {declared[0][:100]!r}; send {expected}"))
    for charset in _CHARSET.findall(match[2] or "") if match else ():
        if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise Refusal(UNSUPPORTED_MEDIA_TYPE(reason=f"JSON is read as UTF-8, not as {charset[:40]!r}"))
    return media_type


def _read_parameters(call: Call, operation: Operation, scope: Scope) -> None:
    query = _query(call) if call.query_string else {}
    if call.mock.options.strict and (unknown := query.keys() - operation.query_names):
        name = min(unknown)
        raise invalid("query", name, "unknown query parameter (refused in strict mode)")
    for parameter in operation.parameters:
        if parameter.place == "path":
            call.path[parameter.name] = _checked(parameter, call.path[parameter.name])
        elif parameter.place == "query":
            if (values := query.get(parameter.name)) is None:
                _require(parameter)
            elif len(values) > 1:
                raise invalid("query", parameter.name, "was sent more than once")
            else:
                call.query[parameter.name] = _checked(parameter, values[0])
        elif parameter.place == "header":
            sent = call.headers.getlist(parameter.name)
            if not sent:
                _require(parameter)
            elif len(sent) > 1:
                raise invalid("header", parameter.name, "was sent more than once")
            else:
                _checked(parameter, sent[0])


def _query(call: Call) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            call.query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200
        )
    except ValueError:
        raise Refusal(
            INVALID_REQUEST(reason="the query string is not UTF-8 in ASCII escapes, or has over 200 members")
        ) from None
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query


def _checked(parameter: Parameter, text: str) -> Any:
    value: Any = text
    if parameter.type == "integer" and _INTEGER.fullmatch(text):
        value = int(text)
    elif parameter.type == "boolean" and text in ("true", "false"):
        value = text == "true"
    elif not _is_text(text):
        raise invalid(parameter.place, parameter.name, "is not UTF-8")
    if (error := first_error(parameter.validator, value)) is not None:
        raise invalid(parameter.place, parameter.name, error[1], error[2])
    return value


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require(parameter: Parameter) -> None:
    if parameter.required:
        raise invalid(parameter.place, parameter.name, "is required")


def _read_json(call: Call, operation: Operation, media_type: str | None) -> None:
    if not call.raw:
        if operation.body_required:
            raise Refusal(INVALID_REQUEST(reason="a JSON body is required", place="body"))
        return
    if media_type != JSON or operation.body_validator is None:
        return
    try:
        call.body = parse_json(call.raw, operation.deepest)
    except InvalidJson as error:
        raise Refusal(INVALID_REQUEST(reason=str(error), place="body")) from None
    if (error_at := first_error(operation.body_validator, call.body)) is not None:
        pointer, reason, rule = error_at
        where = f"body {pointer}" if pointer else "body"
        raise Refusal(INVALID_REQUEST(reason=f"{where}: {reason}", place="body", pointer=pointer, _rule=rule))


def invalid(place: str, name: str, reason: str, rule: str = "") -> Refusal:
    """`rule` is a JSON pointer into the parameter's schema."""
    reason = f"{place} parameter {name[:100]!r}: {reason}"
    return Refusal(INVALID_REQUEST(reason=reason, place=place, name=name[:100], _rule=rule))
