"""Faults on the wire: connections that are closed or reset instead of answered, answers that end too soon."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.server import Server

from .raw import HOST, JSON, OWNER, WORLDS, Connection, NoAnswer, Reply, chunked, exchange, get, post, request

ZONE = b'{"name":"Attic"}'
PLANS = "/plans"
GRACE = 2.0
FROZEN = b'{"name":"frozen","now":"2026-03-01T00:00:00Z"}'


class Broken:
    """A world on a real server, its faults and its journal."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.name = port, name
        self.api, self.control = f"/w/{name}/api/v1", f"{WORLDS}/{name}"

    def fault(self, **body: Any) -> None:
        reply = post(self.port, f"{self.control}/faults", json.dumps(body).encode())
        assert reply.status == 201, reply

    def zone(self, *headers: str, version: str = "HTTP/1.1") -> bytes:
        """The bytes of a request that makes a zone."""
        return request("POST", f"{self.api}/zones", (HOST, OWNER, JSON, *headers), ZONE, version)

    def plans(self, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
        return request(method, f"{self.api}{PLANS}", version=version)

    def zones(self) -> int:
        """How many there are."""
        count: int = get(self.port, f"{self.api}/zones", OWNER).json["total"]
        return count

    def lines(self, query: str = "") -> list[dict[str, Any]]:
        """Of the journal, oldest first."""
        lines: list[dict[str, Any]] = get(self.port, f"{self.control}/requests?{query}").json["requests"]
        return lines[::-1]


@pytest.fixture
def broken(port: int, frozen_world: str) -> Broken:
    return Broken(port, frozen_world)


def closed(connection: Connection) -> bytes:
    """All that still comes until the server closes the connection in order."""
    data = b""
    while more := connection.socket.recv(65_536):
        data += more
    return data


def reset(connection: Connection) -> bytes:
    """All that still comes until the server resets the connection."""
    data = b""
    with pytest.raises(ConnectionResetError):  # noqa: PT012
        while True:
            more = connection.socket.recv(65_536)
            assert more, f"closed in order after {data!r}"
            data += more
    return data


ENDS: dict[str, Callable[[Connection], bytes]] = {"close": closed, "reset": reset}
how_it_ends = pytest.mark.parametrize("how", ENDS)
before_or_after = pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])


class TestLose:
    @how_it_ends
    @before_or_after
    def test_not_a_byte_is_sent(self, broken: Broken, how: str, when: str, done: int) -> None:
        broken.fault(when=when, do="lose", how=how, operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.zone())
            assert ENDS[how](connection) == b""
        assert broken.zones() == done

    @how_it_ends
    @before_or_after
    def test_a_connection_that_was_kept_alive_is_lost_with_it(
        self, broken: Broken, how: str, when: str, done: int
    ) -> None:
        broken.fault(when=when, do="lose", how=how, operation="create_zone")
        with Connection(broken.port) as connection:
            for _ in range(2):
                connection.send(broken.plans())
                assert connection.reply().status == 200
            connection.send(broken.zone())
            assert ENDS[how](connection) == b""
        assert broken.zones() == done

    @how_it_ends
    def test_requests_in_front_of_it_are_answered_and_those_behind_it_never_asked(
        self, broken: Broken, how: str
    ) -> None:
        broken.fault(when="after", do="lose", how=how, operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.plans() + broken.plans() + broken.zone() + broken.zone() + broken.plans())
            assert [connection.reply().status for _ in range(2)] == [200, 200]
            assert ENDS[how](connection) == b""
        assert broken.zones() == 1
        assert [line["operation"] for line in broken.lines()] == ["get_plans", "get_plans", "create_zone", "list_zones"]

    @how_it_ends
    @before_or_after
    def test_a_chunked_body_is_read_first(self, broken: Broken, how: str, when: str, done: int) -> None:
        broken.fault(when=when, do="lose", how=how, operation="create_zone")
        head = request("POST", f"{broken.api}/zones", (HOST, OWNER, JSON, "Transfer-Encoding: chunked"))
        with Connection(broken.port) as connection:
            connection.send(head)
            connection.send(chunked(ZONE[:3], ZONE[3:]))
            assert ENDS[how](connection) == b""
        assert broken.zones() == done
        assert broken.lines("operation=create_zone")[0]["delivery"] == "lost"

    @how_it_ends
    def test_a_client_that_waits_to_be_told_to_continue_hears_only_that(self, broken: Broken, how: str) -> None:
        broken.fault(when="after", do="lose", how=how, operation="create_zone")
        expecting = broken.zone("Expect: 100-continue").removesuffix(ZONE)
        with Connection(broken.port) as connection:
            connection.send(expecting)
            assert connection.socket.recv(100).startswith(b"HTTP/1.1 100")
            connection.send(ZONE)
            assert ENDS[how](connection) == b""
        assert broken.zones() == 1

    @how_it_ends
    @pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_any_method_and_version(self, broken: Broken, how: str, version: str, method: str) -> None:
        broken.fault(when="before", do="lose", how=how)
        with Connection(broken.port) as connection:
            connection.send(broken.plans(method, version))
            assert ENDS[how](connection) == b""

    def test_a_body_that_nobody_reads_is_no_matter(self, broken: Broken) -> None:
        broken.fault(when="before", do="lose", operation="get_plans")
        with Connection(broken.port) as connection:
            connection.send(request("GET", f"{broken.api}{PLANS}", body=b"x" * 1_000_000))
            # What the client still sends when the connection is closed makes the system reset it.
            assert connection.is_closed()
        assert broken.lines()[0]["delivery"] == "lost"

    def test_once_it_is_used_up_the_same_request_is_answered(self, broken: Broken) -> None:
        broken.fault(when="after", do="lose", operation="create_zone", count=1)
        with pytest.raises(NoAnswer):
            exchange(broken.port, broken.zone())
        assert exchange(broken.port, broken.zone()).status == 200
        assert broken.zones() == 2


