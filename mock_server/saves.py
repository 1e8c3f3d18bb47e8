"""Worlds as documents: all that an API knows in a world as JSON values, and back. For files, and for the control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from rpds import Queue

from mock_server.api import Api
from mock_server.engine.agenda import Item, agenda_of
from mock_server.engine.clock import frozen, running
from mock_server.engine.decisions import Job
from mock_server.engine.idempotency import Idempotency, Record
from mock_server.engine.instants import Instant, format_instant, parse_instant
from mock_server.engine.outbox import Happening, Outbox
from mock_server.engine.world import WorldState

STATE_FORMAT = 1
SAVE_FORMAT = 1
Whole = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Counter = Annotated[int, Meta(ge=0, le=2**52)]
"""What goes on counting from there: half of what every JSON reader keeps exactly is left for that."""


class SavedClock(Struct, frozen=True, forbid_unknown_fields=True):
    now: str
    mode: Literal["frozen", "running"]


class SavedItem(Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    number: Counter
    key: str
    job: str
    args: dict[str, Any]


class SavedReply(Struct, frozen=True, forbid_unknown_fields=True):
    scope: str
    key: str
    fingerprint: str
    expires_at: str
    reply: str


class SavedHappening(Struct, frozen=True, forbid_unknown_fields=True):
    number: Counter
    at: str
    topic: str
    subject: str
    data: dict[str, Any]


class SavedOutbox(Struct, frozen=True, forbid_unknown_fields=True):
    next: Counter
    dropped: Counter
    happenings: list[SavedHappening]


class SavedState(Struct, frozen=True, forbid_unknown_fields=True):
    """One API's part of a world (control API: WorldStateFile). Instants are RFC 3339 texts."""

    mockbill_state: int
    api: str
    seed: Whole
    revision: Counter
    clock: SavedClock
    next_number: Counter
    agenda: list[SavedItem]
    memory: list[SavedReply]
    outbox: SavedOutbox
    domain: dict[str, Any]


class SavedWorld(Struct, frozen=True, forbid_unknown_fields=True):
    """A world in a file: what it was made from, and the part of each API."""

    mockbill_save: int
    scenario: str
    states: list[SavedState]


def saved_world(scenario: str, state: WorldState, apis: Mapping[str, Api], now: Instant) -> dict[str, Any]:
    """Everything that a world holds, as SavedWorld goes into a file."""
    states = [saved_state(api, state, now) for api in apis.values()]
    return {"mockbill_save": SAVE_FORMAT, "scenario": scenario, "states": states}


def saved_state(api: Api, state: WorldState, now: Instant) -> dict[str, Any]:
    """One API's part, at the world's time `now`."""
    outbox = state.outbox.trimmed()
    document = SavedState(
        mockbill_state=STATE_FORMAT,
        api=api.name,
        seed=state.seed,
        revision=state.revision,
        clock=SavedClock(format_instant(now), state.clock.mode),
        next_number=state.agenda.next_number,
        agenda=[
            SavedItem(format_instant(item.at), item.number, item.key, item.job.name, dict(item.job.args))
            for item in state.agenda
            if item.job.api == api.name
        ],
        memory=[
            SavedReply(scope, key, record.fingerprint, format_instant(record.expires_at), record.reply)
            for scope, key in state.memory.order
            if scope.startswith(f"{api.name}/")
            for record in (state.memory.records[scope][key],)
        ],
        outbox=SavedOutbox(
            outbox.next,
            outbox.dropped,
            [
                SavedHappening(each.number, format_instant(each.at), each.topic, each.subject, dict(each.data))
                for each in outbox.happenings
                if each.api == api.name
            ],
        ),
        domain=api.dump(state.apis[api.name]),
    )
    built: dict[str, Any] = msgspec.to_builtins(document)
    return built


def read_state(value: Any) -> SavedState:
    """Raises ValueError, which says what does not fit, or that another version of mockbill has written it."""
    _check_format("mockbill_state", value, STATE_FORMAT)
    return msgspec.convert(value, SavedState)


