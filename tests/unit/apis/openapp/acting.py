"""What can happen in a world, as tuples of small numbers that Hypothesis draws and shrinks; `act` carries one out.

A number that stands for a thing picks it among all of its kind, live or deleted, so any sequence makes sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model.api_keys import create_api_key
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.consumption import consumed, key_used
from mock_server.apis.openapp.model.degradation import set_policy, set_resource_keep
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.inventory import create_device, create_entity, create_integration, create_zone
from mock_server.apis.openapp.model.lifetimes import delete_resource, purge_resource, restore_resource
from mock_server.apis.openapp.model.organizations import create_organization
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.resources import KINDS
from mock_server.apis.openapp.model.roles import spelled_out
from mock_server.apis.openapp.model.scripting import cancel_execution, create_execution
from mock_server.apis.openapp.model.state import OpenApp, Org
from mock_server.apis.openapp.model.users import create_user, delete_user
from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import DAY, SECOND, format_instant
from mock_server.engine.kernel import Jobs, advance, decide, settle
from mock_server.engine.problems import Problem
from mock_server.engine.world import WorldState
from mock_server.http.bodies import parse_json
from mock_server.scenarios import initial_state, read_scenario

ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
NOBODY = "01J9ZC3M4N5P6Q7R8S9T0V1W00"
START = 1_709_164_800 * SECOND
ROOT = Caller("root", None, frozenset({OPERATOR}))
JOBS: Jobs = {("openapp", name): job for name, job in API.jobs.items()}
CAPACITY = ("org_users", "organizations", "integrations", "devices", "entities", "zones", "api_keys")
POLICIES = ("newest_first", "oldest_first", "least_recently_used", "manual")
REFERENCES: Mapping[str, tuple[tuple[str, str, bool], ...]] = {
    "integrations": (),
    "zones": (("integration_id", "integrations", False), ("parent_zone_id", "zones", False)),
    "devices": (("integration_id", "integrations", True), ("zone_id", "zones", False)),
    "entities": (("device_id", "devices", True), ("zone_id", "zones", False)),
    "api_keys": (),
}
"""Kind -> (member, kind that it refers to, whether it is needed)."""

DAYS = 86_400
Command = tuple[Any, ...]
Outcome = Accepted[OpenApp, Any] | Refused | None

small = st.integers(0, 7)
maybe = st.none() | small
org_numbers = st.sampled_from((0, 0, 0, 1, 2))
kinds = st.sampled_from(KINDS)
seconds = st.one_of(
    st.integers(0, 5), st.integers(0, 86_400), st.integers(0, 9).map(DAYS.__mul__), st.integers(0, 40).map(DAYS.__mul__)
)
creates = st.tuples(st.just("create"), kinds, org_numbers, maybe, maybe)
users = st.tuples(st.just("user"), st.sets(small, min_size=1, max_size=3).map(sorted).map(tuple))
sub_organizations = st.tuples(st.just("organization"), small)
deletes = st.tuples(st.just("delete"), kinds, small, st.booleans())
restores = st.tuples(st.just("restore"), kinds, small)
purges = st.tuples(st.just("purge"), kinds, small)
leaves = st.tuples(st.just("leave"), small)
opens = st.tuples(st.just("open"), small, maybe)
key_uses = st.tuples(st.just("use key"), small)
scripts = st.tuples(
    st.just("script"), org_numbers, st.sampled_from(["", "# mock: fail x", '# mock: result {"a": [1]}'])
)
cancels = st.tuples(st.just("cancel"), small)
consumptions = st.tuples(st.just("consume"), st.sampled_from(["door_opens", "video_session_duration_seconds"]), small)
keeps = st.tuples(st.just("keep"), kinds, small, st.booleans())
policies = st.tuples(st.just("policy"), org_numbers, st.sampled_from(POLICIES))
limits = st.tuples(
    st.just("limit"), org_numbers, st.sampled_from(CAPACITY), st.integers(0, 9), st.none() | st.integers(-3, 40)
)
tiers = st.tuples(st.just("tier"), org_numbers, st.sampled_from(["free", "free", "starter", "business"]))
settings = st.tuples(
    st.just("settings"),
    st.fixed_dictionaries(
        {},
        optional={
            "lifecycle_enabled": st.booleans(),
            "warn_days": st.integers(0, 9),
            "degrade_days": st.integers(1, 9),
            "purge_days": st.integers(0, 9),
            "retention_days": st.integers(1, 40),
        },
    ),
)
waits = st.tuples(st.just("wait"), seconds)
_WEIGHTS = (
    (creates, 5), (deletes, 5), (restores, 5), (opens, 4), (limits, 3), (waits, 3), (policies, 2), (purges, 1), (users, 1),
    (sub_organizations, 1), (leaves, 1), (key_uses, 2), (scripts, 1), (cancels, 1), (consumptions, 1), (keeps, 2),
    (tiers, 2), (settings, 1),
)  # fmt: skip
commands = st.sampled_from([each for each, weight in _WEIGHTS for _ in range(weight)]).flatmap(lambda each: each)
histories = st.lists(commands, min_size=8, max_size=50)
A_FULL_LIFE: list[Command] = [
    ("user", (0, 1)),
    ("user", (1,)),
    ("organization", 1),
    ("create", "integrations", 1, None, None),
    ("create", "integrations", 1, None, None),
    ("create", "zones", 1, 0, None),
    ("create", "zones", 1, None, 0),
    ("create", "devices", 1, 0, 0),
    ("create", "entities", 1, 0, 0),
    ("create", "api_keys", 1, None, None),
    ("organization", 2),
    ("open", 0, 0),
    ("script", 1, '# mock: result {"a": [1, 2.5, null]}'),
    ("consume", "video_session_duration_seconds", 1),
    ("consume", "door_opens", 1),
    ("limit", 1, "devices", 9, 3),
    ("limit", 1, "zones", 9, None),
    ("delete", "devices", 3, True),
    ("delete", "zones", 2, True),
    ("wait", 86_400),
    ("delete", "api_keys", 1, True),
    ("script", 0, "# mock: fail it broke"),
    ("keep", "entities", 2, True),
]
"""After it, there is some of everything."""


def world(scenario: str = "over-capacity") -> WorldState:
    """Acme Doors there has a device, an entity, a zone... too many; Globex Gates has nothing yet."""
    if scenario not in _WORLDS:
        _WORLDS[scenario] = initial_state(read_scenario(scenario), {"openapp": API}, 7, START, now=START)
    return _WORLDS[scenario]


_WORLDS: dict[str, WorldState] = {}


def domain(state: WorldState) -> OpenApp:
    found: OpenApp = state.apis["openapp"]
    return found


def act(state: WorldState, command: Command) -> tuple[WorldState, Outcome]:
    """The world after a command, with all done that is due by then; a refusal leaves the very same world."""
    name, *args = command
    now = state.clock.now
    if name == "wait":
        return advance(state, now + args[0] * SECOND, JOBS)[0], None
    if name == "settings":
        changed = msgspec.structs.replace(domain(state), settings=settings_with(state, args[0]))
        state = msgspec.structs.replace(state, apis=state.apis.insert("openapp", changed))
        assert API.reconsidered is not None
        return settle(decide(state, "openapp", API.reconsidered, now)[0], now, JOBS)[0], None
    after, outcome = decide(state, "openapp", lambda s, c: _ACTIONS[name](s, c, *args), now)
    if isinstance(outcome, Refused):
        assert after is state, "a refusal leaves no trace"
        assert outcome.problem.message, "and says why"
    return settle(after, now, JOBS)[0], outcome


def happened(state: WorldState, history: Iterable[Command]) -> WorldState:
    for command in history:
        state, _ = act(state, command)
    return state


def refusals(state: WorldState, history: Iterable[Command]) -> Iterator[tuple[WorldState, Problem, Command]]:
    """What is refused on the way, each with the world that it was refused in."""
    for command in history:
        after, outcome = act(state, command)
        if isinstance(outcome, Refused):
            yield state, outcome.problem, command
        state = after


def settings_with(state: WorldState, changes: Mapping[str, Any]) -> Any:
    return msgspec.structs.replace(domain(state).settings, **changes)


def org_at(state: OpenApp, n: int) -> Org:
    return nth(state.orgs.values(), n, key=lambda org: org.serial)


def nth(rows: Iterable[Any], n: int, key: Any = lambda row: row.serial) -> Any:
    ordered = sorted(rows, key=key)
    return ordered[n % len(ordered)] if ordered else None


def everything(state: OpenApp, kind: str, half: str = "both") -> list[Any]:
    """All resources of a kind in all organizations: the live ones, the deleted ones, or both."""
    halves = ("live", "deleted") if half == "both" else (half,)
    return [r for h in state.holdings.values() for each in halves for r in getattr(h.shelf(kind), each).values()]


def references(state: OpenApp, kind: str, org_id: str, *numbers: int | None) -> dict[str, str]:
    """The members of a body that refer to something of the organization; what is needed but nowhere to be had is NOBODY."""
    body = {}
    for (member, of, is_needed), n in zip(REFERENCES[kind], numbers, strict=False):
        there = [row for row in everything(state, of) if row.org_id == org_id]
        if is_needed or (n is not None and there):
            body[member] = nth(there, n or 0).id if there else NOBODY
    return body


def owner(org_id: str) -> Caller:
    return Caller(f"owner of {org_id}", org_id, spelled_out(("admin", "billing:manage")))


def _create(state: OpenApp, context: Context, kind: str, n: int, a: int | None, b: int | None) -> Any:
    org_id = org_at(state, n).id
    body: dict[str, Any] = references(state, kind, org_id, a, b)
    if kind == "integrations":
        return create_integration(state, context, ROOT, None, {"org_id": org_id, "provider_type": "virtual_demo"})
    if kind == "devices":
        return create_device(state, context, ROOT, None, {**body, "org_id": org_id, "name": "Gate"})
    if kind == "entities":
        return create_entity(state, context, ROOT, None, {**body, "entity_type": "door"})
    if kind == "zones":
        return create_zone(state, context, ROOT, org_id, {**body, "name": {"de": "Hof"}})
    return create_api_key(state, context, owner(org_id), None, {"name": "key", "expires_in": "3000d"}, "http://x")


def _user(state: OpenApp, context: Context, numbers: tuple[int, ...]) -> Any:
    roles = {org_at(state, n).id: ["member"] for n in numbers}
    return create_user(state, context, ROOT, None, {"name": "Uma", "roles": roles})


def _organization(state: OpenApp, context: Context, n: int) -> Any:
    return create_organization(state, context, ROOT, {"name": "Below", "parent_id": org_at(state, n).id})


def aimed_at(state: OpenApp, name: str, kind: str, n: int) -> Any:
    """What a command is about: mostly something that it can be done to, now and then (7) anything."""
    half = {"restore": "deleted", "purge": "deleted"}.get(name, "live") if n < 7 else "both"
    return nth(everything(state, kind, half), n)


def _on_resource(name: str, function: Any) -> Any:
    def action(state: OpenApp, context: Context, kind: str, n: int, *args: Any) -> Any:
        row = aimed_at(state, name, kind, n)
        return Accepted(state, None) if row is None else function(state, context, ROOT, kind, row.id, *args)

    return action


def _leave(state: OpenApp, context: Context, n: int) -> Any:
    people = {row.id: row for holdings in state.holdings.values() for row in holdings.users.values()}
    row = nth(people.values(), n)
    return Accepted(state, None) if row is None else delete_user(state, context, ROOT, row.id)


def _open(state: OpenApp, context: Context, n: int, key: int | None) -> Any:
    entity = aimed_at(state, "open", "entities", n)
    keys = [] if entity is None else list(state.held_by(entity.org_id).api_keys.live.values())
    caller = nth(keys, key).caller if key is not None and keys else ROOT
    return Accepted(state, None) if entity is None else execute_action(state, context, caller, entity.id, "open")


def _use_key(state: OpenApp, context: Context, n: int) -> Any:
    row = nth(everything(state, "api_keys", "live"), n)
    return Accepted(state, None) if row is None else key_used(state, row.caller, context)


def _script(state: OpenApp, context: Context, n: int, script: str) -> Any:
    return create_execution(state, context, ROOT, org_at(state, n).id, script, parse_json)


def _cancel(state: OpenApp, context: Context, n: int) -> Any:
    row = nth((row for holdings in state.holdings.values() for row in holdings.executions.values()), n)
    return Accepted(state, None) if row is None else cancel_execution(state, context, ROOT, row.id)


def _consume(state: OpenApp, context: Context, key: str, n: int) -> Any:
    return consumed(state, context, org_at(state, n).id, key, n + 1, f"session {n}")


def _keep(state: OpenApp, context: Context, kind: str, n: int, keep: bool) -> Any:
    row = aimed_at(state, "keep", kind, n)
    if row is None:
        return Accepted(state, None)
    return set_resource_keep(state, context, ROOT, row.org_id, kind, row.id, keep)


def _limit(state: OpenApp, context: Context, n: int, key: str, limit: int, days: int | None) -> Any:
    body = {"subject_type": "org", "subject_id": org_at(state, n).id, "quota_key": key, "limit_value": limit}
    return upsert_override(
        state, context, body if days is None else {**body, "expires_at": format_instant(context.now + days * DAY)}
    )


_ACTIONS: Mapping[str, Any] = {
    "create": _create,
    "user": _user,
    "organization": _organization,
    "delete": _on_resource("delete", delete_resource),
    "restore": _on_resource("restore", restore_resource),
    "purge": _on_resource("purge", purge_resource),
    "leave": _leave,
    "open": _open,
    "use key": _use_key,
    "script": _script,
    "cancel": _cancel,
    "consume": _consume,
    "keep": _keep,
    "limit": _limit,
    "policy": lambda state, context, n, policy: set_policy(state, context, ROOT, org_at(state, n).id, policy),
    "tier": lambda state, context, n, tier: checkout(state, context, ROOT, org_at(state, n).id, tier),
}
