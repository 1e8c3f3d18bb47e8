"""The Host header: links lead where the client is, never where a hostile header says; the control API is for this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .raw import (
    BUY_PRO,
    JSON,
    OWNER,
    PORTAL,
    STATUS,
    WORLDS,
    Reply,
    check_refused,
    exchange,
    is_not_http,
    post,
    request,
)

RETURN = b'{"return_url":"https://app.example/back"}'
HOSTILE = [
    b'evil.example"><script>',
    b"evil.example/path",
    b"evil.example#",
    b"evil.example?x",
    b"user@evil.example",
    b"evil.example\\",
    b"evil.example:80:80",
    b"evil.example:port",
    b"evil.example evil",
    b"evil\xff.example",
    b"evil.example,localhost",
    b"[evil.example]",
    b"http://evil.example",
    b"javascript:alert(evil.example)",
    b"evil.example" * 1_000,
    b"evil.example:123456",
]
FOREIGN = [
    b"evil.example",
    b"evil.example:4010",
    b"127.0.0.1.evil.example",
    b"localhost.evil.example",
    b"notlocalhost",
    b"localhost@evil.example",
    b"evil.example#localhost",
    b"0.0.0.0",
    b"[::2]",
    b"10.0.0.1",
    b"128.0.0.1",
    b"",
    b" ",
    b"\xff",
    b"localhost, evil.example",
    *HOSTILE,
]
OWN = [
    b"localhost",
    b"LOCALHOST",
    b"localhost:1",
    b"127.0.0.1",
    b"127.0.0.1:4010",
    b"127.1.2.3",
    b"[::1]",
    b"[::1]:80",
    b"blue.localhost:4010",
]


def _name(host: bytes) -> str:
    return repr(host[:40])


def _links(port: int, world: str, *headers: bytes | str) -> Iterator[Reply]:
    """Every answer that carries a link back to the server."""
    for path, body in ((PORTAL, RETURN), (PORTAL.replace("portal", "checkout"), BUY_PRO)):
        yield exchange(port, request("POST", f"/w/{world}{path}", (*headers, OWNER, JSON), body))
    yield exchange(port, request("GET", "/w/nobody/api/v1/plans", headers))
    yield exchange(port, request("GET", "/", headers))


@pytest.fixture
def hosted_world(port: int, frozen_world: str) -> str:
    """A world in which checkout answers the address of a payment page."""
    path = f"{WORLDS}/{frozen_world}/settings"
    assert exchange(port, request("PATCH", path, ("Host: localhost", JSON), b'{"checkout":"hosted"}')).status == 200
    return frozen_world


@pytest.mark.parametrize("host", HOSTILE, ids=_name)
def test_links_do_not_carry_a_hostile_host(port: int, hosted_world: str, host: bytes) -> None:
    for reply in _links(port, hosted_world, b"Host: " + host):
        assert reply.status < 500
        assert b"evil" not in reply.body, reply
        assert b"<script>" not in reply.body


@pytest.mark.parametrize(
    "host", [b"localhost:4010", b"mock.example", b"[::1]:80", b"10.0.0.1:1", b"compose_service:80"]
)
def test_links_keep_the_host_that_the_client_used(port: int, hosted_world: str, host: bytes) -> None:
    portal, checkout, unknown, home = _links(port, hosted_world, b"Host: " + host)
    origin = f"http://{host.decode()}"
    assert portal.json["url"].startswith(f"{origin}/w/{hosted_world}/")
    assert checkout.json["checkout_url"].startswith(f"{origin}/w/{hosted_world}/")
    assert f"{origin}{WORLDS}" in unknown.json["message"]
    assert origin.encode() in home.body


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_without_a_host_links_name_the_address_that_was_reached(port: int, hosted_world: str, version: str) -> None:
    reply = exchange(port, request("POST", f"/w/{hosted_world}{PORTAL}", (OWNER, JSON), RETURN, version))
    if reply.status != 400:
        assert reply.json["url"].startswith(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("proto", ["wss", "ws", "javascript", 'https"><script>', "https, http", ""])
def test_links_are_web_links_whatever_a_proxy_says(port: int, hosted_world: str, proto: str) -> None:
    headers = (
        "Host: localhost",
        f"X-Forwarded-Proto: {proto}",
        "X-Forwarded-Host: evil.example",
        "Forwarded: host=evil",
    )
    url = next(_links(port, hosted_world, *headers)).json["url"]
    assert url.startswith(("http://localhost/", "https://localhost/")), url


@pytest.mark.parametrize("host", FOREIGN, ids=_name)
def test_the_control_api_refuses_a_foreign_host(port: int, host: bytes) -> None:
    for method, path in (("GET", WORLDS), ("OPTIONS", WORLDS), ("GET", "/_mock/health"), ("GET", "/_mock/nowhere")):
        reply = exchange(port, request(method, path, (b"Host: " + host,)))
        check_refused(reply, 403, "forbidden_host")


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_the_control_api_refuses_a_missing_host(port: int, version: str) -> None:
    check_refused(exchange(port, request("GET", WORLDS, (), version=version)), (400, 403))


@pytest.mark.parametrize("host", OWN, ids=_name)
def test_the_control_api_answers_under_a_loopback_host(port: int, host: bytes) -> None:
    assert exchange(port, request("GET", WORLDS, (b"Host: " + host,))).status == 200


@pytest.mark.parametrize(
    "hosts", [("localhost", "evil.example"), ("evil.example", "localhost"), ("localhost", "localhost")]
)
@pytest.mark.parametrize("path", [STATUS, WORLDS])
def test_two_hosts_are_refused(port: int, path: str, hosts: tuple[str, str]) -> None:
    """RFC 9112, 3.2: a server MUST answer 400 to a request with more than one Host."""
    reply = exchange(port, request("GET", path, tuple(f"Host: {host}" for host in hosts)))
    if not is_not_http(reply):
        check_refused(reply, (400, 403))


def test_the_location_of_a_new_world_is_where_the_client_asked(port: int, fresh_name: str) -> None:
    reply = post(port, WORLDS, b'{"name":"%s"}' % fresh_name.encode())
    assert reply.header("location") == f"http://localhost{WORLDS}/{fresh_name}"


def test_a_request_that_names_no_host_is_refused_since_http_1_1(port: int) -> None:
    check_refused(exchange(port, request(headers=())), 400, "invalid_request")
    assert exchange(port, request(headers=(), version="HTTP/1.0")).status == 200
