"""What was asked and answered in a world, request by request. Bounded by count and by bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Literal

from mock_server.engine.callers import Caller
from mock_server.engine.instants import Instant
from mock_server.engine.problems import Problem
from mock_server.engine.world import WorldState

MOST_ENTRIES = 1_000
MOST_BYTES = 16 * 1024 * 1024
MOST_BYTES_OF_ALL = 256 * 1024 * 1024
LONGEST_BODY = 64 * 1024
OVERHEAD = 1_500
"""What an entry counts beside its bodies and headers, so that many small ones are bounded too."""
MOST_REVISIONS = 5_000
"""How far back states are kept, in changes of the world. A state shares all with its neighbours but what changed."""

Delivery = Literal["whole", "late", "lost", "truncated", "malformed", "replaced", "repeated", "client_gone"]
RawHeaders = Sequence[tuple[bytes, bytes]]


class Entry:
    """One request and its answer. `number` rises by one for every request; bodies are cut at LONGEST_BODY.

    at                the world's time when it was decided upon, or when it came if no model was asked
    received_at       the machine's time when it came
    path, query       as sent, percent-encoded
    sequence          where the journal's cursor stood once it was answered
    body_size, answer_size  before masking and cutting, as is the body's `fingerprint`
    caller            the name of `asked_by`; "anonymous" without a credential, "rejected" with one that is not good
    seal              masks its secrets: called once, before anybody gets to see the entry
    secrets           what was masked in it, and has to be in all that is told of it; never told itself
    refusal           the problem that it was refused with, if it was
    status, answer    what was sent; `worked` is what the API had answered before a fault replaced or damaged that
    state             the world as it was when the request was decided upon; None once that is too long ago
    steps             (before, after) of every change it made to the world; None once that is too long ago
    changed           whether there was any
    """

    # Defaults of the class and not of each entry: most of them stay as they are in most requests.
    headers: RawHeaders = ()
    body: bytes = b""
    body_size: int = 0
    fingerprint: bytes = b""
    operation: str | None = None
    caller: str = "-"
    asked_by: Caller | None = None
    status: int = 0
    worked: int = 0
    problem: str | None = None
    refusal: Problem | None = None
    answer: bytes = b""
    answer_size: int = 0
    answer_headers: RawHeaders = ()
    seconds: float = 0.0
    sequence: int = 0
    mark: int = 0
    faults: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    seal: Callable[[Entry], None] | None = None
    delivery: Delivery = "whole"
    state: WorldState | None = None
    steps: Sequence[tuple[WorldState, WorldState]] | None = ()
    changed: bool = False

    def __init__(
        self, number: int, at: Instant, received_at: Instant, api: str, method: str, path: str, query: str
    ) -> None:
        self.number = number
        self.at = at
        self.received_at = received_at
        self.api = api
        self.method = method
        self.path = path
        self.query = query

    @property
    def body_is_cut(self) -> bool:
        return is_cut(self.body, self.body_size)

    @property
    def answer_is_cut(self) -> bool:
        return is_cut(self.answer, self.answer_size)

    @property
    def size(self) -> int:
        headers = _size_of(self.headers) + _size_of(self.answer_headers)
        return OVERHEAD + len(self.path) + len(self.query) + len(self.body) + len(self.answer) + headers


class Journal:
    """Newest entries only; `dropped` counts those that had to go.

    opened, closed  how many requests have come, and how many of them were answered
    cleared         how often it was emptied
    cursor          rises by one with every answer; `before` is where that of an earlier journal of the world stood
    """

    def __init__(self, before: int = 0) -> None:
        self._entries: deque[tuple[Entry, int]] = deque()
        self._with_states: deque[Entry] = deque()
        self._travelled = 0
        self._revision: int | None = None
        self.bytes = 0
        self.opened = 0
        self.closed = 0
        self.cursor = before
        self.dropped = 0
        self.cleared = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """In the order in which they were answered."""
        return (sealed(entry) for entry, _ in self._entries)

    def __reversed__(self) -> Iterator[Entry]:
        return (sealed(entry) for entry, _ in reversed(self._entries))

    def unsealed(self) -> Iterator[Entry]:
        """Newest first, for picking out by what is no secret. Whoever goes on to tell of an entry seals it: `sealed`."""
        return (entry for entry, _ in reversed(self._entries))

    def get(self, number: int) -> Entry | None:
        return next((sealed(entry) for entry in self.unsealed() if entry.number == number), None)

    def next_number(self) -> int:
        self.opened += 1
        return self.opened

    def close(self, entry: Entry) -> int:
        """Keep a finished entry. Gives by how many bytes the journal has grown (or, below 0, shrunk)."""
        before = self.bytes
        entry.body_size, entry.answer_size = len(entry.body), len(entry.answer)
        if entry.body_size > LONGEST_BODY or entry.answer_size > LONGEST_BODY:
            sealed(entry)  # first, for a secret that lies across the cut
            entry.body, entry.answer = entry.body[:LONGEST_BODY], entry.answer[:LONGEST_BODY]
        self.closed += 1
        self.cursor += 1
        entry.sequence = self.cursor
        self._hold_state_of(entry)
        size = entry.size
        self._entries.append((entry, size))
        self.bytes += size
        while len(self._entries) > MOST_ENTRIES or self.bytes > MOST_BYTES:
            self._drop_oldest()
        return self.bytes - before

    def drop_half(self) -> int:
        """Make room for other worlds' journals: the older half goes. Gives how many bytes that were."""
        before = self.bytes
        for _ in range((len(self._entries) + 1) // 2):
            self._drop_oldest()
        return before - self.bytes

    def clear(self) -> int:
        """Forget all entries; numbers go on. Gives how many bytes that were."""
        freed, self.bytes = self.bytes, 0
        self.cleared += 1
        self._entries.clear()
        self._with_states.clear()
        return freed

    def forget_states(self) -> None:
        """Another state has been put in place of the world's: what came before shares nothing with it."""
        while self._with_states:
            _forget(self._with_states.popleft())
        self._revision = None

    def _hold_state_of(self, entry: Entry) -> None:
        if entry.state is None:
            return
        newest = entry.steps[-1][1] if entry.steps else entry.state
        if self._revision is not None:
            self._travelled += abs(newest.revision - self._revision)
        self._revision = newest.revision
        entry.mark = self._travelled
        self._with_states.append(entry)
        while self._travelled - self._with_states[0].mark > MOST_REVISIONS:
            _forget(self._with_states.popleft())

    def _drop_oldest(self) -> None:
        gone, size = self._entries.popleft()
        self.bytes -= size
        self.dropped += 1
        if self._with_states and self._with_states[0] is gone:
            self._with_states.popleft()


def is_cut(body: bytes, size: int) -> bool:
    """Whether only the start of a body of that size was kept. Masking alone makes it shorter too."""
    return size > len(body) == LONGEST_BODY


def sealed(entry: Entry) -> Entry:
    """The entry, fit to be seen."""
    if entry.seal is not None:
        seal, entry.seal = entry.seal, None
        entry.fingerprint = blake2b(entry.body, digest_size=16).digest()
        seal(entry)
    return entry


def _forget(entry: Entry) -> None:
    entry.state = None
    entry.steps = None


def _size_of(headers: RawHeaders) -> int:
    return sum(len(name) + len(value) for name, value in headers)
