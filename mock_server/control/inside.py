"""/_mock/worlds/{world}/settings, /state, /credentials: what a world holds."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.api import Api
from mock_server.engine.agenda import Item, agenda_of
from mock_server.engine.clock import frozen, running
from mock_server.engine.decisions import Job
from mock_server.engine.idempotency import Idempotency, Record
from mock_server.engine.instants import InvalidTime, format_instant, parse_instant
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call, Refusal, Reply

from .problems import INVALID_SETTINGS, INVALID_STATE, UNKNOWN_API
from .worlds import summary, world_of

FORMAT = 1


async def get_settings(call: Call) -> Reply:
    world, api = world_of(call), _api(call)
    return Reply({"api": api.name, "settings": world.state.apis[api.name].settings})


async def change_settings(call: Call) -> Reply:
    world, api = world_of(call), _api(call)

    def changed(state: WorldState) -> tuple[WorldState, Any]:
        domain = state.apis[api.name]
        merged = {**msgspec.to_builtins(domain.settings), **call.body}
        try:
            settings = msgspec.convert(merged, api.settings)
        except msgspec.ValidationError as error:
            known = ", ".join(api.settings.__struct_fields__)
            raise Refusal(INVALID_SETTINGS(reason=f"{error} (there are: {known})")) from None
        after = msgspec.structs.replace(domain, settings=settings)
        return msgspec.structs.replace(state, apis=state.apis.insert(api.name, after)), settings

    return Reply({"api": api.name, "settings": world.transact(changed)})


async def get_state(call: Call) -> Reply:
    world, api = world_of(call), _api(call)
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
            "domain": api.dump(state.apis[api.name]),
        }
    )


async def put_state(call: Call) -> Reply:
    world, mock, body = world_of(call), call.mock, call.body
    api = mock.apis.get(body["api"])
    if api is None or call.query.get("api", body["api"]) != body["api"]:
        raise Refusal(UNKNOWN_API(api=body["api"], apis=", ".join(mock.apis)))
    wall = mock.wall()
    try:
        domain = api.load(body["domain"])
        now = parse_instant(body["clock"]["now"])
        items = [_item(each, api) for each in body["agenda"]]
        records = [_record(each, api) for each in body["memory"]]
        _refuse_repeats(items)
    except (InvalidTime, ValueError) as error:
        raise Refusal(INVALID_STATE(reason=str(error))) from None

    def put(state: WorldState) -> tuple[WorldState, None]:
        others = [item for item in state.agenda if item.job.api != api.name]
        memory = Idempotency()
        for scope, key in state.memory.order:
            if not scope.startswith(f"{api.name}/"):
                memory = memory.remember(scope, key, state.memory.records[scope][key], now)
        for scope, key, record in records:
            memory = memory.remember(scope, key, record, now)
        after = WorldState(
            seed=body["seed"],
            clock=frozen(now) if body["clock"]["mode"] == "frozen" else running(now, wall),
            apis=state.apis.insert(api.name, domain),
            revision=body["revision"],
            agenda=agenda_of(
                [*others, *items], max(body["next_number"], *(i.number + 1 for i in [*others, *items]), 0)
            ),
            outbox=state.outbox,
            memory=memory,
        )
        return after, None

    world.transact(put)
    return Reply(summary(mock, world))


async def list_credentials(call: Call) -> Reply:
    world = world_of(call)
    credentials = [
        {
            "api": name,
            "secret": each.secret,
            "token": api.token_form(call.base_url, each.secret),
            "name": each.name,
            "role": each.role,
            "org": each.org,
            "permissions": each.permissions,
            "revoked": each.revoked,
        }
        for name, api in call.mock.apis.items()
        for each in api.credentials(world.state.apis[name])
    ]
    return Reply({"credentials": credentials})


def _api(call: Call) -> Api:
    name = call.query.get("api", call.mock.options.root_api)
    api = call.mock.apis.get(name)
    if api is None:
        raise Refusal(UNKNOWN_API(api=name, apis=", ".join(call.mock.apis)))
    return api


def _item(value: dict[str, Any], api: Api) -> Item:
    if value["job"] not in api.jobs:
        raise ValueError(f"the agenda names the job {value['job']!r}, which {api.name} does not have")
    return Item(parse_instant(value["at"]), value["number"], value["key"], Job(api.name, value["job"], value["args"]))


def _record(value: dict[str, Any], api: Api) -> tuple[str, str, Record]:
    if not value["scope"].startswith(f"{api.name}/"):
        raise ValueError(f"the memory's scope {value['scope'][:60]!r} does not belong to {api.name}")
    record = Record(value["fingerprint"], parse_instant(value["expires_at"]), value["reply"])
    return value["scope"], value["key"], record


def _refuse_repeats(items: list[Item]) -> None:
    for name in ("key", "number"):
        if len({getattr(item, name) for item in items}) != len(items):
            raise ValueError(f"the agenda has two items with the same {name}")
