"""A refusal of every kind that the model has: a world, who asks, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model import problems
from mock_server.apis.openapp.model.api_keys import create_api_key
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.consumption import consumed
from mock_server.apis.openapp.model.degradation import set_resource_keep
from mock_server.apis.openapp.model.doors import execute_action
from mock_server.apis.openapp.model.inventory import create_device, create_entity, create_integration, create_zone
from mock_server.apis.openapp.model.lifetimes import delete_resource, get_resource, purge_resource, restore_resource
from mock_server.apis.openapp.model.organizations import create_organization, get_organization
from mock_server.apis.openapp.model.overrides import upsert_override
from mock_server.apis.openapp.model.portal import portal
from mock_server.apis.openapp.model.portals import view_portal
from mock_server.apis.openapp.model.roles import spelled_out
from mock_server.apis.openapp.model.scripting import cancel_execution, create_execution
from mock_server.apis.openapp.model.users import create_user, get_user
from mock_server.apis.openapp.model.webhook_ingress import receive
from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Refused
from mock_server.engine.instants import SECOND
from mock_server.engine.kernel import decide
from mock_server.engine.problems import Problem, ProblemType
from mock_server.engine.world import WorldState
from mock_server.http.bodies import parse_json
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message

from .acting import ACME, GLOBEX, NOBODY, ROOT, Command, domain, happened, owner, world

Call = Callable[[Any, Any], Any]
Made = tuple[WorldState, Caller | None, Call]

ACME_OWNER = owner(ACME)
MEMBER = Caller("member of Acme Doors", ACME, spelled_out(("devices:read", "entities:read", "entities:set_state")))
PADDLE_EVENT, PADDLE_SECRET = b'{"event_id": "evt_1", "event_type": "ping", "data": {}}', "pdl_ntfset_demo"
EVENT = b'{"id": "evt_1", "type": "ping", "data": {"object": {}}}'


def asked(state: WorldState, call: Call) -> tuple[WorldState, Any]:
    """The world afterwards, and the outcome; of a look at it, what was seen."""
    now = state.clock.now
    seen = call(domain(state), state.context(now))
    return decide(state, "openapp", call, now) if isinstance(seen, Accepted) else (state, seen)


def problem_of(made: Made) -> Problem:
    state, _, call = made
    after, outcome = asked(state, call)
    assert isinstance(outcome, Refused), "it was to be refused"
    assert after is state
    return outcome.problem


def done(state: WorldState, *calls: Call | Command) -> WorldState:
    """After calls and commands, none of which is refused."""
    for call in calls:
        if isinstance(call, tuple):
            state = happened(state, [call])
            continue
        state, outcome = asked(state, call)
        assert not isinstance(outcome, Refused), outcome
    return state


def over() -> WorldState:
    return world("over-capacity")


def stocked() -> WorldState:
    """Acme on a large tier, holding much: what is refused there, no quota refuses."""
    return done(over(), ("tier", 0, "business"))


def overridden(key: str, limit: int, org: str = ACME, **more: Any) -> Call:
    body = {"subject_type": "org", "subject_id": org, "quota_key": key, "limit_value": limit, **more}
    return lambda s, c: upsert_override(s, c, body)


def deleting(kind: str, row_id: str, whole: bool = True, caller: Caller = ROOT) -> Call:
    return lambda s, c: delete_resource(s, c, caller, kind, row_id, whole)


def restoring(kind: str, row_id: str) -> Call:
    return lambda s, c: restore_resource(s, c, ACME_OWNER, kind, row_id)


def purging(kind: str, row_id: str) -> Call:
    return lambda s, c: purge_resource(s, c, ROOT, kind, row_id)


def keeping(kind: str, row_id: str, keep: bool = True) -> Call:
    return lambda s, c: set_resource_keep(s, c, ACME_OWNER, ACME, kind, row_id, keep)


def zone(caller: Caller = ACME_OWNER, org: str | None = None, **more: Any) -> Call:
    return lambda s, c: create_zone(s, c, caller, org, {"name": "Hall", **more})


def opening(
    entity: str, caller: Caller = ROOT, action: str = "open", body: bytes = b"", key: str | None = None
) -> Call:
    return lambda s, c: execute_action(s, c, caller, entity, action, body, key)


def using(key: str, amount: int, session: str | None = None, org: str = ACME) -> Call:
    return lambda s, c: consumed(s, c, org, key, amount, session)


def making_key(caller: Caller, **body: Any) -> Call:
    return lambda s, c: create_api_key(s, c, caller, None, {"name": "another", **body}, "http://mock")


def webhook(body: bytes, age: int | None = 0, secret: str = "whsec_demo", provider: str = "stripe") -> Call:
    def call(state: Any, context: Any) -> Any:
        headers: dict[str, str] = {}
        if age is not None:
            signed = scheme_named(provider).sign(Message(body), secret, context.now // SECOND - age)
            headers = {name.lower(): value for name, value in signed.headers}
        return receive(state, context, provider, headers, body, parse_json)

    return call


def caller_of(state: WorldState, key_id: str) -> Caller:
    found: Caller = domain(state).held_by(ACME).api_keys.live[key_id].caller
    return found


def scoped() -> tuple[WorldState, Caller]:
    """A key that is made for two doors."""
    scope = ["ent-front-door", "ent-back-door"]
    state, outcome = asked(stocked(), making_key(ACME_OWNER, scoped_entity_ids=scope))
    assert isinstance(outcome, Accepted)
    return state, caller_of(state, outcome.reply[0]["id"])


def with_key(call: Callable[[Caller], Call]) -> Made:
    state, caller = scoped()
    return state, caller, call(caller)


def nested() -> WorldState:
    state, parent = done(stocked(), ("tier", 0, "business")), ACME
    for _ in range(7):
        body = {"name": "Below", "parent_id": parent}
        state = done(state, overridden("organizations", 9, parent))
        state, outcome = asked(state, lambda s, c, b=body: create_organization(s, c, ROOT, b))
        assert isinstance(outcome, Accepted)
        parent = outcome.reply["id"]
    return state


def below(state: WorldState) -> str:
    """The deepest organization."""
    orgs = sorted(domain(state).orgs.values(), key=lambda org: org.serial)
    return orgs[-1].id


def deep() -> Made:
    state = nested()
    body = {"name": "Too deep", "parent_id": below(state)}
    return state, ACME_OWNER, lambda s, c: create_organization(s, c, ACME_OWNER, body)


def scripted() -> tuple[WorldState, str]:
    state, outcome = asked(stocked(), lambda s, c: create_execution(s, c, ROOT, ACME, "x", parse_json))
    assert isinstance(outcome, Accepted)
    return done(state, ("wait", 5)), outcome.reply["id"]


def finished() -> Made:
    state, execution = scripted()
    return state, ACME_OWNER, lambda s, c: cancel_execution(s, c, ACME_OWNER, execution)


def used(*calls: Call) -> Made:
    """The last of the calls is what is refused."""
    return done(stocked(), *calls[:-1]), None, calls[-1]


def checking_out(slug: str) -> Call:
    return lambda s, c: checkout(s, c, ACME_OWNER, ACME, slug)


def mine(*calls: Call | Command, start: WorldState | None = None) -> Made:
    """The last of the calls is what Acme's owner is refused."""
    call = calls[-1]
    assert not isinstance(call, tuple)
    return done(start or stocked(), *calls[:-1]), ACME_OWNER, call


