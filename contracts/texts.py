"""Texts inside JSON values: where they stand, and which rows of a list name one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mock_server.openapi.walk import join

from .http import Answer


def texts(value: Any, at: str = "", member: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text of a value: JSON pointer, the name of the member that it stands under, the text."""
    if isinstance(value, str):
        yield at, member, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from texts(each, join(at, name), name)
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from texts(each, join(at, n), member)


def about(answer: Answer, member: str, org: str) -> Answer | None:
    """Of the list in a member only the rows that name an organization; None if they may be on another page."""
    if not isinstance(answer.json, dict) or not isinstance(answer.json.get(member), list):
        return answer
    if answer.json.get("total", 0) > len(answer.json[member]):
        return None
    rows = [row for row in answer.json[member] if any(text == org for _, _, text in texts(row))]
    return msgspec.structs.replace(answer, body=msgspec.json.encode({member: rows}))
