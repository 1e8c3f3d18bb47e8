"""What an operation gets and gives, and the table of them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .state import Caller, World
from .times import show

NOBODY = Caller(None, frozenset())


@dataclass
class Call:
    request_id: str
    caller: Caller = NOBODY
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)  # the declared ones, by their names in the document
    headers: dict[str, str] = field(default_factory=dict)  # all of them, in small letters
    body: Any = None
    raw: bytes = b""


Handler = Callable[[World, Call], Any]
HANDLERS: dict[str, tuple[Handler, int]] = {}


def operation(name: str, status: int = 200) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler, status
        return handler

    return register


def localized(name: str | dict[str, str]) -> dict[str, str]:
    return {"en": name} if isinstance(name, str) else dict(name)


def stamps(created: datetime, updated: datetime) -> dict[str, str]:
    return {"created_at": show(created), "updated_at": show(updated)}


def page(call: Call, items: list[Any], render: Callable[[Any], Any]) -> dict[str, Any]:
    start = call.query["offset"]
    chosen = items[start : start + call.query["limit"]]
    return {"items": [render(item) for item in chosen], "total": len(items)}
