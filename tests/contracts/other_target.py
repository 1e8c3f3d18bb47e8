"""The second implementation in a process of its own, as a target with its own clock and usage ports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from contracts.mutants.served import CREDENTIALS
from contracts.target import HttpClock, HttpUsage, Ports, Target
from mock_server import bundles

ROOT = Path(__file__).resolve().parent.parent.parent
ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
ROOMY = {"subject_type": "org", "subject_id": ACME, "quota_key": "organizations", "limit_value": 1_000_000}


@contextmanager
def other_target() -> Iterator[Target]:
    """It has no worlds, so every try makes an organization of its own below Acme, which has room for many."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "openapp.json"
        bundle.write_bytes(bundles.load("openapp"))
        command = [sys.executable, "-m", "tests.contracts.other_server", "--port", "0"]
        command += ["--catalog", str(ROOT / "fixtures/catalogs/openapp.yaml"), "--bundle", str(bundle)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                ready, _, url = process.stdout.readline().strip().partition(" ")
                assert ready == "ready", url
                made = httpx.post(
                    f"{url}/api/v1/admin/quota_overrides", json=ROOMY, headers={"X-API-Key": CREDENTIALS["operator"]}
                )
                assert made.status_code == 200, made.text
                yield _target(url)
            finally:
                process.terminate()


def _target(url: str) -> Target:
    ports = Ports(
        clock=HttpClock(f"{url}/test/clock"), usage=HttpUsage(f"{url}/test/usage"), webhook_secret="whsec_demo"
    )
    return Target(
        f"{url}/api/v1",
        credentials=CREDENTIALS,
        org=ACME,
        other_org=GLOBEX,
        portal="portal-demo",
        may="full",
        ports=ports,
    )
