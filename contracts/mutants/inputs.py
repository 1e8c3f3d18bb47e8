"""Requests that are taken although they are not valid, refused although they are, or too much for the server."""

from __future__ import annotations

from typing import Any

from mock_server.http import bodies, stages
from mock_server.http.contract import Operation
from mock_server.http.exchange import JSON, Call

from .around import Exchange, instead, on_answer
from .leniency import API, forgiving, ignoring_bad_queries, passing_over, refusing, taking
from .mutant import Install, family, patched, replacing

mutant = family("input")
INT64 = 2**63


def _drops_unknown(error: Any, value: Any) -> bool:
    """Left in its place it would be read as something it is not: handlers take whole maps apart."""
    if error.kind.name != "additionalProperties":
        return False
    holder = _at(value, error.instance_path)
    for name in error.kind.unexpected:
        holder.pop(name, None)
    return True


def _coerces(error: Any, value: Any) -> bool:
    if error.kind.name != "type" or not isinstance(error.instance, str) or not error.instance.isdigit():
        return False
    _at(value, error.instance_path[:-1])[error.instance_path[-1]] = int(error.instance)
    return True


def _defaults(error: Any, value: Any) -> bool:
    if error.kind.name != "required" or error.kind.property != "provider_type":
        return False
    value["provider_type"] = "mqtt"
    return True


def _forgives_all(error: Any, value: Any) -> bool:
    """What the handler would fail on is made up, as languages without types do it."""
    if not isinstance(value, dict):
        return False
    if error.kind.name == "required":
        value[error.kind.property] = [] if error.kind.property == "target_locales" else ""
    elif error.instance_path == ["target_locales"] and not isinstance(error.instance, list):
        value["target_locales"] = []
    return True


def _at(value: Any, path: Any) -> Any:
    for step in path:
        value = value[step]
    return value


def _too_long(body: Any) -> str | None:
    name = body.get("name")
    return "name: too long" if isinstance(name, str) and len(name) > 100 else None


def _null(body: Any) -> str | None:
    return next((f"{name}: null is not allowed" for name, value in body.items() if value is None), None)


def _any_media_type(real: Any) -> Any:
    def faulty(call: Call, operation: Operation) -> str | None:
        if operation.api != API or "*/*" in operation.body_media_types:
            return real(call, operation)  # type: ignore[no-any-return]
        return JSON if call.raw else None

    return faulty


def _larger_by(more: int, operation_id: str | None = None) -> Install:
    """Bodies (of one operation) may be larger by so much."""

    def make(_: Any) -> Any:
        async def faulty(call: Call, receive: Any) -> None:
            operation = call.operation
            is_concerned = operation.api == API and operation_id in (None, operation.id)
            limit = operation.largest_body + (more if is_concerned else 0)
            call.raw = await bodies.read_body(receive, call.headers, limit)

        return faulty

    return replacing(stages.read_request_body, make)


def _is_no_json(it: Exchange) -> None:
    details = _details(it)
    if details.get("place") == "body" and "pointer" not in details and it.sent_json is None and it.sent:
        it.crash()


def _details(it: Exchange) -> Any:
    return (it.json or {}).get("details", {})


def _crashing(it: Exchange, is_too_much: bool) -> bool:
    if is_too_much:
        it.crash()
    return is_too_much


def _beyond_latin(it: Exchange) -> bool:
    return _crashing(it, any(ord(letter) > 255 for text in _texts(it.sent_json) for letter in text))


def _with_nul(it: Exchange) -> bool:
    return _crashing(it, any("\0" in text for text in _texts(it.sent_json)))


def _beyond_int64(it: Exchange) -> bool:
    return _crashing(it, any(isinstance(each, int) and abs(each) >= INT64 for each in _leaves(it.sent_json)))


def _texts(value: Any) -> list[str]:
    return [each for each in _leaves(value) if isinstance(each, str)]


def _leaves(value: Any) -> list[Any]:
    """Keys included. However deep it is."""
    leaves: list[Any] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            leaves += each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        else:
            leaves.append(each)
    return leaves


def _unknown(it: Exchange) -> None:
    it.refuse(404, "route_not_found", "There is no such path.")


def _bad_id(it: Exchange) -> None:
    if _details(it).get("place") == "path":
        it.crash()


WITH_BODY = "POST *, PUT *"
POLICY = "put_org_billing_degradation_policy"

MUTANTS = (
    mutant("unknown-member", "members that no body has are taken", forgiving(_drops_unknown), 21),
    mutant(
        "limit-below-minimum",
        "a list of 0 executions can be asked for",
        taking(lambda n, t: (n, t) == ("limit", "0")),
        22,
    ),
    mutant("limit-above-maximum", "a page may hold 201", taking(lambda n, t: (n, t) == ("limit", "201")), 23),
    mutant("number-in-text", "a number may be sent as text", forgiving(_coerces), 24),
    mutant("required-defaulted", "`provider_type` can be left out", forgiving(_defaults, "create_integration"), 25),
    mutant(
        "body-unchecked",
        "what is to be translated is not validated",
        forgiving(_forgives_all, "translate_locale_content"),
        26,
    ),
    mutant("bad-query-ignored", "query parameters that are not valid are passed over", ignoring_bad_queries(), 27),
    mutant("long-name-refused", "names over 100 letters are refused", refusing(_too_long), 28),
    mutant("null-refused", "an override without an end is refused", refusing(_null, "post_admin_quota_override"), 29),
    mutant("any-media-type", "bodies of any media type are read", patched(stages, "_media_type", _any_media_type), 30),
    mutant("no-json-is-500", "a body that is no JSON is answered 500", on_answer(WITH_BODY, _is_no_json, 400), 32),
    mutant("unicode-is-500", "letters beyond Latin-1 are answered 500", instead(WITH_BODY, _beyond_latin), 33),
    mutant("big-number-is-500", "numbers beyond 64 bits are answered 500", instead(WITH_BODY, _beyond_int64), 34),
    mutant("nul-is-500", "NUL in a text is answered 500", instead(WITH_BODY, _with_nul), 35),
    mutant("head-is-404", "HEAD is answered 404", on_answer("HEAD *", _unknown)),
    mutant("body-a-byte-larger", "a body may be a byte too large", _larger_by(1)),
    mutant("large-policy-read", "of one operation large bodies are read", _larger_by(2**24, POLICY)),
    mutant("bad-id-unheeded", "a request id that cannot be echoed is passed over", passing_over("X-Correlation-Id")),
    mutant("bad-id-is-500", "a malformed id in the path is answered 500", on_answer("* *", _bad_id, 400), 36),
)
