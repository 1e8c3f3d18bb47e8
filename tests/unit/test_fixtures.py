"""Fixture files: what is shipped loads, and what is wrong is named with file, line and member."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server.app import APIS
from mock_server.fixtures import FixtureError, find, names, read_yaml
from mock_server.scenarios import initial_state, read_scenario

WORLD = """mockbill_world: 1
title: A test
apis:
  openapp:
    orgs:
      - id: org_1
        name: One
        tier: TIER
    credentials:
      - secret: s
        role: owner
        org: org_1
"""


def load(path: Path) -> None:
    initial_state(read_scenario(str(path)), APIS, 0, 1_790_000_000_000_000)


@pytest.mark.parametrize("name", names("worlds"))
def test_every_shipped_scenario_loads(name: str) -> None:
    initial_state(read_scenario(name), APIS, 0, 1_790_000_000_000_000)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("TIER", "gold", "line 8, $.apis.openapp.orgs[0].tier: the catalog has no tier 'gold'"),
        ("name: One", "nam: One", "line 7, $.apis.openapp.orgs[0].nam: Object contains unknown field"),
        ("name: One", "name: 5", "line 7, $.apis.openapp.orgs[0].name: Expected `str | object`, got `int`"),
        ("org: org_1", "org: org_2", "line 12, $.apis.openapp.credentials[0].org: the scenario has no"),
        ("openapp:", "nothing:", "there is no API 'nothing'"),
        ("mockbill_world: 1", "mockbill_world: 2", "line 1, $.mockbill_world"),
        ("title: A test", "title: A test\nclock: noon", "line 3, $.clock: neither `running` nor an instant"),
        ("title: A test", "title: &a A test\nseed: *a", "aliases"),
        ("title: A test", "title: [", "is not valid YAML"),
        ("title: A test", "title: !!python/object:os.system x", "is not valid YAML"),
        ("mockbill_world: 1\n", "", "mockbill_world"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WORLD.replace(old, new).replace("TIER", "free"))
    with pytest.raises(FixtureError) as error:
        load(path)
    assert str(error.value).startswith(str(path))
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("role: owner", 'role: ""', "role: Expected `str` of length >= 1"),
        (
            "tier: free",
            "tier: free\n        subscription: {external_id: a, subscription_id: b, provider: My Pay}",
            "provider",
        ),
        ("    credentials:", "    overrides: [OVERRIDE, OVERRIDE]\n    credentials:", "two overrides of devices"),
        ("    orgs:", "    catalog: mine/nothing.yaml\n    orgs:", "mine/nothing.yaml"),
    ],
)
def test_what_would_break_the_contract_is_named_before_it_is_served(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = tmp_path / "mine.yaml"
    new = new.replace("OVERRIDE", "{org: org_1, quota_key: devices, limit: 1}")
    path.write_text(WORLD.replace("TIER", "free").replace(old, new))
    with pytest.raises(FixtureError) as error:
        load(path)
    assert complaint in str(error.value)


def test_a_catalog_lies_beside_its_world(tmp_path: Path) -> None:
    catalog = (find("catalogs", "openapp")).read_text().replace("slug: pro", "slug: golden")
    (tmp_path / "plans.yaml").write_text(catalog)
    path = tmp_path / "mine.yaml"
    path.write_text(WORLD.replace("TIER", "golden").replace("    orgs:", "    catalog: ./plans.yaml\n    orgs:"))
    load(path)


def test_a_world_of_ones_own_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WORLD.replace("TIER", "pro"))
    load(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"just text", b"- 1\n- 2", b"{" * 10_000, b"a: b: c", b"\x00"])
def test_files_that_are_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(FixtureError):
        load(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(FixtureError):
            read_yaml(path)


@pytest.mark.parametrize("name", ["nothing", "..", "Demo", ""])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(FixtureError, match="there are: busy, demo, empty, generated, over-capacity"):
        find("worlds", name)


def test_words_that_older_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("[off, on, yes, no, 2026-01-01, 2026-01-01T00:00:00Z, 1_000, 0x1F, 1:30, true, null, 7, 7.5]")
    value = read_yaml(path).value
    assert value[:9] == ["off", "on", "yes", "no", "2026-01-01", "2026-01-01T00:00:00Z", "1_000", "0x1F", "1:30"]
    assert value[9:] == [True, None, 7, 7.5]
