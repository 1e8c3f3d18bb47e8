"""What an explanation calls legal is carried out, sentence by sentence, and then nothing is refused any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model import problems
from mock_server.apis.openapp.model.access import resource
from mock_server.apis.openapp.model.api_keys import create_api_key
from mock_server.apis.openapp.model.inventory import create_device, create_entity, create_integration
from mock_server.apis.openapp.model.lifetimes import get_resource, restore_resource
from mock_server.apis.openapp.model.organizations import create_organization, get_organization
from mock_server.apis.openapp.model.quotas import QUOTAS
from mock_server.apis.openapp.model.resources import KINDS, SINGULAR, oldest
from mock_server.apis.openapp.model.scripting import cancel_execution, create_execution, get_execution
from mock_server.apis.openapp.model.users import create_user, delete_user, get_user
from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Refused
from mock_server.engine.explanations import Explanation
from mock_server.engine.instants import SECOND, parse_instant
from mock_server.engine.kernel import advance
from mock_server.engine.problems import Problem
from mock_server.engine.world import WorldState
from mock_server.http.bodies import parse_json
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

from .acting import ACME, JOBS, ROOT, Command, act, domain, everything, happened, histories, nth, org_at, world
from .refused import (
    CASES,
    EVENT,
    PADDLE_EVENT,
    PADDLE_SECRET,
    Call,
    asked,
    caller_of,
    checking_out,
    deleting,
    done,
    keeping,
    making_key,
    opening,
    overridden,
    purging,
    using,
    webhook,
    zone,
)
from .test_explanations import _small_bounds  # noqa: F401


class Attempt(msgspec.Struct, frozen=True):
    """A refused request."""

    state: WorldState
    caller: Caller | None
    call: Call
    problem: Problem

    @property
    def asker(self) -> Caller:
        return self.caller or ROOT

    def fact(self, name: str) -> Any:
        return self.problem.facts[name]

    def again(self, *before: Call | Command, call: Call | None = None) -> None:
        """After these, the request (or another one) is accepted."""
        done(self.state, *before, call or self.call)

    def at(self, moment: str) -> Attempt:
        later, _ = advance(self.state, parse_instant(moment), JOBS)
        return msgspec.structs.replace(self, state=later)


Ways = list[tuple[str, Callable[[Attempt, re.Match[str]], None]]]


def ids_in(text: str) -> list[str]:
    """The ids of a list of things, most of them with names."""
    return re.findall(r"([\w-]{4,})(?: '[^']*')?(?:, | or |$)", re.sub(r" or \d+ others?$", "", text))


def fewer(attempt: Attempt, match: re.Match[str]) -> None:
    """As many as it says, whichever; one less is not enough."""
    key, org = attempt.fact("key"), attempt.fact("org_id")
    many = {"one": 1, "the": 1}.get(match[1]) or int(match[1])
    attempt.again(*gone(attempt.state, org, key, many))
    assert isinstance(asked(done(attempt.state, *gone(attempt.state, org, key, many - 1)), attempt.call)[1], Refused)


def gone(state: WorldState, org: str, key: str, many: int) -> list[Call]:
    held = domain(state).held_by(org)
    if key == "org_users":
        return [lambda s, c, i=each: delete_user(s, c, ROOT, i) for each in sorted(held.users)[:many]]
    # The newest: a request may refer to what the oldest ones carry.
    return [deleting(key, row.id) for row in oldest(held.shelf(key).live)[::-1][:many]]


def larger_tier(attempt: Attempt, match: re.Match[str]) -> None:
    if attempt.problem.type is problems.UNKNOWN_TIER:
        return attempt.again(call=checking_out(match[1]))
    place = sorted(domain(attempt.state).orgs.values(), key=lambda org: org.serial)
    number = [org.id for org in place].index(attempt.fact("org_id"))
    assert (domain(attempt.state).settings.checkout == "hosted") == ("pay for it" in match[0])
    return attempt.again(("settings", {"checkout": "instant"}), ("tier", number, match[1]))


def override(attempt: Attempt, match: re.Match[str]) -> None:
    """With the least that it says, and no less."""
    limits = [(key, period, int(n)) for key, period, n in re.findall(r"(\w+) per (\w+) with (\d+) or more", match[0])]
    org = attempt.fact("org_id")

    def put(less: int) -> list[Call]:
        periods = {"session": "per_session"}
        return [
            overridden(key, least - less * (n == 0), org, period=periods.get(period, period))
            for n, (key, period, least) in enumerate(limits)
        ]

    attempt.again(*put(0))
    assert isinstance(asked(done(attempt.state, *put(1)), attempt.call)[1], Refused)


def wait(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.at(match[1]).again()


def less(attempt: Attempt, match: re.Match[str]) -> None:
    key, session, org = attempt.fact("key"), attempt.problem.facts.get("session"), attempt.fact("org_id")
    attempt.again(call=using(key, int(match[1]), session, org))
    assert isinstance(asked(attempt.state, using(key, int(match[1]) + 1, session, org))[1], Refused)


def release(attempt: Attempt, match: re.Match[str]) -> None:
    kind, ids = attempt.fact("resource"), ids_in(match[2])
    attempt.again(*(keeping(kind, each, False) for each in ids[: int({"one": 1}.get(match[1], match[1]) or 1)]))


def restore(attempt: Attempt, match: re.Match[str]) -> None:
    """Step by step; where there is no room, after making some."""
    steps = re.findall(r"POST /([\w-]+)/([\w-]+)/restore", match[0])
    state, calls = attempt.state, []
    for path, row_id in steps:
        kind = path.replace("-", "_")
        calls.append(lambda s, c, k=kind, i=row_id: restore_resource(s, c, attempt.asker, k, i))
    room = [kind for kind in KINDS if f"another {SINGULAR[kind]}" in match[0]]
    if room:
        assert isinstance(tried(state, calls), Refused)
    done(state, *(overridden(kind, 9_999) for kind in room), *calls)
    if attempt.problem.type is not problems.PARENT_DELETED:
        attempt.again(*(overridden(kind, 9_999) for kind in room), *calls)


def tried(state: WorldState, calls: list[Call]) -> Any:
    outcome = None
    for call in calls:
        state, outcome = asked(state, call)
        if isinstance(outcome, Refused):
            return outcome
    return outcome


def purge(attempt: Attempt, match: re.Match[str]) -> None:
    done(attempt.state, purging(match[1].replace("-", "_"), match[2]))


def delete_first(attempt: Attempt, match: re.Match[str]) -> None:
    kind, row_id = match[1].replace("-", "_"), match[2]
    away = deleting(kind, row_id, whole=bool(match[3]))
    attempt.again(away, call=purging(kind, row_id))
    restored = tried(attempt.state, [away, lambda s, c: restore_resource(s, c, attempt.asker, kind, row_id)])
    assert isinstance(restored, Refused) == bool(match[4])


def delete_whole(attempt: Attempt, match: re.Match[str]) -> None:
    """With as many others as it says."""
    kind, row_id = attempt.fact("resource"), attempt.fact("id")
    after = done(attempt.state, deleting(kind, row_id))
    for number, what in re.findall(r"(\d+) (\w+)", match[0]):
        of = next(each for each in KINDS if what in (each, SINGULAR[each]))
        before = {row.id: row for row in everything(domain(attempt.state), of, "live")}
        left = {row.id: row for row in everything(domain(after), of, "live")}
        changed = [each for each in before if each not in left or left[each] != before[each]]
        assert len([each for each in changed if each != row_id]) == int(number)


def delete_others(attempt: Attempt, match: re.Match[str]) -> None:
    state, number = domain(attempt.state), 0
    calls: list[Call] = []
    for kind in KINDS:
        for row in everything(state, kind, "live"):
            members = ("integration_id", "device_id", "zone_id", "parent_zone_id")
            if any(getattr(row, member, None) == attempt.fact("id") for member in members):
                calls.append(deleting(kind, row.id))
                number += 1
    assert number == sum(int(each) for each in re.findall(r"\d+", match[0]))
    # One of them may go along with another.
    state_after = attempt.state
    for call in calls:
        state_after, _ = asked(state_after, call)
    done(state_after, attempt.call)


def name(attempt: Attempt, match: re.Match[str]) -> None:
    """All that it names can be had, where the problem looked for it."""
    for each in ids_in(match[1]):
        assert_there(attempt, each)


def assert_there(attempt: Attempt, row_id: str) -> None:
    kind, caller = attempt.problem.facts.get("resource"), attempt.asker
    if attempt.problem.type in (problems.FORBIDDEN_ORG, problems.ORG_NOT_FOUND):
        attempt.again(call=lambda s, c: get_organization(s, c, caller, row_id))
    elif attempt.problem.type is problems.ENTITY_OUT_OF_SCOPE:
        attempt.again(call=opening(row_id, caller))
        attempt.again(call=making_key(caller, scoped_entity_ids=[row_id]))
    elif attempt.problem.type is problems.RESOURCE_NOT_FOUND:
        attempt.again(call=keeping(str(kind), row_id))
    elif kind == "org_users":
        attempt.again(call=lambda s, c: get_user(s, c, caller, row_id))
    elif kind == "executions":
        attempt.again(call=lambda s, c: get_execution(s, c, caller, row_id))
    elif kind == "portals":
        assert row_id in domain(attempt.state).portals
    else:
        row = resource(domain(attempt.state), caller, str(kind), row_id)
        assert row.deleted_at is None
        assert attempt.problem.facts.get("_org_id") in (None, row.org_id)


def name_deleted(attempt: Attempt, match: re.Match[str]) -> None:
    for each in ids_in(match[1]):
        attempt.again(call=purging(attempt.fact("resource"), each))


def create_first(attempt: Attempt, match: re.Match[str]) -> None:
    """And what it hangs on before it; then it is there."""
    org, kind = attempt.problem.facts.get("_org_id") or attempt.asker.org, attempt.fact("resource")
    if kind == "executions":
        return done(attempt.state, lambda s, c: create_execution(s, c, ROOT, org, "x", parse_json)) and None
    body = {"org_id": org, "provider_type": "virtual_demo"}
    state, made = asked(attempt.state, lambda s, c: create_integration(s, c, ROOT, None, body))
    if kind == "devices":
        device = {"org_id": org, "integration_id": made.reply["id"], "name": "x"}
        state, made = asked(state, lambda s, c: create_device(s, c, ROOT, None, device))
    assert not isinstance(made, Refused)
    state = done(state, lambda s, c: get_resource(s, c, attempt.asker, kind, made.reply["id"]))
    if kind == "integrations":
        done(state, zone(ROOT, org, integration_id=made.reply["id"]))
    return None


def elsewhere(attempt: Attempt, match: re.Match[str]) -> None:
    """The same request about the other organization."""
    if attempt.fact("resource") == "devices":
        body = {"device_id": attempt.fact("id"), "entity_type": "door"}
        return attempt.again(call=lambda s, c: create_entity(s, c, attempt.asker, match[1], body))
    return attempt.again(call=zone(attempt.asker, match[1], integration_id=attempt.fact("id")))


def other_credential(attempt: Attempt, match: re.Match[str]) -> None:
    """Any of them makes the same request."""
    found = {each.name: each for each in domain(attempt.state).credentials.values()}
    for each in re.findall(r"'([^']+)'", match[1]):
        assert not found[each].revoked
        caller = found[each].caller
        if attempt.problem.type is problems.FORBIDDEN_ORG:
            attempt.again(call=lambda s, c, caller=caller: get_organization(s, c, caller, attempt.fact("org_id")))
        elif attempt.problem.type is problems.NO_ORGANIZATION:
            attempt.again(call=zone(caller))
        elif attempt.problem.type is problems.ROLE_NOT_HELD:
            attempt.again(call=making_key(caller, scoped_roles=[attempt.fact("role")]))
        else:
            attempt.again(call=opening(attempt.fact("id"), caller))


def other_key(attempt: Attempt, match: re.Match[str]) -> None:
    for each in ids_in(match[1]):
        attempt.again(call=opening(attempt.fact("id"), caller_of(attempt.state, each)))


def in_org(attempt: Attempt, match: re.Match[str]) -> None:
    for each in ids_in(match[1]):
        attempt.again(call=zone(attempt.asker, each))


def below_org(attempt: Attempt, match: re.Match[str]) -> None:
    body = {"name": "Another", "parent_id": match[1]}
    attempt.again(call=lambda s, c: create_organization(s, c, attempt.asker, body))


def own_roles(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=making_key(attempt.asker, scoped_roles=match[1].split(", ")))


def some_roles(attempt: Attempt, match: re.Match[str]) -> None:
    body = {"name": "key", "scoped_roles": re.findall(r"'([^']+)'", match[0])}
    attempt.again(call=lambda s, c: create_api_key(s, c, ROOT, ACME, body, "http://mock"))


def expiry(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=making_key(attempt.asker, expires_at=match[1]))
    too_late = f"{match[1].removesuffix('Z').partition('.')[0]}.999999Z"
    assert isinstance(asked(attempt.state, making_key(attempt.asker, expires_at=too_late))[1], Refused)


def durations(attempt: Attempt, match: re.Match[str]) -> None:
    for each in (match[1], match[2]):
        attempt.again(call=making_key(attempt.asker, expires_in=each))


def key_alone(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=making_key(attempt.asker))


def override_until(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=overridden("devices", 1, expires_at=match[1]))


def override_with(**more: Any) -> Callable[[Attempt, re.Match[str]], None]:
    return lambda attempt, match: attempt.again(call=overridden("devices", 1, **more))


def quota(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=overridden(match[1], 1))


def metered_quotas(attempt: Attempt, match: re.Match[str]) -> None:
    for each in match[1].split(", "):
        assert not QUOTAS[each].is_capacity
        attempt.again(call=using(each, 1, "session-1"))


def subject(attempt: Attempt, match: re.Match[str]) -> None:
    for each in ids_in(match[1]):
        attempt.again(call=overridden("devices", 1, each))


def do_action(attempt: Attempt, match: re.Match[str]) -> None:
    if match[2] == "it":
        attempt.again(call=opening("ent-front-door", attempt.asker, match[1]))
    for each in ids_in(match[2]) if match[2] != "it" else ():
        attempt.again(call=opening(each, attempt.asker, match[1]))


def other_idempotency_key(attempt: Attempt, match: re.Match[str]) -> None:
    for key in ("k2", None):
        attempt.again(call=opening(attempt.fact("id"), attempt.asker, body=b'{"a": 1}', key=key))


def first_again(attempt: Attempt, match: re.Match[str]) -> None:
    before = domain(attempt.state)
    assert domain(done(attempt.state, opening(attempt.fact("id"), attempt.asker, body=b"{}", key="k1"))) is before


def cancel(attempt: Attempt, match: re.Match[str]) -> None:
    for each in ids_in(match[1]):
        attempt.again(call=lambda s, c, i=each: cancel_execution(s, c, attempt.asker, i))


def cancel_soon(attempt: Attempt, match: re.Match[str]) -> None:
    state, made = asked(attempt.state, lambda s, c: create_execution(s, c, ROOT, ACME, "x", parse_json))
    call = lambda s, c: cancel_execution(s, c, attempt.asker, made.reply["id"])  # noqa: E731
    ends = state.clock.now + int(float(match[1]) * SECOND)
    done(advance(state, ends - 1, JOBS)[0], call)
    assert isinstance(asked(advance(state, ends, JOBS)[0], call)[1], Refused)


def setting(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(("settings", {match[1]: int(match[2]) if match[2].isdigit() else match[2].strip("'")}))


def sign_from(attempt: Attempt, match: re.Match[str]) -> None:
    earliest = int(match[1])
    now = attempt.state.clock.now // SECOND
    attempt.again(call=webhook(EVENT, now - earliest))
    assert isinstance(asked(attempt.state, webhook(EVENT, now - earliest + 1))[1], Refused)


def sign_until(attempt: Attempt, match: re.Match[str]) -> None:
    now, latest = attempt.state.clock.now // SECOND, int(match[1])
    attempt.again(call=webhook(PADDLE_EVENT, now - latest, PADDLE_SECRET, "paddle"))
    too_far = webhook(PADDLE_EVENT, now - latest - 1, PADDLE_SECRET, "paddle")
    assert isinstance(asked(attempt.state, too_far)[1], Refused)


def configured(attempt: Attempt, match: re.Match[str]) -> None:
    kept = API.dump(domain(attempt.state))
    kept["webhook_secrets"][match[1]] = PADDLE_SECRET
    state = msgspec.structs.replace(attempt.state, apis=attempt.state.apis.insert("openapp", API.load(kept)))
    done(state, webhook(PADDLE_EVENT, 0, PADDLE_SECRET, match[1]))


def sign(attempt: Attempt, match: re.Match[str]) -> None:
    attempt.again(call=webhook(EVENT))
    signed = dict(stripe.SCHEME.sign(Message(EVENT), "whsec_demo", 5).headers)
    assert all(re.search(pattern, signed["Stripe-Signature"]) for pattern in (r"t=\d+", r",v1=[0-9a-f]+"))


def sends(body: bytes) -> Callable[[Attempt, re.Match[str]], None]:
    return lambda attempt, match: attempt.again(call=webhook(body))


def integration_in(org: str) -> Callable[[Attempt, re.Match[str]], None]:
    def way(attempt: Attempt, match: re.Match[str]) -> None:
        body = {"org_id": org, "provider_type": "virtual_demo"}
        for x_org in (None, org):
            attempt.again(call=lambda s, c, x=x_org: create_integration(s, c, attempt.asker, x, body))

    return way


def not_tried(attempt: Attempt, match: re.Match[str]) -> None:
    """There is no other world here."""


WAYS: Ways = [
    (r"(?:Delete|Revoke|Remove) (one|\d+) of the \d+ [\w ]+", fewer),
    (r"(?:Delete|Revoke|Remove) (the) [\w ]+ that is there", fewer),
    (r"(?:Check|Have someone with billing:manage check) out '([^']+)'.*", larger_tier),
    (r"Have an operator override .*", override),
    (r"Wait until (\S+), when .*", wait),
    (r"Ask for (\d+) at most", less),
    (r"Begin another session, .*", lambda a, m: a.again(call=using(a.fact("key"), a.fact("requested"), "another"))),
    (r"Show a credential that is no API key: only .*", lambda a, m: a.again(call=opening("ent-front-door"))),
    (r"Release \(keep: false\)(?: (one|\d+) of the \d+ pinned [\w ]+:)? (.*)", release),
    (r"(?:Make room for .*, then restore|Restore) .*", restore),
    (r"Purge it: DELETE /([\w-]+)/([\w-]+)/purge", purge),
    (r"(?:Delete|Revoke) it first: DELETE /([\w-]+)/([\w-]+)(\?\w+=\w+)?(, and purge it then: .*)?", delete_first),
    (r"Delete it with (?:recursive=true|cascade=detach), .*", delete_whole),
    (r"Delete (\d+ .*) first", delete_others),
    (r"(?:Name|Use)(?: one of the \d+ [\w ']+:)? ([\w-]{6,}(?: '[^']*')?(?:(?:,| or ).*)?)", name),
    (r"To restore or to purge, name(?: one of the \d+ [\w ]+:)? (.*)", name_deleted),
    (r"Create an? \w+ first: POST /\S+", create_first),
    (r"Ask in (\w+), the organization that it belongs to", elsewhere),
    (r"Show a credential that .*?: ('[^']+'(?:(?:, | or )'[^']+')*)", other_credential),
    (r"Show(?: one of the \d+ API keys without scoped_entity_ids:)? (key-.*)", other_key),
    (r"Send X-Org with(?: one of the \d+ [\w ]+:)? (.*)", in_org),
    (r"Create it below (\w+) .*", below_org),
    (
        r"Leave parent_id out: .*",
        lambda a, m: a.again(call=lambda s, c: create_organization(s, c, ROOT, {"name": "x"})),
    ),
    (r"Scope it to roles that the caller has: (.*)", own_roles),
    (r"Leave scoped_roles out: .*", key_alone),
    (r"Give scoped_roles, such as .*", some_roles),
    (r"Ask for an expiry until (\S+) at the latest", expiry),
    (r"Leave expires_at and expires_in out: .*", key_alone),
    (r"Leave both out: .*", key_alone),
    (r"Give expires_in alone, as (\w+) or (\w+)", durations),
    (r"Give expires_at alone, after \S+ and until (\S+)", expiry),
    (r"Give expires_at as an RFC 3339 instant with an offset, such as (\S+)", override_until),
    (r"Leave expires_at out: .*", override_with()),
    (r"Name the quota '(\w+)'", quota),
    (r"Name a metered quota: (.*)", metered_quotas),
    (r"Name a session in `session`; .*", lambda a, m: a.again(call=using(a.fact("quota_key"), 1, "session-1"))),
    (r"Give the period 'lifetime'", override_with(period="lifetime")),
    (r"Leave the period out: .*", override_with()),
    (r"Give subject_type 'org' and as subject_id(?: one of the \d+ [\w ]+:)? (.*)", subject),
    (r"Do '([\w.]+)' with(?: one of the \d+ [\w ]+:)? (.*)", do_action),
    (r"Send another Idempotency-Key, or none", other_idempotency_key),
    (r"Send the first request again .*", first_again),
    (r"Cancel an execution within (\S+) s .*", cancel_soon),
    (r"Cancel(?: one of the \d+ [\w ]+:)? (.*)", cancel),
    (r"Change the world's setting `(\w+)` to ('?\w+'?).*", setting),
    (r"Sign it with a time from \S+ on \((\d+) in seconds\): .*", sign_from),
    (r"Sign it with a time up to \S+ \((\d+) in seconds\): .*", sign_until),
    (r"Give the world a webhook secret for '(\w+)'", configured),
    (r"Sign the .*", sign),
    (r"Send it to /billing/webhooks/stripe", sends(EVENT)),
    (r"Send a JSON object .*", sends(EVENT)),
    (r"Leave X-Org out, or send X-Org: \w+", integration_in(ACME)),
    (r"Create it in another world|Go on in another organization", not_tried),
]


def carry_out(attempt: Attempt, sentence: str) -> None:
    for pattern, way in WAYS:
        match = re.fullmatch(pattern, sentence.removesuffix("."), re.DOTALL)
        if match is not None:
            return way(attempt, match)
    raise AssertionError(f"nobody has tried this: {sentence}")


def explained(attempt: Attempt) -> Explanation:
    context = attempt.state.context(attempt.state.clock.now)
    found = API.explained(domain(attempt.state), context, attempt.problem, attempt.caller)
    assert found is not None
    return found


def attempt_of(state: WorldState, caller: Caller | None, call: Call) -> Attempt | None:
    """The request, if it is refused."""
    _, outcome = asked(state, call)
    return Attempt(state, caller, call, outcome.problem) if isinstance(outcome, Refused) else None


@pytest.mark.parametrize("name", CASES)
def test_what_is_called_legal_is_accepted(name: str) -> None:
    attempt = attempt_of(*CASES[name][1]())
    assert attempt is not None
    legal = explained(attempt).legal
    assert legal
    for sentence in legal:
        carry_out(attempt, sentence)


ALONE = ("integrations", "zones", "api_keys", "org_users", "organizations")
"""What can be made without referring to anything that may have to go."""


def making(state: WorldState, key: str, n: int) -> Call:
    org = org_at(domain(state), n).id
    if key == "org_users":
        return lambda s, c: create_user(s, c, ROOT, org, {"name": "Uma"})
    if key == "organizations":
        return lambda s, c: create_organization(s, c, ROOT, {"name": "Below", "parent_id": org})
    if key == "zones":
        return zone(ROOT, org)
    if key == "api_keys":
        return lambda s, c: create_api_key(s, c, ROOT, org, {"name": "key", "scoped_roles": ["execute"]}, "http://x")
    return lambda s, c: create_integration(s, c, ROOT, None, {"org_id": org, "provider_type": "virtual_demo"})


@given(histories, st.lists(st.tuples(st.sampled_from(ALONE), st.integers(0, 2)), min_size=1, max_size=8))
def test_room_is_made_in_every_way_that_is_named(history: list[Command], wishes: list[tuple[str, int]]) -> None:
    state = happened(world(), history)
    for key, n in wishes:
        attempt = attempt_of(state, ROOT, making(state, key, n))
        if attempt is None:
            state = done(state, making(state, key, n))
            continue
        event(attempt.problem.type.code)
        for sentence in explained(attempt).legal:
            carry_out(attempt, sentence)


@given(histories, st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6)), min_size=1, max_size=8))
def test_what_is_deleted_comes_back_in_every_way_that_is_named(
    history: list[Command], wishes: list[tuple[str, int]]
) -> None:
    state = happened(world(), history)
    for kind, n in wishes:
        row = nth(everything(domain(state), kind), n)
        if row is None:
            continue
        calls: list[Call] = [
            lambda s, c, k=kind, i=row.id: restore_resource(s, c, ROOT, k, i),
            deleting(kind, row.id, whole=False),
            purging(kind, row.id),
        ]
        for call in calls:
            attempt = attempt_of(state, ROOT, call)
            # An override of nothing leaves no way to make room but another one, which `restore` tries.
            if attempt is None or attempt.problem.type is problems.CAPACITY_FULL:
                continue
            event(attempt.problem.type.code)
            for sentence in explained(attempt).legal:
                if not sentence.startswith("Use "):
                    carry_out(attempt, sentence)


periods = st.sampled_from(["day", "week", "month"])
metered = st.sampled_from(["door_opens", "voice_invocations", "scripting_executions"])
lives = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), metered, periods, st.integers(0, 4), st.none() | st.integers(1, 30)),
        st.tuples(st.just("use"), metered, st.integers(1, 3)),
        st.tuples(st.just("open"), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    min_size=4,
    max_size=16,
)


@given(lives)
def test_windows_are_waited_for_and_widened(life: list[tuple[Any, ...]]) -> None:
    state = done(world(), ("tier", 0, "business"))
    voice = caller_of(state, "key-voice")
    for command, *args in life:
        if command == "wait":
            state, _ = act(state, ("wait", args[0] * 40_000))
            continue
        caller = None
        if command == "limit":
            key, period, limit, days = args
            end = {} if days is None else {"expires_at": f"2024-03-{days:02}T06:00:00Z"}
            call = overridden(key, limit, period=period, **end)
        elif command == "use":
            call = using(*args)
        else:
            caller = voice if args[0] else ROOT
            call = opening("ent-front-door", caller)
        attempt = attempt_of(state, caller, call)
        if attempt is None:
            state = done(state, call)
            continue
        event(attempt.problem.type.code)
        legal = explained(attempt).legal
        assert legal
        for sentence in legal:
            carry_out(attempt, sentence)


@given(st.integers(0, 9), st.integers(0, 12), st.integers(1, 12))
def test_sessions(limit: int, used: int, more: int) -> None:
    key = "video_session_duration_seconds"
    state = done(world(), *((using(key, used, "s1"),) if used else ()), overridden(key, limit))
    attempt = attempt_of(state, None, using(key, more, "s1"))
    assert (attempt is None) == (used + more <= limit)
    for sentence in explained(attempt).legal if attempt is not None else ():
        carry_out(attempt, sentence)  # type: ignore[arg-type]


@given(histories, st.sampled_from(KINDS), st.integers(0, 6))
def test_pins(history: list[Command], kind: str, n: int) -> None:
    state = happened(world(), history)
    row = nth([row for row in everything(domain(state), kind, "live") if row.org_id == ACME], n)
    attempt = None if row is None else attempt_of(state, ROOT, keeping(kind, row.id))
    for sentence in explained(attempt).legal if attempt is not None else ():
        carry_out(attempt, sentence)  # type: ignore[arg-type]


def test_a_device_and_an_entity_are_created_where_something_is_named() -> None:
    """As a reference, each of the ids that the explanation gives."""
    attempt = attempt_of(*CASES["a device of nothing"][1]())
    assert attempt is not None
    for each in explained(attempt).facts["ids"]:
        body = {"org_id": ACME, "integration_id": each, "name": "x"}
        attempt.again(call=lambda s, c, b=body: create_device(s, c, ROOT, None, b))
    for row in everything(domain(attempt.state), "devices", "live"):
        entity = {"device_id": row.id, "entity_type": "door"}
        attempt.again(call=lambda s, c, b=entity: create_entity(s, c, ROOT, None, b))
        attempt.again(call=lambda s, c, i=row.id: get_resource(s, c, ROOT, "devices", i))
