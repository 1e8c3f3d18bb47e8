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
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .server import Server

BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)
VARIABLES = {"JSON": "Content-Type: application/json", "ACME": "01J9ZC3M4N5P6Q7R8S9T0V1W2X"}
SHOWN_URL = "http://127.0.0.1:4010"
SHOWN_APP = "http://127.0.0.1:8000"
"""An application that says yes to everything; commands call it $APP."""
_VARY = (
    (re.compile(r"\d+\.\d+ ms\b *(?=\S)"), "1.25 ms  "),
    (re.compile(r"\d+\.\d+ ms\b"), "1.25 ms"),
    (re.compile(r"\btime +verdict$", re.MULTILINE), "time     verdict"),
    (re.compile(r"\bsigned \d{5,} s ago"), "signed 16276345 s ago"),
    (re.compile(r"\bsent in \d+\.\d s(?:, [\d,]+ per second)?"), "sent in 0.1 s"),
)
"""What is another each time, and what stands in the pages."""


def filled(page: str) -> str:
    """The page with the outputs that its commands give now."""
    with Server() as server, _app() as app:
        return BLOCK.sub(lambda match: match[1] + _run(match[2], server.url, app) + match[3], page)


@contextmanager
def _app() -> Iterator[str]:
    """The URL of an application that says yes to everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Yes) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()


class _Yes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _run(block: str, url: str, app: str) -> str:
    lines: list[str] = []
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        output = _output(command, url, app).replace(url, SHOWN_URL).replace(app, SHOWN_APP)
        lines.append(f"$ {command}")
        if output.strip():
            for found, shown in _VARY:
                output = found.sub(shown, output)
            lines.append(output.rstrip("\n"))
    return "".join(f"{line}\n" for line in lines)


def _output(command: str, url: str, app: str) -> str:
    if command.startswith("curl "):
        return curl(command.replace("$APP", app), url)
    return _mockbill(command.replace("$APP", app), url) if command.startswith("mockbill ") else ""


def _expanded(word: str) -> list[str]:
    """As a shell does with a `*`."""
    if "*" not in word or word.startswith("/"):
        return [word]
    return sorted(str(path) for path in Path().glob(word)) or [word]


def _mockbill(command: str, url: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOCKBILL_")}
    words = [each for word in shlex.split(command.replace("$BASE", url)) for each in _expanded(word)]
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
