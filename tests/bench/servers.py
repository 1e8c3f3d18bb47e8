"""The four servers that are compared, and what each needs before it can start."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from mock_server import bundles

from .asked import ALL, CHECKOUT, ask
from .processes import ROOT, BenchError, Kind, Server, environment

MOCKBILL, STARLETTE, CONNEXION, PRISM = "mockbill", "bare Starlette", "stock Connexion", "Prism"
PRISM_VERSION = "5.16.0"
_PRISM = ROOT / ".cache" / "bench" / "prism"
_PACKAGE = "@stoplight/prism-cli"

OWN_HEADERS = ("content-type", "x-request-id", "x-mock-request")
"""What mockbill itself puts on these answers; the rest is uvicorn's, which the others have too."""


def mockbill() -> Kind:
    return Kind(MOCKBILL, (sys.executable, "-m", "mock_server", "serve", "--port", "{port}", "--quiet"))


def kinds(folder: Path) -> list[Kind]:
    """mockbill and the two made of parts of it. What they need is put into `folder`."""
    bundle, recorded = folder / "bundle.json", folder / "recorded.json"
    for api in ("openapp", "control"):
        bundles.load(api)  # so that no server has to put it together while it is timed
    bundle.write_bytes(bundles.load("openapp"))
    recorded.write_text(json.dumps(_recorded()))
    return [
        mockbill(),
        Kind(STARLETTE, (sys.executable, "-m", "tests.bench.plain", "{port}", str(recorded))),
        Kind(CONNEXION, (sys.executable, "-m", "tests.bench.stock", "{port}", str(recorded), str(bundle))),
    ]


def prism(folder: Path) -> Kind | str:
    """Prism on the same bundle, or why it cannot be measured."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return f"not measured: {'npm' if npm is None else 'node'} is missing"
    if (reason := _install(npm)) is not None:
        return f"not measured: {reason}"
    script = _PRISM / "node_modules" / _PACKAGE / "dist" / "index.js"
    options = ("--host", "127.0.0.1", "--port", "{port}", "--verboseLevel", "silent", "--multiprocess", "false")
    # Prism leaves the path of the bundle's server URL out of its routes.
    return Kind(PRISM, (node, str(script), "mock", *options, str(folder / "bundle.json")), base="")


def _recorded() -> dict[str, dict[str, object]]:
    with Server(mockbill()) as server:
        # The first checkout changes the tier; from then on every answer stays the same.
        server.check(CHECKOUT)
        answers = {asked.name: ask(server.port, server.kind.base, asked) for asked in ALL}
    for name, answer in answers.items():
        if not answer.is_good:
            raise BenchError(f"mockbill answers {name} with {answer.status}: {answer.body[:300]!r}")
    return {
        name: {
            "body": answer.body.decode(),
            "headers": {key.lower(): value for key, value in answer.headers if key.lower() in OWN_HEADERS},
        }
        for name, answer in answers.items()
    }


def _install(npm: str) -> str | None:
    """Why Prism could not be installed; None once it is there."""
    if _installed() == PRISM_VERSION:
        return None
    _PRISM.mkdir(parents=True, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")
    command = [npm, "install", "--prefix", str(_PRISM), "--save-exact", *quiet, f"{_PACKAGE}@{PRISM_VERSION}"]
    print(f"Installing {_PACKAGE} {PRISM_VERSION} ...", file=sys.stderr)
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, env=environment())
    except subprocess.TimeoutExpired:
        return "npm took over 300 s to install it"
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or [f"it ended with {error.returncode}"]
        return f"npm could not install it: {lines[0][:200]}"
    return None if _installed() == PRISM_VERSION else "npm installed something else"


def _installed() -> str | None:
    try:
        facts = json.loads((_PRISM / "node_modules" / _PACKAGE / "package.json").read_bytes())
    except (OSError, ValueError):
        return None
    return str(facts.get("version"))
