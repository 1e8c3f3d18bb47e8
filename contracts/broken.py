"""That a target broke a law, and what was seen on the way."""

from __future__ import annotations

from typing import Any

from mock_server.openapi.walk import join

from .bundle import Operation
from .comparison import Difference
from .findings import Shown, due
from .http import Answer, Request
from .target import ROLES

LONGEST_SHOWN = 4_000
LONGEST_KEPT = 64 * 1024


class Broken(AssertionError):
    """The target did what the contract does not allow. `clause` is a JSON pointer into the bundle, where one is known."""

    def __init__(
        self,
        kind: str,
        expected: str,
        came: str,
        operation: str | None = None,
        status: int | None = None,
        place: str = "",
        clause: str | None = None,
        wanted: Any = None,
    ) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.kind, self.expected, self.came = kind, expected, came
        self.operation, self.status, self.place, self.clause = operation, status, place, clause
        self.wanted = wanted

    def is_like(self, other: Broken) -> bool:
        """Whether it is the same fault, met on another way."""
        mine, others = ((each.kind, each.operation, due(each.kind, each.expected)) for each in (self, other))
        return mine == others


def shown(url: str, request: Request, answer: Answer | None, role: str | None) -> Shown:
    """A call as a finding shows it; `role` is whose credential it carried."""
    sent = request.body or b""
    body = None if request.body is None else sent[:LONGEST_SHOWN].decode("utf-8", "backslashreplace")
    is_whole = len(sent) <= LONGEST_SHOWN and (body or "").encode() == sent
    return Shown(
        f"{request.method} {request.target}" + (f" as {role}" if role in ROLES else ""),
        request.method,
        url + request.target,
        request.headers,
        body,
        None if answer is None else answer.status,
        () if answer is None else answer.headers,
        "" if answer is None else answer.body[:LONGEST_SHOWN].decode("utf-8", "backslashreplace"),
        role,
        None if is_whole or len(sent) > LONGEST_KEPT else sent.decode("latin-1"),
    )


def differing(found: Difference, operation: Operation, came: Answer, wanted: Any) -> Broken:
    """An answer that says something else than the oracle's; `wanted` is what stands there in the oracle's."""
    due = (found.wanted or {}).get("status", came.status)
    clause = join(operation.pointer, "responses", due) if due in operation.responses else operation.pointer
    return Broken(found.kind, found.expected, found.came, operation.id, came.status, found.place, clause, wanted)
