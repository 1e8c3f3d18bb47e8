"""Stripe's event JSON, as `stripe events retrieve` and `stripe events list` print it, made into webhooks. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.instants import SECOND, Instant, InvalidTime, checked
from mock_server.webhooks.captures import LARGEST_BODY, Capture, CaptureError, written
from mock_server.webhooks.json_tokens import NoJson, check, laid_out
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message

from .sources import MOST_CAPTURES, POST, Imported, ImportProblem, Sent, capture_of

PROVIDER = "stripe"
HEADERS = (
    ("Cache-Control", "no-cache"),
    ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
    ("Accept", "*/*; q=0.5, application/xml"),
    ("Content-Type", "application/json; charset=utf-8"),
)


class _Event(msgspec.Struct):
    object: str
    id: str
    type: str
    created: Any = None


class _List(msgspec.Struct):
    object: str
    data: list[msgspec.Raw]
    has_more: bool = False


def read_stripe_events(raw: bytes, now: Instant, secret: str | None, provider: str | None = None) -> Imported:
    """In the order in which they were created; signed as of then where there is a secret. `now` stands in for the times
    that an event does not say. Raises ImportProblem, and of the schemes UnknownScheme, InvalidMessage and InvalidSecret.
    """
    events, notes = _events(raw.removeprefix(b"\xef\xbb\xbf"))
    # A list has the newest first; within a second its order is all that is known.
    captures = [_capture(event, now, secret, provider or PROVIDER) for event in reversed(events)]
    captures.sort(key=lambda each: each.received_at)
    if secret is None:
        notes.append("not signed: an event as the API gives it has no signature (--secret makes one)")
    return Imported(tuple(captures), tuple(notes))


def _events(raw: bytes) -> tuple[list[bytes], list[str]]:
    try:
        check(raw)
        try:
            found = msgspec.json.decode(raw, type=_List)
        except msgspec.ValidationError:
            return [raw], []
    except NoJson as error:
        raise ImportProblem(f"it is not JSON: {str(error)[:200]}") from None
    if found.object != "list":
        return [raw], []
    if not found.data:
        raise ImportProblem("the list has no events")
    if len(found.data) > MOST_CAPTURES:
        raise ImportProblem(f"the list has more than {MOST_CAPTURES} events")
    notes = ["the list says that there are more events than are in it (has_more)"] if found.has_more else []
    return [bytes(each) for each in found.data], notes


def _capture(raw: bytes, now: Instant, secret: str | None, provider: str) -> Capture:
    try:
        event = msgspec.json.decode(raw, type=_Event)
    except msgspec.ValidationError as error:
        raise ImportProblem(f"it is no Stripe event: {str(error)[:200]}") from None
    if event.object not in ("event", "v2.core.event"):
        raise ImportProblem(f"it is no Stripe event: its object is {event.object[:60]!r}")
    body = laid_out(raw.decode()).encode()
    if len(body) > LARGEST_BODY:
        raise ImportProblem(f"an event is larger than {LARGEST_BODY} bytes")
    created = _created(event.created, now)
    headers: tuple[tuple[str, str], ...] = HEADERS
    if secret is not None:
        scheme = scheme_named(provider)
        headers += scheme.sign(Message(body, "", event.id), secret, created // SECOND).headers
    capture = capture_of(Sent(POST, "", headers, body, created), provider)
    try:
        written(capture)
    except CaptureError as error:
        raise ImportProblem(str(error)) from None
    return capture


def _created(value: Any, now: Instant) -> Instant:
    try:
        return checked(value * SECOND) if isinstance(value, int) and not isinstance(value, bool) else now
    except InvalidTime:
        return now
