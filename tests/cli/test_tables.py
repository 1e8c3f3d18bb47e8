"""What the mock says reaches people whole and harmless: on a terminal as a table, in a pipe as aligned text."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import Any

import pytest

from mock_server.commands.tables import clean, clean_text
from tests.server import ROOT

from .command import environment, inside
from .fakes import Fake, Reply, example, replied

BOLD = re.compile(r"\x1b\[[01]m")
EVIL = "\x1b]0;owned\x07\x9b2J\r\n\t\u202egnp.exe\u2028[red]:smile:\x7f"
WORLD: dict[str, Any] = json.loads(example("GET", "/worlds/demo").body)


def on_a_terminal(*arguments: str, columns: int) -> str:
    """What the command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", *arguments],
        cwd=ROOT,
        env=environment({"COLUMNS": str(columns), "TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    written = b""
    try:
        while more := os.read(ours, 65_536):
            written += more
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")
    return BOLD.sub("", written.decode().replace("\r\n", "\n"))


def worlds(*scenarios: str) -> dict[str, list[Reply]]:
    named = [{**WORLD, "name": f"world-{n}", "scenario": scenario} for n, scenario in enumerate(scenarios)]
    return {"GET /worlds": [replied({"worlds": named})]}


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_a_table_in_which_nothing_is_cut_off(columns: int) -> None:
    with Fake(worlds("generated-by-a-very-long-scenario-name", "demo")) as fake:
        shown = on_a_terminal("worlds", "list", "--url", fake.url, columns=columns)
    lines = shown.splitlines()
    assert all(len(line) <= columns for line in lines)
    assert "\u2026" not in shown
    for word in ("world", "world-0", "world-1", "2026-03-01T00:00:00Z", "running", "requests", "12"):
        assert word in shown
    assert re.sub(r"\W", "", "generated-by-a-very-long-scenario-name") in re.sub(r"\W|2026.*", "", shown)
    # A table if there is room for one, else one thing after the other.
    assert ("\u2500" in shown) is (columns > 40)


def test_a_pipe_gets_a_line_for_each_however_long_it_is() -> None:
    with Fake(worlds("s" * 1000, "B\u00fcro \u4f8b\u3048", "short")) as fake:
        ran = inside("worlds", "list", "--url", fake.url, env={"COLUMNS": "40"})
    head, *lines = ran.out.splitlines()
    assert head.split() == ["world", "scenario", "now", "clock", "requests", "faults"]
    assert [line.split()[0] for line in lines] == ["world-0", "world-1", "world-2"]
    assert all(line == line.rstrip() for line in lines)
    # Wide letters take two columns.
    columns = [line.index("2026-03-01") for line in lines]
    assert (columns[0], columns[1]) == (columns[2], columns[2] - 2)
    assert ran.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("color", [{}, {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}], ids=["plain", "forced"])
def test_a_pipe_gets_no_colour(color: dict[str, str]) -> None:
    with Fake() as fake:
        assert "\x1b" not in inside("worlds", "list", "--url", fake.url, env=color).out


def test_a_terminal_is_not_commanded_by_what_the_mock_says() -> None:
    settings = {"api": "openapp", "settings": {"name": EVIL, "deep": {EVIL: [EVIL]}}}
    with Fake({**worlds(EVIL), "GET /worlds/demo/settings": [replied(settings)]}) as fake:
        for command in (("worlds", "list"), ("worlds", "settings", "demo"), ("worlds", "settings", "demo", "--json")):
            shown = on_a_terminal(*command, "--url", fake.url, columns=300)
            assert shown.replace("\n", "").isprintable(), command
            assert "[red]:smile:" in shown, "and nothing is taken for markup"
        assert json.loads(shown) == settings


def test_a_program_is_shown_whole_and_harmless() -> None:
    program = f"#!/bin/sh\n\techo '{EVIL}'\n".encode()
    with Fake({"GET /worlds/demo/requests/export": [Reply(200, program, "text/x-shellscript")]}) as fake:
        command = ("requests", "export", "--format", "curl", "--url", fake.url)
        shown = on_a_terminal(*command, columns=80)
        assert shown.startswith("#!/bin/sh\n\techo '\\x1b]0;owned\\x07")
        assert shown.replace("\n", "").replace("\t", "").isprintable()
        assert inside(*command).out == program.decode().replace("\r\n", "\n")


def test_errors_are_harmless_and_in_one_line() -> None:
    with Fake({"GET /worlds": [replied({"message": EVIL, "error_code": "no"}, 400)]}) as fake:
        ran = inside("worlds", "list", "--url", fake.url)
    assert ran.errors[:-1].isprintable()
    assert ran.errors.endswith("\n")


def test_values_that_are_none_yes_or_no_are_words() -> None:
    with Fake() as fake:
        ran = inside("worlds", "credentials", "demo", "--url", fake.url)
    assert ran.out.splitlines()[1].split()[-4:-1] == ["billing:manage", "no", "openapp"]
    assert inside("requests", "list", "--url", "http://127.0.0.1:9").code == 3


def test_text_of_many_lines_keeps_them() -> None:
    assert clean_text("a\n\tb\r\x1b") == "a\n\tb\\r\\x1b"
    assert clean("a\n\tb\u202e\ud800e\u0301 \U0001f469\u200d\U0001f4bb") == (
        "a\\n\\tb\\u202e\\ud800e\u0301 \U0001f469\u200d\U0001f4bb"
    )
