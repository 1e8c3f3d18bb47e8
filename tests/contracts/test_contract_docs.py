"""What docs/contract-testing.md tells to type is understood, and what it promises to exist does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from contracts.cli import app
from contracts.config import config
from contracts.law import FAMILIES
from contracts.laws import ALL
from contracts.mutants.catalogue import MUTANTS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "contract-testing.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


COMMANDS = sorted(
    {
        line.strip().removeprefix("- run: ").removeprefix("- ")
        for block in (*blocks("sh"), *blocks("yaml"))
        for line in block.splitlines()
        if "mockbill contract " in line
    }
)


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == ["mockbill", "contract"]
    asked = typer.main.get_command(app).commands[words[2]]  # type: ignore[attr-defined]
    assert asked.make_context(words[2], words[3:]).params


def test_the_target_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks("toml")
    for name in re.findall(r'env = "(\w+)"', text):
        monkeypatch.setenv(name, f"secret-of-{name.lower()}")
    (tmp_path / "catalog.yaml").write_text((ROOT / "fixtures/catalogs/openapp.yaml").read_text())
    path = tmp_path / "contract.toml"
    path.write_text(text)
    target = config(path).target
    assert target.may == "own-objects"
    assert set(target.credentials) == {"owner", "reader", "other", "operator", "revoked"}


def test_the_workflows_are_yaml() -> None:
    assert all(yaml.safe_load(block) for block in blocks("yaml"))


def test_the_example_in_python_compiles() -> None:
    (text,) = blocks("python")
    compile(text, "docs/contract-testing.md", "exec")


def test_the_families_are_those_that_there_are() -> None:
    named = re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(FAMILIES) == sorted({law.family for law in ALL})


def test_the_mutants_that_it_names_exist() -> None:
    assert all(name in MUTANTS for name in re.findall(r"contracts\.mutants ([a-z-]+) ", PAGE))


def test_the_matrix_is_about_the_mutants_that_there_are() -> None:
    table = PAGE.partition("<!-- matrix -->")[2].partition("<!-- /matrix -->")[0]
    rows = dict(re.findall(r"^\| ([a-z]+) \| (\d+) \|", table, re.MULTILINE))
    families = [mutant.family for mutant in MUTANTS.values() if mutant.id != "none"]
    assert {name: int(rows[name]) for name in set(families)} == {name: families.count(name) for name in set(families)}
    assert int(rows["all"]) == len(families)
