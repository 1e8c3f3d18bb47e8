"""Why a request was refused: for every problem, in any state, with a clause that is there and nothing secret."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model import capacity, organizations, problems
from mock_server.apis.openapp.model.explanations import _TABLE
from mock_server.apis.openapp.model.state import OpenApp
from mock_server.engine.callers import ANONYMOUS, Caller
from mock_server.engine.explanations import Explanation
from mock_server.engine.problems import Problem, ProblemType
from mock_server.engine.world import WorldState
from mock_server.http.problems import FORBIDDEN

from .acting import ACME, GLOBEX, ROOT, Command, domain, histories, owner, refusals, world
from .refused import ACME_OWNER, CASES, MEMBER, Made, problem_of
from .test_differences import secrets_of

TYPES = {name: value for name, value in vars(problems).items() if isinstance(value, ProblemType)}
callers = st.sampled_from(
    [ROOT, None, ACME_OWNER, owner(GLOBEX), MEMBER, Caller("x", ACME, key="key-voice"), ANONYMOUS]
)


@pytest.fixture(autouse=True)
def _small_bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a mock keeps, where that is what refuses."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name == "a full shelf":
        monkeypatch.setattr(capacity, "MOST_ROWS", 5)
    if name == "a full world":
        monkeypatch.setattr(organizations, "MOST_ORGANIZATIONS", 2)


def explained(state: WorldState, problem: Problem, caller: Caller | None) -> Explanation:
    found = API.explained(domain(state), state.context(state.clock.now), problem, caller)
    assert found is not None
    return found


def explanation(name: str) -> Explanation:
    made: Made = CASES[name][1]()
    return explained(made[0], problem_of(made), made[1])


def resolved(state: OpenApp, pointer: str) -> Any:
    value: Any = json.loads(msgspec.json.encode(API.dump(state)))
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def check(state: OpenApp, problem: Problem, found: Explanation) -> None:
    assert found.check == problem.type.check
    assert found.rule.endswith(".")
    assert len(found.rule) <= 2_000
    assert len(found.legal) <= 20
    assert len(set(found.legal)) == len(found.legal)
    for sentence in found.legal:
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert len(sentence) <= 1_000
        assert "None" not in sentence
    assert len(found.facts) <= 50
    assert {name for name in problem.facts if not name.startswith("_")} <= found.facts.keys()
    assert not any(name.startswith("_") for name in found.facts)
    if found.clause.document in ("catalog", "world"):
        resolved(state, found.clause.pointer)
        assert found.clause.pointer.startswith("/tiers") == (found.clause.document == "catalog")
    else:
        assert found.clause.document in ("bundle", "none")
        assert found.clause.pointer == ""
    told = msgspec.json.encode(found).decode()
    for secret in secrets_of(state):
        assert secret not in told


def test_every_problem_of_the_model_is_explained_once() -> None:
    assert sorted(map(id, TYPES.values())) == sorted(id(each) for each, _ in _TABLE)


def test_every_problem_has_a_case() -> None:
    assert {id(each) for each, _ in CASES.values()} == {id(each) for each in TYPES.values()}


@pytest.mark.parametrize("name", CASES)
def test_each_is_explained(name: str) -> None:
    """Whoever asks, for the control API may not know."""
    made = CASES[name][1]()
    state, caller, _ = made
    problem = problem_of(made)
    assert problem.type is CASES[name][0]
    for each in (caller, None, ROOT, ACME_OWNER):
        check(domain(state), problem, explained(state, problem, each))


@given(histories, callers)
def test_whatever_is_refused_is_explained(history: list[Command], caller: Caller | None) -> None:
    for state, problem, _ in refusals(world(), history):
        check(domain(state), problem, explained(state, problem, caller))


def test_what_others_refuse_is_theirs_to_explain() -> None:
    state, alike = world(), ProblemType("unknown_tier", 400, problems.UNKNOWN_TIER.text)
    for problem in (FORBIDDEN(permission="admin"), alike(tier_slug="x", published_tiers="")):
        assert API.explained(domain(state), state.context(state.clock.now), problem, ROOT) is None


CHECKS = {
    "permission": "forbidden",
    "quota": "quota_exceeded",
}


@pytest.mark.parametrize("name", TYPES)
def test_the_check_goes_with_the_code(name: str) -> None:
    each = TYPES[name]
    for wanted, code in CHECKS.items():
        assert (each.check == wanted) == (each.code == code)
    assert (each.check == "signature") == each.code.startswith("signature_")
    assert each.check == "schema" or each.code != "invalid_request"
    assert each.check in ("permission", "quota", "signature", "schema", "state")


CLAUSES = {
    "no room": ("catalog", 3),
    "blocked for a time": ("world", 0),
    "a full day": ("world", 3),
    "too many pins": ("catalog", 3),
    "a full session": ("world", 10),
    "no customer portal": ("world", "off"),
    "an old signature": ("world", 300),
    "a tier that is not for sale": ("catalog", False),
    "finished": ("world", "succeeded"),
    "not deleted": ("world", None),
    "what it hung on is deleted": ("world", "dev-roof"),
    "a zone in use": ("world", "zone-yard"),
    "a zone above another": ("world", "zone-roof"),
    "a device with entities": ("world", "dev-roof"),
    "an integration with devices": ("world", "int-annex"),
    "an entity out of scope": ("world", ["ent-front-door", "ent-back-door"]),
    "another's organization": ("world", None),
}
"""Of these problems the clause, and what stands there."""


@pytest.mark.parametrize("name", CLAUSES)
def test_the_clause_is_what_decided(name: str) -> None:
    clause = explanation(name).clause
    assert (clause.document, resolved(domain(CASES[name][1]()[0]), clause.pointer)) == CLAUSES[name]


def test_a_credential_is_pointed_at_by_its_permissions() -> None:
    """Not at its secret, which lies beside them."""
    caller = next(each for each in domain(world()).credentials.values() if each.role == "member").caller
    state, problem = world(), problems.ROLE_NOT_HELD(role="zones:create")
    found = explained(state, problem, caller)
    assert found.clause.pointer == "/credentials/2/permissions"
    assert resolved(domain(state), found.clause.pointer) == sorted(caller.permissions)
    assert found.legal == (
        "Scope it to roles that the caller has: devices:list, devices:read, entities:list, entities:read, "
        "entities:set_state.",
        "Leave scoped_roles out: the key may do what its maker may then.",
        "Show a credential that has 'zones:create': 'owner of Acme Doors'.",
    )


def test_a_full_quota_in_full() -> None:
    found = explanation("no room")
    assert found.check == "quota"
    assert found.rule == "The tier 'free' allows 3 zones."
    assert (found.clause.document, found.clause.pointer) == ("catalog", "/tiers/0/quotas/zones/lifetime")
    assert found.legal == (
        "Delete 3 of the 5 zones.",
        "Check out 'starter', whose limit is 10.",
        "Have an operator override zones per lifetime with 6 or more.",
    )
    facts = {name: found.facts[name] for name in ("tier", "stage", "limits", "live", "deleted", "ids", "now")}
    assert facts == {
        "tier": "free",
        "stage": "warned",
        "limits": {"lifetime": {"value": 3, "source": {"kind": "tier", "slug": "free"}}},
        "live": 5,
        "deleted": 0,
        "ids": ["zone-lobby", "zone-yard", "zone-roof", "zone-cellar", "zone-office"],
        "now": "2024-02-29T00:00:00Z",
    }


LEGAL = {
    "no room for a member to make": "Have someone with billing:manage check out 'starter', whose limit is 10.",
    "no room where checkouts are hosted": "Check out 'starter', whose limit is 10, and pay for it.",
    "no room for organizations": "Check out 'starter', whose limit is 2.",
    "blocked for a time": "Wait until 2024-03-05T12:00:00Z, when the override ends.",
    "no room to restore": "Revoke 2 of the 3 API keys.",
    "no room for users": "Remove the user that is there.",
    "a full day": "Wait until 2024-03-01T00:00:00Z, when the day ends.",
    "a full month": "Have an operator override door_opens per day with 4 or more and door_opens per month with 4 or more.",
    "a day that never fits": "Wait until 2024-03-09T12:00:00Z, when the override ends.",
    "no room for voices": "Show a credential that is no API key: only those use up voice_invocations.",
    "a full session": "Ask for 3 at most.",
    "no tier": "Check out 'starter'.",
    "another's organization": "Name 01J9ZC3M4N5P6Q7R8S9T0V1W2X 'Acme Doors'.",
    "too deep": "Create it below ",
    "something deleted": "Restore device dev-roof 'Roof' (POST /devices/dev-roof/restore).",
    "something deleted, and no room for it": "Make room for another zone, then restore zone zone-yard 'Yard' (POST /zones/",
    "an entity out of scope": "Show a credential that is no API key: 'owner of Acme Doors'.",
    "a zone in use": "Delete it with cascade=detach, which takes 3 devices and 9 entities out of it.",
    "an integration with devices": "Delete it with recursive=true, which takes 3 devices and 9 entities along.",
    "what it hung on is purged": "Purge it: DELETE /entities/ent-roof-door/purge.",
    "an old signature": "Sign it with a time from 2024-02-28T23:55:00Z on (1709164500 in seconds): the world's clock shows ",
    "a signature from the future": "Sign it with a time up to 2024-02-29T00:05:00Z (1709165100 in seconds): the world's ",
    "no provider": "Give the world a webhook secret for 'paddle'.",
    "a key of another request": "Wait until 2024-03-01T00:00:00Z, when the key is forgotten.",
    "more pins than the limit": "Release (keep: false) 2 of the 4 pinned zones: zone-yard 'Yard', zone-roof 'Roof', ",
    "no portal": "Name portal-demo 'Acme front door'.",
    "a reference to something deleted": "Restore zone zone-yard 'Yard' (POST /zones/zone-yard/restore).",
    "a reference where there is nothing": "Create an integration first: POST /integrations.",
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_would_have_been_accepted(name: str) -> None:
    """Sentences, or how they begin."""
    legal = explanation(name).legal
    assert any(each.startswith(LEGAL[name]) for each in legal), legal


HELPLESS = {
    "a day that never fits": "when the day ends",
    "no pins at all": "Release",
    "blocked for a time, and too large for ever": "Wait",
}


@pytest.mark.parametrize("name", HELPLESS)
def test_what_does_not_help_is_not_named(name: str) -> None:
    legal = explanation(name).legal
    assert legal
    assert not any(HELPLESS[name] in each for each in legal)


def test_no_plan_helps_where_a_mock_keeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "MOST_ROWS", 5)
    assert explanation("no room").legal == ("Delete 3 of the 5 zones.",)
