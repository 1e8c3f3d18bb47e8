"""Requests that may be accepted or refused, but must not make the application fail or hang."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from mock_server.webhooks.drafts import Request
from mock_server.webhooks.misbehaviour import other_secret

from .forging import respelled
from .variant import Inapplicable, Shot, Situation, Variant

Built = tuple[Shot, ...] | Inapplicable
HUGE = 1024 * 1024
DEPTH = 5_000


def _survived(request: Request) -> Built:
    return (Shot(request, "survived"),)


def _body(name: str, make: Callable[[bytes], bytes]) -> Callable[[Situation], Built]:
    """Another body, correctly signed."""

    def build(here: Situation) -> Built:
        payload = here.payload(name)
        return _survived(here.signed(msgspec.structs.replace(payload, body=make(payload.body))))

    return build


def _padded(body: bytes) -> bytes:
    start = body.lstrip()
    padding = b"x" * (HUGE - len(body))
    return b'{"mockbill_padding":"' + padding + b'",' + start[1:] if start[:1] == b"{" else body + padding


def _upper_case(here: Situation) -> Built:
    request = respelled(here, here.payload("upper-case-signature"), str.upper)
    lower = here.signed(here.payload("upper-case-signature"))
    if getattr(here.scheme, "encoding", "base64") != "hex" or request == lower:
        return Inapplicable("the scheme's signatures are not hexadecimal")
    return _survived(request)


def _content_type(here: Situation) -> Built:
    request = here.signed(here.payload("wrong-content-type"))
    rest = tuple(each for each in request.headers if each[0].lower() != "content-type")
    return _survived(msgspec.structs.replace(request, headers=(("Content-Type", "text/plain"), *rest)))


def _two_headers(here: Situation) -> Built:
    payload = here.payload("two-headers")
    wrong = here.signed(payload, secret=other_secret(here.scheme, here.secret)).headers
    first = tuple(each for each in wrong if each[0].lower() == here.scheme.header.lower())
    request = here.signed(payload)
    return _survived(msgspec.structs.replace(request, headers=(*first, *request.headers)))


def _cut_off(here: Situation) -> Built:
    request = here.signed(here.payload("cut-off"))
    after = here.signed(here.payload("after-cut-off"))
    return (Shot(request, "anything", cut=len(request.body) // 2), Shot(after, "accepted"))


def _chunked(here: Situation) -> Built:
    request = here.signed(here.payload("chunked"))
    headers = (*request.headers, ("Transfer-Encoding", "chunked"))
    return _survived(msgspec.structs.replace(request, headers=headers))


CATCH = "Whoever sends it can raise your alarms, and the provider retries what fails with 5xx: "

VARIANTS = (
    Variant(
        "empty-body",
        "no body, correctly signed",
        "survived",
        "refuse or ignore it, but do not fail",
        f"{CATCH}check that there is a body before you parse it.",
        _body("empty-body", lambda _: b""),
    ),
    Variant(
        "not-json",
        "a body that is no JSON, correctly signed",
        "survived",
        "refuse or ignore it, but do not fail",
        f"{CATCH}catch what your JSON parser raises, and answer 400.",
        _body("not-json", lambda _: b"payload=<not json>&x=%7B"),
    ),
    Variant(
        "json-no-object",
        "a body that is JSON but no object, correctly signed",
        "survived",
        "refuse or ignore it, but do not fail",
        f"{CATCH}check that the event is an object before you look into it.",
        _body("json-no-object", lambda _: b"[null]"),
    ),
    Variant(
        "not-utf-8",
        "a body that is no UTF-8, correctly signed",
        "survived",
        "refuse or ignore it, but do not fail",
        f"{CATCH}verify bytes, and catch what decoding them raises.",
        _body("not-utf-8", lambda _: b'{"id": "evt_\xff\xfe", "type": "\xc3("}'),
    ),
    Variant(
        "deeply-nested",
        f"JSON {DEPTH} levels deep, correctly signed",
        "survived",
        "parsers give up at some depth, each in its own way",
        f"{CATCH}catch what your parser raises for depth (in Python RecursionError), and answer 400.",
        _body("deeply-nested", lambda _: b'{"data":' * DEPTH + json.dumps(None).encode() + b"}" * DEPTH),
    ),
    Variant(
        "huge-body",
        f"{HUGE // 1024} KiB, correctly signed",
        "survived",
        "accept it or answer 413, but neither fail nor hang",
        f"{CATCH}bound the size of a body, and answer 413 to what is larger.",
        _body("huge-body", _padded),
    ),
    Variant(
        "upper-case-signature",
        "the signature in upper-case hexadecimal",
        "survived",
        "it says the same number; libraries differ in what they make of it",
        f"{CATCH}compare signatures as texts or as bytes, and refuse what cannot be decoded.",
        _upper_case,
    ),
    Variant(
        "wrong-content-type",
        "a valid webhook that says it is text/plain",
        "survived",
        "accept or refuse it, but do not fail",
        f"{CATCH}read the raw body whatever its Content-Type says.",
        _content_type,
    ),
    Variant(
        "two-headers",
        "two signature headers, of which the second is valid",
        "survived",
        "frameworks take the first, the last, or both joined",
        f"{CATCH}refuse a header that stands there twice.",
        _two_headers,
    ),
    Variant(
        "chunked",
        "a valid webhook in chunks, without Content-Length",
        "survived",
        "proxies forward bodies that way",
        f"{CATCH}read the body to its end, whether or not its length is announced.",
        _chunked,
    ),
    Variant(
        "cut-off",
        "half a body, then the connection closes; then a valid webhook",
        "accepted",
        "connections break; the next webhook has to be accepted all the same",
        "A broken connection takes your endpoint down: put a limit on how long a body may take, and free the worker.",
        _cut_off,
    ),
)
