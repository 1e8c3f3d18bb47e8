"""Rules that no tool knows: one clock, one source of randomness, small files, nothing left open."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "mock_server").rglob("*.py")) + sorted((ROOT / "contracts").rglob("*.py"))
AMBIENT = re.compile(
    r"\btime\.(time|time_ns|monotonic|perf_counter|sleep)\b|datetime\.(now|utcnow|today)\b|\buuid[14]\b"
    r"|^\s*(import|from) (random|secrets|uuid|time)\b",
    re.MULTILINE,
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


READERS = ("mock_server/machine.py", "contracts/machine.py", "contracts/reports/standalone.py")
"""The last is never run as it is: it is copied into tests that know nothing of ours."""


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_one_module_reads_the_machine(path: Path) -> None:
    found = AMBIENT.search(path.read_text())
    assert found is None or name_of(path) in READERS, found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_fits_on_a_few_screens_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 320
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_left_open(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", path.read_text())
