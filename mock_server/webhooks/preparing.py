"""From what is owed to what is sent: an event, its payload, a signed request. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from mock_server.engine.ids import draw, ulid
from mock_server.engine.instants import SECOND, Instant, format_instant
from mock_server.store.endpoints import Attempt, Delivery, Endpoint

from .drafts import Draft, Request
from .misbehaviour import sent
from .payloads import Event, render
from .schemes import scheme_named
from .schemes.generic import scheme_of
from .schemes.protocol import Message, Scheme

CONTENT_TYPE = ("Content-Type", "application/json; charset=utf-8")
USER_AGENT = ("User-Agent", "mockbill/1.0")


def prepared(world: str, seed: int, endpoint: Endpoint, delivery: Delivery, at: Instant, wall: Instant) -> Request:
    """The request that an attempt sends. `at` is the world's time, `wall` the machine's.

    Raises UnknownScheme, InvalidOptions, InvalidSecret or InvalidMessage.
    """
    happening = delivery.happening
    event = replace(event_of(world, seed, delivery), attempt=f"{delivery.id}/{delivery.tried}")
    payload = render(event, endpoint.scheme)
    draft = Draft(
        scheme_for(endpoint),
        Message(payload.body, endpoint.url, payload.id),
        endpoint.secret,
        (wall if endpoint.signature_time == "wall" else at) // SECOND,
        (CONTENT_TYPE, USER_AGENT, *payload.headers),
    )
    bits = int.from_bytes(draw(seed, f"damage/{endpoint.id}", happening.number))
    return sent(draft, delivery.damages, bits)


def event_of(world: str, seed: int, delivery: Delivery) -> Event:
    """What happened, with an id that is the same wherever and whenever it is sent.

    A world that has gone back gives its numbers again, to other things: so the id depends on how often it has.
    """
    happening = delivery.happening
    return Event(
        id=ulid(happening.at, seed, f"happening/{happening.topic}", happening.number, delivery.generation),
        topic=happening.topic,
        api=happening.api,
        at=happening.at,
        subject=happening.subject,
        data=happening.data,
        world=world,
    )


def scheme_for(endpoint: Endpoint) -> Scheme:
    """Raises UnknownScheme or InvalidOptions."""
    return scheme_of(endpoint.options) if endpoint.scheme == "generic" else scheme_named(endpoint.scheme)


def told(delivery: Delivery, attempt: Attempt) -> str:
    """An attempt and what came of it, in a sentence."""
    came = str(attempt.status) if attempt.status is not None else attempt.error or ""
    after = f"; again at {format_instant(delivery.due)}" if delivery.due is not None else f"; {delivery.state}"
    return f"{delivery.happening.topic} to {delivery.url}, attempt {attempt.number}: {came}{after}"[:2000]
