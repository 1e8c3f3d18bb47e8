"""`pytest --mockbill-contract contract.toml`: the laws as tests, beside anybody's own; and `contracts.load` for scripts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import contracts

# Else each run of pytest within pytest would import them anew, and take them away again when it ends.
import contracts.reports.console
import contracts.reports.view
import contracts.suite
from contracts.law import Law
from contracts.laws import ALL
from tests.server import ROOT, Server

from .strangers import answer, proxy

pytest_plugins = ["pytester"]
LAW, OTHER = "wire.retry-after", "access.member"
FILE = '[target]\nurl = "{0}/api/v1"\nmay = "full"\n[ports.control]\nurl = "{0}"\n'
IS_INSTALLED = any(each.value == "contracts.pytest_plugin" for each in entry_points(group="pytest11"))
PLUGIN = () if IS_INSTALLED else ("-p", "contracts.pytest_plugin")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def pytester(pytester: pytest.Pytester, server: Server) -> pytest.Pytester:
    pytester.makefile(".toml", contract=FILE.format(server.url))
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return pytester


def ran(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *arguments)


CONTRACT = ("--mockbill-contract", "contract.toml")


def test_each_law_is_a_test(pytester: pytest.Pytester) -> None:
    result = ran(pytester, *CONTRACT, "--collect-only", "-q")
    names = [line for line in result.outlines if line.startswith("contract.toml::")]
    assert names == [f"contract.toml::contract[{law.id}]" for law in ALL]
    result.stdout.fnmatch_lines([f"{len(ALL)} tests collected *"])


def test_they_stand_beside_other_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")
    result = ran(pytester, *CONTRACT, "--mockbill-law", LAW, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random([f"contract.toml::contract[[]{LAW}[]] PASSED*", "*test_mine PASSED*"])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("-k", "retry and wire"), {LAW}),
        ((f"contract.toml::contract[{OTHER}]",), {OTHER}),
        (("--mockbill-law", LAW, "--mockbill-law", OTHER), {LAW, OTHER}),
        (("--mockbill-law", "races"), {law.id for law in ALL if law.family == "races"}),
        (("-m", "mockbill_contract", "--mockbill-law", LAW), {LAW}),
        (("-m", "not mockbill_contract"), set()),
        (("--deselect", "contract.toml::contract"), set()),
    ],
)
def test_they_are_chosen_as_any_test_is(
    pytester: pytest.Pytester, arguments: tuple[str, ...], wanted: set[str]
) -> None:
    result = ran(pytester, *CONTRACT, "--collect-only", "-q", *arguments)
    names = {line.partition("[")[2][:-1] for line in result.outlines if line.startswith("contract.toml::")}
    assert names == wanted


def test_a_broken_law_fails_with_its_findings(pytester: pytest.Pytester, server: Server) -> None:
    def instead(head: bytes) -> bytes | None:
        return answer(b'{"options": 7}') if b"/upgrade-options" in head else None

    with proxy(server.url, instead) as faulty:
        pytester.makefile(".toml", contract=FILE.format(faulty.url))
        result = ran(pytester, *CONTRACT, "--mockbill-law", "access.reader", "--mockbill-law", LAW)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*contract[[]access.reader[]]*", "*expected*", "*came*", "*curl*"])
    assert "Traceback" not in result.stdout.str()
    assert "demo-owner" not in result.stdout.str()


def test_what_is_not_verified_is_skipped_with_the_reason(pytester: pytest.Pytester, server: Server) -> None:
    pytester.makefile(".toml", contract=f'[target]\nurl = "{server.url}/api/v1"\n')
    result = ran(pytester, *CONTRACT, "--mockbill-law", "races.capacity", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*not verified: needs *writes*"])


def test_a_target_that_cannot_be_used_fails_once(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", contract='[target]\nurl = "http://127.0.0.1:1"\n')
    result = ran(pytester, *CONTRACT, "--mockbill-law", "wire.reads", "--mockbill-law", "wire.paths", "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*does not answer*connection refused; nothing listens there", "*the first law says why*"]
    )


def test_a_target_that_goes_away_is_no_success(pytester: pytest.Pytester, server: Server) -> None:
    def instead(head: bytes) -> bytes | None:
        if len(between.heads) > 8:
            between.close()
            raise ConnectionResetError
        return None

    with proxy(server.url, instead) as between:
        pytester.makefile(".toml", contract=f'[target]\nurl = "{between.url}/api/v1"\n')
        result = ran(pytester, *CONTRACT, "--mockbill-law", "wire.reads", "--mockbill-law", "wire.paths")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["*not verified: the target is gone*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mockbill-contract", "none.toml"), "*none.toml: there is no such file*"),
        ((*CONTRACT, "--mockbill-law", "acess"), "*there is no law or family 'acess'; did you mean 'access'*"),
    ],
)
def test_wrong_use_is_told_in_one_line(pytester: pytest.Pytester, arguments: tuple[str, ...], message: str) -> None:
    result = ran(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


def test_a_mistake_in_the_file_is_told_with_its_line(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", contract="[target]\nulr = 'x'\n")
    result = ran(pytester, *CONTRACT)
    result.stderr.fnmatch_lines(["ERROR: *contract.toml, line 2, target.ulr: there is no such setting; did you mean*"])


def test_unused_it_imports_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_mine():\n"
        "    mine = sorted(name for name in sys.modules if name.startswith('contracts'))\n"
        "    assert mine == ['contracts', 'contracts.pytest_plugin']\n"
        "    assert not {'schemathesis', 'mock_server', 'httpx', 'rich', 'yaml'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio"]
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    ended = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False, env=env)
    assert ended.returncode == 0, ended.stdout


# -- in scripts -------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "contract.toml"
    path.write_text(FILE.format(server.url))
    return path


def test_a_script_gets_target_laws_and_a_report(file: Path) -> None:
    suite = contracts.load(file, laws=(LAW, OTHER))
    assert suite.target.credentials["owner"] == "demo-owner"
    assert {law.id for law in suite.laws} == {LAW, OTHER}
    report = suite.run(seed=3)
    assert [each.state for each in report.laws] == ["passed", "passed"]
    assert (report.findings, report.seed, report.stopped) == ((), 3, None)


def test_laws_can_be_parametrised_by_hand(file: Path) -> None:
    suite = contracts.load(file)
    (law,) = suite.only(LAW).laws
    assert isinstance(law, Law)
    result, report = suite.try_law(law)
    assert (result.law, result.state) == (LAW, "passed")
    assert len(report.laws) == 1


def test_mistakes_of_a_script_are_target_errors(file: Path) -> None:
    with pytest.raises(contracts.TargetError, match="there is no law or family"):
        contracts.load(file, laws=("nope",))
    with pytest.raises(contracts.TargetError, match="there is no operation 'nope'"):
        contracts.load(file, laws=(LAW,)).run(operations=("nope",))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        contracts.nope  # noqa: B018
