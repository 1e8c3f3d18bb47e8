"""`mockbill contract ...`: what it prints, how it ends, and that it always ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.bench import Profile
from contracts.findings import Finding, LawResult, Report
from contracts.http import GONE
from contracts.laws import ALL
from contracts.progress import Progress, told
from contracts.running import exit_code
from contracts.suite import SECONDS
from tests.cli.command import Ran, check_wrong_use, environment, inside
from tests.server import ROOT, Server

from .strangers import Stranger, answer, proxy

LAW = "access.member"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No contract.toml of this folder is taken by accident."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, env: dict[str, str] | None = None) -> Ran:
    return inside("contract", "run", *arguments, env=env or {})


# -- a run ------------------------------------------------------------------------------------------------------------


def test_a_mockbill_needs_nothing_but_its_url(server: Server) -> None:
    ran = run("--url", server.url, "--law", LAW)
    assert ran.code == 0, ran
    assert "1 passed" in ran.out
    assert f"1/1 passed       {LAW}" in ran.errors


@pytest.mark.parametrize("path", ["", "/", "/api/v1", "/openapp/api/v1/"])
def test_its_origin_will_do_and_so_will_its_base_url(server: Server, path: str) -> None:
    assert run("--url", server.url + path, "--law", "wire.retry-after", "-q").code == 0


def test_json_is_one_document_and_nothing_else(server: Server, tmp_path: Path) -> None:
    ran = run("--url", server.url, "--law", LAW, "--json", "--quiet")
    assert (ran.code, ran.errors) == (0, ""), ran
    report = json.loads(ran.out)
    assert [law["id" if "id" in law else "law"] for law in report["laws"]] == [LAW]
    assert "demo-owner" not in ran.out


def test_what_is_found_fails_and_a_baseline_excuses_it(server: Server) -> None:
    def instead(head: bytes) -> bytes | None:
        wrong = b"/upgrade-options" in head and b"GET " in head
        return answer(b'{"options": [], "current": 1}') if wrong else None

    with proxy(server.url, instead) as faulty:
        first = run("--url", faulty.url, "--law", "access.reader", "--report-dir", "out", "--json")
        assert first.code == 1, first
        assert "demo-" not in first.out
        names = {str(each.relative_to("out")) for each in Path("out").rglob("*") if each.is_file()}
        assert {"report.html", "report.json", "junit.xml"} <= names
        assert any(name.startswith("findings/test_access_reader_") for name in names)
        again = ("--url", faulty.url, "--law", "access.reader", "--baseline", "known.toml", "-q")
        check_wrong_use(run(*again), "known.toml", "--update-baseline")
        written = run(*again, "--update-baseline", "--owner", "ada")
        assert written.code == 0, written
        assert 'owner = "ada"' in Path("known.toml").read_text()
        assert run(*again).code == 0


def test_every_option_is_an_environment_variable_too(server: Server) -> None:
    from typer.main import get_command

    from contracts.cli import app

    given = {"URL": server.url, "LAW": f"{LAW} wire.retry-after", "QUIET": "1", "SEED": "7", "JSON": "true"}
    ran = run(env={f"MOCKBILL_CONTRACT_{name}": value for name, value in given.items()})
    assert ran.code == 0, ran
    report = json.loads(ran.out)
    assert (report["seed"], len(report["laws"])) == (7, 2)
    for command in get_command(app).commands.values():  # type: ignore[attr-defined]
        for option in command.params:
            name = option.opts[0].removeprefix("--").replace("-", "_").upper()
            assert option.envvar in (f"MOCKBILL_CONTRACT_{name}", None if name == "HELP" else "x"), option.name


def test_the_same_law_twice_is_tried_once(server: Server) -> None:
    ran = run("--url", server.url, "--law", LAW, "--law", LAW, "--json", "-q")
    assert len(json.loads(ran.out)["laws"]) == 1


# -- wrong use --------------------------------------------------------------------------------------------------------

MISUSES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nothing to test": ((), ("--url", "--config", "mockbill contract init")),
    "no such file": (("--config", "none.toml"), ("none.toml: there is no such file", "init")),
    "a host elsewhere": (("--url", "http://127.0.0.1.evil.com"), ("--url: the host '127.0.0.1.evil.com'",)),
    "no url": (("--url", "4010"), ("--url:", "http://HOST:PORT")),
    "an unknown API": (("--url", "{url}", "--api", "geopera"), ("there are no laws for 'geopera'", "openapp")),
    "an unknown law": (("--url", "{url}", "--law", "acess"), ("there is no law or family 'acess'", "did you mean 'access'")),
    "an unknown operation": (("--url", "{url}", "--operation", "get_plan"), ("there is no operation 'get_plan'",)),
    "another base path": (("--url", "{url}/v2"), ("the mockbill there serves this API under {url}/api/v1",)),
    "a baseline nowhere": (("--url", "{url}", "--update-baseline"), ("--update-baseline", "--baseline")),
    "no baseline": (("--url", "{url}", "--baseline", "none.toml"), ("none.toml: there is no such file",)),
    "nothing to clean up": (("--url", "{url}", "--cleanup-only"), ("own-objects",)),
    "an unknown profile": (("--profile", "slow"), ("--profile", "quick")),
    "no time": (("--max-seconds", "0"), ("--max-seconds",)),
}  # fmt: skip


@pytest.mark.parametrize("misuse", MISUSES)
def test_wrong_use_ends_with_2_and_says_why(server: Server, misuse: str) -> None:
    arguments, hints = MISUSES[misuse]
    ran = run(*(each.format(url=server.url) for each in arguments))
    check_wrong_use(ran, *(each.format(url=server.url) for each in hints))


def test_what_is_no_mockbill_needs_a_file(server: Server) -> None:
    with Stranger.saying(answer(b'{"status": "ok"}')) as stranger:
        check_wrong_use(run("--url", stranger.url), "is no mockbill", f"mockbill contract init --url {stranger.url}")


def test_a_file_with_a_mistake_is_told_with_its_line() -> None:
    Path("contract.toml").write_text("[target]\n\nulr = 'http://127.0.0.1'\n")
    check_wrong_use(run(), "contract.toml, line 3, target.ulr: there is no such setting; did you mean 'url'?")


def test_a_credential_that_is_another_is_told(server: Server) -> None:
    url = f"{server.url}/api/v1"
    Path("contract.toml").write_text(
        f'[target]\nurl = "{url}"\n[orgs]\nown = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"\n[credentials]\nreader = "sk_live_x"\n'
    )
    ran = run()
    check_wrong_use(ran, "credentials.reader is not what it is said to be", "answered 401")
    assert "sk_live_x" not in ran.errors
    assert run("--no-preflight", "--law", "wire.retry-after", "-q").code == 2, "nothing could be verified"


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.commands._is_there", lambda module: False)
    for command in ("run", "laws", "mutants"):
        check_wrong_use(inside("contract", command), "schemathesis and hypothesis", "pip install 'mockbill[contract]'")


def test_help_does_not_wait_for_the_harness() -> None:
    code = "import sys, mock_server.cli; print([m for m in sys.modules if m.startswith('contracts')])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "['contracts', 'contracts.cli']\n"


# -- ends in time -----------------------------------------------------------------------------------------------------


def test_where_nobody_answers_it_ends_with_3() -> None:
    ran = run("--url", "http://127.0.0.1:1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.errors == (
        "mockbill: tried GET http://127.0.0.1:1/_mock/health: connection refused; nothing listens there\n"
    )


def config(url: str, *more: str) -> None:
    """A target without ports, whose owner may write."""
    lines = [
        "[target]", f'url = "{url}/api/v1"', 'may = "full"', "timeout = 0.3", *more, "[orgs]",
        'own = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"', "[credentials]", 'owner = "demo-owner"', 'member = "demo-member"',
    ]  # fmt: skip
    Path("contract.toml").write_text("\n".join(lines))


def after(seconds_of_good: Callable[[bytes], bool], bad: bytes) -> Callable[[bytes], bytes | None]:
    return lambda head: None if seconds_of_good(head) else bad


def test_a_target_that_hangs_after_the_preflight_ends_the_run_with_a_report(server: Server) -> None:
    asked: list[bytes] = []

    def is_good(head: bytes) -> bool:
        asked.append(head)
        return len(asked) < 12

    with proxy(server.url, after(is_good, b"")) as hanging:
        config(hanging.url)
        started = time.monotonic()
        ran = run("--law", "wire.reads", "--law", "access", "--max-seconds", "2", "--report-dir", "out")
        assert time.monotonic() - started < 8
    assert ran.code == 1, ran
    assert "this run ended early: " in ran.out
    assert "Traceback" not in ran.errors
    assert Path("out/report.json").exists()


def test_a_target_that_only_hangs_any_more_is_gone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call that hangs is a finding; so the run asks what was answered before."""
    monkeypatch.setattr("contracts.http.LONGEST_SILENCE", 0.5)
    asked: list[bytes] = []

    def instead(head: bytes) -> bytes | None:
        asked.append(head)
        return b"" if len(asked) > 30 or b"/upgrade-options" in head else None

    with proxy(server.url, instead) as hanging:
        config(hanging.url)
        ran = run("--law", "wire.paths", "--law", "wire.reads")
    assert ran.code in (1, 3), ran
    assert f"this run ended early: {GONE}: no answer in time" in ran.out