class TestTruncate:
    @how_it_ends
    @pytest.mark.parametrize("keep", [0, 1, 100, 1_048_576])
    def test_the_whole_length_is_announced_and_fewer_bytes_come(self, broken: Broken, how: str, keep: int) -> None:
        whole = exchange(broken.port, broken.plans()).body
        broken.fault(when="after", do="truncate", how=how, keep=keep)
        with Connection(broken.port) as connection:
            connection.send(broken.plans())
            head, _, body = ENDS[how](connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert f"content-length: {len(whole)}\r\n".encode() in head.lower() + b"\r\n"
        assert body == whole[: min(keep, len(whole) - 1)]

    @pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
    def test_the_work_is_done(self, broken: Broken, version: str) -> None:
        broken.fault(when="after", do="truncate", operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.zone(version=version))
            with pytest.raises(NoAnswer):
                connection.reply()
        assert broken.zones() == 1

    @how_it_ends
    def test_requests_behind_it_are_never_asked(self, broken: Broken, how: str) -> None:
        broken.fault(when="after", do="truncate", how=how, operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.zone() + broken.zone() + broken.plans())
            assert ENDS[how](connection).count(b"HTTP/1.1") == 1
        assert broken.zones() == 1

    @how_it_ends
    def test_an_answer_to_head_is_lost_instead(self, broken: Broken, how: str) -> None:
        broken.fault(when="after", do="truncate", how=how)
        with Connection(broken.port) as connection:
            connection.send(broken.plans("HEAD"))
            assert ENDS[how](connection) == b""

    def test_what_is_sent_of_a_large_answer_gets_out_before_the_connection_is_closed(self, broken: Broken) -> None:
        wanted = {"source_locale": "en", "target_locales": [f"de-{n:04}" for n in range(20)]}
        text = json.dumps({"title": "", "body": "\U0001f600" * 20_000, **wanted}, ensure_ascii=False).encode()
        asking = request("POST", f"{broken.api}/ai/translate-locale-content", (HOST, OWNER, JSON), text)
        whole = exchange(broken.port, asking).body
        assert len(whole) > 1_500_000
        for keep in (10, 1_000_000):
            broken.fault(when="after", do="truncate", keep=keep, count=1)
            with Connection(broken.port) as connection:
                connection.send(asking)
                assert closed(connection).partition(b"\r\n\r\n")[2] == whole[:keep]


class TestMalform:
    @pytest.mark.parametrize("how", ["not_json", "html", "empty", "missing_member", "null_member"])
    def test_the_connection_stays_in_step_whatever_is_damaged(self, broken: Broken, how: str) -> None:
        user = post(broken.port, f"{broken.api}/users", b'{"name":"Una","email":"una@acme.example"}').json["id"]
        broken.fault(when="after", do="malform", how=how)
        with Connection(broken.port) as connection:
            for method, target in (("DELETE", f"/users/{user}"), ("GET", PLANS), ("HEAD", PLANS), ("GET", "/zones")):
                connection.send(request(method, f"{broken.api}{target}", (HOST, OWNER)))
                assert isinstance(connection.reply(to_head=method == "HEAD"), Reply)
        assert [line["delivery"] for line in broken.lines()][1:] == ["malformed"] * 4

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_status_without_a_body_keeps_it_in_step_too(self, broken: Broken, when: str) -> None:
        broken.fault(when=when, do="answer", status=204)
        with Connection(broken.port) as connection:
            connection.send(broken.zone() + broken.plans())
            assert [connection.reply().status for _ in range(2)] == [204, 204]


class TestDelay:
    SLOW = {"do": "delay", "delay": {"distribution": "fixed", "ms": 60_000}}

    @pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
    def test_others_are_served_meanwhile_and_a_client_that_goes_is_noticed(
        self, broken: Broken, when: str, done: bool
    ) -> None:
        broken.fault(when=when, **self.SLOW, operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.zone())
            assert exchange(broken.port, broken.plans()).status == 200
        (line,) = broken.lines("problem=client_gone&wait=5")
        assert (line["operation"], line["status"], line["changed"]) == ("create_zone", 0, done)

    def test_a_client_whose_request_is_repeated_is_noticed_too(self, broken: Broken) -> None:
        broken.fault(when="duplicate", do="repeat", operation="create_zone")
        broken.fault(when="after", **self.SLOW, operation="create_zone", skip=1)
        with Connection(broken.port) as connection:
            connection.send(broken.zone())
            assert broken.lines("operation=create_zone&wait=5")[0]["delivery"] == "repeated"
        (line,) = broken.lines("problem=client_gone&wait=5")
        assert line["changed"]
        assert broken.zones() == 2

    def test_pipelined_requests_come_after_it_in_their_order(self, broken: Broken) -> None:
        broken.fault(when="after", do="delay", delay={"distribution": "fixed", "ms": 20}, operation="create_zone")
        with Connection(broken.port) as connection:
            connection.send(broken.zone() + broken.plans())
            assert [connection.reply().json.keys() >= {each} for each in ("id", "plans")] == [True, True]
        assert [line["delivery"] for line in broken.lines()] == ["late", "whole"]


class TestEnd:
    """A server of their own, since they stop it."""

    @pytest.mark.parametrize("what", ["a delay", "a wait"])
    def test_what_waits_does_not_keep_the_server(self, what: str) -> None:
        with Server() as server:
            assert post(server.port, WORLDS, FROZEN).status == 201
            broken = Broken(server.port, "frozen")
            broken.fault(when="before", **TestDelay.SLOW, operation="create_zone")
            waiting = request("GET", f"{broken.control}/requests?wait=60")
            with Connection(server.port) as connection:
                connection.send(broken.zone() if what == "a delay" else waiting)
                assert get(server.port, "/_mock/health").status == 200
                assert server.seconds_to_stop(signal.SIGTERM) < GRACE


class TestWaiting:
    def test_clients_that_no_longer_wait_leave_their_places_to_others(self, port: int, broken: Broken) -> None:
        most = get(port, "/_mock/health").json["bounds"]["waiting"]
        waiting = request("GET", f"{broken.control}/requests?wait=60&operation=create_zone")
        connections = [Connection(port) for _ in range(most)]
        for connection in connections:
            connection.send(waiting)
        assert get(port, f"{broken.control}/requests?wait=1").status == 409
        for connection in connections:
            connection.socket.close()
        # The server learns one by one that they have gone.
        assert any(get(port, f"{broken.control}/requests?wait=1").status == 200 for _ in range(200))
