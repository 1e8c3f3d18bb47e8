"""HEAD, OPTIONS and preflights, methods that an operation does not have, and methods that nobody has."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mock_server import bundles

from .raw import ACME, CHECKOUT, HOST, STATUS, WORLDS, Reply, check_refused, exchange, get, is_not_http, request

PAGES = [
    "/",
    "/openapp/",
    "/openapp/docs",
    "/openapp/openapi.json",
    "/openapp/docs/swagger-ui.css",
    "/_mock/docs",
    "/_mock/openapi.json",
]
OPERATOR = "X-API-Key: demo-operator"
VARY = ("date", "x-request-id", "x-mock-request")
ORIGIN = "Origin: https://app.example"


def _paths(api: str) -> Iterator[tuple[str, set[str]]]:
    """Every path of an API with its methods; WORLD stands for a world's name where one belongs."""
    bundle = json.loads(bundles.load(api))
    base = bundle["servers"][0]["url"]
    for path, item in bundle["paths"].items():
        filled = path.replace("{id}", ACME).replace("{provider}", "stripe").replace("{world}", "WORLD")
        prefix = "" if api == "control" else "/w/WORLD"
        yield (
            prefix + base + filled,
            {method.upper() for method in item if method in ("get", "put", "post", "delete", "patch")},
        )


PATHS = dict([*_paths("openapp"), *_paths("control")])
GET_PATHS = [path for path, methods in PATHS.items() if "GET" in methods]
STANDING_STILL = [path for path in GET_PATHS if path != WORLDS]
"""Those whose answers do not show the running clock of the world `demo`."""


def _ask(port: int, method: str, path: str, world: str, *headers: str) -> Reply:
    data = request(method, path.replace("WORLD", world), (HOST, *headers))
    return exchange(port, data, to_head=method == "HEAD")


def _allowed(methods: set[str]) -> str:
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


@pytest.mark.parametrize("key", ["X-API-Key: demo-owner", OPERATOR, "X-Nothing: here"], ids=["owner", "operator", "-"])
@pytest.mark.parametrize("path", STANDING_STILL)
def test_head_answers_like_get_without_the_body(port: int, frozen_world: str, path: str, key: str) -> None:
    wanted, got = (_ask(port, method, path, frozen_world, key) for method in ("GET", "HEAD"))
    assert got.status == wanted.status
    assert [each for each in got.headers if each[0] not in VARY] == [
        each for each in wanted.headers if each[0] not in VARY
    ]


@pytest.mark.parametrize("path", PAGES)
def test_head_answers_like_get_on_pages_too(port: int, path: str) -> None:
    wanted, got = (_ask(port, method, path, "demo") for method in ("GET", "HEAD"))
    assert (got.status, got.header("content-length")) == (200, wanted.header("content-length"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_a_request_id(port: int, path: str) -> None:
    reply = get(port, path)
    assert reply.status == 200
    assert reply.header("x-request-id")


@pytest.mark.parametrize("method", ["POST", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/openapp/docs", "/openapp/openapi.json"])
def test_a_page_asked_otherwise_is_405_in_the_envelope(port: int, path: str, method: str) -> None:
    reply = _ask(port, method, path, "demo")
    check_refused(reply, 405, "method_not_allowed")
    assert "GET" in (reply.header("allow") or "")


@pytest.mark.parametrize(("path", "methods"), PATHS.items(), ids=PATHS)
def test_options_names_the_methods(port: int, path: str, methods: set[str]) -> None:
    reply = _ask(port, "OPTIONS", path, "demo")
    assert (reply.status, reply.body, reply.header("allow")) == (204, b"", _allowed(methods))
    assert reply.header("x-request-id")
    assert reply.header("content-length") is None


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/_mock")])
def test_a_preflight_without_a_credential_is_answered(port: int, path: str) -> None:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-api-key,content-type")
    reply = _ask(port, "OPTIONS", path, "demo", ORIGIN, *asked)
    assert reply.status == 204
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("access-control-allow-methods") == reply.header("allow")
    assert reply.header("access-control-allow-headers") == "x-api-key,content-type"


@pytest.mark.parametrize("wanted", ["x y", "a:b", "*", "(x)", "\xff", "a" * 100, ",".join(["x"] * 100)])
def test_a_preflight_for_strange_header_names_grants_none(port: int, wanted: str) -> None:
    asked = ("Access-Control-Request-Method: GET", f"Access-Control-Request-Headers: {wanted}")
    reply = _ask(port, "OPTIONS", STATUS, "demo", ORIGIN, *asked)
    assert reply.status == 204
    assert reply.header("access-control-allow-headers") is None


def test_the_control_api_speaks_to_no_other_origin(port: int) -> None:
    asked = "Access-Control-Request-Method: POST"
    for reply in (_ask(port, "OPTIONS", WORLDS, "", ORIGIN, asked), _ask(port, "GET", WORLDS, "", ORIGIN)):
        assert not [name for name, _ in reply.headers if name.startswith("access-control-")]


def test_every_answer_of_the_api_may_be_read_by_a_browser(port: int) -> None:
    for path in (STATUS, "/nowhere", "/w/none/api/v1/plans", CHECKOUT, "/w/BAD/x"):
        reply = _ask(port, "GET", path, "", ORIGIN)
        assert reply.header("access-control-allow-origin") == "*", path


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND", "CONNECT", "PURGE"])
@pytest.mark.parametrize(("path", "methods"), PATHS.items(), ids=PATHS)
def test_a_method_that_an_operation_does_not_have_is_405(port: int, path: str, methods: set[str], method: str) -> None:
    if method in methods:
        return
    reply = _ask(port, method, path, "demo")
    check_refused(reply, 405, "method_not_allowed")
    assert reply.header("allow") == _allowed(methods)


def test_trace_does_not_send_the_credential_back(port: int) -> None:
    assert b"demo-operator" not in _ask(port, "TRACE", STATUS, "", OPERATOR).body


@pytest.mark.parametrize(
    "method", ["get", "Get", "BREW", "GETX", "GE", "G ET", "A" * 5_000, "G\xcbT", "G\x00T", "", "G<>T"]
)
def test_a_method_that_nobody_has_is_no_http(port: int, method: str) -> None:
    assert is_not_http(exchange(port, request(method, STATUS)))


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_the_server_as_a_whole_can_be_asked_for_its_options(port: int, method: str) -> None:
    """`*` is a request target of its own (RFC 9112, 3.2.4)."""
    reply = exchange(port, request(method, "*"))
    if reply.status != 204 and not is_not_http(reply):
        check_refused(reply, (400, 404, 405))


def test_connect_to_another_host_is_refused(port: int) -> None:
    reply = exchange(port, request("CONNECT", "example.com:443"))
    assert 400 <= reply.status < 500
