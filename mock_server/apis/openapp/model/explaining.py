"""What an explanation is made of: a refusal with all that was known then, and words for what could be done instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Context
from mock_server.engine.explanations import Clause, Explanation
from mock_server.engine.instants import Instant
from mock_server.engine.problems import Problem

from .access import reaches
from .comparison import called, quoted
from .resources import PLURAL, SINGULAR, creation
from .state import OpenApp, Org

ROOT = Caller("operator", None, frozenset({OPERATOR}))
"""Tries out what an explanation claims."""
MOST_IDS = 5
MOST_LEGAL = 20
PATHS = {"api_keys": "api-keys", "org_users": "users", "executions": "scripting/executions"}
"""Where the paths of operations have another name than the kind."""


class Case(msgspec.Struct, frozen=True):
    """A refusal: `state` and `context` are those in which it was decided. Without a caller nothing is out of reach."""

    state: OpenApp
    context: Context
    problem: Problem
    caller: Caller | None

    @property
    def now(self) -> Instant:
        return self.context.now

    @property
    def asker(self) -> Caller:
        """On whose behalf something is tried out."""
        return ROOT if self.caller is None else self.caller

    @property
    def org(self) -> Org | None:
        return self.state.orgs.get(self.text("org_id"))

    def fact(self, name: str) -> Any:
        return self.problem.facts.get(name)

    def text(self, name: str) -> str:
        return str(self.problem.facts.get(name))

    def reaches(self, org_id: str) -> bool:
        return reaches(self.state, self.asker, org_id)

    def answer(
        self, rule: str, clause: Clause, legal: Iterable[str | None] = (), facts: Mapping[str, Any] | None = None
    ) -> Explanation:
        """`facts` are added to those of the problem."""
        shown = {name: fact for name, fact in self.problem.facts.items() if not name.startswith("_")}
        sentences = dict.fromkeys(_clean(each) for each in legal if each is not None)
        return Explanation(
            self.problem.type.check,
            _clean(rule),
            clause,
            _clean({**shown, **(facts or {})}),
            tuple(sentences)[:MOST_LEGAL],
        )


def reachable_orgs(case: Case) -> list[Org]:
    """The oldest ones first, the caller's own before all others."""
    home = case.asker.org
    orgs = [org for org in case.state.orgs.values() if case.reaches(org.id)]
    return sorted(orgs, key=lambda org: (org.id != home, creation(org)))


def some(rows: Sequence[Any]) -> list[str]:
    return [row.id for row in rows[:MOST_IDS]]


def named(rows: Sequence[Any]) -> str:
    """The first few: "dev-front 'Front', dev-back 'Back' or 3 others"."""
    shown = [row.id if called(row) == quoted(row.id) else f"{row.id} {called(row)}" for row in rows[:MOST_IDS]]
    more = len(rows) - len(shown)
    if more:
        return f"{', '.join(shown)} or {more} {'other' if more == 1 else 'others'}"
    return listed(shown)


def listed(texts: Sequence[str], last: str = "or") -> str:
    """ "a, b or c"."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}" if texts else ""


def one_of(verb: str, nouns: str, rows: Sequence[Any], many: int = 1) -> str | None:
    """ "Name one of the 8 devices: dev-front 'Front', ..."; nothing if there are none."""
    if len(rows) == 1:
        return f"{verb} {named(rows)}."
    return f"{verb} {'one' if many == 1 else many} of the {len(rows)} {nouns}: {named(rows)}." if rows else None


def thing(kind: str, row: Any) -> str:
    """ "device dev-front 'Front'"."""
    return f"{SINGULAR[kind]} {named([row])}"


def counted(count: int, key: str) -> str:
    """ "3 zones", "no zones", "1 API key"; a metered quota by its key: "50 door_opens"."""
    if count == 1:
        return f"1 {SINGULAR.get(key, key)}"
    return f"{count or 'no'} {PLURAL.get(key, key)}"


def path_of(kind: str, resource_id: str) -> str:
    return f"/{PATHS.get(kind, kind)}/{resource_id}"


def _clean(value: Any) -> Any:
    """As JSON holds it: without lone surrogates, which a hostile path can bring in."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value
