"""The console blocks of a page as a script: `python -m tests.doc_commands docs/control.md README.md` fills them in.

Commands run in the order of the page, against one fresh server; the tests of README and docs hold the pages against it.
"""

from __future__ import annotations

import http.client
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from .server import Server

BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)
VARIABLES = {"JSON": "Content-Type: application/json", "ACME": "01J9ZC3M4N5P6Q7R8S9T0V1W2X"}
SHOWN_URL = "http://127.0.0.1:4010"
_VARIES = re.compile(r"\d+\.\d+ ms")


def filled(page: str) -> str:
    """The page with the outputs that its commands give now."""
    with Server() as server:
        return BLOCK.sub(lambda match: match[1] + _run(match[2], server.url) + match[3], page)


def _run(block: str, url: str) -> str:
    lines: list[str] = []
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        output = _output(command, url)
        lines.append(f"$ {command}")
        if output.strip():
            lines.append(_VARIES.sub("1.25 ms", output.replace(url, SHOWN_URL)).rstrip("\n"))
    return "".join(f"{line}\n" for line in lines)


def _output(command: str, url: str) -> str:
    if command.startswith("curl "):
        return curl(command, url)
    return _mockbill(command, url) if command.startswith("mockbill ") else ""


def _mockbill(command: str, url: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOCKBILL_")}
    words = shlex.split(command)
    assert words[0] == "mockbill", command
    result = subprocess.run(
        [sys.executable, "-m", "mock_server", *words[1:]],
        env={**environment, "MOCKBILL_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return "\n".join(line.rstrip() for line in result.stdout.splitlines())


def curl(command: str, base: str) -> str:
    """What curl would print: the few options that the pages use."""
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
        elif word not in ("-s", "-sS"):
            url = word
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except http.client.RemoteDisconnected:
        return "curl: (52) Empty reply from server"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(filled(path.read_text()))
