"""The wheel: built, installed into a clean environment far from the checkout, and served from there."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.server import ROOT, Server


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(ROOT)]
    run(sys.executable, *build, cwd=out)
    (path,) = out.glob("mockbill-*.whl")
    return path


def test_it_holds_the_specs_the_fixtures_and_the_finished_bundles(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "mock_server/_data/bundles/openapp.json",
        "mock_server/_data/bundles/control.json",
        "mock_server/_data/spec/openapp/openapi.yaml",
        "mock_server/_data/fixtures/worlds/demo.yaml",
        "mock_server/_data/fixtures/catalogs/openapp.yaml",
        "mock_server/py.typed",
    } <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_it_serves_from_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(python, *install, "--require-hashes", "-r", ROOT / "requirements" / "serve.lock", cwd=tmp_path)
    run(python, *install, "--no-deps", wheel, cwd=tmp_path)
    mockbill = tmp_path / "env" / "bin" / "mockbill"
    with Server(command=(str(mockbill),), cwd=tmp_path) as server:
        with urllib.request.urlopen(f"{server.url}/api/v1/plans", timeout=10) as answer:
            assert len(json.load(answer)["plans"]) == 4
        with urllib.request.urlopen(f"{server.url}/openapp/docs/swagger-ui.css", timeout=10) as answer:
            assert answer.status == 200
    bundle = json.loads(run(mockbill, "spec", "bundle", "--api", "openapp", cwd=tmp_path))
    assert bundle["openapi"] == "3.0.3"
    assert (
        "no findings"
        in subprocess.run([mockbill, "spec", "lint"], cwd=tmp_path, capture_output=True, text=True, check=True).stderr
    )
