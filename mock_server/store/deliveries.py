"""What a world owes to the endpoints that want to hear of it, and what became of it. Bounded by count.

For each endpoint and subject the deliveries stand in line: only the first is tried, until it is delivered or given up.
Endpoints that want no order have a line for each delivery. Every step takes time that depends on the number of endpoints
and on the logarithm of what is owed, not on how much that is; only what looks at everything does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from heapq import heappop

import msgspec

from mock_server.engine.instants import Instant
from mock_server.engine.outbox import Happening

from .endpoints import Attempt, Counts, Delivery, Endpoint, State, with_attempt
from .lines import Lines

__all__ = ["Attempt", "Counts", "Deliveries", "Delivery", "Endpoint", "EndpointExists", "State", "TooManyEndpoints"]

MOST_ENDPOINTS = 50
MOST_EMISSIONS = 50
"""Endpoints that were made for one emission and are still owed something."""
MOST_PENDING = 100_000
ROOM_FOR_EACH = MOST_PENDING // (MOST_ENDPOINTS + MOST_EMISSIONS)
"""So many are owed to an endpoint however much the others are: one that is disabled takes nothing from them."""
MOST_KEPT = 1_000
"""So many deliveries that have come to an end are remembered, newest first."""


class EndpointExists(Exception):
    """There is an endpoint of that name already."""


class TooManyEndpoints(Exception):
    """MOST_ENDPOINTS exist already, or MOST_EMISSIONS."""


class Deliveries:
    """The records of a world's webhooks. `generation` rises whenever all that was owed is abandoned. `held`: deliveries by
    endpoint that are held back until the next one comes."""

    def __init__(self) -> None:
        self._by_endpoint: dict[str, Lines] = {}
        self._pending: dict[str, Delivery] = {}
        self._ended: OrderedDict[str, Delivery] = OrderedDict()
        self._trying: dict[Delivery, Lines] = {}
        self._made = 0
        self._named = 0
        self.added = 0
        self.generation = 0
        self.held: dict[str, list[Delivery]] = {}

    # -- endpoints ----------------------------------------------------------------------------------------------------

    @property
    def endpoints(self) -> list[Endpoint]:
        return [each.endpoint for each in self._by_endpoint.values()]

    def endpoint(self, name: str) -> Endpoint | None:
        found = self._by_endpoint.get(name)
        return None if found is None else found.endpoint

    def counts(self, name: str) -> Counts:
        return self._by_endpoint[name].counts

    def add(self, endpoint: Endpoint) -> Endpoint:
        """One without a name is given one. Raises EndpointExists or TooManyEndpoints."""
        if endpoint.id in self._by_endpoint:
            raise EndpointExists(endpoint.id)
        alike = sum(each.endpoint.is_passing == endpoint.is_passing for each in self._by_endpoint.values())
        if alike >= (MOST_EMISSIONS if endpoint.is_passing else MOST_ENDPOINTS):
            raise TooManyEndpoints
        name = endpoint.id
        while not name or name in self._by_endpoint:
            self._named += 1
            name = f"{'emission' if endpoint.is_passing else 'endpoint'}-{self._named}"
        endpoint = msgspec.structs.replace(endpoint, id=name)
        self._by_endpoint[name] = Lines(endpoint)
        self.added += 1
        return endpoint

    def change(self, endpoint: Endpoint) -> None:
        """In place of the one of the same name; what it is owed stays. Enabling it forgets how often it has failed."""
        lines = self._by_endpoint[endpoint.id]
        if endpoint.disabled is None and lines.endpoint.disabled is not None:
            lines.counts.failing = 0
        lines.endpoint = endpoint

    def remove(self, name: str) -> bool:
        """What the endpoint was owed is abandoned."""
        lines = self._by_endpoint.pop(name, None)
        self.held.pop(name, None)
        if lines is None:
            return False
        for delivery in lines.emptied():
            self._end(delivery, "abandoned", lines)
        return True

    def sweep(self, name: str) -> None:
        """Forget the endpoint if it was made for one emission and is owed nothing more."""
        lines = self._by_endpoint.get(name)
        if lines is not None and lines.endpoint.is_passing and not lines.lines:
            self.remove(name)

    # -- deliveries ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many are owed."""
        return len(self._pending)

    def __iter__(self) -> Iterator[Delivery]:
        """Newest first."""
        known = [*self._ended.values(), *self._pending.values()]
        return iter(sorted(known, key=lambda each: each.number, reverse=True))

    def get(self, name: str) -> Delivery | None:
        return self._pending.get(name) or self._ended.get(name)

    def owes(self, delivery: Delivery) -> bool:
        return self._pending.get(delivery.id) is delivery

    def owe(
        self,
        endpoint: Endpoint,
        happening: Happening,
        due: Instant,
        damages: tuple[str, ...] = (),
        *,
        alone: bool = False,
        dropped: bool = False,
    ) -> Delivery:
        """One more. `alone`: waiting for nobody; `dropped`: on purpose it never goes out."""
        self._made += 1
        line = f"={self._made}" if alone or endpoint.order == "none" else f"/{happening.subject}"
        delivery = Delivery(self._made, endpoint, happening, due, line, damages, self.generation)
        lines = self._by_endpoint[endpoint.id]
        is_dropped = dropped or (len(self._pending) >= MOST_PENDING and lines.counts.pending >= ROOM_FOR_EACH)
        self._pending[delivery.id] = delivery
        lines.counts.pending += 1
        if is_dropped:
            self._end(delivery, "dropped", lines)
        else:
            lines.put(delivery)
        return delivery

    def put_behind(self, delivery: Delivery, other: Delivery, due: Instant) -> None:
        """Let `delivery`, if it has not been tried yet, follow `other` to the same endpoint, and be due then."""
        lines = self._by_endpoint.get(delivery.endpoint)
        if lines is None or not self.owes(delivery) or delivery.due is None or delivery.tried:
            return
        lines.leave(delivery)
        delivery.line, delivery.due = other.line, due
        lines.put(delivery)

    def ready(self, now: Instant, *, only_idle: bool = False) -> tuple[Endpoint, Delivery] | None:
        """The one to be tried next, of those that are due at `now`: that of the endpoint at which least is under way, so
        that no endpoint keeps the others waiting, and of several such the one that has been due longest.

        It is being tried until `close` or `put_back`. `only_idle`: only if nothing else is under way at its endpoint.
        """
        best: tuple[tuple[int, Instant, int], Lines, Delivery] | None = None
        for lines in self._by_endpoint.values():
            if not lines.is_open or (only_idle and lines.under_way):
                continue
            head = lines.first()
            if head is not None and head.due is not None and head.due <= now:
                rank = (lines.under_way, head.due, head.number)
                if best is None or rank < best[0]:
                    best = (rank, lines, head)
        if best is None:
            return None
        _, chosen, first = best
        heappop(chosen.heads)
        first.due = None
        first.tried += 1
        first.url = chosen.endpoint.url
        chosen.under_way += 1
        self._trying[first] = chosen
        return chosen.endpoint, first

    @property
    def trying(self) -> frozenset[tuple[str, int]]:
        """The attempts that are under way: a delivery's id, and how often that has been tried."""
        return frozenset((each.id, each.tried) for each in self._trying)

    def next_due(self) -> Instant | None:
        """When something is to be tried next, at endpoints that are enabled; what is being tried does not count."""
        heads = [lines.first() for lines in self._by_endpoint.values() if lines.endpoint.disabled is None]
        return min((head.due for head in heads if head is not None and head.due is not None), default=None)

    def waits(self, delivery: Delivery) -> str | None:
        """What keeps one that is owed from being tried, beside the time: another one, or its endpoint."""
        lines = self._by_endpoint.get(delivery.endpoint)
        if lines is None or not self.owes(delivery) or delivery in self._trying:
            return None
        if lines.endpoint.disabled is not None:
            return f"{delivery.endpoint} is disabled: {lines.endpoint.disabled}"
        first = lines.lines[delivery.line][0]
        return None if first is delivery else f"until {first.id} has come to an end"

    def upcoming(self) -> list[Delivery]:
        """Those that will be tried, in the order in which they are due."""
        heads = [
            line[0]
            for lines in self._by_endpoint.values()
            if lines.endpoint.disabled is None
            for line in lines.lines.values()
            if line[0].due is not None
        ]
        return sorted(heads, key=lambda each: (each.due, each.number))

    def close(
        self, delivery: Delivery, attempt: Attempt, retry_at: Instant | None, *, delivered: bool, gone: bool = False
    ) -> None:
        """What an attempt led to: it is delivered, due again, or given up. `gone`: the receiver wants to hear no more.

        After too many failures, or if it is gone, the endpoint is disabled. What it is owed stays owed.
        """
        lines = self._back(delivery)
        if lines is None:
            return
        delivery.attempts = with_attempt(delivery.attempts, attempt)
        lines.judge(delivered=delivered, gone=gone)
        if not self.owes(delivery):
            return
        if not delivered and retry_at is not None:
            delivery.due = retry_at
            lines.offer(delivery)
            return
        self._end(delivery, "delivered" if delivered else "failed", lines)
        lines.leave(delivery)
        self.sweep(delivery.endpoint)

    def put_back(self, delivery: Delivery, due: Instant) -> None:
        """An attempt that did not come about. Nothing happens if none is under way."""
        lines = self._back(delivery)
        if lines is None:
            return
        delivery.tried -= 1
        if self.owes(delivery):
            delivery.due = due
            lines.offer(delivery)

    def abandon(self) -> None:
        """The world is another now: what it owed, it no longer owes."""
        self.generation += 1
        self.held.clear()
        owed = [(each, lines) for lines in self._by_endpoint.values() for each in lines.emptied()]
        for delivery, lines in sorted(owed, key=lambda each: each[0].number):
            self._end(delivery, "abandoned", lines)
        for name in list(self._by_endpoint):
            self.sweep(name)

    def _back(self, delivery: Delivery) -> Lines | None:
        """It is no longer being tried. None if it was not."""
        lines = self._trying.pop(delivery, None)
        if lines is not None:
            lines.under_way -= 1
        return lines

    def _end(self, delivery: Delivery, state: State, lines: Lines) -> None:
        delivery.state, delivery.due = state, None
        del self._pending[delivery.id]
        self._ended[delivery.id] = delivery
        while len(self._ended) > MOST_KEPT:
            self._ended.popitem(last=False)
        lines.counts.pending -= 1
        setattr(lines.counts, state, getattr(lines.counts, state) + 1)
