"""Webhooks that a provider may well send, and that have to be accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.webhooks.drafts import Request
from mock_server.webhooks.headers import Headers
from mock_server.webhooks.json_tokens import parsed
from mock_server.webhooks.misbehaviour import other_secret

from .forging import beside, with_unknown_version
from .variant import Inapplicable, Shot, Situation, Variant

NO_OBJECT = Inapplicable("the event that was given is no JSON object")
OUR_EVENTS_ONLY = Inapplicable("only the event that was given is sent")
NO_ROTATION = Inapplicable("no new secret was given (--new-secret)")
TEXT = "Ünïcödé: ß, 日本語, 🧾, \u2028, <b>&amp;"
TYPE_MEMBERS = ("type", "event_type", "event_name")


def _valid(here: Situation) -> tuple[Shot, ...]:
    return _accepted(here.signed(here.payload("valid")))


def _older(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    if not here.scheme.tolerance:
        return Inapplicable("the scheme holds a signature to no time")
    return _accepted(here.signed(here.payload("slightly-old"), at=here.now - here.scheme.tolerance // 2))


def _with_headers(name: str, change: Callable[[Headers], Headers]) -> Callable[[Situation], tuple[Shot, ...]]:
    def build(here: Situation) -> tuple[Shot, ...]:
        request = here.signed(here.payload(name))
        return _accepted(msgspec.structs.replace(request, headers=change(request.headers)))

    return build


def _with_change(name: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Situation], Any]:
    def build(here: Situation) -> tuple[Shot, ...] | Inapplicable:
        payload = here.changed(name, change)
        return NO_OBJECT if payload is None else _accepted(here.signed(payload))

    return build


def _of_another_type(thing: dict[str, Any]) -> None:
    for holder in (thing, thing.get("meta")):
        if isinstance(holder, dict):
            holder.update({each: "mockbill.gauntlet" for each in TYPE_MEMBERS if each in holder})


def _restyled(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    payload = here.payload("restyled")
    thing = parsed(payload.body)
    if thing is None:
        return NO_OBJECT
    body = json.dumps(thing, indent=3, separators=(" ,", " : ")).encode() + b"\r\n"
    return _accepted(here.signed(msgspec.structs.replace(payload, body=body)))


def _two_signatures(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    payload = here.payload("two-signatures")
    other = here.scheme.seal(here.scheme.keys(other_secret(here.scheme, here.secret))[0], payload.body)
    return _maybe(beside(here, here.signed(payload), other))


def _unknown_version(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    return _maybe(with_unknown_version(here, here.payload("unknown-version-beside")))


def _rotated(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    if len(here.secrets) < 2:
        return NO_ROTATION
    return _accepted(
        here.signed(here.payload("rotated"), secret=here.secrets[1]), here.signed(here.payload("rotating"))
    )


def _duplicate(here: Situation) -> tuple[Shot, ...]:
    request = here.signed(here.payload("duplicate"))
    return _accepted(request, request)


def _resigned(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    if "time" not in here.scheme.uses:
        return Inapplicable("the scheme signs no time: a retry is the same request")
    payload = here.payload("retried")
    return _accepted(here.signed(payload, at=here.now - 1), here.signed(payload))


def _out_of_order(here: Situation) -> tuple[Shot, ...] | Inapplicable:
    if here.body is not None:
        return OUR_EVENTS_ONLY
    later = here.payload("order-later", "subscription.canceled")
    earlier = here.payload("order-earlier", "subscription.created", late=60)
    return _accepted(here.signed(later), here.signed(earlier))


def _at_once(here: Situation) -> tuple[Shot, ...]:
    return _accepted(*[here.signed(here.payload("side-by-side"))] * 5)


def _accepted(*requests: Request) -> tuple[Shot, ...]:
    return tuple(Shot(each, "accepted") for each in requests)


def _maybe(request: Request | Inapplicable) -> tuple[Shot, ...] | Inapplicable:
    return request if isinstance(request, Inapplicable) else _accepted(request)


RAW = "Verify the raw bytes of the body, before any framework has parsed or changed them."

VARIANTS = (
    Variant(
        "valid",
        "an event, signed as the provider signs",
        "accepted",
        "this is what every webhook looks like",
        "No webhook gets through: compare the secret, the path and the signing scheme; `mockbill webhook verify` says why.",
        _valid,
    ),
    Variant(
        "headers-reordered",
        "the same with its headers in the opposite order",
        "accepted",
        "the order of headers means nothing in HTTP",
        "A proxy that sorts headers would stop all webhooks: look headers up by name.",
        _with_headers("headers-reordered", lambda headers: headers[::-1]),
    ),
    Variant(
        "headers-lower-case",
        "header names in lower case, as HTTP/2 has them",
        "accepted",
        "names of headers have no case",
        "A proxy that speaks HTTP/2 would stop all webhooks: look headers up without regard to case.",
        _with_headers("headers-lower-case", lambda headers: tuple((name.lower(), value) for name, value in headers)),
    ),
    Variant(
        "headers-upper-case",
        "header names in upper case",
        "accepted",
        "names of headers have no case",
        "A proxy that respells names would stop all webhooks: look headers up without regard to case.",
        _with_headers("headers-upper-case", lambda headers: tuple((name.upper(), value) for name, value in headers)),
    ),
    Variant(
        "unknown-member",
        "an event with a member that nobody knows",
        "accepted",
        "providers add members at any time without a new version",
        "The next addition of the provider breaks you: let your parser ignore what it does not know.",
        _with_change("unknown-member", lambda thing: thing.update({"mockbill_gauntlet": {"new": [1, None]}})),
    ),
    Variant(
        "unknown-type",
        "an event of a type that nobody knows",
        "accepted",
        "providers add types, and a refusal is sent again for days until the endpoint is disabled",
        "Events that you do not use get your endpoint disabled: answer 2xx to types that you ignore.",
        _with_change("unknown-type", _of_another_type),
    ),
    Variant(
        "non-ascii",
        "an event with letters from everywhere, in UTF-8",
        "accepted",
        "customers have such names",
        f"Customers with such names get no service. {RAW}",
        _with_change("non-ascii", lambda thing: thing.update({"mockbill_gauntlet": TEXT})),
    ),
    Variant(
        "restyled",
        "an event with other spaces and line breaks, signed as it is",
        "accepted",
        "the provider decides how its JSON is laid out, and signs the bytes",
        f"You sign a body that you have written again, not the one that came: it breaks with the layout. {RAW}",
        _restyled,
    ),
    Variant(
        "slightly-old",
        "signed half the tolerated time ago",
        "accepted",
        "a queue or a slow network may hold a request that long",
        "Late webhooks are lost: tolerate as much as the provider's own library does.",
        _older,
    ),
    Variant(
        "two-signatures",
        "two signatures, the one by another secret first",
        "accepted",
        "while a secret is rolled, providers sign with both",
        "Rolling the secret stops all webhooks: try every signature in the header, not only the first.",
        _two_signatures,
    ),
    Variant(
        "unknown-version-beside",
        "a signature of an unknown version after the valid one",
        "accepted",
        "providers add versions beside the one that counts",
        "The provider's next version breaks you: pass over versions that you do not know.",
        _unknown_version,
    ),
    Variant(
        "rotated-secret",
        "signed by the new secret, then by the old one",
        "accepted",
        "during a rotation both hold",
        "Webhooks are lost while the secret is rolled: keep a list of secrets, and try each.",
        _rotated,
    ),
    Variant(
        "duplicate",
        "the same request twice",
        "accepted",
        "providers deliver at least once, and an error makes them deliver again",
        "The second delivery fails and is sent again and again: remember event ids, and answer 2xx to those you know.",
        _duplicate,
    ),
    Variant(
        "retried",
        "the same event twice, signed anew the second time",
        "accepted",
        "that is how a retry looks: same id, new time and signature",
        "Retries fail: tell repetitions by the event's id, not by the signature, and answer 2xx.",
        _resigned,
    ),
    Variant(
        "out-of-order",
        "a cancellation, then the creation that came before it",
        "accepted",
        "no provider promises an order",
        "An event that comes late is retried for days: accept it, and let the newer state win.",
        _out_of_order,
    ),
    Variant(
        "side-by-side",
        "the same event five times at once",
        "accepted",
        "a retry may overlap the first attempt; one has to be accepted, none may fail with 5xx",
        "Two workers race for one event: make the event's id unique in the database, and take the conflict for a repetition.",
        _at_once,
        at_once=True,
    ),
)
