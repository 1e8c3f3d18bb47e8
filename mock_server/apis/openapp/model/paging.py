"""Lists: which rows are shown, in the order of their creation, and which page of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from .resources import Shelf, creation


class Page(msgspec.Struct, frozen=True):
    """What a list's query asks for; `equal` are filters on members."""

    limit: int = 50
    offset: int = 0
    include_deleted: bool = False
    only_deleted: bool = False
    equal: tuple[tuple[str, str], ...] = ()

    def of_shelf(self, shelf: Shelf) -> tuple[list[Any], int]:
        """The page's rows and how many there are in all."""
        halves = [shelf.deleted] if self.only_deleted else [shelf.live]
        if self.include_deleted and not self.only_deleted:
            halves.append(shelf.deleted)
        return self.of_rows(row for half in halves for row in half.values())

    def of_rows(self, rows: Iterable[Any]) -> tuple[list[Any], int]:
        wanted = [row for row in rows if all(getattr(row, name) == value for name, value in self.equal)]
        wanted.sort(key=creation)
        return wanted[self.offset : self.offset + self.limit], len(wanted)
