"""Lists read page by page: whatever the size of the pages, it is the same list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from contracts.bench import Bench, NotVerified
from contracts.http import Answer, Request
from contracts.lone import Contradiction, Lone, consistent
from mock_server.engine.instants import parse_instant

from .stock import Stock, deletion

LARGEST = 200
MOST_PAGES = 10
KIND_OF = {
    "list_integrations": "integration",
    "list_devices": "device",
    "list_entities": "entity",
    "list_zones": "zone",
    "list_api_keys": "api_key",
    "list_users": "user",
    "list_orgs": "org",
}
BARE = ("list_devices",)
"""Those that answer without a total."""
SOFT = ("list_integrations", "list_devices", "list_entities", "list_zones")


class Rows(msgspec.Struct, frozen=True):
    """Rows that were listed, by one answer or several. `total` is what these say; None for a list without one.

    `is_whole`: nothing comes after them.
    """

    items: list[Any]
    total: int | None
    answers: list[Answer]
    is_whole: bool = False

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.items]


def page(case: Lone, operation: str, limit: int, offset: int, query: Mapping[str, str] | None = None) -> Rows:
    answer = case.ask(operation, query={"limit": str(limit), "offset": str(offset), **(query or {})})
    body = answer.json
    return Rows(body, None, [answer]) if isinstance(body, list) else Rows(body["items"], body["total"], [answer])


def everything(case: Lone, operation: str, query: Mapping[str, str] | None = None) -> Rows:
    """All rows, in the largest pages there are; of a very long list the beginning."""
    items: list[Any] = []
    answers: list[Answer] = []
    total: int | None = None
    is_whole = False
    for n in range(MOST_PAGES):
        rows = page(case, operation, LARGEST, n * LARGEST, query)
        items, answers, total = items + rows.items, answers + rows.answers, rows.total
        if len(rows.items) < LARGEST:
            is_whole = True
            break
    return Rows(items, total, answers, is_whole)


def pages(bench: Bench) -> None:
    """Pages of any size, one after the other, are the whole list: nothing twice, nothing left out."""
    for operation, kind in KIND_OF.items():
        if bench.is_about(operation):
            consistent(bench, _paged(operation, kind if bench.offers("writes") else None))


def _paged(operation: str, kind: str | None) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        if kind is not None:
            _three(case, kind)
        whole = everything(case, operation)
        try:
            _agree(case, operation, whole)
        except Contradiction:
            if _is_shared(case, kind) and everything(case, operation).ids != whole.ids:
                raise NotVerified(f"somebody else changes what {operation} lists") from None
            raise

    return check


def _is_shared(case: Lone, kind: str | None) -> bool:
    """Whether others may change a list meanwhile: that of an organization not made here, or that of organizations."""
    return not case.place.is_own and kind in (None, "org")


def _agree(case: Lone, operation: str, whole: Rows) -> None:
    if whole.total is not None and whole.total != len(whole.items) and whole.is_whole:
        raise Contradiction(f"a total of {len(whole.items)}", str(whole.total), operation, *whole.answers)
    if len(set(whole.ids)) != len(whole.ids):
        raise Contradiction("every row once", f"{whole.ids}", operation, *whole.answers)
    for size in (1, 2, 3):
        _walk(case, operation, size, whole)
    beyond = ((1, len(whole.ids)), (LARGEST, len(whole.ids) + 1)) if whole.is_whole else ()
    for limit, offset in ((0, 0), *beyond, (5, 2**31 - 1)):
        rows = page(case, operation, limit, offset)
        if rows.items:
            raise Contradiction(f"nothing at limit {limit}, offset {offset}", str(rows.ids), operation, *rows.answers)


def _three(case: Lone, kind: str) -> None:
    stock = Stock(case)
    for _ in range({"org": 1, "integration": 2, "api_key": 2, "user": 2}.get(kind, 3)):
        stock.another(kind)


def _walk(case: Lone, operation: str, size: int, whole: Rows) -> None:
    for offset in range(0, min(len(whole.ids), 4 * size), size):
        rows = page(case, operation, size, offset)
        expected = whole.ids[offset : offset + size]
        if rows.ids != expected:
            came = f"{len(rows.ids)}: {rows.ids}"
            raise Contradiction(
                f"{expected} at limit {size}, offset {offset}", came, operation, *whole.answers, *rows.answers
            )
        if rows.total != whole.total:
            raise Contradiction(
                f"a total of {whole.total} on every page", str(rows.total), operation, *whole.answers, *rows.answers
            )


def order(bench: Bench) -> None:
    """Oldest first, and what is new at the end; `created_at` is never after `updated_at`."""
    for operation, kind in KIND_OF.items():
        if bench.is_about(operation):
            consistent(bench, _ordered(operation, kind if bench.offers("writes") else None))


def _ordered(operation: str, kind: str | None) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        stock = Stock(case)
        made = [stock.another(kind) for _ in range(1 if kind == "org" else 2)] if kind is not None else []
        rows = everything(case, operation)
        is_certain = rows.is_whole and not _is_shared(case, kind)
        if made and is_certain and rows.ids[-len(made) :] != made:
            raise Contradiction(f"the newest at the end: {made}", str(rows.ids), operation, *rows.answers)
        times = [row["created_at"] for row in rows.items if "created_at" in row]
        if _instants(times) != sorted(_instants(times)):
            raise Contradiction("oldest first", str(times), operation, *rows.answers)
        for row in rows.items:
            if _instants([row["created_at"], row["updated_at"]])[0] > _instants([row["updated_at"]])[0]:
                came = f"created {row['created_at']}, updated {row['updated_at']}"
                raise Contradiction("created before it was updated", came, operation, *rows.answers)

    return check


def _instants(texts: Sequence[str]) -> list[int]:
    return [parse_instant(each) for each in texts]


def filters(bench: Bench) -> None:
    """`include_deleted` shows all, `only_deleted` the deleted ones, without either the others."""
    if bench.offers("writes"):
        for operation in SOFT:
            if bench.is_about(operation):
                consistent(bench, _deleted_shown(operation))
    else:
        for operation in SOFT:
            consistent(bench, partial(_shown_apart, operation=operation))


def _deleted_shown(operation: str) -> Callable[[Lone], None]:
    kind = KIND_OF[operation]

    def check(case: Lone) -> None:
        stock = Stock(case)
        kept, gone = stock.another(kind), stock.another(kind)
        case.ask(**deletion(kind, gone))
        live, deleted = _shown_apart(case, operation)
        if kept not in live.ids or gone in live.ids:
            raise Contradiction(f"{kept} without {gone}, which is deleted", str(live.ids), operation, *live.answers)
        if gone not in deleted.ids:
            raise Contradiction(f"{gone} among the deleted ones", str(deleted.ids), operation, *deleted.answers)

    return check


def _shown_apart(case: Lone, operation: str) -> tuple[Rows, Rows]:
    live, deleted = everything(case, operation), everything(case, operation, {"only_deleted": "true"})
    both = everything(case, operation, {"include_deleted": "true"})
    if set(both.ids) != set(live.ids) | set(deleted.ids) and both.is_whole:
        expected = f"both the live {live.ids} and the deleted {deleted.ids}"
        raise Contradiction(expected, str(both.ids), operation, *live.answers, *deleted.answers, *both.answers)
    for row in live.items:
        if "deleted_at" in row:
            raise Contradiction("nothing with `deleted_at`", str(row["id"]), operation, *live.answers)
    for row in deleted.items:
        if "deleted_at" not in row:
            raise Contradiction("only what has `deleted_at`", str(row["id"]), operation, *deleted.answers)
    return live, deleted


def twice(bench: Bench) -> None:
    """Reading changes nothing: what is read twice is the same, and HEAD is GET without the body."""
    for operation in bench.operations:
        needs_no_thing = "{" not in operation.path or operation.path.startswith("/orgs/{id}")
        if operation.is_read and not operation.is_anonymous and needs_no_thing:
            consistent(bench, _read_twice(operation.id, operation.permission == "operator"))


def _read_twice(operation: str, by_operator: bool) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        caller = "operator" if by_operator else "owner"
        if caller not in case.target.credentials:
            return
        path = {"id": case.org} if "{id}" in case.bundle[operation].path else {}
        first, second, third = (case.ask(operation, caller, path=path) for _ in range(3))
        # Somebody else may have changed something, but hardly in between each time.
        if second.json not in (first.json, third.json):
            raise Contradiction("the same answer twice", "another one", operation, first, second)
        head = case.raw(Request("HEAD", *_as_sent(case)), operation)
        if head.status == 405:
            return
        if head.status != third.status or head.body:
            came = f"{head.status} with {len(head.body)} bytes"
            raise Contradiction(f"{third.status} without a body", came, operation, third, head)

    return check


def _as_sent(case: Lone) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Target and headers of the request before."""
    last = case.shown[-1]
    return last.url.removeprefix(case.place.url), last.headers
