"""Where a body begins and ends: Content-Length, chunks, Expect, Upgrade. What does not add up is never carried out."""

from __future__ import annotations

import pytest

from .raw import (
    BUY_PRO,
    CHECKOUT,
    HOST,
    JSON,
    OWNER,
    STATUS,
    WORLDS,
    Connection,
    check_refused,
    chunked,
    exchange,
    get,
    is_not_http,
    post,
    request,
)

CHUNKED = "Transfer-Encoding: chunked"
HEADERS = (HOST, OWNER, JSON)
LIMIT = 1024 * 1024

GOOD_CHUNKS = {
    "one chunk": chunked(BUY_PRO),
    "byte by byte": chunked(*(BUY_PRO[n : n + 1] for n in range(len(BUY_PRO)))),
    "with a trailer": chunked(BUY_PRO)[:-2] + b"X-Checksum: 1\r\n\r\n",
    "with extensions": b"13;name=value\r\n" + BUY_PRO + b"\r\n0;last\r\n\r\n",
    "leading zeros in the size": b"000013\r\n" + BUY_PRO + b"\r\n0000\r\n\r\n",
}
BAD_CHUNKS = {
    "a size that is no number": b"zz\r\n" + BUY_PRO + b"\r\n0\r\n\r\n",
    "a negative size": b"-13\r\n" + BUY_PRO + b"\r\n0\r\n\r\n",
    "a size with 0x": b"0x13\r\n" + BUY_PRO + b"\r\n0\r\n\r\n",
    "an empty size": b"\r\n" + BUY_PRO + b"\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"f" * 20 + b"\r\n" + BUY_PRO,
    "a size too small": b"5\r\n" + BUY_PRO + b"\r\n0\r\n\r\n",
    "no line end after the chunk": b"13\r\n" + BUY_PRO + b"0\r\n\r\n",
    "bare line feeds": b"13\n" + BUY_PRO + b"\n0\n\n",
}
BAD_LENGTHS = {
    "negative": ("Content-Length: -5",),
    "with a plus": ("Content-Length: +19",),
    "hexadecimal": ("Content-Length: 0x13",),
    "with a fraction": ("Content-Length: 19.0",),
    "a word": ("Content-Length: many",),
    "two different ones": ("Content-Length: 19", "Content-Length: 20"),
    "two in one": ("Content-Length: 19, 20",),
    "beyond 64 bits": ("Content-Length: " + "9" * 30,),
    "superscript digits": (b"Content-Length: \xb9\xb2",),
    "together with chunks": ("Content-Length: 19", CHUNKED),
    "chunks, then a length": (CHUNKED, "Content-Length: 19"),
    "an unknown transfer coding": ("Transfer-Encoding: gzip",),
    "chunked not last": ("Transfer-Encoding: chunked, gzip",),
    "chunked misspelt": ("Transfer-Encoding: xchunked",),
}


def test_without_any_length_there_is_no_body(port: int) -> None:
    check_refused(exchange(port, request("POST", CHECKOUT, HEADERS) + BUY_PRO), 400, "invalid_request")


@pytest.mark.parametrize("body", GOOD_CHUNKS.values(), ids=GOOD_CHUNKS)
def test_a_chunked_body_is_read(port: int, body: bytes) -> None:
    assert exchange(port, request("POST", CHECKOUT, (*HEADERS, CHUNKED)) + body).status == 200


def test_a_chunked_body_creates_a_world(port: int, fresh_name: str) -> None:
    body = chunked(b'{"name":', b'"%s"}' % fresh_name.encode())
    assert exchange(port, request("POST", WORLDS, (HOST, JSON, CHUNKED)) + body).status == 201