def read_save(value: Any) -> SavedWorld:
    """Raises ValueError, which says what does not fit, or that another version of mockbill has written it."""
    _check_format("mockbill_save", value, SAVE_FORMAT)
    states = value.get("states")
    for state in states if isinstance(states, list) else ():
        _check_format("mockbill_state", state, STATE_FORMAT)
    saved = msgspec.convert(value, SavedWorld)
    if len({each.api for each in saved.states}) < len(saved.states):
        raise ValueError("two of its states are of the same API")
    return saved


def _check_format(member: str, value: Any, known: int) -> None:
    """A table of upgrades belongs here as soon as there is a second format."""
    number = value.get(member) if isinstance(value, dict) else None
    if isinstance(number, int) and number > known:
        raise ValueError(f"its {member} is {number}, and this mockbill reads {known}: a newer one has written it")
    if number != known:
        raise ValueError(f"its {member} is {number!r}, and this mockbill reads {known}")


def with_saved(state: WorldState, saved: SavedState, api: Api, wall: Instant) -> WorldState:
    """`state` with one API's part replaced by what the document says. Raises ValueError."""
    now = parse_instant(saved.clock.now)
    others = [item for item in state.agenda if item.job.api != api.name]
    items = [_item(each, api) for each in saved.agenda]
    _refuse_repeats(items)
    if others:
        first = state.agenda.next_number
        items = [Item(each.at, first + n, each.key, each.job) for n, each in enumerate(sorted(items, key=_due))]
    agenda = agenda_of([*others, *items], max(saved.next_number, *(i.number + 1 for i in [*others, *items]), 0))
    memory = Idempotency()
    for scope, key in state.memory.order:
        if not scope.startswith(f"{api.name}/"):
            memory = memory.remember(scope, key, state.memory.records[scope][key], now)
    for each in saved.memory:
        scope, key, record = _record(each, api)
        memory = memory.remember(scope, key, record, now)
    clock = frozen(now) if saved.clock.mode == "frozen" else running(now, wall)
    try:
        domain = api.load(saved.domain)
    except ValueError as error:
        raise ValueError(str(error).replace("`$", "`$.domain", 1)) from None
    return WorldState(
        saved.seed,
        clock,
        state.apis.insert(api.name, domain),
        saved.revision,
        agenda,
        _outbox(state.outbox, saved.outbox, api.name),
        memory,
    )


def _due(item: Item) -> tuple[Instant, int]:
    return item.at, item.number


def _item(value: SavedItem, api: Api) -> Item:
    if value.job not in api.jobs:
        raise ValueError(f"the agenda names the job {value.job!r}, which {api.name} does not have")
    if not value.key.startswith(f"{api.name}/"):
        raise ValueError(f"the agenda's key {value.key[:60]!r} does not belong to {api.name}")
    return Item(parse_instant(value.at), value.number, value.key, Job(api.name, value.job, value.args))


def _record(value: SavedReply, api: Api) -> tuple[str, str, Record]:
    if not value.scope.startswith(f"{api.name}/"):
        raise ValueError(f"the memory's scope {value.scope[:60]!r} does not belong to {api.name}")
    record = Record(value.fingerprint, parse_instant(value.expires_at), value.reply)
    return value.scope, value.key, record


def _outbox(outbox: Outbox, value: SavedOutbox, api: str) -> Outbox:
    happenings = [each for each in outbox.happenings if each.api != api]
    next_number = max(value.next, *(each.number + 1 for each in happenings), 1)
    for each in value.happenings:
        at = parse_instant(each.at)
        if each.number >= next_number:
            raise ValueError("the outbox holds a number that is not below its next one")
        happenings.append(Happening(each.number, at, api, each.topic, each.subject, each.data))
    happenings.sort(key=lambda each: each.number)
    return Outbox(Queue(happenings), next_number, value.dropped)


def _refuse_repeats(items: list[Item]) -> None:
    for name in ("key", "number"):
        if len({getattr(item, name) for item in items}) != len(items):
            raise ValueError(f"the agenda has two items with the same {name}")
