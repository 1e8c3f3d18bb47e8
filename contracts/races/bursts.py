"""Calls at the same time: each lane of them in a thread of its own, over a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from contracts.http import Answer, Client, NoAnswer, Request
from contracts.machine import stopwatch

from .linearizability import Span

WAIT = 30.0
"""Seconds in which all lanes must be ready to begin."""


class Heard(msgspec.Struct, frozen=True):
    """What became of a request. `answer` is None where none came, and `error` says what came instead."""

    span: Span
    answer: Answer | None
    error: str = ""


class Crew:
    """Connections that are kept from burst to burst. Threads are not: none outlives its burst."""

    def __init__(self) -> None:
        self._clients: list[Client] = []

    def fire(self, there: Client, lanes: Sequence[Sequence[Request]]) -> list[list[Heard]]:
        """What became of each lane's requests to where a client goes: the lanes begin together, in each one request
        follows the other.

        Raises what a client raises, but for NoAnswer once the lanes have begun.
        """
        while len(self._clients) < len(lanes):
            self._clients.append(there.another())
        clients = [client.at(there.base_path) for client, _ in zip(self._clients, lanes, strict=False)]
        for client in clients:
            client.open()
        barrier = threading.Barrier(len(lanes))
        ready = [_Lane(client, requests, barrier) for client, requests in zip(clients, lanes, strict=True)]
        threads = [threading.Thread(target=lane.run, name="contract-lane", daemon=True) for lane in ready]
        try:
            for thread in threads:
                thread.start()
            # Every call of a client ends in time, so every thread does.
            for thread in threads:
                thread.join()
        except BaseException:
            barrier.abort()
            for client in clients:
                client.close()
            raise
        if (error := next((lane.error for lane in ready if lane.error is not None), None)) is not None:
            raise error
        if not all(lane.is_done for lane in ready):
            errors = [each.error for lane in ready for each in lane.heard if each.error]
            raise NoAnswer(errors[0] if errors else f"calls could not begin together within {WAIT:g} s")
        return [lane.heard for lane in ready]

    def close(self) -> None:
        for client in self._clients:
            client.close()


class _Lane:
    def __init__(self, client: Client, requests: Sequence[Request], barrier: threading.Barrier) -> None:
        self._client, self._requests, self._barrier = client, requests, barrier
        self.heard: list[Heard] = []
        self.error: Exception | None = None
        self._began = 0
        self._is_let_go = False

    @property
    def is_done(self) -> bool:
        return len(self.heard) == len(self._requests)

    def run(self) -> None:
        # All that can be done before is, so that the lanes' first bytes go out as close together as may be.
        self._client.hold(self._begin)
        try:
            for request in self._requests:
                self._began = _now()
                self.heard.append(self._heard(request))
        except threading.BrokenBarrierError:
            # Another lane could not begin, and says why.
            self._client.close()
        except Exception as error:
            self.error = error
            self._barrier.abort()

    def _begin(self) -> None:
        self._barrier.wait(WAIT)
        self._is_let_go = True
        self._began = _now()

    def _heard(self, request: Request) -> Heard:
        try:
            answer, error = self._client.send(request), ""
        except NoAnswer as wrong:
            answer, error = None, str(wrong)
            # Once all have been let go, some may still be on their way out of the barrier: breaking it would stop them.
            if not self._is_let_go:
                self._barrier.abort()
        return Heard(Span(self._began, _now()), answer, error)


def _now() -> int:
    return int(stopwatch() * 1e9)
