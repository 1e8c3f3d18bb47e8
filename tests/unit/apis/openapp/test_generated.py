"""Organizations that nobody wrote down: the same ones everywhere, and each of them one that somebody could have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.app import create_mock
from mock_server.engine.instants import DAY, LATEST, Instant, format_instant, parse_instant
from mock_server.engine.kernel import advance
from mock_server.engine.world import WorldState
from mock_server.fixtures import FixtureError
from mock_server.http.mock import Mock
from mock_server.scenarios import initial_state, read_scenario

from .acting import CAPACITY, JOBS, START, domain
from .soundness import check, count_of, limit_of, over

FEW = settings(max_examples=max(settings().max_examples // 5, 5))
seeds = st.integers(0, 2**63 - 1)
starts = st.integers(parse_instant("1990-01-01T00:00:00Z") // 1_000_000, LATEST // 1_000_000 - 800 * 86_400).map(
    lambda second: second * 1_000_000
)
SCRIPT = """
import sys, hashlib, msgspec
from tests.unit.apis.openapp.test_generated import made, written
print(hashlib.sha256(msgspec.json.encode(written(made(int(sys.argv[1]), 40)))).hexdigest())
"""


def made(seed: int, orgs: int, start: Instant = START, scenario: str = "generated") -> WorldState:
    return initial_state(read_scenario(scenario), {"openapp": API}, seed, start, now=start, options={"orgs": orgs})


@cache
def mock() -> Mock:
    return create_mock(wall=lambda: START, fresh_seed=lambda: 7)


def written(state: WorldState) -> Any:
    """All but the order of what falls due at the same instant, which test_determinism.py looks at."""
    agenda = sorted((item.at, item.key, item.job.name, repr(item.job.args)) for item in state.agenda)
    return {"domain": API.dump(domain(state)), "agenda": agenda, "revision": state.revision}


def test_it_is_the_same_in_every_process() -> None:
    seed = 7
    root = Path(__file__).parents[4]
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(root)},
            cwd=root, check=True, capture_output=True, text=True,
        ).stdout
        for hashes in ("0", "1")
    }  # fmt: skip
    assert len(found) == 1
    assert written(made(seed, 40)) == written(made(seed, 40))


@FEW
@given(seeds, st.integers(0, 12), st.integers(1, 12), starts)
def test_asking_for_more_keeps_the_first_ones(seed: int, few: int, more: int, start: Instant) -> None:
    """Not the serials of what comes after them, but all that each of them is and holds."""
    small, large = (API.dump(domain(made(seed, n, start))) for n in (few, few + more))
    first = {each["org"]["id"] for each in small["orgs"]}
    assert len(large["orgs"]) == few + more
    assert [each for each in large["orgs"] if each["org"]["id"] in first] == small["orgs"]
    assert {each["secret"] for each in small["credentials"]} <= {each["secret"] for each in large["credentials"]}
    assert all(each in large["users"] for each in small["users"])
    assert all(each in large["portals"] for each in small["portals"])


@FEW
@given(seeds, starts)
def test_each_could_be_somebodys(seed: int, start: Instant) -> None:
    state = domain(made(seed, 12, start))
    for org in state.orgs.values():
        exceeded, is_over = over(state, org.id, start), org.id in state.lifecycles
        assert bool(exceeded) == is_over
        assert all(count - limit <= 3 for count, limit in exceeded.values()), "deliberately, and only just"
        assert not exceeded or org.tier_slug == "free"
        assert not exceeded.keys() & {"org_users", "organizations", "api_keys"}
        assert (org.subscription is None) == (org.tier_slug == "free")
        holdings = state.held_by(org.id)
        assert [user.roles[org.id] for user in holdings.users.values()].count(("owner",)) == 1
        assert all(limit_of(state, org.id, key, "lifetime", start) is None or key in exceeded
                   or count_of(state, org.id, key) <= (limit_of(state, org.id, key, "lifetime", start) or 0)
                   for key in CAPACITY)  # fmt: skip
        for key, meter in holdings.meters.items():
            for period, used in (("day", meter.in_day), ("week", meter.in_week), ("month", meter.in_month)):
                limit = limit_of(state, org.id, key, period, start)
                assert limit is None or used <= limit
        for kind in KINDS:
            shelf = holdings.shelf(kind)
            for row in (*shelf.live.values(), *shelf.deleted.values()):
                assert org.created_at <= start
                assert row.created_at <= start
                last = getattr(row, "last_used_at", None)
                assert last is None or last <= start


@FEW
@given(seeds, starts, st.integers(0, 400))
def test_it_is_sound_and_keeps_the_contract(seed: int, start: Instant, days: int) -> None:
    state = made(seed, 12, start)
    check(state)
    assert mock().complaint_about("openapp", state) is None
    assert API.load(json.loads(msgspec.json.encode(API.dump(domain(state))))) == domain(state)
    state, _ = advance(state, start + days * DAY, JOBS)
    check(state)
    assert mock().complaint_about("openapp", state) is None


@pytest.mark.parametrize("seed", range(3))
def test_nothing_happened_before_it_could(seed: int) -> None:
    """A thing is made after its organization, used after it was made, and not chosen to go before it is there."""
    state = domain(made(seed, 12))
    for org in state.orgs.values():
        holdings = state.held_by(org.id)
        for kind in KINDS:
            for row in holdings.shelf(kind).live.values():
                assert org.created_at <= row.created_at
                last = getattr(row, "last_used_at", None)
                assert last is None or row.created_at <= last, f"a {kind} used before it was made"
        lifecycle = state.lifecycles.get(org.id)
        for flag in lifecycle.flags if lifecycle is not None else ():
            assert holdings.shelf(flag.kind).live[flag.id].created_at <= flag.flagged_at


def test_different_seeds_make_different_worlds() -> None:
    ids = [frozenset(domain(made(seed, 20)).orgs) for seed in range(5)]
    assert len(frozenset.union(*ids)) == 100


@pytest.mark.parametrize("start", ["1970-01-02T00:00:00Z", "1971-06-01T00:00:00Z", "9998-12-30T00:00:00Z"])
def test_worlds_at_either_end_of_time(start: str) -> None:
    """They begin, or say why not; and whatever begins can be written and read back."""
    try:
        state = made(7, 20, parse_instant(start))
    except FixtureError:
        return
    assert API.load(json.loads(msgspec.json.encode(API.dump(domain(state))))) == domain(state)


def scenario(folder: Path, part: str, catalog: str = "") -> str:
    (folder / "catalog.yaml").write_text(catalog)
    (folder / "world.yaml").write_text(
        f"mockbill_world: 1\ntitle: T\napis:\n  openapp:\n    generate: {{orgs: 20}}\n{part}"
    )
    return str(folder / "world.yaml")


def test_without_a_lifecycle(tmp_path: Path) -> None:
    state = made(7, 20, scenario=scenario(tmp_path, "    settings: {lifecycle_enabled: false}\n"))
    assert not domain(state).lifecycles
    check(state)


CATALOG = """mockbill_catalog: 1
api: openapp
tiers:
  - {slug: only, name: {en: Only}, sort_order: 1, default_for_personal: true, QUOTAS}