def small() -> WorldState:
    """Acme on `free` and within it."""
    return world("demo")


def torn() -> WorldState:
    """As a state can be that somebody wrote: deleted entities of a device of which nothing is left."""
    state = done(stocked(), deleting("devices", "dev-roof"))
    kept = API.dump(domain(state))
    entry = next(each for each in kept["orgs"] if each["org"]["id"] == ACME)
    entry["devices"] = [row for row in entry["devices"] if row["id"] != "dev-roof"]
    return msgspec.structs.replace(state, apis=state.apis.insert("openapp", API.load(kept)))


CASES: dict[str, tuple[ProblemType, Callable[[], Made]]] = {
    "a time that is none": (
        problems.INVALID_TIME,
        lambda: (over(), ROOT, overridden("devices", 1, expires_at="tomorrow")),
    ),
    "no tier": (problems.UNKNOWN_TIER, lambda: mine(checking_out("starer"), start=over())),
    "a tier that is not for sale": (problems.UNKNOWN_TIER, lambda: mine(checking_out("enterprise-2024"))),
    "no quota": (problems.UNKNOWN_QUOTA_KEY, lambda: (over(), None, using("door_open", 1))),
    "no quota to override": (problems.UNKNOWN_QUOTA_KEY, lambda: (over(), ROOT, overridden("\ud800", 1))),
    "a quota that is not used up": (problems.NOT_METERED, lambda: (over(), None, using("zones", 1))),
    "no session": (problems.SESSION_NEEDED, lambda: (over(), None, using("video_session_duration_seconds", 1))),
    "a period": (problems.UNSUPPORTED_PERIOD, lambda: (over(), ROOT, overridden("devices", 1, period="week"))),
    "a subject": (
        problems.UNSUPPORTED_SUBJECT_TYPE,
        lambda: (over(), ROOT, overridden("devices", 1, subject_type="user")),
    ),
    "another's organization": (
        problems.FORBIDDEN_ORG,
        lambda: mine(lambda s, c: get_organization(s, c, ACME_OWNER, GLOBEX)),
    ),
    "nobody's organization": (
        problems.FORBIDDEN_ORG,
        lambda: mine(lambda s, c: get_organization(s, c, ACME_OWNER, "\udcff" * 9)),
    ),
    "no such organization": (
        problems.ORG_NOT_FOUND,
        lambda: (over(), ROOT, lambda s, c: get_organization(s, c, ROOT, NOBODY)),
    ),
    "no organization": (problems.NO_ORGANIZATION, lambda: (stocked(), ROOT, zone(ROOT))),
    "no organization and none in reach": (
        problems.NO_ORGANIZATION,
        lambda: (stocked(), Caller("nobody"), zone(Caller("nobody"))),
    ),
    "two organizations": (
        problems.ORG_MISMATCH,
        lambda: mine(lambda s, c: create_integration(s, c, ACME_OWNER, GLOBEX, {"org_id": ACME})),
    ),
    "too deep": (problems.NESTING_TOO_DEEP, deep),
    "no role": (problems.UNKNOWN_ROLE, lambda: mine(making_key(ACME_OWNER, scoped_roles=["zones:write"]))),
    "a role of others": (
        problems.ROLE_NOT_HELD,
        lambda: (stocked(), MEMBER, making_key(MEMBER, scoped_roles=["zones:create"])),
    ),
    "an entity out of scope": (
        problems.ENTITY_OUT_OF_SCOPE,
        lambda: with_key(lambda caller: opening("ent-side-door", caller)),
    ),
    "a key for an entity out of scope": (
        problems.ENTITY_OUT_OF_SCOPE,
        lambda: with_key(lambda caller: making_key(caller, scoped_entity_ids=["ent-side-door"])),
    ),
    "an operator's key": (problems.SCOPE_NEEDED, lambda: (stocked(), ROOT, making_key(ROOT))),
    "a key that outlives": (
        problems.OUTLIVES_ITS_MAKER,
        lambda: with_key(lambda caller: making_key(caller, expires_in="3000d")),
    ),
    "a full world": (
        problems.WORLD_FULL,
        lambda: (stocked(), ROOT, lambda s, c: create_organization(s, c, ROOT, {"name": "One more"})),
    ),
    "an expiry": (problems.INVALID_EXPIRY, lambda: mine(making_key(ACME_OWNER, expires_in="1 month"))),
    "two expiries": (
        problems.INVALID_EXPIRY,
        lambda: mine(making_key(ACME_OWNER, expires_in="1d", expires_at="2030-01-01T00:00:00Z")),
    ),
    "no device": (problems.NO_SUCH, lambda: mine(lambda s, c: get_resource(s, c, ACME_OWNER, "devices", "int-annex"))),
    "no device of a foreign one": (
        problems.NO_SUCH,
        lambda: (over(), owner(GLOBEX), lambda s, c: get_resource(s, c, owner(GLOBEX), "devices", "dev-roof")),
    ),
    "no user": (problems.NO_SUCH, lambda: mine(lambda s, c: get_user(s, c, ACME_OWNER, "dev-roof"))),
    "no execution": (problems.NO_SUCH, lambda: mine(lambda s, c: cancel_execution(s, c, ACME_OWNER, NOBODY))),
    "no portal": (problems.NO_SUCH, lambda: (over(), None, lambda s, c: view_portal(s, c, "front"))),
    "a reference to nothing": (problems.NO_SUCH, lambda: mine(zone(integration_id=NOBODY))),
    "a reference to something deleted": (
        problems.NO_SUCH,
        lambda: mine(deleting("zones", "zone-yard"), zone(parent_zone_id="zone-yard")),
    ),
    "a reference where there is nothing": (
        problems.NO_SUCH,
        lambda: (stocked(), ROOT, zone(ROOT, GLOBEX, integration_id="int-annex")),
    ),
    "a device in another organization": (
        problems.NO_SUCH,
        lambda: (
            stocked(),
            ROOT,
            lambda s, c: create_entity(s, c, ROOT, GLOBEX, {"device_id": "dev-roof", "entity_type": "door"}),
        ),
    ),
    "a key for no entity": (problems.NO_SUCH, lambda: mine(making_key(ACME_OWNER, scoped_entity_ids=["dev-roof"]))),
    "something deleted": (
        problems.DELETED,
        lambda: mine(deleting("devices", "dev-roof"), deleting("devices", "dev-roof", caller=ACME_OWNER)),
    ),
    "something deleted with what it hung on": (
        problems.DELETED,
        lambda: mine(deleting("integrations", "int-annex"), opening("ent-roof-door", ACME_OWNER)),
    ),
    "something deleted, and no room for it": (
        problems.DELETED,
        lambda: mine(deleting("zones", "zone-yard"), deleting("zones", "zone-yard", caller=ACME_OWNER), start=over()),
    ),
    "nothing to keep": (problems.RESOURCE_NOT_FOUND, lambda: mine(keeping("zones", "dev-roof"))),
    "nothing live to keep": (
        problems.RESOURCE_NOT_FOUND,
        lambda: mine(deleting("zones", "zone-yard"), keeping("zones", "zone-yard")),
    ),
    "too many pins": (
        problems.TOO_MANY_PINS,
        lambda: mine(
            *(keeping("zones", f"zone-{name}") for name in ("yard", "roof", "office")),
            keeping("zones", "zone-lobby"),
            start=over(),
        ),
    ),
    "more pins than the limit": (
        problems.TOO_MANY_PINS,
        lambda: mine(
            *(keeping("zones", f"zone-{name}") for name in ("yard", "roof", "office", "cellar")),
            ("tier", 0, "free"),
            keeping("zones", "zone-lobby"),
        ),
    ),
    "no pins at all": (
        problems.TOO_MANY_PINS,
        lambda: mine(
            keeping("zones", "zone-yard"),
            overridden("zones", 0, expires_at="2024-03-01T00:00:00Z"),
            keeping("zones", "zone-lobby"),
        ),
    ),
    "not deleted": (problems.NOT_DELETED, lambda: mine(restoring("zones", "zone-yard"))),
    "a device not deleted": (problems.NOT_DELETED, lambda: mine(purging("devices", "dev-roof"))),
    "a key not deleted": (problems.NOT_DELETED, lambda: mine(restoring("api_keys", "key-voice"))),
    "what it hung on is deleted": (
        problems.PARENT_DELETED,
        lambda: mine(deleting("integrations", "int-annex"), restoring("entities", "ent-roof-door")),
    ),
    "what it hung on is purged": (
        problems.PARENT_DELETED,
        lambda: mine(restoring("entities", "ent-roof-door"), start=torn()),
    ),
    "a zone in use": (problems.ZONE_IN_USE, lambda: mine(deleting("zones", "zone-yard", False))),
    "a zone above another": (
        problems.ZONE_IN_USE,
        lambda: mine(
            deleting("devices", "dev-roof"),
            zone(parent_zone_id="zone-roof"),
            deleting("zones", "zone-roof", False),
        ),
    ),
    "a key of another request": (
        problems.IDEMPOTENCY_CONFLICT,
        lambda: mine(
            opening("ent-front-door", ACME_OWNER, key="k1", body=b"{}"),
            opening("ent-front-door", ACME_OWNER, key="k1", body=b'{"a": 1}'),
        ),
    ),
    "finished": (problems.ALREADY_FINISHED, finished),
    "a device with entities": (problems.HAS_DEPENDENTS, lambda: mine(deleting("devices", "dev-roof", False))),
    "an integration with devices": (
        problems.HAS_DEPENDENTS,
        lambda: mine(deleting("integrations", "int-annex", False)),
    ),
    "an integration with zones": (
        problems.HAS_DEPENDENTS,
        lambda: mine(
            ("create", "integrations", 1, None, None),
            ("create", "zones", 1, 0, None),
            lambda s, c: delete_resource(
                s, c, ROOT, "integrations", next(iter(s.held_by(GLOBEX).integrations.live)), False
            ),
        ),
    ),
    "no room": (problems.CAPACITY_FULL, lambda: mine(zone(), start=over())),
    "no room for a member to make": (problems.CAPACITY_FULL, lambda: (over(), MEMBER, zone(MEMBER))),
    "no room where checkouts are hosted": (
        problems.CAPACITY_FULL,
        lambda: mine(("settings", {"checkout": "hosted"}), zone(), start=over()),
    ),
    "no room for users": (
        problems.CAPACITY_FULL,
        lambda: mine(overridden("org_users", 1), lambda s, c: create_user(s, c, ACME_OWNER, None, {"name": "Uma"})),
    ),
    "no room for organizations": (
        problems.CAPACITY_FULL,
        lambda: mine(
            ("organization", 0),
            lambda s, c: create_organization(s, c, ACME_OWNER, {"name": "Another"}),
            start=small(),
        ),
    ),
    "blocked for a time": (
        problems.CAPACITY_FULL,
        lambda: mine(overridden("zones", 0, expires_at="2024-03-05T12:00:00Z"), zone()),
    ),
    "blocked for a time, and too large for ever": (
        problems.CAPACITY_FULL,
        lambda: mine(overridden("zones", 4, expires_at="2024-03-05T12:00:00Z"), zone(), start=over()),
    ),
    "no room to restore": (
        problems.CAPACITY_FULL,
        lambda: mine(deleting("api_keys", "key-voice"), restoring("api_keys", "key-voice"), start=over()),
    ),
    "a full shelf": (problems.SHELF_FULL, lambda: mine(zone())),
    "a full day": (
        problems.METER_FULL,
        lambda: used(overridden("door_opens", 3), using("door_opens", 3), opening("ent-front-door")),
    ),
    "a full month": (
        problems.METER_FULL,
        lambda: used(
            overridden("door_opens", 3),
            overridden("door_opens", 3, period="month"),
            using("door_opens", 2),
            using("door_opens", 2),
        ),
    ),
    "a full week after a full month": (
        problems.METER_FULL,
        lambda: used(overridden("door_opens", 3, period="week"), using("door_opens", 3), using("door_opens", 1)),
    ),
    "a day that never fits": (
        problems.METER_FULL,
        lambda: used(overridden("door_opens", 0, expires_at="2024-03-09T12:00:00Z"), using("door_opens", 1)),
    ),
    "no room for voices": (
        problems.METER_FULL,
        lambda: (
            state := done(stocked(), overridden("voice_invocations", 0)),
            caller_of(state, "key-voice"),
            opening("ent-front-door", caller_of(state, "key-voice")),
        ),
    ),
    "a full session": (
        problems.SESSION_FULL,
        lambda: used(
            overridden("video_session_duration_seconds", 10),
            using("video_session_duration_seconds", 7, "s1"),
            using("video_session_duration_seconds", 4, "s1"),
        ),
    ),
    "no action": (
        problems.ACTION_NOT_IMPLEMENTED,
        lambda: mine(opening("ent-front-door", ACME_OWNER, "switchable.close")),
    ),
    "no action of a sensor": (problems.ACTION_NOT_IMPLEMENTED, lambda: mine(opening("ent-front-sensor", ACME_OWNER))),
    "no provider": (problems.PROVIDER_NOT_FOUND, lambda: (over(), None, webhook(EVENT, provider="paddle"))),
    "no customer portal": (
        problems.PORTAL_UNAVAILABLE,
        lambda: mine(
            ("settings", {"portal": "off"}), lambda s, c: portal(s, c, ACME_OWNER, ACME, "http://x", "http://y")
        ),
    ),
    "no signature": (problems.SIGNATURE_MISSING, lambda: (over(), None, webhook(EVENT, None))),
    "a wrong signature": (problems.SIGNATURE_INVALID, lambda: (over(), None, webhook(EVENT, 0, "whsec_other"))),
    "an old signature": (problems.SIGNATURE_EXPIRED, lambda: (over(), None, webhook(EVENT, 301))),
    "a signature from the future": (
        problems.SIGNATURE_PREMATURE,
        lambda: (world("demo"), None, webhook(PADDLE_EVENT, -301, PADDLE_SECRET, "paddle")),
    ),
    "no event": (problems.INVALID_PAYLOAD, lambda: (over(), None, webhook(b"{}"))),
    "a device of nothing": (
        problems.NO_SUCH,
        lambda: mine(
            lambda s, c: create_device(
                s, c, ACME_OWNER, None, {"org_id": ACME, "integration_id": "zone-yard", "name": "x"}
            )
        ),
    ),
}
