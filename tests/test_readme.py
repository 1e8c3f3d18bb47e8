"""The README's five minutes are true: every command gives exactly the output that is printed there."""

from __future__ import annotations

import re
import shlex
import urllib.error
import urllib.request

import pytest

from .server import ROOT, Server

README = (ROOT / "README.md").read_text()
VARIABLES = {"JSON": "Content-Type: application/json", "ACME": "01J9ZC3M4N5P6Q7R8S9T0V1W2X"}


def steps() -> list[tuple[str, str]]:
    """(command, output) for every `curl` in the console blocks."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for command, output in re.findall(r"^\$ (curl .*)\n((?:[^$].*\n)*)", block, re.MULTILINE):
            found.append((command, output.strip()))
    return found


def curl(command: str, base: str) -> str:
    """What curl would print: the few options that the README uses."""
    for name, value in {**VARIABLES, "BASE": base}.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)[1:]
    headers, data, method, url = {}, None, None, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = words.pop(0).encode()
        elif word == "-X":
            method = words.pop(0)
        elif word != "-s":
            url = word
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_every_command_prints_what_the_readme_says() -> None:
    assert len(steps()) >= 7
    with Server() as server:
        for command, expected in steps():
            assert curl(command, server.url).replace(server.url, "http://127.0.0.1:4010") == expected, command


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_leads_to_a_file(path: str) -> None:
    assert (ROOT / path).exists()
