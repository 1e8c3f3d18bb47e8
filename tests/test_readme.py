"""The README's five minutes are true: every command gives exactly the output that is printed there."""

from __future__ import annotations

import re

import pytest

from . import doc_commands
from .server import ROOT

README = (ROOT / "README.md").read_text()


def test_every_command_prints_what_the_readme_says() -> None:
    assert README.count("\n$ curl ") >= 7
    assert doc_commands.filled(README) == README, "python -m tests.doc_commands README.md"


def test_the_hosted_checkout_has_a_page() -> None:
    assert '"checkout_url":"http://127.0.0.1:4010/w/tour/checkout/' in README


def test_a_reader_of_both_pages_meets_no_world_twice() -> None:
    made = [
        name
        for page in (README, (ROOT / "docs" / "control.md").read_text())
        for console in re.findall(r"```console\n(.*?)```", page, re.DOTALL)
        for name in re.findall(r"(?:worlds create |worlds fork \S+ |/_mock/worlds\S* .*\"name\":\")([a-z-]+)", console)
    ]
    assert len(made) >= 5
    assert sorted(made) == sorted(set(made))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_leads_to_a_file(path: str) -> None:
    assert (ROOT / path).exists()
