"""What the pages under docs/ show is what the mock does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mock_server.apis.openapp.model.quotas import QUOTAS
from mock_server.apis.openapp.model.state import Settings
from mock_server.fixtures import names
from mock_server.scenarios import read_scenario

from . import downgrade

DOCS = Path(__file__).resolve().parent.parent / "docs"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
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
