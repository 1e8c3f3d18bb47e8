"""What one endpoint is owed, in lines: only the first of each is tried."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import msgspec

from mock_server.engine.instants import Instant

from .endpoints import Counts, Delivery, Endpoint


class Lines:
    """`heads`: a heap of those that stand first and are not being tried; entries may be stale."""

    __slots__ = ("counts", "endpoint", "heads", "lines", "under_way")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.counts = Counts()
        self.lines: dict[str, deque[Delivery]] = {}
        self.heads: list[tuple[Instant, int, Delivery]] = []
        self.under_way = 0

    def put(self, delivery: Delivery) -> None:
        line = self.lines.setdefault(delivery.line, deque())
        line.append(delivery)
        if len(line) == 1:
            self.offer(delivery)

    def offer(self, delivery: Delivery) -> None:
        assert delivery.due is not None
        heappush(self.heads, (delivery.due, delivery.number, delivery))

    def leave(self, delivery: Delivery) -> None:
        """Out of its line; the next one steps forward."""
        line = self.lines[delivery.line]
        was_first = line[0] is delivery
        line.remove(delivery)
        if not line:
            del self.lines[delivery.line]
        elif was_first and line[0].due is not None:
            self.offer(line[0])

    def first(self) -> Delivery | None:
        """The one that is due first."""
        while self.heads:
            due, _, delivery = self.heads[0]
            line = self.lines.get(delivery.line)
            if delivery.due == due and line and line[0] is delivery:
                return delivery
            heappop(self.heads)
        return None

    def emptied(self) -> list[Delivery]:
        """All that stood in line, in the order in which it was made."""
        owed = sorted((each for line in self.lines.values() for each in line), key=lambda each: each.number)
        self.lines.clear()
        self.heads.clear()
        return owed

    def judge(self, *, delivered: bool, gone: bool) -> None:
        """Count an attempt, and disable the endpoint if that was one failure too many."""
        self.counts.failing = 0 if delivered else self.counts.failing + 1
        endpoint, reason = self.endpoint, "it answered 410 Gone" if gone else None
        if not delivered and endpoint.disable_after is not None and self.counts.failing >= endpoint.disable_after:
            reason = f"{self.counts.failing} attempts in a row have failed"
        if reason is not None and endpoint.disabled is None and not endpoint.is_passing:
            self.endpoint = msgspec.structs.replace(endpoint, disabled=reason)

    @property
    def is_open(self) -> bool:
        return self.endpoint.disabled is None and self.under_way < self.endpoint.concurrency
