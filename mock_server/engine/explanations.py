"""Why a request was refused: which check decided, by which rule, on which facts, and what would have been legal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Check = Literal[
    "route",
    "size",
    "credential",
    "permission",
    "media_type",
    "schema",
    "signature",
    "state",
    "quota",
    "fault",
    "server",
]
Document = Literal["bundle", "catalog", "world", "fault", "none"]


class Clause(msgspec.Struct, frozen=True):
    """A JSON pointer into a document.

    `bundle` is the API's OpenAPI document. `catalog` and `world` are the API's saved state (what its `dump` gives):
    `catalog` where the rule is part of a plan, `world` where it lies in what the world holds. `fault`: the list of
    the world's faults. `none`: the rule stands nowhere but in the server.
    """

    document: Document
    pointer: str


class Explanation(msgspec.Struct, frozen=True):
    """`rule` is a sentence. `facts` are JSON values. `legal` are sentences, the most useful first."""

    check: Check
    rule: str
    clause: Clause
    facts: Mapping[str, Any] = {}
    legal: tuple[str, ...] = ()
