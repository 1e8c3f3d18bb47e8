"""What was answered before, so that a repeated request can be answered the same. Bounded by count and by time."""

from __future__ import annotations

import msgspec
from rpds import HashTrieMap, Queue

from .instants import Instant

MOST_RECORDS = 10_000


class Record(msgspec.Struct, frozen=True):
    """`fingerprint` tells whether a repeat asks for the same thing; `reply` is what it was answered."""

    fingerprint: str
    expires_at: Instant
    reply: str = ""


class Idempotency(msgspec.Struct, frozen=True):
    """Records by (scope, key). Scopes keep the keys of different callers and operations apart."""

    records: HashTrieMap[str, HashTrieMap[str, Record]] = HashTrieMap()
    order: Queue[tuple[str, str]] = Queue()

    def __len__(self) -> int:
        return len(self.order)

    def recall(self, scope: str, key: str, now: Instant) -> Record | None:
        kept = self.records.get(scope)
        record = kept.get(key) if kept is not None else None
        return record if record is not None and record.expires_at > now else None

    def remember(self, scope: str, key: str, record: Record, now: Instant) -> Idempotency:
        """With the record added. Expired records at the old end go, and the oldest ones beyond MOST_RECORDS."""
        records, order = self.records, self.order
        kept = records.get(scope) or HashTrieMap()
        if key not in kept:
            order = order.enqueue((scope, key))
        records = records.insert(scope, kept.insert(key, record))
        while len(order):
            oldest_scope, oldest_key = next(iter(order))
            oldest = records[oldest_scope][oldest_key]
            if oldest.expires_at > now and len(order) <= MOST_RECORDS:
                break
            order = order.dequeue()  # type: ignore[call-arg]
            left = records[oldest_scope].remove(oldest_key)
            records = records.insert(oldest_scope, left) if len(left) else records.remove(oldest_scope)
        return Idempotency(records, order)
