"""/_mock/worlds/{world}/state: all that one API knows in a world, to be kept in a file and put back."""

from __future__ import annotations

from typing import Any

from rpds import Queue

from mock_server.api import Api
from mock_server.engine.agenda import Item, agenda_of
from mock_server.engine.clock import frozen, running
from mock_server.engine.decisions import Job
from mock_server.engine.idempotency import Idempotency, Record
from mock_server.engine.instants import Instant, InvalidTime, format_instant, parse_instant
from mock_server.engine.kernel import settle
from mock_server.engine.outbox import Happening, Outbox
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import Mock

from .problems import INVALID_STATE, UNKNOWN_API
from .worlds import named_api, summary, world_of

FORMAT = 1


async def get_state(call: Call) -> Reply:
    world, api = world_of(call), named_api(call)
    now, state = call.mock.now_in(world), world.state
    return Reply(
        {
            "mockbill_state": FORMAT,
            "api": api.name,
            "seed": state.seed,
            "revision": state.revision,
            "clock": {"now": format_instant(now), "mode": state.clock.mode},
            "next_number": state.agenda.next_number,
            "agenda": [
                {
                    "at": format_instant(item.at),
                    "number": item.number,
                    "key": item.key,
                    "job": item.job.name,
                    "args": item.job.args,
                }
                for item in state.agenda
                if item.job.api == api.name
            ],
            "memory": [
                {
                    "scope": scope,
                    "key": key,
                    "fingerprint": record.fingerprint,
                    "expires_at": format_instant(record.expires_at),
                    "reply": record.reply,
                }
                for scope, key in state.memory.order
                if scope.startswith(f"{api.name}/")
                for record in (state.memory.records[scope][key],)
            ],
            "outbox": {
                "next": state.outbox.next,
                "dropped": state.outbox.dropped,
                "happenings": [
                    {
                        "number": each.number,
                        "at": format_instant(each.at),
                        "topic": each.topic,
                        "subject": each.subject,
                        "data": each.data,
                    }
                    for each in state.outbox.happenings
                    if each.api == api.name
                ],
            },
            "domain": api.dump(state.apis[api.name]),
        }
    )


async def put_state(call: Call) -> Reply:
    world, mock, body = world_of(call), call.mock, call.body
    api = mock.apis.get(body["api"])
    if api is None or call.query.get("api", body["api"]) != body["api"]:
        raise Refusal(UNKNOWN_API(api=body["api"], apis=", ".join(mock.apis)))
    wall = mock.wall()

    def put(state: WorldState) -> tuple[WorldState, None]:
        try:
            after = _settled(mock, _with(state, body, api, wall))
        except (InvalidTime, ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise Refusal(INVALID_STATE(reason=str(error) or type(error).__name__)) from None
        if (complaint := mock.complaint_about(api.name, after)) is not None:
            raise Refusal(INVALID_STATE(reason=complaint))
        return after, None

    world.transact(put)
    return Reply(summary(mock, world))


def _with(state: WorldState, body: dict[str, Any], api: Api, wall: Instant) -> WorldState:
    """`state` with one API's part replaced by what the document says. Raises ValueError."""
    now = parse_instant(body["clock"]["now"])
    others = [item for item in state.agenda if item.job.api != api.name]
    items = [_item(each, api) for each in body["agenda"]]
    _refuse_repeats(items)
    if others:
        first = state.agenda.next_number
        items = [Item(each.at, first + n, each.key, each.job) for n, each in enumerate(sorted(items, key=_due))]
    agenda = agenda_of([*others, *items], max(body["next_number"], *(i.number + 1 for i in [*others, *items]), 0))
    memory = Idempotency()
    for scope, key in state.memory.order:
        if not scope.startswith(f"{api.name}/"):
            memory = memory.remember(scope, key, state.memory.records[scope][key], now)
    for each in body["memory"]:
        scope, key, record = _record(each, api)
        memory = memory.remember(scope, key, record, now)
    clock = frozen(now) if body["clock"]["mode"] == "frozen" else running(now, wall)
    try:
        domain = api.load(body["domain"])
    except ValueError as error:
        raise ValueError(str(error).replace("`$", "`$.domain", 1)) from None
    return WorldState(
        body["seed"],
        clock,
        state.apis.insert(api.name, domain),
        body["revision"],
        agenda,
        _outbox(state.outbox, body["outbox"], api.name),
        memory,
    )


def _settled(mock: Mock, state: WorldState) -> WorldState:
    """What a document left overdue is done at once, so that it is known to work before the world is changed."""
    return settle(state, state.clock.now, mock.jobs)[0]


def _due(item: Item) -> tuple[Instant, int]:
    return item.at, item.number


def _item(value: dict[str, Any], api: Api) -> Item:
    if value["job"] not in api.jobs:
        raise ValueError(f"the agenda names the job {value['job']!r}, which {api.name} does not have")
    if not value["key"].startswith(f"{api.name}/"):
        raise ValueError(f"the agenda's key {value['key'][:60]!r} does not belong to {api.name}")
    return Item(parse_instant(value["at"]), value["number"], value["key"], Job(api.name, value["job"], value["args"]))


def _record(value: dict[str, Any], api: Api) -> tuple[str, str, Record]:
    if not value["scope"].startswith(f"{api.name}/"):
        raise ValueError(f"the memory's scope {value['scope'][:60]!r} does not belong to {api.name}")
    record = Record(value["fingerprint"], parse_instant(value["expires_at"]), value["reply"])
    return value["scope"], value["key"], record


def _outbox(outbox: Outbox, value: dict[str, Any], api: str) -> Outbox:
    happenings = [each for each in outbox.happenings if each.api != api]
    next_number = max(value["next"], *(each.number + 1 for each in happenings), 1)
    for each in value["happenings"]:
        at = parse_instant(each["at"])
        if each["number"] >= next_number:
            raise ValueError("the outbox holds a number that is not below its next one")
        happenings.append(Happening(each["number"], at, api, each["topic"], each["subject"], each["data"]))
    happenings.sort(key=lambda each: each.number)
    return Outbox(Queue(happenings), next_number, value["dropped"])


def _refuse_repeats(items: list[Item]) -> None:
    for name in ("key", "number"):
        if len({getattr(item, name) for item in items}) != len(items):
            raise ValueError(f"the agenda has two items with the same {name}")
