"""/_mock/worlds/{world}/clock/agenda: what will fall due, when, and why. Nothing changes by looking."""

from __future__ import annotations

from typing import Any

from mock_server.engine.agenda import Item
from mock_server.engine.instants import Instant, InvalidTime, add_duration, format_duration, format_instant
from mock_server.engine.kernel import MOST_JOBS, AgendaOverrun, Fallen, one_job, settle_seeing
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import Mock
from mock_server.store.deliveries import Delivery
from mock_server.webhooks.dispatching import JOB

from .journal import USUAL_LIMIT
from .problems import INVALID_TIME, TOO_MUCH_DUE
from .worlds import world_of


async def get_agenda(call: Call) -> Reply:
    world, mock = world_of(call), call.mock
    now = mock.now_in(world)
    state, limit = world.state, call.query.get("limit", USUAL_LIMIT)
    attempts = world.deliveries.upcoming() if world.has_deliveries else []
    if "within" in call.query:
        try:
            until = add_duration(now, call.query["within"])
        except InvalidTime as error:
            raise Refusal(INVALID_TIME(field="within", reason=str(error))) from None
        attempts = [each for each in attempts if each.due is not None and each.due <= until]
        return Reply(_with(_played_through(mock, state, now, until, limit), attempts, limit, now))
    items = list(state.agenda)
    shown = [(item.at, _shown(mock, state, item, one_job(state, item, mock.jobs), now)) for item in items[:limit]]
    jobs = {"now": format_instant(now), "until": None, "ahead": len(items), "items": shown}
    return Reply(_with(jobs, attempts, limit, now))


def _with(jobs: dict[str, Any], attempts: list[Delivery], limit: int, now: Instant) -> dict[str, Any]:
    """The jobs and the webhooks that are due, in the order of time; at the same instant the jobs come first."""
    items = sorted([*jobs["items"], *(_attempt(each, now) for each in attempts[:limit])], key=lambda each: each[0])
    ahead = jobs["ahead"] + len(attempts)
    return {**jobs, "ahead": ahead, "cut": ahead > limit, "items": [item for _, item in items[:limit]]}


def _attempt(delivery: Delivery, now: Instant) -> tuple[Instant, dict[str, Any]]:
    assert delivery.due is not None
    at = max(delivery.due, now)
    state = {
        "at": format_instant(at),
        "in": format_duration(at - now),
        "api": delivery.happening.api,
        "job": JOB,
        "key": delivery.id,
        "cause": f"{delivery.happening.topic} is owed to {delivery.url}"[:2000],
        "outcome": f"attempt {delivery.tried + 1}; what comes of it is the receiver's",
    }
    return at, state


def _played_through(mock: Mock, state: WorldState, now: Instant, until: Instant, limit: int) -> dict[str, Any]:
    items: list[tuple[Instant, dict[str, Any]]] = []
    ahead = 0

    def see(before: WorldState, item: Item, fallen: Fallen) -> None:
        nonlocal ahead
        ahead += 1
        if len(items) < limit:
            items.append((item.at, _shown(mock, before, item, fallen, now)))

    try:
        settle_seeing(state, until, mock.jobs, see)
    except AgendaOverrun as error:
        raise Refusal(TOO_MUCH_DUE(reason=str(error), most=MOST_JOBS)) from None
    return {
        "now": format_instant(now),
        "until": format_instant(until),
        "ahead": ahead,
        "items": items,
    }


def _shown(mock: Mock, state: WorldState, item: Item, fallen: Fallen, now: Instant) -> dict[str, Any]:
    api = mock.apis[item.job.api]
    cause = api.causes.get(item.job.name)
    return {
        "at": format_instant(item.at),
        "in": format_duration(item.at - now),
        "api": api.name,
        "job": item.job.name,
        "key": item.key,
        "cause": "" if cause is None else cause(state.apis[api.name], item.job.args)[:2000],
        "outcome": fallen.outcome[:2000],
    }
