"""Lists that skip, repeat, miscount, or pay no heed to what was asked for."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model.capacity import MOST_ROWS
from mock_server.apis.openapp.model.paging import Page

from .around import Exchange, on_answer
from .mutant import Install, Make, family, patched

mutant = family("pagination")


def _asking(**changes: Any) -> Make:
    """As if something else had been asked for: a value, or what is made of the page."""

    def make(real: Any) -> Any:
        def faulty(self: Page, rows: Any) -> Any:
            other = {name: each(self) if callable(each) else each for name, each in changes.items()}
            return real(msgspec.structs.replace(self, **other), rows)

        return faulty

    return make


def _counting(count: Any) -> Make:
    def make(real: Any) -> Any:
        def faulty(self: Page, rows: Any) -> Any:
            shown, total = real(self, rows)
            return shown, count(shown, total)

        return faulty

    return make


def _with_deleted(real: Any) -> Any:
    return lambda self, shelf: real(msgspec.structs.replace(self, include_deleted=True), shelf)


def _newest_first(real: Any) -> Any:
    def faulty(self: Page, rows: Any) -> Any:
        oldest_first, total = real(msgspec.structs.replace(self, offset=0, limit=MOST_ROWS), rows)
        return oldest_first[::-1][self.offset : self.offset + self.limit], total

    return faulty


def _turning(where: str) -> Install:
    """Rows that begin each time one further on, as out of a table that has no order."""
    times = 0

    def turn(it: Exchange) -> None:
        nonlocal times
        items = it.json["items"]
        first = times % len(items) if items else 0
        times += 1
        it.edit(items=items[first:] + items[:first])

    return on_answer(where, turn, 200)


def paged(make: Make) -> Any:
    return patched(Page, "of_rows", make)


MUTANTS = (
    mutant(
        "page-skips",
        "every page but the first leaves out its first",
        paged(_asking(offset=lambda p: p.offset + (p.offset > 0))),
        56,
    ),
    mutant(
        "page-repeats",
        "every page but the first begins with the last one's end",
        paged(_asking(offset=lambda p: max(0, p.offset - 1))),
        57,
    ),
    mutant("limit-ignored", "`limit` is ignored", paged(_asking(limit=50)), 58),
    mutant("total-of-page", "`total` counts the page only", paged(_counting(lambda shown, total: len(shown)))),
    mutant("newest-first", "lists begin with the newest", paged(_newest_first)),
    mutant("usage-turning", "usage comes in another order each time", _turning("GET /orgs/{id}/billing/usage")),
    mutant("deleted-listed", "lists show what is deleted", patched(Page, "of_shelf", _with_deleted)),
)
