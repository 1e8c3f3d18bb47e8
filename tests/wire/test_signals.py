"""Stopping: at once when idle, after the grace period when somebody hangs, never with a traceback; and starting again."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.server import Server

from .raw import BUY_PRO, CHECKOUT, HOST, JSON, OWNER, STATUS, Connection, NoAnswer, get, request

SIGNALS = [signal.SIGINT, signal.SIGTERM]
AT_ONCE = 1.0
WITH_GRACE = 2.0


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def _stop(server: Server, how: int) -> tuple[float, str]:
    started = time.perf_counter()
    errors = server.stop(how)
    return time.perf_counter() - started, errors


@pytest.mark.parametrize("how", SIGNALS)
def test_an_idle_server_ends_at_once_without_a_traceback(server: Server, how: int) -> None:
    seconds, errors = _stop(server, how)
    assert "Traceback" not in errors
    assert "ERROR" not in errors
    assert seconds < AT_ONCE
    assert server.process.returncode in (0, -how, 128 + how)


@pytest.mark.parametrize("how", SIGNALS)
@pytest.mark.parametrize("start", [b"", request(), request()[:-2]], ids=["silent", "kept alive", "amid the headers"])
def test_open_connections_do_not_keep_it(server: Server, how: int, start: bytes) -> None:
    with Connection(server.port) as connection:
        connection.send(start)
        if start.endswith(b"\r\n\r\n"):
            assert connection.reply().status == 200
        seconds, errors = _stop(server, how)
        assert connection.is_closed()
    assert "Traceback" not in errors
    assert seconds < AT_ONCE


@pytest.mark.parametrize("how", SIGNALS)
def test_a_request_that_hangs_amid_its_body_is_cut_off_after_the_grace_period(server: Server, how: int) -> None:
    with Connection(server.port) as connection:
        connection.send(request("POST", CHECKOUT, (HOST, OWNER, JSON, "Content-Length: 19")) + BUY_PRO[:5])
        assert get(server.port, STATUS).status == 200  # by now the server has seen the other request too
        seconds, errors = _stop(server, how)
        try:
            status = connection.reply().status
        except NoAnswer:
            status = None
    assert status != 500, "nobody asked for a 500"
    assert "Traceback" not in errors
    assert seconds < WITH_GRACE


@pytest.mark.parametrize("how", SIGNALS)
def test_a_request_that_comes_to_its_end_in_time_is_answered(server: Server, how: int) -> None:
    with Connection(server.port) as connection:
        connection.send(request("POST", CHECKOUT, (HOST, OWNER, JSON, "Content-Length: 19")) + BUY_PRO[:5])
        assert get(server.port, STATUS).status == 200
        server.process.send_signal(how)
        connection.send(BUY_PRO[5:])
        assert connection.reply().status == 200


def test_a_second_interrupt_ends_it_without_a_traceback(server: Server) -> None:
    with Connection(server.port) as connection:
        connection.send(request("POST", CHECKOUT, (HOST, OWNER, JSON, "Content-Length: 19")) + BUY_PRO[:5])
        assert get(server.port, STATUS).status == 200
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        seconds, errors = _stop(server, signal.SIGINT)
    assert "Traceback" not in errors
    assert seconds < AT_ONCE


def test_after_kill_9_the_same_port_can_be_taken_at_once(server: Server) -> None:
    with Connection(server.port) as connection:
        connection.send(request())
        assert connection.reply().status == 200
        server.stop(signal.SIGKILL)
        with Server("--port", str(server.port)) as again:
            assert again.port == server.port
            assert get(again.port, STATUS).status == 200
