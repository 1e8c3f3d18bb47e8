"""Whose webhook a request is, what it is about, and what its file is called. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import structs

from mock_server.engine.instants import Instant, to_datetime
from mock_server.webhooks.captures import LONGEST_TITLE, UNKNOWN
from mock_server.webhooks.schemes import schemes

# Of those that share a header the first is meant: nothing in a request tells it from the others.
_SHARED = ("standard-webhooks", "github")
# Too common to mean the scheme that is configured by hand; LemonSqueezy's has a second header beside it.
_NEEDS = {"lemonsqueezy": "x-event-name"}
_NEVER = frozenset(("generic",))
TYPE_HEADERS = (
    "x-event-name",
    "x-github-event",
    "x-webhook-event",
    "x-event-type",
    "commerce-event-type",
    "x-shopify-topic",
    "webhook-event",
)
"""Where providers name the event that do not name it in the body."""
TYPE_MEMBERS = (
    ("type",),
    ("event_type",),
    ("event", "type"),
    ("event",),
    ("event_name",),
    ("meta", "event_name"),
    ("topic",),
)
ID_HEADERS = ("webhook-id", "svix-id", "x-event-id", "x-github-delivery", "x-webhook-id")
ID_MEMBERS = (("id",), ("event_id",), ("meta", "webhook_id"))
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")
_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_SLUG = 60

Headers = Iterable[tuple[str, str]]


class _Body(msgspec.Struct):
    """What TYPE_MEMBERS begin with, so that nothing else of a large body is read."""

    type: Any = None
    event_type: Any = None
    event: Any = None
    event_name: Any = None
    meta: Any = None
    topic: Any = None


def provider_of(headers: Headers) -> str:
    """The name of the scheme whose signature header is there, else "unknown"."""
    names = {name.lower() for name, _ in headers}
    found = [
        name
        for name, scheme in schemes().items()
        if name not in _NEVER and scheme.header.lower() in names and _NEEDS.get(name, scheme.header).lower() in names
    ]
    return next((name for name in _SHARED if name in found), found[0] if found else UNKNOWN)


def event_type(headers: Mapping[str, str], event: Any) -> str:
    """What the provider calls this kind of event, "" if it does not say.

    Header names in lower case; `event` is the JSON value of the body.
    """
    return next(_said(headers, event, TYPE_HEADERS, TYPE_MEMBERS), "")


def event_id(headers: Mapping[str, str], event: Any) -> str:
    """The id of the event, "" without one."""
    return next(_said(headers, event, ID_HEADERS, ID_MEMBERS), "")


def _said(
    headers: Mapping[str, str], event: Any, names: Iterable[str], members: Iterable[tuple[str, ...]]
) -> Iterator[str]:
    yield from (headers[name] for name in names if headers.get(name))
    for path in members:
        thing = event
        for member in path:
            thing = thing.get(member) if isinstance(thing, dict) else None
        if isinstance(thing, str) and thing:
            yield thing


def title_of(headers: Headers, body: bytes, method: str, path: str) -> str:
    """The event's type if it looks like one; else what was asked."""
    try:
        event = structs.asdict(msgspec.json.decode(body, type=_Body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = {}
    said = _said({name.lower(): value for name, value in headers}, event, TYPE_HEADERS, TYPE_MEMBERS)
    text = next(filter(_TYPE.fullmatch, said), "") or f"{method} {path.partition('?')[0]}"
    return text.encode("latin-1", "replace").decode("latin-1")[:LONGEST_TITLE]


def file_name(received_at: Instant, number: int, provider: str, title: str) -> str:
    """Files sort by their names as the requests came: 20261121T183150.123456Z-0001-stripe-invoice.paid.json"""
    moment = to_datetime(received_at).strftime("%Y%m%dT%H%M%S.%fZ")
    slug = _IN_NAME.sub("-", title)[:LONGEST_SLUG].strip("-.")
    return "-".join(part for part in (moment, f"{number:04}", provider, slug) if part) + ".json"
