"""Why things are on the agenda: a sentence for each, that is true of the state, and an answer to any question at all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model.causes import CAUSES
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.engine.instants import format_instant
from mock_server.engine.world import WorldState

from .acting import ACME, GLOBEX, Command, act, domain, everything, happened, histories, world

names = st.sampled_from(sorted(CAUSES))
anything = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
known = st.sampled_from([ACME, GLOBEX, *KINDS, "devices/lifetime", "dev-roof", "key-voice", "nowhere"])
arguments = st.dictionaries(st.sampled_from(["org_id", "row", "kind", "id", "more"]), known | anything)


def causes(state: WorldState) -> list[str]:
    return [API.causes[item.job.name](domain(state), item.job.args) for item in state.agenda]


def test_every_job_has_one() -> None:
    assert API.causes.keys() == API.jobs.keys()


@given(histories)
def test_all_that_is_ahead_has_a_cause_in_the_state(history: list[Command]) -> None:
    state = happened(world(), history)
    for item, cause in zip(state.agenda, causes(state), strict=True):
        assert cause.endswith(".")
        assert 20 < len(cause) <= 2_000
        assert not any(word in cause for word in (" gone", "any more", "already", "None"))
        org = domain(state).orgs[item.job.args["org_id"]]
        assert org.label in cause


@given(histories, names, arguments)
def test_whatever_is_asked_is_answered(history: list[Command], name: str, args: dict[str, Any]) -> None:
    cause = CAUSES[name](domain(happened(world(), history)), args)
    assert cause.endswith(".")
    assert len(cause) <= 2_000


@given(histories, histories)
def test_jobs_of_another_state_are_answered_too(history: list[Command], more: list[Command]) -> None:
    """As where a state was put in place of the one that made the agenda."""
    start = happened(world(), history)
    other = domain(happened(start, more))
    for item in start.agenda:
        for state in (other, domain(world("empty")), domain(world("demo"))):
            assert CAUSES[item.job.name](state, item.job.args).endswith(".")


LIVES: list[tuple[str, list[Command], str]] = [
    (
        "demo",
        [("limit", 0, "devices", 500, 3)],
        "The override of devices per lifetime (limit 500) for Acme Doors was made to end then.",
    ),
    (
        "over-capacity",
        [],
        "Acme Doors has been warned since 2024-02-29T00:00:00Z; a warning lasts 7 days.",
    ),
    (
        "over-capacity",
        [("settings", {"degrade_days": 1}), ("wait", 7 * 86_400)],
        "Acme Doors has been degraded since 2024-03-07T00:00:00Z; degradation takes 1 day.",
    ),
    (
        "over-capacity",
        [("wait", 37 * 86_400)],
        "Acme Doors has had 13 things marked for deletion since 2024-04-06T00:00:00Z; "
        "what is marked is deleted after 14 days.",
    ),
    (
        "demo",
        [("create", "zones", 0, None, None), ("delete", "zones", 0, False)],
        "Zone 'Hof' of Acme Doors was deleted at 2024-02-29T00:00:00Z; deleted things are kept for 30 days.",
    ),
    (
        "demo",
        [("create", "zones", 0, None, None), ("delete", "zones", 0, False), ("settings", {"retention_days": 3})],
        "Zone 'Hof' of Acme Doors was deleted at 2024-02-29T00:00:00Z, to be kept until 2024-03-30T00:00:00Z.",
    ),
    (
        "demo",
        [("create", "api_keys", 0, None, None), ("delete", "api_keys", 0, False)],
        "API key 'key' of Acme Doors was revoked at 2024-02-29T00:00:00Z; deleted things are kept for 30 days.",
    ),
]


@pytest.mark.parametrize(("scenario", "life", "cause"), LIVES, ids=range(len(LIVES)))
def test_sentences(scenario: str, life: list[Command], cause: str) -> None:
    assert causes(happened(world(scenario), life)) == [cause]


def test_a_script_waits_and_runs() -> None:
    state, _ = act(world("demo"), ("script", 0, "x"))
    row = next(iter(domain(state).held_by(ACME).executions.values()))
    name, since = f"The script {row.id} of Acme Doors", format_instant(row.created_at)
    assert causes(state) == [f"{name} has been pending since {since}; it starts after 0.25 s of the world's time."]
    started = msgspec.structs.replace(row, status="running", started_at=row.created_at + 250_000)
    executions = domain(state).held_by(ACME).executions.insert(row.id, started)
    holdings = msgspec.structs.replace(domain(state).held_by(ACME), executions=executions)
    running = domain(state).with_holdings(ACME, holdings)
    args = next(iter(state.agenda)).job.args
    assert CAUSES["script_moves_on"](running, args) == (
        f"{name} has been running since 2024-02-29T00:00:00.250000Z; a script takes 0.5 s of the world's time."
    )


def test_what_is_gone_is_said_to_be_gone() -> None:
    state, _ = act(world("demo"), ("create", "zones", 0, None, None))
    zone = everything(domain(state), "zones")[0]
    gone = {
        ("override_expires", ("row", "devices/lifetime")): "The override that was to end then is gone from Acme Doors.",
        ("lifecycle_stage_ends", ("row", "")): (
            "A stage of Acme Doors was to end then, but it is not over capacity any more."
        ),
        ("resource_purged", ("kind", "zones")): (
            f"Zone '{zone.id}' was to be purged then, but is not among what is deleted any more."
        ),
        ("script_moves_on", ("kind", "")): f"The script '{zone.id}' was to move on then, but is forgotten.",
    }
    for (name, (member, value)), sentence in gone.items():
        args = {"org_id": ACME, "id": zone.id, member: value}
        assert CAUSES[name](domain(state), args) == sentence
    assert CAUSES["lifecycle_stage_ends"](domain(state), {"org_id": "nowhere"}) == (
        "A stage of an organization that does not exist ('nowhere') was to end then, but it is not over capacity any more."
    )
