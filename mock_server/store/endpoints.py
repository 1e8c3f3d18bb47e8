"""Who is told of what happens in a world, a happening on its way there, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from mock_server.engine.instants import Instant
from mock_server.engine.outbox import Happening

MOST_ATTEMPTS_KEPT = 25
"""Of each delivery, the newest."""
MOST_WHOLE_ATTEMPTS = 3
"""With what was sent and answered; of the others only when they were and how they ended."""

State = Literal["pending", "delivered", "failed", "abandoned", "dropped"]
"""pending: owed. failed: given up after the last attempt. abandoned: the world went back, or the endpoint is gone, even if
an attempt was under way and has been answered since. dropped: on purpose (misbehaviour), or because too many are owed."""


class Endpoint(msgspec.Struct, frozen=True):
    """Somebody who wants to hear of a world.

    scheme, options    how it is signed, and the options of the scheme `generic`
    events             topics, `*` at the end for all that begin so; none: all
    signature_time     whose time the signature carries, the machine's or the world's
    order              whether what concerns the same subject waits its turn
    retries            seconds from each attempt that failed to the next one
    disable_after      so many attempts in a row that fail disable it; None: never
    misbehave          what goes wrong on purpose, and in which share of the deliveries
    disabled           why it is, None while it is enabled
    is_passing         made for one emission; goes away with its last delivery
    """

    id: str
    url: str
    scheme: str
    secret: str
    retries: tuple[int, ...]
    options: Mapping[str, str] = {}
    events: tuple[str, ...] = ()
    signature_time: Literal["wall", "world"] = "wall"
    order: Literal["subject", "none"] = "subject"
    timeout_ms: int = 10_000
    concurrency: int = 8
    disable_after: int | None = 20
    misbehave: tuple[str, ...] = ()
    probability: float = 1.0
    description: str = ""
    disabled: str | None = None
    is_passing: bool = False

    def wants(self, topic: str) -> bool:
        return not self.events or any(
            topic.startswith(each[:-1]) if each.endswith("*") else topic == each for each in self.events
        )


class Attempt(msgspec.Struct, frozen=True):
    """One try. `at` is the world's time, `sent_at` the machine's. `status` None: no answer came, `error` says why.

    `answer` is the beginning of the body that came back. `damages`: what was done to it on purpose.
    """

    number: int
    at: Instant
    sent_at: Instant
    status: int | None
    error: str | None
    seconds: float
    headers: tuple[tuple[str, str], ...] = ()
    answer: str = ""
    damages: tuple[str, ...] = ()


class Delivery:
    """A happening on its way to an endpoint. `due`: when it is tried next, in the world's time; None while it is being
    tried and once it has come to an end. `line`: behind whom it waits. `damages`: what is done to it on purpose. `url`:
    where it goes, and since the newest attempt, where that went. `generation`: how often the world had gone back before."""

    __slots__ = (
        "attempts",
        "damages",
        "due",
        "endpoint",
        "generation",
        "happening",
        "id",
        "line",
        "number",
        "scheme",
        "state",
        "tried",
        "url",
    )

    def __init__(
        self,
        number: int,
        endpoint: Endpoint,
        happening: Happening,
        due: Instant,
        line: str,
        damages: tuple[str, ...],
        generation: int = 0,
    ) -> None:
        self.id = f"delivery-{number}"
        self.number = number
        self.endpoint = endpoint.id
        self.url = endpoint.url
        self.scheme = endpoint.scheme
        self.happening = happening
        self.due: Instant | None = due
        self.line = line
        self.damages = damages
        self.generation = generation
        self.state: State = "pending"
        self.attempts: tuple[Attempt, ...] = ()
        self.tried = 0


def with_attempt(attempts: tuple[Attempt, ...], attempt: Attempt) -> tuple[Attempt, ...]:
    """The newest MOST_ATTEMPTS_KEPT, whole only the newest MOST_WHOLE_ATTEMPTS of them."""
    whole = (*attempts, attempt)[-MOST_ATTEMPTS_KEPT:]
    told, kept = whole[:-MOST_WHOLE_ATTEMPTS], whole[-MOST_WHOLE_ATTEMPTS:]
    return (
        *(each if not each.headers else msgspec.structs.replace(each, headers=(), answer="") for each in told),
        *kept,
    )


class Counts(msgspec.Struct):
    """Of one endpoint. `failing`: so many attempts in a row have failed."""

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    abandoned: int = 0
    pending: int = 0
    failing: int = 0
