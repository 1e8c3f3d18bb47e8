"""Where a rule stands: JSON pointers into the state as it is saved.

Its lists are in orders of their own (`codec.dump`): organizations and overrides by id, rows by creation, live ones first.
"""

from __future__ import annotations

from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.explanations import Clause

from .credentials import digest
from .resources import oldest
from .state import EffectiveLimit, OpenApp

DECLARED = Clause("bundle", "")
"""In the API's document, where the operation declares the refusal: which operation it is, a model does not see."""
NOWHERE = Clause("none", "")


def in_world(*steps: str | int) -> Clause:
    return Clause("world", _pointer(*steps))


def in_catalog(*steps: str | int) -> Clause:
    return Clause("catalog", _pointer(*steps))


def to_org(state: OpenApp, org_id: str, *steps: str | int) -> Clause:
    """A member of an organization's entry; all organizations, if there is none of that id."""
    if org_id not in state.orgs:
        return in_world("orgs")
    return in_world("orgs", sorted(state.orgs).index(org_id), *steps)


def to_limit(state: OpenApp, org_id: str, key: str, period: str, limit: EffectiveLimit) -> Clause:
    """The number that a limit is."""
    kind = limit.source["kind"]
    if kind == "tier":
        place = list(state.catalog.tiers).index(limit.source["slug"])
        return in_catalog("tiers", place, "quotas", key, period)
    if kind == "override":
        ids = sorted(each.id for each in state.overrides[org_id].values())
        return to_org(state, org_id, "overrides", ids.index(limit.source["id"]), "limit_value")
    return NOWHERE


def to_row(state: OpenApp, org_id: str, kind: str, row_id: str, member: str) -> Clause:
    """A member of a resource or an execution; all of its kind, if there is none of that id."""
    holdings = state.held_by(org_id)
    if kind == "executions":
        rows = oldest(holdings.executions)
    else:
        rows = oldest(holdings.shelf(kind).live) + oldest(holdings.shelf(kind).deleted)
    places = [place for place, row in enumerate(rows) if row.id == row_id]
    return to_org(state, org_id, kind, *((places[0], member) if places else ()))


def to_caller(state: OpenApp, caller: Caller | None, member: str) -> Clause:
    """A member of the credential or the API key that was shown; the operation's own word, if it is not known."""
    if caller is None:
        return DECLARED
    if caller.key is not None and caller.org in state.orgs:
        return to_row(state, caller.org or "", "api_keys", caller.key, member)
    credentials: list[Any] = sorted(state.credentials.values(), key=lambda each: (each.position, each.secret))
    places = [n for n, each in enumerate(credentials) if digest(each.secret)[:32] == caller.id]
    return in_world("credentials", places[0], member) if places else DECLARED


def _pointer(*steps: str | int) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
