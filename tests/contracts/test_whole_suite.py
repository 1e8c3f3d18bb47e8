"""All laws at once: silent about what keeps the contract, loud about what does not."""

from __future__ import annotations

import random

import httpx
import msgspec
import pytest

from contracts.findings import Report
from contracts.laws import ALL
from contracts.mutants.catalogue import MUTANTS, NONE
from contracts.mutants.matrix import chosen, fate, matrix
from contracts.mutants.served import Served
from contracts.runner import Plan, run
from contracts.runner import chosen as chosen_laws
from contracts.target import HttpClock, PythonClock

from .other_target import other_target
from .outcomes import found

SAMPLE = {
    "count-as-float": "wire.reads", "number-in-text": "wire", "any-token": "access", "delete-across": "access",
    "refused-zone-kept": "effects", "page-repeats": "metamorphic", "metered-plus-one": "model",
    "month-of-30-days": "model", "override-a-second-longer": "model", "policy-reversed": "model",
    "unpublished-taken": "model", "key-of-all-entities": "idempotency", "a-second-older-taken": "ingress",
    "two-subscriptions": "races", "plan-cached": "model",
}  # fmt: skip
"""One mutant of each family, and the laws that it is held against; all of them against all laws takes a while."""
SEEDS = 20
MOST_CALLS = 5
KILLED = 0.95


def complaints(report: Report) -> list[str]:
    """What a run has to say against a target that keeps the contract: nothing, and it has verified everything."""
    return found(report) + [
        f"{each.law}: {each.state}: {each.reason}" for each in report.laws if each.state != "passed"
    ]


def test_the_reference_keeps_every_law() -> None:
    with Served(NONE) as server:
        report = run(server.target, Plan(ALL))
    assert complaints(report) == []
    assert [f"{each.operation} {each.status}" for each in report.never_seen if each.status != 501] == []


def test_an_implementation_that_shares_no_code_with_it_does_too() -> None:
    with other_target() as target:
        assert complaints(run(target, Plan(ALL))) == []


def test_a_clock_may_be_a_function() -> None:
    with other_target() as target:
        shown = target.ports.clock
        assert isinstance(shown, HttpClock)

        def clock(to: str | None) -> str:
            answer = httpx.get(shown.url) if to is None else httpx.post(shown.url, json={"set": to})
            return str(answer.json()["now"])

        ports = msgspec.structs.replace(target.ports, clock=PythonClock(clock))
        laws = chosen_laws(ALL, ("model.override-expiry", "model.windows"))
        assert complaints(run(msgspec.structs.replace(target, ports=ports), Plan(laws))) == []


def test_the_sample_has_one_of_each_family() -> None:
    assert {MUTANTS[name].family for name in SAMPLE} == {each.family for each in chosen()}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_is_killed(name: str) -> None:
    kill = fate(MUTANTS[name], chosen_laws(ALL, (SAMPLE[name],)))
    assert kill.killed, kill


@pytest.mark.slow
def test_no_false_alarm_whatever_the_seed() -> None:
    with Served(NONE) as server:
        for _ in range(SEEDS):
            seed = random.getrandbits(32)
            report = run(server.target, Plan(ALL, seed=seed))
            assert complaints(report) == [], seed


@pytest.mark.slow
def test_the_kill_matrix() -> None:
    table = matrix(chosen(), ALL)
    lived = [kill.id for kill in table.mutants if not kill.killed]
    assert table.rate >= KILLED, lived
    assert table.median_calls is not None
    assert table.median_calls <= MOST_CALLS
    assert table.false_alarms == ()
