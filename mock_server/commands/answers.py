"""What the control API answers, as far as the commands show it. Members that are not named here are passed over."""

from __future__ import annotations

from typing import Any

import msgspec


class Clock(msgspec.Struct, frozen=True):
    """A world's time."""

    now: str
    mode: str


class World(msgspec.Struct, frozen=True):
    """A world in a few numbers."""

    name: str
    scenario: str
    seed: int
    revision: int
    clock: Clock
    requests: int
    scheduled: int
    snapshots: int
    faults: int
    prefix: str


class WorldList(msgspec.Struct, frozen=True):
    """All worlds."""

    worlds: list[World]


class ServedApi(msgspec.Struct, frozen=True):
    """An emulated API."""

    name: str


class Health(msgspec.Struct, frozen=True):
    """The server's condition."""

    status: str
    apis: list[ServedApi]


class Snapshot(msgspec.Struct, frozen=True):
    """A world as it was."""

    id: str
    taken_at: str
    revision: int
    clock: Clock


class SnapshotList(msgspec.Struct, frozen=True):
    """A world's snapshots."""

    snapshots: list[Snapshot]


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it was."""

    subject: str
    kind: str
    id: str
    what: str
    text: str


class Comparison(msgspec.Struct, frozen=True):
    """How two states differ."""

    api: str
    lines: list[str]
    differences: list[Difference]
    cut: bool


class State(msgspec.Struct, frozen=True):
    """The head of a kept state."""

    mockbill_state: int
    api: str
    domain: dict[str, Any]


class Settings(msgspec.Struct, frozen=True):
    """The switches of one API."""

    api: str
    settings: dict[str, Any]


class Credential(msgspec.Struct, frozen=True):
    """A key."""

    api: str
    secret: str
    token: str
    name: str
    role: str
    org: str | None
    permissions: list[str]
    revoked: bool


class CredentialList(msgspec.Struct, frozen=True):
    """The keys of a world."""

    credentials: list[Credential]


class ConsumedUsage(msgspec.Struct, frozen=True):
    """A quota as it stands now."""

    api: str
    usage: list[dict[str, Any]]


class FallenDue(msgspec.Struct, frozen=True):
    """One thing that fell due."""

    at: str
    api: str
    job: str
    key: str
    outcome: str


class ClockMoved(msgspec.Struct, frozen=True):
    """A clock after it was moved."""

    now: str
    mode: str
    fell_due: int
    timeline: list[FallenDue]


class AgendaItem(msgspec.Struct, frozen=True):
    """One thing that will fall due."""

    at: str
    api: str
    job: str
    key: str
    cause: str
    outcome: str
    away: str = msgspec.field(name="in")


class Agenda(msgspec.Struct, frozen=True):
    """What is ahead of a world."""

    now: str
    until: str | None
    ahead: int
    cut: bool
    items: list[AgendaItem]


class Delay(msgspec.Struct, frozen=True):
    """How long, in milliseconds."""

    distribution: str
    ms: int | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    median_ms: int | None = None
    sigma: float | None = None


class Fault(msgspec.Struct, frozen=True):
    """A fault and what it has done so far."""

    id: str
    when: str
    do: str
    operation: str | None
    caller: str | None
    method: str | None
    skip: int
    count: int | None
    probability: float
    status: int | None
    code: str | None
    message: str | None
    retry_after: int | None
    keep: int | None
    how: str | None
    delay: Delay | None
    matched: int
    acted: int
    remaining: int | None


class FaultList(msgspec.Struct, frozen=True):
    """The faults of a world."""

    faults: list[Fault]


class DeliveryCounts(msgspec.Struct, frozen=True):
    """What has become of an endpoint's deliveries."""

    delivered: int
    failed: int
    dropped: int
    abandoned: int
    pending: int
    failing: int


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """Who is told of what happens."""

    id: str
    url: str
    scheme: str
    secret: str | None
    events: list[str]
    disabled: str | None
    counts: DeliveryCounts


class WebhookEndpointList(msgspec.Struct, frozen=True):
    """The endpoints of a world."""

    endpoints: list[WebhookEndpoint]


class DeliveryLine(msgspec.Struct, frozen=True):
    """A webhook that was sent, or is owed."""

    id: str
    endpoint: str
    url: str
    topic: str
    subject: str
    state: str
    tried: int
    due: str | None
    waits: str | None
    status: int | None
    error: str | None


class DeliveryList(msgspec.Struct, frozen=True):
    """Deliveries, newest first."""

    matched: int
    owed: int
    deliveries: list[DeliveryLine]


class Emission(msgspec.Struct, frozen=True):
    """The deliveries that an emission led to."""

    matched: int
    owed: int
    deliveries: list[DeliveryLine]
    secret: str | None
