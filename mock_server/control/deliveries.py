"""/_mock/worlds/{world}/deliveries and /webhooks/emit: what was sent, what is owed, and telling of what never happened."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from mock_server.engine.decisions import Context
from mock_server.engine.ids import draw
from mock_server.engine.instants import Instant, format_instant
from mock_server.engine.outbox import Happening, Outbox
from mock_server.engine.world import WorldState
from mock_server.http.addressing import unknown_world
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.store.deliveries import MOST_EMISSIONS, Attempt, Delivery, Endpoint, TooManyEndpoints
from mock_server.store.worlds import World
from mock_server.webhooks.misbehaviour import times
from mock_server.webhooks.payloads import render
from mock_server.webhooks.payloads.parts import members
from mock_server.webhooks.preparing import event_of

from .journal import USUAL_LIMIT, gone, waiting
from .problems import (
    EMITTED_TO_BOTH,
    ENDPOINT_GONE,
    NO_SUCH_DELIVERY,
    NOTHING_TO_TELL,
    TOO_MANY_EMISSIONS,
    TOO_MUCH_AT_ONCE,
)
from .webhooks import made, named, refuse_unknown
from .worlds import served_api, world_of

MOST_AT_A_TIME = 10_000
"""So many deliveries of one emission."""
OF_TARGET = ("scheme", "options", "secret", "signature_time", "retries", "timeout_ms")
"""Members of an emission that say how `to` is called."""


async def list_deliveries(call: Call) -> Reply:
    world, query = world_of(call), call.query
    call.mock.now_in(world)
    if "endpoint" in query and not any(each.endpoint == query["endpoint"] for each in _known(world)):
        named(world, query["endpoint"])
    if query.get("wait"):
        await _until_sent(call, world)
    return Reply(_listed(world, [each for each in _known(world) if _matches(each, query)], query))


async def get_delivery(call: Call) -> Reply:
    world = world_of(call)
    delivery = _delivery(world, call.path["delivery"])
    payload = render(event_of(world.name, world.state.seed, delivery), delivery.scheme)
    return Reply(
        {
            **_line(world, delivery),
            "attempts": [_attempt(each) for each in delivery.attempts],
            "payload": payload.body.decode("utf-8", "replace"),
        }
    )


async def redeliver(call: Call) -> Reply:
    world, mock = world_of(call), call.mock
    delivery = _delivery(world, call.path["delivery"])
    endpoint = world.deliveries.endpoint(delivery.endpoint)
    if endpoint is None:
        raise Refusal(ENDPOINT_GONE(delivery=delivery.id, endpoint=delivery.endpoint))
    now = mock.now_in(world)
    again = world.deliveries.owe(endpoint, delivery.happening, now, alone=True)
    again.generation = delivery.generation
    mock.webhooks.wake(world)
    location = f"{call.base_url}/_mock/worlds/{world.name}/deliveries/{again.id}"
    return Reply(_line(world, again), 201, (("Location", location),))


async def emit(call: Call) -> Reply:
    world, mock, body = world_of(call), call.mock, call.body
    if "to" in body and "endpoint" in body:
        raise Refusal(EMITTED_TO_BOTH(member="endpoint"))
    if "to" not in body and (members := [each for each in OF_TARGET if each in body]):
        raise Refusal(EMITTED_TO_BOTH(member=members[0]))
    refuse_unknown(body["event"], [served_api(call, body.get("api"))])
    now, count, mutate = mock.now_in(world), body.get("count", 1), tuple(body.get("mutate", ()))
    _told(call, world, now, 0)
    endpoints = _endpoints(call, world, body)
    if mutate:
        endpoints = [msgspec.structs.replace(each, misbehave=mutate, probability=1.0) for each in endpoints]
    if sum(times(each.misbehave) for each in endpoints) * count > MOST_AT_A_TIME:
        raise Refusal(TOO_MUCH_AT_ONCE(most=MOST_AT_A_TIME))
    happenings = [_told(call, world, now, number) for number in _numbers(world, count)]
    owed = [each for endpoint in endpoints for each in mock.webhooks.owe(world, endpoint, happenings)]
    mock.webhooks.wake(world)
    if call.query.get("wait"):
        await _until_sent(call, world)
    made_up = endpoints[0].secret if "to" in body and "secret" not in body else None
    return Reply({**_listed(world, sorted(owed, key=lambda each: -each.number), {}), "secret": made_up})


def _endpoints(call: Call, world: World, body: dict[str, Any]) -> list[Endpoint]:
    """To whom it is told. Raises Refusal."""
    if "endpoint" in body:
        return [named(world, body["endpoint"])]
    if "to" not in body:
        listed = world.deliveries.endpoints if world.has_deliveries else []
        return [each for each in listed if not each.is_passing and each.wants(body["event"])]
    target = {"url": body["to"], **{name: body[name] for name in OF_TARGET if name in body}}
    try:
        return [world.deliveries.add(made(call, world, target, is_passing=True))]
    except TooManyEndpoints:
        raise Refusal(TOO_MANY_EMISSIONS(world=world.name, most=MOST_EMISSIONS)) from None


def _told(call: Call, world: World, now: Instant, number: int) -> Happening:
    """The event as it would have happened now. Raises Refusal."""
    body = call.body
    api, state = served_api(call, body.get("api")), world.state
    # Ids of its own, which no command of the world gets.
    context = Context(now, int.from_bytes(draw(state.seed, "emitted")), number)
    told = api.told(state.apis[api.name], context, body["event"], body.get("org"))
    if told is None:
        raise Refusal(NOTHING_TO_TELL(event=body["event"], org=body.get("org", "")))
    subject, data = told
    # Bounded as a payload is: it is kept with each of the deliveries.
    return Happening(number, now, api.name, body["event"], subject, members({**data, **body.get("data", {})}))


def _numbers(world: World, count: int) -> range:
    """Taken from the world, so that no other event of it has the same id. Only once nothing can be refused any more."""

    def numbered(state: WorldState) -> tuple[WorldState, int]:
        first = state.outbox.next
        outbox = Outbox(state.outbox.happenings, first + count, state.outbox.dropped)
        return msgspec.structs.replace(state, outbox=outbox), first

    heard, world.heard = world.heard, None
    try:
        first = world.transact(numbered)
    finally:
        world.heard = heard
    return range(first, first + count)


async def _until_sent(call: Call, world: World) -> None:
    """Until nothing that is due is left to be sent, the time is over, or the client has gone."""
    mock = call.mock
    with waiting(mock):
        ends = [
            asyncio.ensure_future(mock.webhooks.settle(world)),
            asyncio.ensure_future(mock.sleep(call.query["wait"])),
            asyncio.ensure_future(gone(call)),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.cancel()
            await asyncio.wait(ends)
    if world.is_gone:  # even if there is another one of that name by now
        raise Refusal(unknown_world(world.name, call.base_url))


def _known(world: World) -> list[Delivery]:
    return list(world.deliveries) if world.has_deliveries else []


def _matches(delivery: Delivery, query: dict[str, str]) -> bool:
    return (
        query.get("endpoint", delivery.endpoint) == delivery.endpoint
        and query.get("state", delivery.state) == delivery.state
        and query.get("event", delivery.happening.topic) == delivery.happening.topic
    )


def _listed(world: World, deliveries: list[Delivery], query: dict[str, Any]) -> dict[str, Any]:
    limit = query.get("limit", USUAL_LIMIT)
    return {
        "matched": len(deliveries),
        "owed": len(world.deliveries) if world.has_deliveries else 0,
        "deliveries": [_line(world, each) for each in deliveries[:limit]],
    }


def _delivery(world: World, name: str) -> Delivery:
    delivery = world.deliveries.get(name) if world.has_deliveries else None
    if delivery is None:
        raise Refusal(NO_SUCH_DELIVERY(world=world.name, delivery=name))
    return delivery


def _line(world: World, delivery: Delivery) -> dict[str, Any]:
    """DeliveryLine."""
    newest = delivery.attempts[-1] if delivery.attempts else None
    waits = world.deliveries.waits(delivery)
    happening = delivery.happening
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "url": delivery.url,
        "event": event_of(world.name, world.state.seed, delivery).id,
        "topic": happening.topic,
        "subject": happening.subject,
        "happened_at": format_instant(happening.at),
        "state": delivery.state,
        "tried": delivery.tried,
        "due": None if delivery.due is None or waits is not None else format_instant(delivery.due),
        "waits": waits,
        "status": None if newest is None else newest.status,
        "error": None if newest is None else newest.error,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    """DeliveryAttempt."""
    return {
        "number": attempt.number,
        "at": format_instant(attempt.at),
        "sent_at": format_instant(attempt.sent_at),
        "status": attempt.status,
        "error": attempt.error,
        "milliseconds": round(attempt.seconds * 1000, 3),
        "headers": attempt.headers,
        "answer": attempt.answer,
        "damages": attempt.damages,
    }
