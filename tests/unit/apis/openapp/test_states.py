"""States written to a file and read back: the same again, or refused with the reason; never something that breaks later."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.credentials import identify
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.scripting import create_execution
from mock_server.app import create_mock
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.decisions import Accepted
from mock_server.engine.instants import DAY, LATEST
from mock_server.engine.kernel import advance, decide
from mock_server.engine.world import WorldState
from mock_server.http.bodies import parse_json
from mock_server.http.mock import Mock

from .acting import (
    A_FULL_LIFE,
    ACME,
    GLOBEX,
    JOBS,
    ROOT,
    START,
    Command,
    act,
    commands,
    domain,
    happened,
    histories,
    world,
)

STRANGE: tuple[Any, ...] = (
    None, "", "nowhere", 0, 1, -1, 2**31, 2**63, 2**64, 1.5, True, False, [], {}, [[]], {"a": 1}, "x" * 600, "a b", "🚪",
    "day", "zones", "01J9ZC3M4N5P6Q7R8S9T0V1W00", LATEST, LATEST + 1,
)  # fmt: skip


@cache
def mock() -> Mock:
    return create_mock(wall=lambda: START, fresh_seed=lambda: 7)


def written(state: WorldState) -> Any:
    return json.loads(msgspec.json.encode(API.dump(domain(state))))


@given(histories)
def test_what_is_written_is_read_back(history: list[Command]) -> None:
    state = happened(world(), history)
    kept = written(state)
    again = API.load(kept)
    assert written(msgspec.structs.replace(state, apis=state.apis.insert("openapp", again))) == kept
    assert behaves_like(again, state)


def behaves_like(again: Any, state: WorldState) -> bool:
    """All that can be asked of the one is answered the same by the other."""
    context = state.context(state.clock.now)
    probes = [sorted(map(repr, API.probe(each, context))) for each in (again, domain(state))]
    return probes[0] == probes[1]


@given(histories)
def test_what_is_read_back_equals_what_was_written(history: list[Command]) -> None:
    state = happened(world(), history)
    assert API.load(written(state)) == domain(state)


@given(histories, st.lists(commands, min_size=1, max_size=15))
def test_it_makes_no_difference_later(history: list[Command], later: list[Command]) -> None:
    state = happened(world(), history)
    again = msgspec.structs.replace(state, apis=state.apis.insert("openapp", API.load(written(state))))
    assert written(happened(again, later)) == written(happened(state, later))


@given(histories)
def test_every_reachable_state_keeps_the_contract(history: list[Command]) -> None:
    assert mock().complaint_about("openapp", happened(world(), history)) is None


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield (*path, key)
        yield from paths(below, (*path, key))


@cache
def full() -> tuple[WorldState, Any, list[tuple[Any, ...]], list[Any]]:
    """A world that holds some of everything, as written, and what stands where in it."""
    state = happened(world(), A_FULL_LIFE)
    kept = written(state)
    kept.pop("tiers")
    everywhere = sorted(paths(kept), key=lambda path: (path[-1] if isinstance(path[-1], str) else "", repr(path)))
    texts = sorted({v for v in (found(kept, path) for path in everywhere) if isinstance(v, str)})
    return state, written(state), everywhere, texts


def found(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """The written world with something missing, twice, elsewhere or strange."""
    _, kept, everywhere, texts = full()
    kept = copy.deepcopy(kept)
    names = sorted({path[-1] for path in everywhere if isinstance(path[-1], str)})
    for _ in range(draw(st.integers(1, 3))):
        # First the member's name: otherwise the many entities would leave little room for all else.
        name = draw(st.sampled_from([*names, None]))
        path = draw(st.sampled_from([p for p in everywhere if (p[-1] if isinstance(p[-1], str) else None) == name]))
        try:
            holder = found(kept, path[:-1])
            value = holder[path[-1]]
        except (LookupError, TypeError):
            continue
        change = draw(st.sampled_from(["remove", "double", "strange", "text", "other"]))
        if change == "remove":
            del holder[path[-1]]
        elif change == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(value))
        elif change == "text":
            holder[path[-1]] = draw(st.sampled_from(texts))
        elif change == "other":
            alike = [p for p in everywhere if p[-1] == path[-1] and p != path]
            try:
                holder[path[-1]] = copy.deepcopy(found(kept, draw(st.sampled_from(alike))) if alike else None)
            except (LookupError, TypeError):
                continue
        else:
            holder[path[-1]] = draw(st.sampled_from(STRANGE))
    return kept


later = st.lists(commands, min_size=3, max_size=12)


@given(spoiled(), later)
def test_a_spoiled_state_is_refused_or_works(kept: Any, history: list[Command]) -> None:
    try:
        domain_state = API.load(kept)
    except ValueError:
        event("refused")
        return
    original = full()[0]
    state = msgspec.structs.replace(original, apis=original.apis.insert("openapp", domain_state))
    context = state.context(state.clock.now)
    assert all(body is not None for _, body in API.probe(domain_state, context))
    if mock().complaint_about("openapp", state) is not None:
        event("complained about")
        return
    event("loaded")
    assert API.load(written(state)) == domain_state
    state, _ = advance(state, state.clock.now, JOBS)
    for command in [*history, ("wait", 200 * 86_400)]:
        state, _ = act(state, command)
    assert mock().complaint_about("openapp", state) is None


def entry(kept: Any, org_id: str) -> Any:
    return next(each for each in kept["orgs"] if each["org"]["id"] == org_id)


BROKEN = {
    "an entity of no device": lambda kept: entry(kept, ACME)["entities"][0].update(device_id="nowhere"),
    "an entity of a deleted device": lambda kept: entry(kept, ACME)["devices"][0].update(deleted_at=START, purge_at=START),
    "a device in another's zone": lambda kept: entry(kept, GLOBEX)["devices"][0].update(zone_id="zone-lobby"),
    "a zone below none": lambda kept: entry(kept, ACME)["zones"][0].update(parent_zone_id="nowhere"),
    "a resource elsewhere": lambda kept: entry(kept, ACME)["zones"][0].update(org_id=GLOBEX),
    "one id twice": lambda kept: entry(kept, ACME)["zones"][0].update(id="int-annex"),
    "one serial twice": lambda kept: entry(kept, ACME)["zones"][0].update(serial=entry(kept, ACME)["zones"][1]["serial"]),
    "a flag on nothing": lambda kept: entry(kept, ACME)["lifecycle"]["flags"][0].update(id="nowhere"),
    "a flag twice": lambda kept: entry(kept, ACME)["lifecycle"]["flags"].append(entry(kept, ACME)["lifecycle"]["flags"][0]),
    "an unknown tier": lambda kept: entry(kept, ACME)["org"].update(tier_slug="gold"),
    "a parent that is not there": lambda kept: entry(kept, ACME)["org"].update(parent_id="nowhere"),
    "its own parent": lambda kept: entry(kept, ACME)["org"].update(parent_id=ACME),
    "a user of no organization": lambda kept: kept["users"][0].update(roles={}),
    "a session without uses": lambda kept: entry(kept, GLOBEX).update(
        sessions={"video_session_duration_seconds": []}
    ),
    "one override id twice": lambda kept: entry(kept, GLOBEX)["overrides"][0].update(
        id=entry(kept, GLOBEX)["overrides"][1]["id"]
    ),
    "uses of a day after all time": lambda kept: entry(kept, GLOBEX)["meters"]["door_opens"].update(day=LATEST // DAY + 1),
    "a key with a credential's secret": lambda kept: kept["credentials"][0].update(secret="acme-laptop"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_it_refuses(what: str) -> None:
    kept = copy.deepcopy(full()[1])
    API.load(copy.deepcopy(kept))
    BROKEN[what](kept)
    with pytest.raises(ValueError, match=r"."):
        API.load(kept)


@given(
    st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400", '{"a": [NaN]}', str(2**70), "1.0", '"\\ud800"', "[[]]"])
)
def test_what_a_script_gives_can_be_written(text: str) -> None:
    state = world()
    script = f"# mock: result {text}"
    state, _ = decide(
        state, "openapp", lambda s, c: create_execution(s, c, ROOT, ACME, script, parse_json), state.clock.now
    )
    assert API.load(written(state)) == domain(state)


@pytest.mark.parametrize("days", [0, 1, 200])
def test_states_of_the_last_year_can_be_read_back(days: int) -> None:
    """What lies after the last instant is not written."""
    state = advance(world("demo"), LATEST - days * DAY, JOBS)[0]
    life: list[Command] = [
        *(("create", kind, 0, 0, None) for kind in ("integrations", "devices", "entities", "zones")),
        ("open", 0, None),
        ("script", 0, "x"),
        ("delete", "zones", 0, False),
    ]
    state = happened(state, life)
    assert API.load(written(state)) == domain(state)
    assert all(item.at <= LATEST for item in state.agenda)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9)), max_size=6))
def test_replaced_overrides_keep_their_ids_and_are_read_back(history: list[tuple[int, int]]) -> None:
    state, ids = world(), set()
    for wait, limit in history:
        state, _ = act(state, ("wait", wait * 3_600))
        body = {"subject_type": "org", "subject_id": GLOBEX, "quota_key": "devices", "limit_value": limit}
        state, outcome = decide(state, "openapp", lambda s, c, b=body: upsert_override(s, c, b), state.clock.now)
        assert isinstance(outcome, Accepted)
        ids.add(outcome.reply["id"])
    assert len(ids) <= 1
    assert API.load(written(state)) == domain(state)


def test_secrets_still_open_after_reading_back() -> None:
    again = API.load(full()[1])
    for secret in ("acme-laptop", "demo-owner", "demo-revoked", "nothing"):
        found_caller, before = (identify(each, secret, START) for each in (again, domain(full()[0])))
        assert isinstance(found_caller, Caller | Rejected)
        assert found_caller == before