def test_a_target_that_goes_away_is_gone(server: Server) -> None:
    def instead(head: bytes) -> bytes | None:
        if len(between.heads) > 30:
            between.close()
            raise ConnectionResetError
        return None

    with proxy(server.url, instead) as between:
        config(between.url)
        ran = run("--law", "wire.reads", "--law", "wire.paths")
    assert ran.code in (1, 3), ran
    assert f"this run ended early: {GONE}: connection refused" in ran.out
    assert "Traceback" not in ran.errors


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


def interrupted(server: Server, *arguments: str, twice: bool) -> tuple[int, str, str, float]:
    """A run that hangs is interrupted once it is under way."""

    def instead(head: bytes) -> bytes | None:
        return b"" if b"/upgrade-options" in head else None

    with proxy(server.url, instead) as hanging:
        process = subprocess.Popen(
            [sys.executable, "-m", "mock_server", "contract", "run", "--url", hanging.url, *arguments],
            cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not any(b"/upgrade-options" in head for head in hanging.heads) and process.poll() is None:
            time.sleep(0.01)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        if twice:
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
        return process.returncode, out, errors, time.monotonic() - started


def test_ctrl_c_gives_a_report_of_what_there_is(server: Server) -> None:
    code, out, errors, seconds = interrupted(
        server, "--law", "wire.retry-after", "--law", "access.reader", "--law", "access.public", twice=False
    )
    assert code == 130, errors
    assert "this run ended early: interrupted" in out
    assert "access.reader: interrupted" in out
    assert "Traceback" not in errors
    assert seconds < 6, "the call that hangs is given up"


def test_ctrl_c_twice_ends_at_once(server: Server) -> None:
    code, out, errors, seconds = interrupted(server, "--law", "access.reader", twice=True)
    assert (code, out) == (130, "")
    assert "Traceback" not in errors
    assert seconds < 4


# -- exit codes -------------------------------------------------------------------------------------------------------

PASSED = LawResult("a.b", "a", "T", "/c", "passed")
LACKING = LawResult("a.c", "a", "T", "/c", "not verified", "needs clock")
BROKEN = LawResult("a.d", "a", "T", "/c", "not verified", "a port failed: x")


def report(*laws: LawResult, stopped: str | None = None, findings: tuple[Finding, ...] = ()) -> Report:
    return Report("u", "openapp", "1", "quick", 1, "", 0.0, 0, laws, findings, (), stopped)


@pytest.mark.parametrize(
    ("made", "fails", "code"),
    [
        (report(PASSED), False, 0),
        (report(PASSED), True, 1),
        (report(PASSED, LACKING), False, 0),
        (report(PASSED, BROKEN), False, 1),
        (report(LACKING), False, 2),
        (report(PASSED, stopped="the time is spent"), False, 1),
        (report(PASSED, stopped="the budget of 9 calls is spent"), False, 1),
        (report(PASSED, stopped="interrupted"), False, 130),
        (report(PASSED, stopped="interrupted"), True, 1),
        (report(PASSED, stopped=f"{GONE}: x"), False, 3),
        (report(PASSED, stopped=f"{GONE}: x"), True, 1),
    ],
)
def test_a_run_that_did_not_get_through_is_no_success(made: Report, fails: bool, code: int) -> None:
    assert exit_code(made, fails=fails) == code


def test_progress_is_one_harmless_line_for_each_law(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = LawResult("a.b", "a", "T", "/c", "not verified", "x\x1b[31m\ny")
    with Progress(quiet=False) as progress:
        progress.tell(hostile, 3, 10)
        progress.note("n\x1b")
    assert capsys.readouterr().err == f"{told(hostile, 3, 10)}\nmockbill: n\\x1b\n"
    with Progress(quiet=True) as progress:
        progress.tell(hostile, 1, 1)
        progress.note("n")
    assert capsys.readouterr().err == ""


def test_every_profile_has_an_end() -> None:
    profiles: tuple[Profile, ...] = ("quick", "full")
    assert set(SECONDS) == set(profiles)


# -- laws -------------------------------------------------------------------------------------------------------------


def test_laws_are_listed_with_clause_and_needs() -> None:
    ran = inside("contract", "laws", "--json")
    listed = json.loads(ran.out)["laws"]
    assert [each["id"] for each in listed] == [law.id for law in ALL]
    assert all(set(each) == {"id", "family", "title", "clause", "needs"} for each in listed)
    ran = inside("contract", "laws", "--law", "races")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1 + sum(law.family == "races" for law in ALL)
    check_wrong_use(inside("contract", "laws", "--law", "nope"), "nope", "families are")


def test_mutants_are_listed() -> None:
    ran = inside("contract", "mutants", "--list", "--json")
    assert {"id", "family", "title"} == set(json.loads(ran.out)["mutants"][0])
    check_wrong_use(inside("contract", "mutants", "--id", "nope"), "there is no mutant 'nope'")
