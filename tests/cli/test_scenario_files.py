"""Scenario files that cannot be used: the refusal names the file, and the line and member where there is one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from .command import Ran, all_of, check_wrong_use, mockbill

HEAD = "mockbill_world: 1\ntitle: Broken\n"
ORG = "orgs: [{id: 01J9ZC3M4N5P6Q7R8S9T0V1W2X, name: NAME, tier: free}]"
KEY = "credentials: [{secret: s, role: owner, org: 01J9ZC3M4N5P6Q7R8S9T0V1W2X}]"

FILES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "broken YAML": (f"{HEAD}apis: [\n", ("line 4", "YAML")),
    "an unknown member at the top": (f"{HEAD}bogus: 1\napis: {{}}\n", ("line 3", "bogus")),
    "an unknown member of an API": (
        f"{HEAD}apis:\n  openapp:\n    catalog: openapp\n    bogus: 1\n",
        ("line 6", "bogus"),
    ),
    "an unknown member of an org": (
        f"{HEAD}apis:\n  openapp:\n    {ORG}\n".replace("tier:", "\n      bogus: 1, tier:"),
        ("line 6", "bogus"),
    ),
    "an unknown API": (f"{HEAD}apis:\n  nope: {{}}\n", ("line 4", "nope", "openapp")),
    "an unknown catalog": (f"{HEAD}apis:\n  openapp:\n    catalog: nope\n", ("line 5", "nope", "openapp")),
    "an API's part that is a list": (f"{HEAD}apis:\n  openapp: [1]\n", ("line 4", "openapp")),
    "a missing member": ("title: x\napis: {}\n", ("mockbill_world",)),
    "a later format": ("mockbill_world: 2\ntitle: x\napis: {}\n", ("line 1", "mockbill_world")),
    "a clock that is none": (f"{HEAD}clock: soon\napis: {{}}\n", ("line 3", "clock", "soon")),
    "a seed of 5,000 digits": (f"{HEAD}seed: {'9' * 5_000}\napis: {{}}\n", ("digits",)),
    "aliases": (f"{HEAD}apis: &a {{}}\nclock: *a\n", ("line 4", "alias")),
    "a tag that makes objects": (f"{HEAD}apis: !!python/object/apply:os.getcwd []\n", ("line 3",)),
    "a key twice": (f"{HEAD}title: Again\napis: {{}}\n", ("line 3", "title")),
    "a key that is a number": (f"{HEAD}1: 1\napis: {{}}\n", ("line 3",)),
    "two documents": (f"{HEAD}apis: {{}}\n---\nmore: 1\n", ("line 4",)),
    "an empty file": ("", ()),
    "a list": ("- 1\n", ("line 1",)),
    "binary": (bytes(range(256)), ("UTF-8",)),
    "a NUL": ("mockbill_world: 1\ntitle: a\0b\n", ("YAML",)),
    "brackets without end": ("[" * 5_000, ("YAML",)),
    "half a surrogate pair": (
        f"{HEAD}apis:\n  openapp:\n    {ORG}\n    {KEY}\n".replace("NAME", '"a\\uD800"'),
        ("line 5",),
    ),
    "more than 4 MiB": ("# " + "x" * 5_000_000, ("larger",)),
}


@pytest.fixture(scope="module")
def served_from(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    calls = {}
    for name, (content, _) in FILES.items():
        path = tmp_path_factory.mktemp("scenario") / "mine.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        calls[name] = partial(mockbill, "serve", "--port", "0", "--scenario", str(path))
    return all_of(calls)


@pytest.mark.parametrize("fault", FILES)
def test_a_scenario_that_cannot_be_used_says_where_and_why(served_from: dict[str, Ran], fault: str) -> None:
    check_wrong_use(served_from[fault], "mine.yaml", *FILES[fault][1])


def test_a_folder_is_not_a_scenario(tmp_path: Path) -> None:
    check_wrong_use(mockbill("serve", "--port", "0", "--scenario", f"{tmp_path}/"), "directory")


def test_a_good_file_is_served(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}apis:\n  openapp:\n    {ORG}\n    {KEY}\n".replace("NAME", "Mine"))
    assert mockbill("serve", "--port", "0", "--scenario", str(path)).code == 0
