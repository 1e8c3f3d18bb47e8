"""What capacity and metered quotas let through: to the limit, at it, one above it, and after some has been given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from contracts.bench import Bench
from contracts.case import Case

from .stock import KINDS, METERED, SOFT, Stock, billing, deletion, opening, override, request_for


def capacity(bench: Bench) -> None:
    """Every kind of thing, under a limit that an operator has set."""
    for kind, key in (*KINDS.items(), ("org", "organizations")):
        if bench.is_about(f"create_{kind}"):
            for limit in (0, 1, 2):
                bench.attempt(_up_to(kind, key, limit))
            if kind in SOFT:
                bench.attempt(_restored(kind, key))
            if kind != "org":
                bench.attempt(_made_room(kind, key))


def _up_to(kind: str, key: str, limit: int) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        stock = Stock(case)
        creation = stock.creation(kind)
        held = _held(case, key)
        case.ask(**override(case, key, held + limit))
        for _ in range(limit + 1):
            case.ask(**creation)
        case.ask(**billing(case, "usage"))
        case.ask(**creation)

    return script


def _held(case: Case, key: str) -> int:
    report = case.ask(**billing(case, "usage")).json
    return next(int(item["current"]) for item in report["items"] if item["key"] == key)


def _restored(kind: str, key: str) -> Callable[[Case], None]:
    """What is deleted counts no more, and counts again when it is taken back."""

    def script(case: Case) -> None:
        stock = Stock(case)
        deleted = stock[f"deleted {kind}"]
        case.ask(**billing(case, "usage"))
        case.ask(**override(case, key, _held(case, key)))
        restore: dict[str, Any] = {"operation": f"restore_{kind}", "path": {"id": deleted}}
        case.ask(**restore)
        case.ask(**override(case, key, _held(case, key) + 1))
        case.ask(**restore)
        case.ask(**stock.creation(kind))
        case.ask(**billing(case, "usage"))

    return script


def _made_room(kind: str, key: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        stock = Stock(case)
        creation = stock.creation(kind)
        case.ask(**override(case, key, _held(case, key) + 1))
        made = case.ask(**creation)
        case.ask(**creation)
        case.ask(**deletion(kind, made.json["id"]))
        case.ask(**creation)
        case.ask(**creation)

    return script


def tiers(bench: Bench) -> None:
    """The limits that the plans themselves set, without any override."""
    for kind in ("integration", "zone", "user", "api_key"):
        if bench.is_about(f"create_{kind}"):
            bench.attempt(_whole_tier(kind))


def _whole_tier(kind: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        creation = Stock(case).creation(kind)
        for _ in range(12):
            if case.ask(**creation).status >= 300:
                break
        case.ask(**billing(case, "usage"))

    return script


def metered(bench: Bench) -> None:
    """Every metered quota, with a limit for a day, a week and a month."""
    for operation, key in METERED.items():
        if bench.is_about(operation):
            for period in ("day", "week", "month"):
                bench.attempt(_uses(operation, key, period, 2))
            bench.attempt(_uses(operation, key, "day", 0))
            bench.attempt(_several_windows(operation, key))
    if bench.is_about("get_public_portal") and bench.target.ports.control is not None:
        bench.attempt(_views)
    if bench.is_about("execute_entity_action"):
        bench.attempt(_voice)


def _uses(operation: str, key: str, period: str, limit: int) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        use = request_for(Stock(case), operation)
        case.ask(**override(case, key, limit, period))
        for _ in range(limit + 2):
            case.ask(**use)
        case.ask(**billing(case, "usage"))

    return script


def _several_windows(operation: str, key: str) -> Callable[[Case], None]:
    """A use counts in every window or in none: what the month refuses is not counted in the day."""

    def script(case: Case) -> None:
        use = request_for(Stock(case), operation)
        case.ask(**override(case, key, 1, "month"))
        case.ask(**override(case, key, 5, "day"))
        case.ask(**use)
        case.ask(**use)
        case.ask(**billing(case, "usage"))
        case.ask(**override(case, key, 5, "month"))
        case.ask(**override(case, key, 2, "day"))
        case.ask(**use)
        case.ask(**use)
        case.ask(**billing(case, "usage"))

    return script


def _views(case: Case) -> None:
    """A public portal is charged to the organization whose it is."""
    view = request_for(Stock(case), "get_public_portal")
    case.ask(**view)
    case.ask(**billing(case, "usage"))
    case.ask(**override(case, "portal_views", 2, "day"))
    case.ask(**view)
    case.ask(**view)
    case.ask(**billing(case, "usage"))


def _voice(case: Case) -> None:
    """A door opened with an API key is a voice invocation too; without room for that it is not opened at all."""
    stock = Stock(case)
    door = stock["entity"]
    key = case.ask(operation="create_api_key", json={"name": "voice", "scoped_roles": ["entities:set_state"]}).json[
        "token"
    ]
    case.ask(**opening(door, caller=key))
    case.ask(**billing(case, "usage"))
    case.ask(**override(case, "voice_invocations", 1, "day"))
    case.ask(**opening(door, caller=key))
    case.ask(**billing(case, "usage"))
    case.ask(**opening(door))


def consumed(bench: Bench) -> None:
    """To the brink of the plans' own metered limits, by the usage port, and over it."""
    for operation, key in METERED.items():
        if bench.is_about(operation):
            bench.attempt(_at_the_brink(operation, key))


def _at_the_brink(operation: str, key: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        use = request_for(Stock(case), operation)
        for limit in _limits(case, key):
            case.consume(key, limit - 1)
            case.ask(**use)
            case.ask(**use)
            case.ask(**billing(case, "usage"))
            break

    return script


def _limits(case: Case, key: str) -> Iterator[int]:
    report = case.ask(**billing(case, "usage")).json
    for item in report["items"]:
        if item["key"] == key and item["limit"]["value"] is not None and item["limit"]["value"] > 0:
            yield int(item["limit"]["value"]) - int(item["current"])
