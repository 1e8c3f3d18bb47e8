"""The way of a request: what is refused, in which order, before an operation gets to see it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from ulid import ULID

from . import billing, doing, lifecycle, people, resources, webhook  # noqa: F401 (they fill HANDLERS)
from .call import HANDLERS, NOBODY, Call
from .errors import Refusal, invalid, lacks, unauthenticated
from .people import key_caller
from .quotas import PERIODS, consume
from .spec import Operation, Spec
from .state import Caller, World
from .strict import read_json
from .times import read_duration, read_instant, show

BASE = "/api/v1"
LAST_YEAR = 9000
DRAIN = 16 * 1_048_576
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BODY_WRONG = "The request body cannot be read: "


def _decode(text: str) -> str:
    """Raises ValueError (UnicodeDecodeError is one) if the percent-encoding is not right."""
    if "%" not in text:
        return text
    if _BAD_PERCENT.search(text):
        raise ValueError("a percent sign that begins nothing")
    return unquote_to_bytes(text).decode("utf-8")


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


class Api:
    """The ASGI application of everything but the test ports."""

    def __init__(self, world: World, spec: Spec) -> None:
        self.world = world
        self.spec = spec
        missing = set(spec.operation_ids) ^ set(HANDLERS)
        if missing:
            raise RuntimeError(f"operations and handlers differ: {sorted(missing)}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        correlation = request.headers.getlist("x-correlation-id")
        good = len(correlation) == 1 and re.fullmatch(r"[!-~]{1,128}", correlation[0])
        request_id = correlation[0] if good else str(ULID())
        headers: dict[str, str] = {}
        try:
            status, body = await self._answer(request, request_id)
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body(request_id), refusal.headers
        except ClientDisconnect:
            return
        response = Response(None if status == 204 else _json(body), status, headers)
        response.headers["X-Request-Id"] = request_id
        if status != 204:
            response.headers["Content-Type"] = "application/json"
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str) -> tuple[int, Any]:
        operation, path = self._route(request)
        raw = await self._read(request, operation) if operation.reads_body else b""
        caller = NOBODY if operation.anonymous else self._authenticate(request)
        if operation.permission and not caller.may(operation.permission):
            raise lacks(operation.permission, sorted(caller.permissions))
        has_body = self._check_media_type(request, operation, raw)
        call = Call(request_id, caller, raw=raw, headers=dict(request.headers))
        self._params(request, operation, path, call)
        if operation.body is not None:
            call.body = self._body(operation, raw) if has_body or operation.body_required else None
        handler, status = HANDLERS[operation.id]
        result = handler(self.world, call)
        if caller.key:
            caller.key.data["last_used_at"] = show(self.world.now)
            caller.key.used = (self.world.now, self.world.tick())
        return status, result

    def _route(self, request: Request) -> tuple[Operation, dict[str, str]]:
        full = request.scope["raw_path"].split(b"?")[0].decode("latin-1")
        found = None
        if full.startswith(BASE + "/"):
            found = self.spec.match(full[len(BASE) + 1 :].split("/"))
        if found is None:
            details = {"method": request.method, "path": full[:500], "api": "openapp"}
            raise Refusal(404, "not_found", f"{request.method} {full[:500]} is not an operation of openapp.", details)
        item, path = found
        if request.method not in item.operations:
            allow = ", ".join(sorted(item.operations))
            details = {"path": full[:500], "method": request.method, "allow": allow}
            message = f"{full[:500]} does not answer {request.method}, only: {allow}."
            raise Refusal(405, "method_not_allowed", message, details, {"Allow": allow})
        return item.operations[request.method], path

    async def _read(self, request: Request, operation: Operation) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size <= operation.max_body:
                chunks.append(chunk)
            elif size > DRAIN:
                break
        if size > operation.max_body:
            message = f"The request body is larger than {operation.max_body} bytes."
            raise Refusal(413, "too_large", message, {"limit": operation.max_body})
        return b"".join(chunks)

    def _authenticate(self, request: Request) -> Caller:
        keys, bearers = request.headers.getlist("x-api-key"), request.headers.getlist("authorization")
        given = keys or bearers
        if not given:
            raise unauthenticated("it carries no credential")
        if len(given) > 1:
            raise unauthenticated("it carries several credentials at once")
        token = given[0].strip()
        if not keys:
            scheme, _, token = token.partition(" ")
            token = token.strip()
            if scheme.lower() != "bearer":
                raise unauthenticated("its Authorization is not a bearer token")
        secret = token.partition("_openapp_")[2] if "_openapp_" in token else token
        if secret in self.world.revoked:
            raise unauthenticated("its credential has been revoked")
        caller = self.world.credentials.get(secret)
        key = self.world.keys_by_secret.get(secret)
        if key:
            caller = key_caller(self.world, key)
            if caller is None:
                raise unauthenticated("its API key has been revoked or has expired")
        if caller is None:
            raise unauthenticated("its credential is not known")
        return caller

    def _check_media_type(self, request: Request, operation: Operation, raw: bytes) -> bool:
        """Whether there is a JSON body."""
        if operation.body is None:
            return False
        declared = request.headers.get("content-type", "")
        if not raw and (not operation.body_required or not declared):
            return False
        reason = ""
        if declared.partition(";")[0].strip().lower() != "application/json":
            reason = f"its Content-Type is '{declared[:200]}'; send application/json"
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"", "identity"}:
            reason = f"its Content-Encoding is '{coding[:200]}'; send it as it is"
        if reason:
            raise Refusal(415, "unsupported_media_type", _BODY_WRONG + reason + ".", {"reason": reason})
        return True

    def _params(self, request: Request, operation: Operation, path: dict[str, str], call: Call) -> None:
        query: dict[str, list[str]] = {}
        try:
            for pair in request.scope["query_string"].decode("ascii").split("&"):
                name, _, value = pair.replace("+", " ").partition("=")
                query.setdefault(_decode(name), []).append(_decode(value))
        except ValueError:
            raise invalid("the query string is not percent-encoded UTF-8.", place="query") from None
        for param in operation.params:
            if param.place == "path":
                try:
                    given = [_decode(path[param.name])]
                except ValueError:
                    given = [path[param.name]]
            elif param.place == "query":
                given = query.get(param.name, [])
            else:
                given = request.headers.getlist(param.name)
            target = {"path": call.path, "query": call.query, "header": call.header}[param.place]
            if not given:
                if param.default is not None:
                    target[param.name] = param.default
                continue
            try:
                if len(given) > 1:
                    raise ValueError("it is there more than once")
                target[param.name] = param.read(given[0])
            except ValueError as error:
                reason = f"{param.place} parameter '{param.name}': {error}."
                raise invalid(reason, place=param.place, name=param.name) from None

    def _body(self, operation: Operation, raw: bytes) -> Any:
        try:
            body = read_json(raw)
        except ValueError as error:
            raise invalid(f"the body is not JSON: {error}.", place="body") from None
        for error in operation.body.iter_errors(body):
            pointer = "".join(f"/{part}" for part in error.instance_path)
            raise invalid(f"body: {error.message[:1000]}.", place="body", pointer=pointer)
        return body


def make_app(world: World, spec: Spec) -> Starlette:
    async def clock(request: Request) -> Response:
        if request.method == "POST":
            try:
                wanted = read_json(await request.body())
                to = read_instant(wanted["set"]) if "set" in wanted else world.now + read_duration(wanted["advance"])
                if to < world.now:
                    raise ValueError("the clock does not go back")
                if to.year > LAST_YEAR:
                    raise ValueError("the clock does not go that far")
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                return Response(_json({"message": f"{error!r}"}), 400, media_type="application/json")
            lifecycle.move_clock(world, to)
        return Response(_json({"now": show(world.now)}), media_type="application/json")

    async def usage(request: Request) -> Response:
        request_id = str(ULID())
        try:
            wanted = read_json(await request.body())
            org, key, amount = world.orgs.get(wanted["org"]), wanted["key"], wanted.get("amount", 1)
            if org is None or "lifetime" in PERIODS.get(key, ("lifetime",)) or type(amount) is not int or amount < 0:
                raise ValueError("no such organization or metered quota, or no such amount")
            consume(world, org, [key], amount, wanted.get("session"))
        except Refusal as refusal:
            headers = {**refusal.headers, "X-Request-Id": request_id}
            return Response(_json(refusal.body(request_id)), refusal.status, headers, "application/json")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Response(_json({"message": f"{error!r}"}), 400, media_type="application/json")
        return Response(_json({"org": org.id, "key": key, "amount": amount}), media_type="application/json")

    app = Starlette(
        routes=[
            Route("/test/clock", clock, methods=["GET", "POST"]),
            Route("/test/usage", usage, methods=["POST"]),
        ]
    )
    app.router.redirect_slashes = False
    app.router.default = Api(world, spec)  # a route with a pattern would not match a path with a line break
    return app
