"""/_mock/worlds/{world}/requests/export: a slice of the journal as a file."""

from __future__ import annotations

import json
from typing import Any

from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import Mock
from mock_server.saves import saved_world
from mock_server.store.journal import MOST_ENTRIES, Entry, sealed
from mock_server.store.worlds import World

from .exports import curl, har, pytest_file
from .exports.slices import Slice
from .journal import matching
from .problems import START_FORGOTTEN
from .worlds import world_of


async def export_requests(call: Call) -> Reply:
    world, query = world_of(call), call.query
    entries = [sealed(entry) for entry in matching(world, query)[: query.get("limit", MOST_ENTRIES)]]
    entries.sort(key=lambda entry: entry.number)
    wanted = query["format"]
    if wanted == "scenario":
        start = _start(call.mock, world, entries)
        if start is None:
            raise Refusal(START_FORGOTTEN(number=entries[0].number))
        return Reply(json.dumps(start, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    part = Slice(
        world=world.name,
        scenario=world.scenario,
        seed=world.state.seed,
        origin=call.base_url,
        entries=tuple(entries),
        start=_start(call.mock, world, entries) if wanted == "pytest" else None,
    )
    if wanted == "har":
        return Reply(har.har(part))
    if wanted == "curl":
        return Reply(curl.script(part).encode(), media_type="text/x-shellscript")
    return Reply(pytest_file.source(part).encode(), media_type="text/x-python")


def _start(mock: Mock, world: World, entries: list[Entry]) -> dict[str, Any] | None:
    """The world as it was before the first of them; as it is now if there are none. None: that is not known any more."""
    if not entries:
        now = mock.now_in(world)
        return saved_world(world.scenario, world.state, dict(mock.apis), now)
    first = entries[0]
    return None if first.state is None else saved_world(world.scenario, first.state, dict(mock.apis), first.at)
