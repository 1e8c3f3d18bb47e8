"""What holds of all laws: each says what it rests on and what it needs."""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

import msgspec
import pytest

from contracts.law import FAMILIES, Law
from contracts.laws import ALL
from contracts.target import Need
from mock_server import bundles
from tests.server import ROOT

BUNDLE = msgspec.json.decode(bundles.load("openapp"))


def by_id(law: Law) -> str:
    return law.id


def test_ids_are_unique() -> None:
    counted = Counter(law.id for law in ALL)
    assert [each for each, count in counted.items() if count > 1] == []


def test_every_family_has_laws() -> None:
    assert {law.family for law in ALL} == set(FAMILIES)


@pytest.mark.parametrize("law", ALL, ids=by_id)
def test_an_id_says_its_family_and_a_title_is_a_sentence(law: Law) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", law.id)
    assert law.title[0].isupper()
    assert not law.title.endswith(".")


@pytest.mark.parametrize("law", ALL, ids=by_id)
def test_what_it_needs_is_known(law: Law) -> None:
    assert law.needs <= set(get_args(Need))


@pytest.mark.parametrize("law", ALL, ids=by_id)
def test_its_clause_leads_somewhere(law: Law) -> None:
    if law.clause.startswith("/"):
        assert at(law.clause) is not None
        return
    if re.fullmatch(r"RFC \d{4,5}", law.clause):
        return
    file, _, heading = law.clause.partition("#")
    assert not heading or heading in headings(file), f"{file} has: {sorted(headings(file))}"


def at(pointer: str) -> object:
    value = BUNDLE
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def headings(file: str) -> set[str]:
    """As a link to a heading names it."""
    lines = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in lines}
