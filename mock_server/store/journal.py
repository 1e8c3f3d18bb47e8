"""What was asked and answered in a world, request by request. Bounded by count and by bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

MOST_ENTRIES = 1_000
MOST_BYTES = 16 * 1024 * 1024
LONGEST_BODY = 64 * 1024
OVERHEAD = 1_000
"""What an entry counts beside its bodies and headers, so that many small ones are bounded too."""


class Entry:
    """One request and its answer. `number` rises by one for every request; bodies are cut at LONGEST_BODY."""

    __slots__ = (
        "answer",
        "answer_headers",
        "at",
        "body",
        "caller",
        "headers",
        "method",
        "number",
        "operation",
        "path",
        "problem",
        "seconds",
        "status",
    )

    def __init__(self, number: int, at: int, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        self.number = number
        self.at = at
        self.method = method
        self.path = path
        self.headers = headers
        self.operation: str | None = None
        self.caller = "-"
        self.body = b""
        self.status = 0
        self.problem: str | None = None
        self.answer = b""
        self.answer_headers: list[tuple[bytes, bytes]] = []
        self.seconds = 0.0

    @property
    def size(self) -> int:
        headers = _size_of(self.headers) + _size_of(self.answer_headers)
        return OVERHEAD + len(self.path) + len(self.body) + len(self.answer) + headers


class Journal:
    """Newest entries only; `dropped` counts those that had to go."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Entry, int]] = deque()
        self._bytes = 0
        self.opened = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for entry, _ in self._entries)

    @property
    def bytes(self) -> int:
        return self._bytes

    def next_number(self) -> int:
        self.opened += 1
        return self.opened

    def close(self, entry: Entry) -> None:
        """Keep a finished entry."""
        if len(entry.body) > LONGEST_BODY:
            entry.body = entry.body[:LONGEST_BODY]
        if len(entry.answer) > LONGEST_BODY:
            entry.answer = entry.answer[:LONGEST_BODY]
        size = entry.size
        self._entries.append((entry, size))
        self._bytes += size
        while len(self._entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            _, gone = self._entries.popleft()
            self._bytes -= gone
            self.dropped += 1


def _size_of(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
