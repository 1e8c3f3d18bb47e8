"""What is told to a receiver, before and after it has a provider's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import Instant


class Event(msgspec.Struct, frozen=True):
    """Something that happened in a world.

    id        unique in its world; payload ids are made from it
    topic     `subscription.created`, `invoice.paid`, ... (any text)
    api       whose happening it is: `openapp`
    at        the world's time, microseconds since 1970
    subject   what it is about: events of one subject have an order
    data      JSON values; what is missing there gets a value that depends on the rest alone
    attempt   names the attempt to send it; nothing but a header may depend on it
    """

    id: str
    topic: str
    api: str
    at: Instant
    subject: str
    data: Mapping[str, Any]
    world: str = ""
    attempt: str = ""


class Payload(msgspec.Struct, frozen=True):
    """What is to be signed and sent.

    id        by which a receiver tells that it came before; schemes that sign a message id sign this one
    type      the provider's name of the event
    headers   what the provider adds to those that every webhook has: Content-Type, User-Agent and the signature's
    """

    body: bytes
    id: str
    type: str
    headers: tuple[tuple[str, str], ...] = ()
