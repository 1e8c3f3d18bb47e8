"""Every mutant is well-formed, can be served, and differs from the reference in what its witness shows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter

import pytest

from contracts.mutants.__main__ import main
from contracts.mutants.catalogue import FAMILIES, MUTANTS, NONE, NOT_MAPPED
from tests.contracts.witnesses import WITNESSES
from tests.contracts.witnessing import answers_elsewhere, answers_of
from tests.server import ROOT

ALL = sorted(MUTANTS)
FAMILY_NAMES = {
    "schema", "input", "auth", "tenancy", "crud", "pagination", "quotas", "windows", "overrides", "degradation",
    "checkout", "idempotency", "ingress", "races", "staleness",
}  # fmt: skip
SAMPLE = [module.MUTANTS[-1].id for module in FAMILIES]
"""One of each family: a process for each of them all would take minutes."""
SERVE = [sys.executable, "-m", "contracts.mutants"]


def test_ids_are_unique_and_families_known() -> None:
    counted = Counter(mutant.id for module in FAMILIES for mutant in module.MUTANTS)
    assert [each for each, count in counted.items() if count > 1] == []
    assert NONE not in MUTANTS
    assert {mutant.family for mutant in MUTANTS.values()} == FAMILY_NAMES
    assert all(len({mutant.family for mutant in module.MUTANTS}) == 1 for module in FAMILIES)


def test_every_number_of_the_benchmark_is_mapped_or_says_why_not() -> None:
    mapped = {number for mutant in MUTANTS.values() for number in mutant.numbers}
    assert mapped.isdisjoint(NOT_MAPPED)
    assert mapped | NOT_MAPPED.keys() == set(range(1, 100))


def test_every_mutant_has_a_witness() -> None:
    assert sorted(WITNESSES) == ALL


@pytest.mark.parametrize("mutant", SAMPLE)
def test_a_mutant_of_each_family_answers_its_witness_otherwise(mutant: str) -> None:
    assert_witnessed(mutant)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [each for each in ALL if each not in SAMPLE])
def test_all_other_mutants_answer_their_witness_otherwise(mutant: str) -> None:
    assert_witnessed(mutant)


def assert_witnessed(mutant: str) -> None:
    """The reference answers the same each time, the mutant otherwise: first in the last step, and on purpose."""
    expected, came = answers_of(NONE, WITNESSES[mutant]), answers_elsewhere(mutant)
    assert expected == answers_of(NONE, WITNESSES[mutant])
    assert len(came) == len(expected)
    differing = [n for n, (one, other) in enumerate(zip(expected, came, strict=True)) if one != other]
    assert differing == [len(expected) - 1], [(expected[n], came[n]) for n in differing]
    assert "contract_breach" not in str(came[-1])


@pytest.mark.parametrize("mutant", [NONE, "error-as-html"])
def test_a_mutant_is_served_with_its_control_api_whole(mutant: str) -> None:
    with subprocess.Popen([*SERVE, mutant], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        line = it.stdout.readline()
        assert line.startswith("MOCKBILL_READY url=http://127.0.0.1:"), line
        url = dict(part.split("=", 1) for part in line.split()[1:])["url"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/_mock/worlds/none", timeout=10)
        assert refused.value.status == 404
        assert json.load(refused.value)["error_code"] == "unknown_world"
        with urllib.request.urlopen(f"{url}/_mock/health", timeout=10) as answer:
            assert json.load(answer)["contract_breaches"] == 0
        it.send_signal(signal.SIGTERM)
        _, errors = it.communicate(timeout=10)
    assert (it.returncode, errors) == (0, "")


def test_an_unknown_mutant_is_refused_and_all_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nobody"]) == 2
    assert "there is no mutant 'nobody'" in capsys.readouterr().err
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(MUTANTS)
