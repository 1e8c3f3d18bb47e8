"""What falls due, and when. A persistent priority queue: adding, cancelling and taking the next cost O(log n),
and every older version stays valid, so a snapshot of a world keeps its agenda for nothing.

Under the hood a leftist heap of (at, number, key) beside a map key -> item. Cancelling only touches the map;
a heap entry whose number is no longer its key's is stale and skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rpds import HashTrieMap

from .decisions import Job
from .instants import Instant

_Entry = tuple[Instant, int, str]
_Heap = tuple[int, _Entry, "_Heap | None", "_Heap | None"]


class Item(msgspec.Struct, frozen=True):
    """A job and when it is due. Items due at the same instant are taken in the order of their numbers."""

    at: Instant
    number: int
    key: str
    job: Job


class Agenda(msgspec.Struct, frozen=True, eq=False):
    items: HashTrieMap[str, Item] = HashTrieMap()
    heap: _Heap | None = None
    size: int = 0
    next_number: int = 0

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        """The items in the order in which they fall due."""
        return iter(sorted(self.items.values(), key=lambda item: (item.at, item.number)))

    def __eq__(self, other: object) -> bool:
        """The same items, whatever the shape of the heap that led to them."""
        return isinstance(other, Agenda) and list(self) == list(other) and self.next_number == other.next_number

    __hash__ = None  # type: ignore[assignment]

    def put(self, key: str, at: Instant, job: Job) -> Agenda:
        """With `job` due at `at`, in place of what `key` held."""
        item = Item(at, self.next_number, key, job)
        return _compacted(
            Agenda(
                self.items.insert(key, item),
                _merge(self.heap, (1, (at, item.number, key), None, None)),
                self.size + 1,
                self.next_number + 1,
            )
        )

    def drop(self, key: str) -> Agenda:
        if key not in self.items:
            return self
        return _compacted(msgspec.structs.replace(self, items=self.items.remove(key)))

    def first(self) -> Item | None:
        """What falls due next, if anything does."""
        return _clean(self)[1]

    def take(self) -> tuple[Item, Agenda]:
        """The next item and the agenda without it. Raises LookupError when nothing is due ever."""
        agenda, item = _clean(self)
        if item is None or agenda.heap is None:
            raise LookupError("the agenda is empty")
        heap = _merge(agenda.heap[2], agenda.heap[3])
        return item, Agenda(agenda.items.remove(item.key), heap, agenda.size - 1, agenda.next_number)


def agenda_of(items: list[Item], next_number: int) -> Agenda:
    """The agenda that holds `items` as they are (as read back from a file)."""
    ordered = sorted(items, key=lambda item: (item.at, item.number))
    return Agenda(HashTrieMap({item.key: item for item in ordered}), _chain(ordered), len(ordered), next_number)


def _clean(agenda: Agenda) -> tuple[Agenda, Item | None]:
    heap, size = agenda.heap, agenda.size
    while heap is not None:
        _, number, key = heap[1]
        item = agenda.items.get(key)
        if item is not None and item.number == number:
            return (agenda if size == agenda.size else Agenda(agenda.items, heap, size, agenda.next_number)), item
        heap, size = _merge(heap[2], heap[3]), size - 1
    return agenda, None


def _compacted(agenda: Agenda) -> Agenda:
    """Rebuilt without stale entries once they are the larger part, so that re-scheduling for ever stays bounded."""
    if agenda.size <= 2 * len(agenda.items) + 64:
        return agenda
    return Agenda(agenda.items, _chain(list(agenda)), len(agenda.items), agenda.next_number)


def _chain(ordered: list[Item]) -> _Heap | None:
    heap: _Heap | None = None
    for item in reversed(ordered):
        heap = (1, (item.at, item.number, item.key), heap, None)
    return heap


def _merge(one: _Heap | None, other: _Heap | None) -> _Heap | None:
    # Down the right spines only, which a leftist heap keeps logarithmic: at most ~2 log n deep.
    if one is None:
        return other
    if other is None:
        return one
    if other[1] < one[1]:
        one, other = other, one
    left, right = one[2], _merge(one[3], other)
    left_rank = left[0] if left is not None else 0
    right_rank = right[0] if right is not None else 0
    if left_rank < right_rank:
        left, right, right_rank = right, left, left_rank
    return (right_rank + 1, one[1], left, right)