@pytest.mark.parametrize("path", [CHECKOUT, WORLDS], ids=["checkout", "worlds"])
@pytest.mark.parametrize("body", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_chunks_that_do_not_add_up_are_refused(port: int, path: str, body: bytes) -> None:
    assert is_not_http(exchange(port, request("POST", path, (*HEADERS, CHUNKED)) + body))


@pytest.mark.parametrize("headers", BAD_LENGTHS.values(), ids=BAD_LENGTHS)
def test_a_length_that_cannot_be_is_refused(port: int, headers: tuple[str, ...]) -> None:
    assert is_not_http(exchange(port, request("POST", CHECKOUT, (*HEADERS, *headers)) + BUY_PRO))


def test_a_body_in_a_transfer_coding_we_do_not_undo_is_refused(port: int) -> None:
    reply = exchange(port, request("POST", CHECKOUT, (*HEADERS, "Transfer-Encoding: gzip, chunked")) + chunked(BUY_PRO))
    assert reply.status in (400, 415, 501), reply


def test_a_length_too_short_cuts_the_body(port: int) -> None:
    """The rest is read as the next request, which it is not; whichever refusal comes first, nothing is carried out."""
    reply = exchange(port, request("POST", CHECKOUT, (*HEADERS, "Content-Length: 5")) + BUY_PRO)
    assert reply.status == 400


@pytest.mark.parametrize("headers", [("Content-Length: 500",), (CHUNKED,)], ids=["length", "chunks"])
def test_a_body_that_breaks_off_is_never_carried_out(port: int, fresh_name: str, headers: tuple[str, ...]) -> None:
    body = b'{"name":"%s"}' % fresh_name.encode()
    data = b"%x\r\n%s\r\n" % (len(body), body) if CHUNKED in headers else body
    with Connection(port) as connection:
        connection.send(request("POST", WORLDS, (HOST, JSON, *headers)) + data)
        connection.finish()
        assert connection.is_closed()
    assert get(port, f"{WORLDS}/{fresh_name}").status == 404
    assert get(port, STATUS).status == 200


def test_a_client_that_has_sent_all_and_only_listens_gets_its_answer(port: int) -> None:
    assert exchange(port, request("POST", CHECKOUT, HEADERS, BUY_PRO), finish=True).status == 200


# -- 413 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CHECKOUT, WORLDS], ids=["checkout", "worlds"])
@pytest.mark.parametrize("size", [LIMIT + 1, 2**31, 10**18])
def test_a_length_over_the_limit_is_413_before_any_of_it_was_sent(port: int, path: str, size: int) -> None:
    reply = exchange(port, request("POST", path, (*HEADERS, f"Content-Length: {size}")))
    check_refused(reply, 413, "too_large")


@pytest.mark.parametrize("path", [CHECKOUT, WORLDS], ids=["checkout", "worlds"])
def test_chunks_over_the_limit_are_413_before_the_last_was_sent(port: int, path: str) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    reply = exchange(port, request("POST", path, (*HEADERS, CHUNKED)) + chunk * 17)
    check_refused(reply, 413, "too_large")


def test_413_comes_before_401_and_415(port: int) -> None:
    reply = exchange(port, request("POST", CHECKOUT, (HOST, f"Content-Length: {LIMIT + 1}")))
    check_refused(reply, 413)


def test_404_comes_before_413(port: int) -> None:
    check_refused(exchange(port, request("POST", "/api/v1/nowhere", (HOST, "Content-Length: 9999999999"))), 404)


def test_a_body_of_exactly_the_limit_is_read(port: int) -> None:
    assert post(port, CHECKOUT, BUY_PRO + b" " * (LIMIT - len(BUY_PRO))).status == 200


def test_one_byte_more_is_not(port: int) -> None:
    check_refused(post(port, CHECKOUT, BUY_PRO + b" " * (LIMIT - len(BUY_PRO) + 1)), 413)


# -- Expect and Upgrade -----------------------------------------------------------------------------------------------


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(port: int) -> None:
    with Connection(port) as connection:
        connection.send(request("POST", CHECKOUT, (*HEADERS, "Expect: 100-continue", "Content-Length: 19")))
        assert connection.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(BUY_PRO)
        assert connection.reply().status == 200


def test_a_client_that_waits_is_not_told_to_go_on_with_too_much(port: int) -> None:
    reply = exchange(
        port, request("POST", CHECKOUT, (*HEADERS, "Expect: 100-continue", f"Content-Length: {LIMIT + 1}"))
    )
    check_refused(reply, 413)
    assert reply.interim == []


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")


@pytest.mark.parametrize("upgrade", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
def test_an_offer_to_upgrade_is_ignored_and_the_body_read(port: int, upgrade: tuple[str, ...]) -> None:
    """Java's HttpClient offers h2c with the first request on every connection."""
    assert exchange(port, request("POST", CHECKOUT, (*HEADERS, *upgrade), BUY_PRO)).status == 200


@pytest.mark.parametrize("upgrade", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
def test_a_body_after_an_offer_to_upgrade_is_never_taken_for_a_request(
    port: int, frozen_world: str, upgrade: tuple[str, ...]
) -> None:
    hidden = request("DELETE", f"{WORLDS}/{frozen_world}")
    with Connection(port) as connection:
        connection.send(request("POST", CHECKOUT, (*HEADERS, *upgrade, f"Content-Length: {len(hidden)}")))
        connection.socket.settimeout(0.3)  # an early answer may come, or none
        try:
            connection.reply()
        except AssertionError:
            pass
        connection.send(hidden)
        try:
            connection.reply()
        except AssertionError:
            pass
    assert get(port, f"{WORLDS}/{frozen_world}").status == 200


@pytest.mark.parametrize("upgrade", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
def test_the_connection_stays_usable_after_an_offer_to_upgrade(port: int, upgrade: tuple[str, ...]) -> None:
    with Connection(port) as connection:
        for _ in range(2):
            connection.send(request("GET", STATUS, (HOST, *upgrade)))
            assert connection.reply().status == 200


def test_a_trailer_is_no_header(port: int) -> None:
    """RFC 9110, 6.5: a trailer is not merged into the headers unless its definition says so."""
    without_type = (HOST, OWNER, CHUNKED)
    last = b"0\r\nContent-Type: application/json\r\n\r\n"
    body = b"%x\r\n%s\r\n" % (len(BUY_PRO), BUY_PRO)
    assert exchange(port, request("POST", CHECKOUT, without_type) + body + last).status == 415
    odd = b"0\r\nContent-Type: text/plain\r\n\r\n"
    assert exchange(port, request("POST", CHECKOUT, (*HEADERS, CHUNKED)) + body + odd).status == 200
