"""A year in the life of many organizations, in one process: `python -m tests.bench.year --orgs 10000`.

Every organization does something every day of 2027, each at a time of its own: as a rule a member opens a door, now and
then something is created, deleted or pinned, a policy or the plan changes. Each is a command decided by the model
through the kernel, as a request would be; in between, the clock is moved and what falls due is done: stages of the
over-capacity lifecycle, purges, expiring overrides, scripts. It counts what was accepted and refused, and fails if any
command ends in something else than the model's own answer.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from random import Random
from typing import Any

from rpds import HashTrieMap

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.catalog import read_catalog
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.degradation import set_policy, set_resource_keep
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.inventory import create_device, create_entity, create_integration, create_zone
from mock_server.apis.openapp.model.lifetimes import delete_resource
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.scripting import create_execution
from mock_server.apis.openapp.model.state import OpenApp, Org, Settings
from mock_server.engine.callers import Caller
from mock_server.engine.clock import frozen
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import DAY, SECOND, Instant, format_instant, parse_instant
from mock_server.engine.kernel import Jobs, advance, decide
from mock_server.engine.world import WorldState
from mock_server.fixtures import find, read_yaml

from .results import this_machine

NAME = "openapp"
START = parse_instant("2027-01-01T00:00:00Z")
DAYS = 365
TIERS = ("free", "starter", "pro", "business")
POLICIES = ("newest_first", "oldest_first", "least_recently_used", "manual")


@dataclass(frozen=True)
class Year:
    """`daily`: events the organizations caused; `fallen`: jobs that fell due. Memory in bytes, at most and at the end."""

    organizations: int
    days: int
    daily: int
    accepted: int
    refused: dict[str, int]
    fallen: dict[str, int]
    stages: dict[str, int]
    seconds: float
    peak_memory: int


class Town:
    """The organizations, and what happens to them."""

    def __init__(self, count: int, seed: int) -> None:
        self.random = Random(seed)
        self.jobs: Jobs = {(NAME, name): function for name, function in API.jobs.items()}
        catalog = read_catalog(read_yaml(find("catalogs", NAME)))
        domain = OpenApp(catalog, Settings())
        self.members: list[tuple[str, Caller, Caller]] = []
        for n in range(count):
            org = Org(f"org-{n:06}", {"en": f"Org {n}"}, TIERS[n % 4], START, START)
            domain = domain.with_org(org)
            owner = Caller(f"owner {n}", org.id, frozenset({"admin", "billing:manage"}))
            self.members.append((org.id, owner, Caller(f"member {n}", org.id, frozenset({"entities:set_state"}))))
        self.world = WorldState(seed, frozen(START), HashTrieMap({NAME: domain}))
        self.doors: list[str] = []
        self.outcomes: Counter[str] = Counter()
        for org_id, owner, _ in self.members:
            self.doors.append(self._settled_in(org_id, owner))
        self.outcomes.clear()

    def _settled_in(self, org_id: str, owner: Caller) -> str:
        """An integration, a device and a door; the id of the door."""
        body = {"org_id": org_id, "provider_type": "virtual_demo", "name": "Main"}
        integration = self.do(START, lambda s, c: create_integration(s, c, owner, None, body))["id"]
        body = {"org_id": org_id, "integration_id": integration, "name": "Front"}
        device = self.do(START, lambda s, c: create_device(s, c, owner, None, body))["id"]
        door = {"device_id": device, "entity_type": "door"}
        entity: str = self.do(START, lambda s, c: create_entity(s, c, owner, None, door))["id"]
        return entity

    def do(self, now: Instant, function: Callable[[Any, Context], Accepted[Any, Any] | Refused]) -> Any:
        self.world, outcome = decide(self.world, NAME, function, now)
        if isinstance(outcome, Refused):
            self.outcomes[outcome.problem.type.code] += 1
            return None
        self.outcomes["accepted"] += 1
        return outcome.reply

    def something(self, n: int, now: Instant) -> None:
        """What organization `n` does at `now`."""
        org_id, owner, member = self.members[n]
        draw = self.random.random()
        if draw < 0.9:
            door = self.doors[n]
            self.do(now, lambda s, c: execute_action(s, c, member, door, "switchable.open"))
        elif draw < 0.96:
            self._grow(org_id, owner, now)
        elif draw < 0.97:
            self._shrink(org_id, owner, now)
        elif draw < 0.98:
            tier = self.random.choice(TIERS)
            self.do(now, lambda s, c: checkout(s, c, owner, org_id, tier))
        elif draw < 0.985:
            policy = self.random.choice(POLICIES)
            self.do(now, lambda s, c: set_policy(s, c, owner, org_id, policy))  # type: ignore[arg-type]
        elif draw < 0.99:
            self._pin(org_id, owner, now)
        elif draw < 0.995:
            self.do(now, lambda s, c: create_execution(s, c, owner, None, "open()", json.loads))
        else:
            expires_at = format_instant(now + self.random.randrange(1, 60) * DAY)
            body = {"subject_type": "org", "subject_id": org_id, "quota_key": "zones", "limit_value": 4}
            self.do(now, lambda s, c: upsert_override(s, c, {**body, "expires_at": expires_at}))

    def _grow(self, org_id: str, owner: Caller, now: Instant) -> None:
        integrations = self._held(org_id, "integrations")
        if self.random.random() < 0.5 or not integrations:
            self.do(now, lambda s, c: create_zone(s, c, owner, org_id, {"name": "Room"}))
        else:
            body = {"org_id": org_id, "integration_id": integrations[0], "name": "More"}
            self.do(now, lambda s, c: create_device(s, c, owner, None, body))

    def _shrink(self, org_id: str, owner: Caller, now: Instant) -> None:
        zones = self._held(org_id, "zones")
        if zones:
            self.do(now, lambda s, c: delete_resource(s, c, owner, "zones", zones[0], True))

    def _pin(self, org_id: str, owner: Caller, now: Instant) -> None:
        devices = self._held(org_id, "devices")
        if devices:
            self.do(now, lambda s, c: set_resource_keep(s, c, owner, org_id, "devices", devices[0], True))

    def _held(self, org_id: str, kind: str) -> list[str]:
        return sorted(self.world.apis[NAME].held_by(org_id).shelf(kind).live)


def simulated(count: int, days: int = DAYS, seed: int = 7) -> Year:
    """A year in one world; nothing in it is timed but the whole."""
    town = Town(count, seed)
    fallen: Counter[str] = Counter()
    started = time.perf_counter()
    for day in range(days):
        morning = START + day * DAY
        for n in range(count):
            town.something(n, morning + (n * 8 + 1) * SECOND % DAY)
        town.world, timeline = advance(town.world, morning + DAY, town.jobs)
        fallen.update(each.job for each in timeline)
    seconds = time.perf_counter() - started
    stages = Counter(each.stage for each in town.world.apis[NAME].lifecycles.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    accepted = town.outcomes.pop("accepted")
    refused = dict(town.outcomes.most_common())
    return Year(count, days, count * days, accepted, refused, dict(fallen), dict(stages), seconds, peak)


def in_worlds(count: int, days: int, worlds: int) -> list[Year]:
    """The same number of organizations spread over some worlds, each in a process of its own, all at once."""
    shares = [count // worlds + (n < count % worlds) for n in range(worlds)]
    with ProcessPoolExecutor(worlds, mp_context=get_context("spawn")) as pool:
        return list(pool.map(simulated, shares, [days] * worlds, range(7, 7 + worlds)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.year", description=__doc__)
    parser.add_argument("--orgs", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--worlds", type=int, default=1, help="spread the organizations over so many, one process each")
    arguments = parser.parse_args()
    started = time.perf_counter()
    if arguments.worlds == 1:
        years = [simulated(arguments.orgs, arguments.days)]
    else:
        years = in_worlds(arguments.orgs, arguments.days, arguments.worlds)
    print(json.dumps({"machine": asdict(this_machine()), "worlds": [asdict(year) for year in years]}, indent=2))
    events = sum(year.daily + sum(year.fallen.values()) for year in years)
    slowest = max(year.seconds for year in years)
    print(
        f"{arguments.orgs} organizations, {arguments.days} days, {events} events and jobs in {len(years)} world(s): "
        f"{slowest:.1f} s ({slowest / events * 1e6:.1f} us each), with starting {time.perf_counter() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
