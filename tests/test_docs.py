"""What the pages under docs/ show is what the mock does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.apis.openapp.model.quotas import QUOTAS
from mock_server.apis.openapp.model.state import Settings
from mock_server.fixtures import names
from mock_server.scenarios import read_scenario

from . import doc_commands, downgrade
from .server import Server

DOCS = Path(__file__).resolve().parent.parent / "docs"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
CONTROL = DOCS / "control.md"
BLOCK = re.compile(r"<!-- scenario -->\n```yaml\n(.*?)```", re.DOTALL)


def test_the_downgrade_is_as_the_mock_runs_it() -> None:
    shown = downgrade.PLACE.search(downgrade.PAGE.read_text())
    assert shown is not None
    assert shown[0] == downgrade.table()


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_quota_and_lifecycle_setting_is_explained() -> None:
    page = (DOCS / "apis" / "openapp.md").read_text()
    for name in (*QUOTAS, "warn_days", "degrade_days", "purge_days", "retention_days", "max_delay_ms", "delays"):
        assert f"`{name}" in page, name
    for name in ("warn_days", "degrade_days", "purge_days", "retention_days", "max_delay_ms", "webhook_tolerance_s"):
        assert re.search(rf"`{name}`[^.|]{{0,40}}\b{getattr(Settings(), name)}\b", page), name


def test_every_scenario_is_listed() -> None:
    page = (DOCS / "scenarios.md").read_text()
    for name in names("worlds"):
        assert f"`{name}`" in page, name


def test_the_scenario_that_is_shown_is_one(tmp_path: Path) -> None:
    for n, text in enumerate(BLOCK.findall((DOCS / "scenarios.md").read_text())):
        path = tmp_path / f"shown{n}.yaml"
        path.write_text(text)
        from mock_server.app import create_mock
        from mock_server.http.mock import Options

        assert read_scenario(str(path)).file.title
        assert create_mock(Options(scenario=str(path))).worlds.get("demo") is not None
        break
    else:
        pytest.fail("no scenario is shown")


@pytest.mark.parametrize("name", ["control.md", "webhooks.md"])
def test_every_command_prints_what_the_page_says(name: str) -> None:
    page = (DOCS / name).read_text()
    assert doc_commands.filled(page) == page, f"python -m tests.doc_commands docs/{name}"


def recipe(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", CONTROL.read_text(), re.DOTALL)
    assert found is not None, name
    return found[1]


def passes(command: list[str], folder: Path) -> None:
    """The command ends with 0 while a mock runs at MOCKBILL_URL."""
    with Server() as server:
        environment = {**os.environ, "MOCKBILL_URL": server.url, "GOFLAGS": "-mod=mod", "HOME": str(folder)}
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_recipe_for_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_billing.py").write_text(recipe("pytest"))
    passes([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "."], tmp_path)


SHIM = """
const { test, beforeEach, afterEach } = require("node:test");
const assert = require("node:assert");
Object.assign(globalThis, { test, beforeEach, afterEach });
globalThis.expect = (got) => ({ toEqual: (wanted) => assert.deepStrictEqual(got, wanted) });
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed here")
def test_the_recipe_for_jest(tmp_path: Path) -> None:
    """Run by Node's own test runner, which knows the few words of Jest that it uses."""
    (tmp_path / "billing.test.js").write_text(SHIM + recipe("jest"))
    passes(["node", "--test", str(tmp_path)], tmp_path)


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed here")
def test_the_recipe_for_go(tmp_path: Path) -> None:
    (tmp_path / "billing_test.go").write_text(recipe("go"))
    (tmp_path / "go.mod").write_text("module billing\n\ngo 1.19\n")
    passes(["go", "test", "./..."], tmp_path)
