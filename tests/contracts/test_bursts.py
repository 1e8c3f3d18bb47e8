"""Lanes that begin together, against a server that answers nobody before all are there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import pytest

from contracts.http import Allowance, Client, NoAnswer, Request, Stopped
from contracts.races.bursts import Crew, Heard


class Meeting:
    """A server that answers nobody before so many are there, and then all of them."""

    def __init__(self, guests: int, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") -> None:
        self.there = threading.Barrier(guests)
        self.answer = answer
        self.crew = Crew()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                guest, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(guest,), daemon=True).start()

    def _serve(self, guest: socket.socket) -> None:
        with guest, guest.makefile("rb") as sent:
            while sent.readline():
                length = 0
                while (line := sent.readline().strip()) != b"":
                    length = int(line.split(b":")[1]) if line.startswith(b"Content-Length") else length
                sent.read(length)
                try:
                    self.there.wait(5)
                except threading.BrokenBarrierError:
                    return
                guest.sendall(self.answer)
                if b"close" in self.answer:
                    return

    def fire(self, *lanes: Sequence[Request], calls: int = 1_000) -> list[list[Heard]]:
        return self.crew.fire(Client(self.url, Allowance(calls, None, None), 5.0), lanes)

    def __enter__(self) -> Meeting:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.close()
        self.there.abort()
        self.listener.close()


@pytest.mark.parametrize("lanes", [2, 16])
def test_all_lanes_are_under_way_at_the_same_time(lanes: int) -> None:
    with Meeting(lanes) as meeting:
        for _ in range(2):
            heard = meeting.fire(*[[Request("GET", "/a"), Request("POST", "/b", (), b"{}")]] * lanes)
            assert [[each.answer.status for each in lane if each.answer] for lane in heard] == [[200, 200]] * lanes
            first, second = zip(*([each.span for each in lane] for lane in heard), strict=True)
            assert max(span.began for span in first) <= min(span.ended for span in first)
            assert all(a.ended <= b.began for a, b in zip(first, second, strict=True))


def test_a_connection_that_ends_without_an_answer_is_heard_as_that() -> None:
    with Meeting(2, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}") as meeting:
        meeting.there = threading.Barrier(1)
        (lane, other) = meeting.fire(*[[Request("GET", "/")]] * 2)
        assert [each.answer for each in (*lane, *other)] == [None, None]
        assert all(each.error for each in (*lane, *other))


def test_when_the_budget_is_spent_all_lanes_end() -> None:
    with Meeting(1) as meeting, pytest.raises(Stopped, match="budget of 2 calls"):
        meeting.fire(*[[Request("GET", "/")]] * 3, calls=2)
    assert [each for each in threading.enumerate() if each.name == "contract-lane"] == []


def test_without_a_connection_there_is_no_burst() -> None:
    with Meeting(1) as meeting:
        pass
    with pytest.raises(NoAnswer, match="refused"):
        meeting.fire(*[[Request("GET", "/")]] * 3)
