"""Why the caller may not: organizations out of reach or not named, roles and entities that a key does not have."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.explanations import Clause, Explanation

from .access import reaches
from .comparison import quoted
from .explaining import MOST_IDS, Case, listed, one_of, reachable_orgs, some
from .pointers import DECLARED, in_world, to_caller, to_org
from .resources import oldest
from .roles import RESOURCE_ROLES
from .state import Credential

_REACH = "A caller reaches its own organization and those below it."


def forbidden_org(case: Case) -> Explanation:
    org_id, orgs = case.text("org_id"), reachable_orgs(case)
    is_there = org_id in case.state.orgs
    others = _others(case, lambda caller: is_there and reaches(case.state, caller, org_id))
    legal = (
        one_of("Name", "organizations that the caller reaches", orgs),
        f"Show a credential that reaches it: {others}." if others else None,
    )
    facts = {"home": case.asker.org, "reached": some(orgs), "exists": is_there}
    return case.answer(_REACH, to_org(case.state, org_id, "org", "parent_id"), legal, facts)


def org_not_found(case: Case) -> Explanation:
    orgs = reachable_orgs(case)
    near = get_close_matches(case.text("org_id"), [org.id for org in orgs], 1)
    orgs = sorted(orgs, key=lambda org: org.id not in near)
    legal = (one_of("Name", "organizations", orgs), "Create one first." if not orgs else None)
    return case.answer("Only organizations that exist can be named.", in_world("orgs"), legal, {"ids": some(orgs)})


def no_organization(case: Case) -> Explanation:
    orgs = reachable_orgs(case)
    others = _others(case, lambda caller: caller.org is not None)
    legal = (
        one_of("Send X-Org with", "organizations that the caller reaches", orgs),
        f"Show a credential that has one: {others}." if others else None,
    )
    rule = "A caller without an organization of its own says in X-Org which one it means."
    return case.answer(rule, DECLARED, legal, {"reached": some(orgs)})


def org_mismatch(case: Case) -> Explanation:
    in_body, x_org = case.text("org_id"), case.text("x_org")
    legal = (
        f"Leave X-Org out, or send X-Org: {in_body}." if _is_usable(case, in_body) else None,
        f"Put {x_org} into the body." if _is_usable(case, x_org) else None,
    )
    return case.answer("The body and X-Org name the same organization, where both name one.", DECLARED, legal)


def unknown_role(case: Case) -> Explanation:
    near = get_close_matches(case.text("role"), RESOURCE_ROLES, 1)
    held = [role for role in [*near, *RESOURCE_ROLES] if case.asker.may(role)]
    legal = (_scope(held), _without_scope(case))
    rule = (
        "An API key is scoped to roles for resources, one for each operation, and to nothing that stands for several."
    )
    return case.answer(rule, DECLARED, legal, {"closest": near})


def role_not_held(case: Case) -> Explanation:
    role = case.text("role")
    held = [each for each in RESOURCE_ROLES if case.asker.may(each)]
    others = _others(case, lambda caller: caller.may(role) and caller.org == case.asker.org)
    legal = (
        _scope(held),
        _without_scope(case),
        f"Show a credential that has {role!r}: {others}." if others else None,
    )
    facts = {"held": sorted(case.asker.permissions)}
    return case.answer("A key may do no more than its maker.", _permissions(case), legal, facts)


def scope_needed(case: Case) -> Explanation:
    rule = "An operator says in scoped_roles what a key is for: a key is never an operator's."
    return case.answer(rule, DECLARED, ["Give scoped_roles, such as ['entities:list', 'entities:set_state']."])


def entity_out_of_scope(case: Case) -> Explanation:
    key = _key(case)
    scope = () if key is None or key.scoped_entity_ids is None else key.scoped_entity_ids
    live = [row for row in oldest(case.state.held_by(case.asker.org or "").entities.live) if row.id in scope]
    whole = [row for row in oldest(case.state.held_by(case.asker.org or "").api_keys.live) if _is_free(case, row)]
    others = _others(case, lambda caller: caller.org is not None and caller.org == case.asker.org)
    legal = (
        one_of("Name", "entities in the key's scope", live),
        f"Show a credential that is no API key: {others}." if others else None,
        one_of("Show", "API keys without scoped_entity_ids", whole),
    )
    clause = to_caller(case.state, case.caller, "scoped_entity_ids")
    rule = "A key with scoped_entity_ids acts on those entities only, and gives no other key more."
    return case.answer(rule, clause, legal, {"scope": list(scope[:MOST_IDS])})


def outlives_its_maker(case: Case) -> Explanation:
    until = case.text("expires_at")
    legal = (
        f"Ask for an expiry until {until} at the latest.",
        "Leave expires_at and expires_in out: the key expires with its maker then, if not before.",
    )
    rule = f"A key does not outlive the key that makes it, which expires at {until}."
    return case.answer(rule, to_caller(case.state, case.caller, "expires_at"), legal)


def _others(case: Case, fits: Callable[[Caller], bool]) -> str | None:
    """The scenario's credentials that fit and may all that the caller may, so that nothing else stands in their way."""
    rows: list[Credential] = sorted(case.state.credentials.values(), key=lambda each: (each.position, each.name))
    names = [
        quoted(each.name) for each in rows if not each.revoked and _may_as_much(case, each.caller) and fits(each.caller)
    ]
    return listed(names[:3]) or None


def _may_as_much(case: Case, caller: Caller) -> bool:
    return all(caller.may(each) for each in case.asker.permissions)


def _is_usable(case: Case, org_id: str) -> bool:
    return org_id in case.state.orgs and case.reaches(org_id)


def _scope(held: list[str]) -> str | None:
    """To roles that the caller has; a dozen of them would not be read."""
    return f"Scope it to roles that the caller has: {', '.join(list(dict.fromkeys(held))[:12])}." if held else None


def _without_scope(case: Case) -> str | None:
    return None if case.asker.is_operator else "Leave scoped_roles out: the key may do what its maker may then."


def _permissions(case: Case) -> Clause:
    return to_caller(case.state, case.caller, "permissions")


def _key(case: Case) -> Any:
    """The API key that the caller showed."""
    return case.state.held_by(case.asker.org or "").api_keys.live.get(case.asker.key or "")


def _is_free(case: Case, row: Any) -> bool:
    return row.scoped_entity_ids is None and row.expires_at > case.now and _may_as_much(case, row.caller)
