"""Whose webhook a request is, what it is about, and what its file is called. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from mock_server.engine.instants import Instant, to_datetime
from mock_server.webhooks.captures import LONGEST_TITLE, UNKNOWN
from mock_server.webhooks.schemes import schemes

# Of those that share a header the first is meant: nothing in a request tells it from the others.
_SHARED = ("standard-webhooks", "github")
# Too common to mean the scheme that is configured by hand; LemonSqueezy's has a second header beside it.
_NEEDS = {"lemonsqueezy": "x-event-name"}
_NEVER = frozenset(("generic",))
_EVENT_HEADERS = ("x-event-name", "x-github-event", "commerce-event-type", "x-shopify-topic", "webhook-event")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")
_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_SLUG = 60

Headers = Iterable[tuple[str, str]]


class _Body(msgspec.Struct):
    """Where providers say what an event is."""

    type: Any = None
    event_type: Any = None
    event: Any = None
    event_name: Any = None
    meta: Any = None


def provider_of(headers: Headers) -> str:
    """The name of the scheme whose signature header is there, else "unknown"."""
    names = {name.lower() for name, _ in headers}
    found = [
        name
        for name, scheme in schemes().items()
        if name not in _NEVER and scheme.header.lower() in names and _NEEDS.get(name, scheme.header).lower() in names
    ]
    return next((name for name in _SHARED if name in found), found[0] if found else UNKNOWN)


def event_type(headers: Headers, body: bytes) -> str:
    """What the provider calls the event, "" if it does not say."""
    given = {name.lower(): value for name, value in headers}
    said: list[Any] = [given.get(name) for name in _EVENT_HEADERS]
    try:
        whole = msgspec.json.decode(body, type=_Body)
        meta = whole.meta if isinstance(whole.meta, dict) else {}
        inner = whole.event.get("type") if isinstance(whole.event, dict) else whole.event
        said += [whole.type, whole.event_type, inner, whole.event_name, meta.get("event_name")]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return next((each for each in said if isinstance(each, str) and _TYPE.fullmatch(each)), "")


def title_of(headers: Headers, body: bytes, method: str, path: str) -> str:
    """The event's type; without one, what was asked."""
    text = event_type(tuple(headers), body) or f"{method} {path.partition('?')[0]}"
    return text.encode("latin-1", "replace").decode("latin-1")[:LONGEST_TITLE]


def file_name(received_at: Instant, number: int, provider: str, title: str) -> str:
    """Files sort by their names as the requests came: 20261121T183150.123456Z-0001-stripe-invoice.paid.json"""
    moment = to_datetime(received_at).strftime("%Y%m%dT%H%M%S.%fZ")
    slug = _IN_NAME.sub("-", title)[:LONGEST_SLUG].strip("-.")
    return "-".join(part for part in (moment, f"{number:04}", provider, slug) if part) + ".json"
