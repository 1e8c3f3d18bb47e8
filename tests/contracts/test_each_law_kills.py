"""Each law alone tells at least one faulty server from the reference: otherwise it would pass whatever it is shown."""

from __future__ import annotations

import pytest

from contracts.laws import ALL
from contracts.mutants.catalogue import MUTANTS
from contracts.mutants.matrix import fate

from .killers import KILLERS

LAWS = {law.id: law for law in ALL}
SAMPLE = (
    "model.pins", "access.key-entities", "effects.unavailable", "idempotency.scope", "ingress.ownership", "wire.methods",
)  # fmt: skip
"""Of different families. A process for each law would take minutes."""


def test_each_law_has_a_mutant() -> None:
    assert sorted(KILLERS) == sorted(LAWS)
    assert set(KILLERS.values()) <= set(MUTANTS)


def test_the_sample_is_of_different_families() -> None:
    assert len({LAWS[each].family for each in SAMPLE}) == len(SAMPLE)


@pytest.mark.parametrize("law", SAMPLE)
def test_a_law_of_each_of_some_families_kills_its_mutant(law: str) -> None:
    assert_killed(law)


@pytest.mark.slow
@pytest.mark.parametrize("law", [each for each in LAWS if each not in SAMPLE])
def test_all_other_laws_kill_theirs(law: str) -> None:
    assert_killed(law)


def assert_killed(law: str) -> None:
    kill = fate(MUTANTS[KILLERS[law]], (LAWS[law],))
    assert (kill.killed, kill.by) == (True, law), kill
