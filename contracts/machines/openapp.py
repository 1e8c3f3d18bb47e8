"""Random walks through OpenApp: everything a user, an operator and time can do, in any order.

Values are drawn relative to what the model holds: limits one below, at and one above what there is, moves to the edge of
a window and a second beside it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contracts.bench import Bench, Enough
from contracts.broken import Broken
from contracts.case import Case
from contracts.edges import EDGES
from contracts.openapp.stock import (
    KINDS,
    METERED,
    PLURAL,
    POLICIES,
    SOFT,
    Stock,
    billing,
    deletion,
    look,
    opening,
    override,
    request_for,
)

TIERS = ("free", "starter", "pro", "business")
MOVES = ("PT1S", "PT1H", "P1D", "P7D", "P15D", "P30D", "P37D")
LONGEST = 20
"""Rows of one kind that a walk makes at most."""


class Walk(RuleBasedStateMachine):
    """One walk. What it finds it keeps at once; then, and when the run is over, the rest of it does nothing."""

    bench: ClassVar[Bench]
    is_over: ClassVar[bool] = False
    was_enough: ClassVar[bool] = False
    """Whether what it found was all that was asked for; told in the end, since Hypothesis would try it again."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.case: Case | None = None
        self.made: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self.has_clock = self.bench.offers("clock")
        self.has_operator = self.bench.offers("operator")
        if not type(self).is_over:
            self.case = self._stack.enter_context(self.bench.case())
            self.stock = Stock(self.case)

    def teardown(self) -> None:
        with self._stack:
            if self.case is not None:
                self._ask_all(look)

    def ask(self, **call: Any) -> Any:
        """The oracle's answer, or None once the walk is over."""
        return self._ask_all(lambda case: case.ask(**call))

    def _ask_all(self, asked: Any) -> Any:
        if self.case is None or type(self).is_over:
            return None
        try:
            return asked(self.case)
        except Broken as broken:
            case, self.case = self.case, None
            type(self).is_over = True
            try:
                self.bench.keep(broken, case)
            except Enough:
                type(self).was_enough = True
            return None

    def _one(self, kind: str, n: int) -> str | None:
        rows = self.made[kind]
        return rows[n % len(rows)] if rows else None

    @rule(kind=st.sampled_from(tuple(KINDS)))
    def make(self, kind: str) -> None:
        if self.case is None or len(self.made[kind]) >= LONGEST:
            return
        answer = self._ask_all(lambda case: case.ask(**self._creation(kind)))
        if answer is not None and answer.status < 300:
            self.made[kind].append(answer.json["id"])

    def _creation(self, kind: str) -> dict[str, Any]:
        """What hangs on something hangs on what the walk itself has made, if it has."""
        parents = {"device": ("integration", "integration_id"), "entity": ("device", "device_id")}
        if kind not in parents or self.case is None:
            return self.stock.creation(kind)
        parent, member = parents[kind]
        found = self._one(parent, -1)
        if found is None:
            made = self.case.ask(**self._creation(parent))
            if made.status >= 300:
                return self.stock.creation("zone")
            found = str(made.json["id"])
            self.made[parent].append(found)
        body: dict[str, Any] = {member: found}
        body |= {"org_id": self.case.org, "name": "Front"} if kind == "device" else {"entity_type": "door"}
        return {"operation": f"create_{kind}", "json": body}

    @rule(kind=st.sampled_from(tuple(KINDS)), n=st.integers(0, 5))
    def delete(self, kind: str, n: int) -> None:
        if (made := self._one(kind, n)) is not None:
            self.ask(**deletion(kind, made))

    @rule(kind=st.sampled_from(SOFT), n=st.integers(0, 5), verb=st.sampled_from(("restore", "purge")))
    def bring_back_or_forget(self, kind: str, n: int, verb: str) -> None:
        if (made := self._one(kind, n)) is not None:
            self.ask(operation=f"{verb}_{kind}", path={"id": made})

    @precondition(lambda self: self.has_operator)
    @rule(
        kind=st.sampled_from(tuple(KINDS)),
        beside=st.integers(-1, 1),
        expires=st.sampled_from((None, "PT1H", "P1D", "P30D")),
    )
    def limit(self, kind: str, beside: int, expires: str | None) -> None:
        report = self.ask(**billing(self.case, "usage")) if self.case is not None else None
        if report is None or self.case is None:
            return
        key = KINDS[kind]
        held = next(int(item["current"]) for item in report.json["items"] if item["key"] == key)
        self.ask(**override(self.case, key, max(0, held + beside), expires=expires))

    @precondition(lambda self: self.has_operator)
    @rule(
        key=st.sampled_from(tuple(METERED.values())),
        period=st.sampled_from(("day", "week", "month")),
        limit=st.integers(0, 2),
    )
    def limit_uses(self, key: str, period: str, limit: int) -> None:
        if self.case is not None:
            self.ask(**override(self.case, key, limit, period))

    @rule(operation=st.sampled_from(("create_scripting_execution", "translate_locale_content", "reverse_geocode")))
    def use(self, operation: str) -> None:
        if self.case is not None:
            self.ask(**request_for(self.stock, operation))

    @rule(
        n=st.integers(0, 5), key=st.sampled_from((None, "once", "twice")), caller=st.sampled_from(("owner", "member"))
    )
    def open_door(self, n: int, key: str | None, caller: str) -> None:
        if (door := self._one("entity", n)) is not None and (caller == "owner" or self.bench.offers("member")):
            self.ask(**opening(door, key, caller))

    @rule(tier=st.sampled_from(TIERS))
    def buy(self, tier: str) -> None:
        if self.case is not None:
            self.ask(**billing(self.case, "checkout", json={"tier_slug": tier}))

    @rule(policy=st.sampled_from(POLICIES))
    def choose_policy(self, policy: str) -> None:
        if self.case is not None:
            self.ask(**billing(self.case, "degradation_policy", json={"policy": policy}))

    @rule(kind=st.sampled_from(tuple(PLURAL)), n=st.integers(0, 5), keep=st.booleans())
    def pin(self, kind: str, n: int, keep: bool) -> None:
        if self.case is not None and (made := self._one(kind, n)) is not None:
            body = {"resource": PLURAL[kind], "resource_id": made, "keep": keep}
            self.ask(**billing(self.case, "degradation_resource", json=body))

    @precondition(lambda self: self.has_clock)
    @rule(duration=st.sampled_from(MOVES))
    def wait(self, duration: str) -> None:
        self._ask_all(lambda case: case.advance(duration))

    @precondition(lambda self: self.has_clock)
    @rule(edge=st.sampled_from(EDGES), seconds=st.integers(-1, 1))
    def wait_for(self, edge: str, seconds: int) -> None:
        self._ask_all(lambda case: case.to(edge, seconds))

    @rule(what=st.sampled_from(("usage", "degradation", "plan")))
    def read(self, what: str) -> None:
        if self.case is not None:
            self.ask(**billing(self.case, what))


def walks(bench: Bench) -> None:
    """Walks that Hypothesis chooses. It neither shrinks nor remembers: the bench makes findings shorter by itself."""
    walk: type[Walk] = type("Walk", (Walk,), {"bench": bench, "is_over": False, "was_enough": False})
    how_many, how_long = bench.scale(25, 250), bench.scale(15, 40)
    run_state_machine_as_test(
        seed(bench.random.getrandbits(32))(walk),
        settings=settings(
            max_examples=how_many,
            stateful_step_count=how_long,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if walk.was_enough:
        raise Enough