"""


@pytest.mark.parametrize(
    "quotas",
    [
        "published: false",
        "quotas: {}",
        "quotas: {integrations: {lifetime: 0}, devices: {lifetime: 0}, zones: {lifetime: 0}, org_users: {lifetime: 0}}",
        "quotas: {devices: {lifetime: null}, door_opens: {week: 1, month: 1}, org_users: {lifetime: 1}}",
        "quotas: {portal_views: {day: 0}, api_keys: {lifetime: 0}, entities: {lifetime: 0}}",
    ],
)
def test_with_a_catalog_of_ones_own(tmp_path: Path, quotas: str) -> None:
    state = made(7, 20, scenario=scenario(tmp_path, "    catalog: ./catalog.yaml\n", CATALOG.replace("QUOTAS", quotas)))
    check(state)
    assert mock().complaint_about("openapp", state) is None


SHADOWED = """    orgs:
      - id: A
        name: A
        over_capacity_since: -P10D
        zones: [{id: z1, name: One, created: -P20D}, {id: z2, name: Two, created: -P20D}]
    overrides:
      - {org: A, quota_key: zones, limit: 1, expires_at: EXPIRES}
"""


@pytest.mark.parametrize("days", [-20, -5, -1, 0, 5])
def test_overrides_that_have_expired_before_the_start_count_no_longer(tmp_path: Path, days: int) -> None:
    """A scenario may begin a lifecycle in the past; what made it begin may have ended since."""
    part = SHADOWED.replace("EXPIRES", f'"{format_instant(START + days * DAY)}"')
    try:
        state = made(7, 0, scenario=scenario(tmp_path, part))
    except FixtureError:
        # That it is within capacity by the start may be complained about.
        is_complaint = True
    else:
        is_complaint = False
        check(state)
    assert not (is_complaint and days > 0)
