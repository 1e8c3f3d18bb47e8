"""/_mock/worlds/{world}/state: all that one API knows in a world, to be kept in a file and put back."""

from __future__ import annotations

from mock_server.engine.instants import InvalidTime
from mock_server.engine.kernel import settle
from mock_server.engine.world import WorldState
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import Mock
from mock_server.saves import read_state, saved_state, with_saved

from .problems import INVALID_STATE, UNKNOWN_API
from .worlds import named_api, summary, world_of


async def get_state(call: Call) -> Reply:
    world, api = world_of(call), named_api(call)
    now, state = call.mock.now_in(world), world.state
    return Reply(saved_state(api, state, now))


async def put_state(call: Call) -> Reply:
    world, mock, body = world_of(call), call.mock, call.body
    api = mock.apis.get(body["api"])
    if api is None or call.query.get("api", body["api"]) != body["api"]:
        raise Refusal(UNKNOWN_API(api=body["api"], apis=", ".join(mock.apis)))
    wall = mock.wall()

    # From here to `put` nothing else gets a turn: this is one step, though not `transact`, which would send what is new.
    try:
        after = _settled(mock, with_saved(world.state, read_state(body), api, wall))
    except (InvalidTime, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise Refusal(INVALID_STATE(reason=str(error) or type(error).__name__)) from None
    if (complaint := mock.complaint_about(api.name, after)) is not None:
        raise Refusal(INVALID_STATE(reason=complaint))
    world.put(after)
    world.journal.forget_states()
    return Reply(summary(mock, world))


def _settled(mock: Mock, state: WorldState) -> WorldState:
    """What a document left overdue is done at once, so that it is known to work before the world is changed."""
    return settle(state, state.clock.now, mock.jobs)[0]
