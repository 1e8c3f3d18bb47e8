"""Many requests on one connection, many connections at once, slow ones, dead ones, and what is not HTTP at all."""

from __future__ import annotations

import random
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .raw import (
    BUY_PRO,
    CHECKOUT,
    HOST,
    JSON,
    OWNER,
    PLAN,
    STATUS,
    WORLDS,
    Connection,
    exchange,
    get,
    is_not_http,
    request,
)

CLIENT_HELLO = bytes.fromhex(
    "16030100c8010000c40303a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f2000"
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0008130213031301c02f01"
)
NOT_HTTP = {
    "a TLS client hello": CLIENT_HELLO,
    "random bytes": random.Random(7).randbytes(4_096),
    "the HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "SMTP": b"EHLO localhost\r\n",
    "a request line alone of 1 MB": b"a" * 1_000_000,
    "an unknown version": request("GET", STATUS, version="HTTP/1.2"),
    "no version": b"GET /api/v1/status nonsense\r\n\r\n",
    "a NUL": b"\x00" * 100,
    "a response": b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http_gets_the_servers_own_400_and_the_connection_is_closed(port: int, data: bytes) -> None:
    with Connection(port) as connection:
        connection.send(data)
        assert is_not_http(connection.reply())
        assert connection.is_closed()


@pytest.mark.parametrize("data", [b"", b"\r\n", b"G", b"GET /api", request()[:-2]], ids=repr)
def test_a_connection_that_says_too_little_and_closes_is_forgotten(port: int, data: bytes) -> None:
    with Connection(port) as connection:
        connection.send(data)
        connection.finish()
        assert connection.is_closed()
    assert get(port, STATUS).status == 200


def test_http_1_0_is_answered_and_the_connection_closed(port: int) -> None:
    with Connection(port) as connection:
        connection.send(request("GET", STATUS, (), version="HTTP/1.0"))
        assert connection.reply().status == 200
        assert connection.is_closed()


def test_connection_close_is_honoured(port: int) -> None:
    with Connection(port) as connection:
        connection.send(request("GET", STATUS, (HOST, "Connection: close")))
        reply = connection.reply()
        assert (reply.status, reply.header("connection")) == (200, "close")
        assert connection.is_closed()


def test_a_refusal_leaves_the_connection_usable(port: int) -> None:
    with Connection(port) as connection:
        for path, status in (("/nowhere", 404), (PLAN, 401), (STATUS, 200), (WORLDS + "/none", 404), (STATUS, 200)):
            connection.send(request("GET", path))
            assert connection.reply().status == status


def test_a_refused_body_is_not_taken_for_the_next_request(port: int) -> None:
    with Connection(port) as connection:
        connection.send(request("POST", "/nowhere", (HOST, JSON), request("GET", "/api/v1/plans")))
        assert connection.reply().status == 404
        connection.send(request("GET", STATUS))
        assert b"version" in connection.reply().body


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    wanted = [STATUS, "/nowhere", "/api/v1/plans", PLAN, STATUS] * 10
    with Connection(port) as connection:
        connection.send(
            b"".join(request("GET", path, (HOST, f"X-Correlation-Id: n{n}")) for n, path in enumerate(wanted))
        )
        replies = [connection.reply() for _ in wanted]
    assert [reply.status for reply in replies] == [200, 404, 200, 401, 200] * 10
    assert [reply.header("x-request-id") for reply in replies] == [f"n{n}" for n in range(len(wanted))]


def test_pipelined_bodies_each_reach_their_own_request(port: int) -> None:
    with Connection(port) as connection:
        for body in (BUY_PRO, b"{}", BUY_PRO):
            connection.send(request("POST", CHECKOUT, (HOST, OWNER, JSON), body))
        assert [connection.reply().status for _ in range(3)] == [200, 400, 200]


def test_garbage_behind_a_request_does_not_swallow_its_answer(port: int, fresh_name: str) -> None:
    """A client that reads 400 believes that nothing was done."""
    body = b'{"name":"%s"}' % fresh_name.encode()
    reply = exchange(port, request("POST", WORLDS, (HOST, JSON), body) + b"\x16\x03garbage")
    was_done = get(port, f"{WORLDS}/{fresh_name}").status == 200
    assert (reply.status == 201) == was_done, reply


def test_a_slow_client_is_served(port: int) -> None:
    data = request("POST", CHECKOUT, (HOST, OWNER, JSON), BUY_PRO)
    with Connection(port) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(len(data)):
            connection.send(data[n : n + 1])
            time.sleep(0.004)
        assert connection.reply().status == 200


def test_a_client_that_resets_the_connection_half_way_leaves_no_trace(port: int, fresh_name: str) -> None:
    body = b'{"name":"%s"' % fresh_name.encode()
    with Connection(port) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.send(request("POST", WORLDS, (HOST, JSON, f"Content-Length: {len(body) + 1}")) + body)
    assert get(port, f"{WORLDS}/{fresh_name}").status == 404


def test_fifty_connections_at_once_are_all_served(port: int) -> None:
    connections = [Connection(port) for _ in range(50)]
    try:
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda each: each.send(request("POST", CHECKOUT, (HOST, OWNER, JSON), BUY_PRO)), connections))
            replies = list(pool.map(lambda each: each.reply(), connections))
    finally:
        for each in connections:
            each.socket.close()
    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["external_id"] for reply in replies}) == 1
    assert len({reply.header("x-request-id") for reply in replies}) == 50


def test_requests_are_served_while_others_hang(port: int) -> None:
    starts = [
        request("POST", CHECKOUT, (HOST, OWNER, JSON, "Content-Length: 19")) + BUY_PRO[:5],
        request("POST", CHECKOUT, (HOST, OWNER, JSON, "Transfer-Encoding: chunked")) + b"5\r\n{",
        request("GET", STATUS)[:-2],
        b"GET /",
    ]
    hanging = [Connection(port) for _ in range(20)]
    try:
        for n, each in enumerate(hanging):
            each.send(starts[n % len(starts)])
        assert get(port, STATUS).status == 200
        hanging[0].send(BUY_PRO[5:])
        assert hanging[0].reply().status == 200
    finally:
        for each in hanging:
            each.socket.close()


def test_time_that_moves_while_a_body_comes_in_is_the_time_that_counts(port: int) -> None:
    """The override's `created_at` is when it was made, not when the first byte of its request arrived."""
    name = "slow-body"
    make = b'{"name":"%s","now":"2026-03-01T00:00:00Z"}' % name.encode()
    assert exchange(port, request("POST", "/_mock/worlds", ("Host: localhost", JSON), make)).status == 201
    body = (
        b'{"subject_type":"org","subject_id":"01J9ZC3M4N5P6Q7R8S9T0V1W2X","quota_key":"devices","limit_value":7,'
        b'"expires_at":"2026-03-02T00:00:00Z"}'
    )
    key = "X-API-Key: demo-operator"
    whole = request("POST", f"/w/{name}/api/v1/admin/quota_overrides", ("Host: localhost", key, JSON), body)
    with Connection(port) as slow:
        slow.send(whole[:-10])
        time.sleep(0.1)
        move = b'{"advance":"P7D"}'
        clock = request("POST", f"/_mock/worlds/{name}/clock", ("Host: localhost", JSON), move)
        assert exchange(port, clock).status == 200
        slow.send(whole[-10:])
        made = slow.reply().json
    assert made["created_at"] == "2026-03-08T00:00:00Z"
    assert made["active"] is False
