"""--version, --help, `spec bundle` and `spec lint`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mock_server
from tests.server import ROOT

from .command import environment, inside, mockbill, named, walk

ALL = tuple(walk())
GROUPS = [path for path, command in ALL if hasattr(command, "commands")]


def test_the_version_is_one_line() -> None:
    ran = mockbill("--version")
    assert (ran.code, ran.out, ran.errors) == (0, f"mockbill {mock_server.__version__}\n", "")


def test_help_works_in_a_process_of_its_own() -> None:
    ran = mockbill("worlds", "create", "--help")
    assert (ran.code, ran.errors) == (0, "")


@pytest.mark.parametrize(("path", "command"), ALL, ids=[named(path) for path, _ in ALL])
def test_help_shows_what_it_does_and_an_example(path: tuple[str, ...], command: Any) -> None:
    ran = inside(*path, "--help")
    assert ran.code == 0
    assert ran.errors == ""
    assert " ".join(("Usage: mockbill", *path)) in ran.out
    assert "Example" in ran.out
    assert " ".join(("mockbill", *path)) in ran.out.partition("Example")[2]
    assert (command.help or "").rstrip().endswith("."), "a sentence"


@pytest.mark.parametrize(("path", "command"), ALL, ids=[named(path) for path, _ in ALL])
def test_every_option_is_explained(path: tuple[str, ...], command: Any) -> None:
    for parameter in command.params:
        assert parameter.help.endswith((".", "?")), parameter.name


@pytest.mark.parametrize("command", GROUPS, ids=named)
def test_a_command_that_is_incomplete_shows_what_there_is(command: tuple[str, ...]) -> None:
    ran = inside(*command)
    assert ran.code == 2
    assert "Commands" in ran.out + ran.errors


@pytest.mark.parametrize("api", ["openapp", "control"])
def test_the_bundle_is_the_same_json_every_time(api: str, tmp_path: Path) -> None:
    target = tmp_path / "bundle.json"
    printed = mockbill("spec", "bundle", "--api", api)
    written = mockbill("spec", "bundle", "--api", api, "-o", str(target), env={"PYTHONHASHSEED": "1"})
    assert (printed.code, written.code, written.out) == (0, 0, "")
    assert target.read_text() == printed.out
    assert json.loads(printed.out)["openapi"] == "3.0.3"


@pytest.mark.parametrize("api", ["openapp", "control"])
def test_lint_exits_with_1_when_it_found_something_and_else_with_0(api: str) -> None:
    ran = mockbill("spec", "lint", "--api", api)
    assert ran.code == (1 if ran.out else 0), ran
    assert "Traceback" not in ran.errors


def test_output_that_nobody_reads_any_more_is_no_failure() -> None:
    """`mockbill spec bundle | head -1` must not end in a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "spec", "bundle"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.wait(timeout=20)
    process.stderr.close()
    assert "Traceback" not in errors
    assert "Exception" not in errors
