"""Credentials, correlation ids, worlds, and headers that are too many, too long or not headers."""

from __future__ import annotations

import re

import pytest

from .raw import CHECKOUT, HOST, OWNER, PLAN, STATUS, WORLDS, check_refused, exchange, get, is_not_http, request

BEARER = "Authorization: Bearer demo-owner"
ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")

TAKEN = [
    (OWNER,),
    (BEARER,),
    ("authorization: bearer demo-owner",),
    ("Authorization: BEARER   demo-owner",),
    ("X-API-KEY:demo-owner",),
    ("X-API-Key: \t demo-owner \t",),
    ("X-API-Key: x_openapp_demo-owner",),
    ("X-API-Key: http://h:1_openapp_demo-owner",),
    ("X-API-Key: demo-owner@demo",),
    (OWNER, "Authorization: Bearer nope"),
    (OWNER, "Authorization: garbage"),
    (OWNER, "Authorization: a", "Authorization: b"),
]
NOT_TAKEN = [
    (),
    ("X-API-Key: nope",),
    ("X-API-Key:",),
    ("X-API-Key: ",),
    ("X-API-Key: DEMO-OWNER",),
    ("X-API-Key: demo-revoked",),
    (OWNER, OWNER),
    ("X-API-Key: nope", BEARER),
    ("X-API-Key:", BEARER),
    (OWNER, "X-API-Key: demo-operator"),
    (BEARER, BEARER),
    ("Authorization: Basic ZGVtby1vd25lcg==",),
    ("Authorization: demo-owner",),
    ("Authorization:",),
    ("Authorization: Bearer",),
    ("Authorization: Bearer demo owner",),
    ("X-API-Key: demo-owner, demo-owner",),
    ("X-API-Key: _openapp_",),
    ("X-API-Key: @demo",),
    (b"X-API-Key: \xff\xfe",),
    ("X-API-Key: " + "a" * 100_000,),
    ("X-API-Key: " + "_openapp_" * 1_000,),
    ("X_API_Key: demo-owner",),
]


def _name(headers: tuple[str | bytes, ...]) -> str:
    return " + ".join(str(each)[:40] for each in headers) or "none"


@pytest.mark.parametrize("headers", TAKEN, ids=_name)
def test_a_good_credential_is_taken(port: int, headers: tuple[str, ...]) -> None:
    assert get(port, PLAN, *headers).status == 200


@pytest.mark.parametrize("headers", NOT_TAKEN, ids=_name)
def test_a_bad_or_ambiguous_credential_is_401(port: int, headers: tuple[str, ...]) -> None:
    reply = get(port, PLAN, *headers)
    check_refused(reply, 401, "unauthenticated")
    assert reply.header("www-authenticate") == 'Bearer realm="openapp"'
    assert get(port, STATUS, *headers).status == 200, "where none is asked for, a bad one is ignored"


@pytest.mark.parametrize("value", ["abc", "a" * 128, "!", "~", "%0d%0aX-Evil:1", "<script>", '"', "a:b;c,d"])
@pytest.mark.parametrize("path", [STATUS, "/nowhere", PLAN, "/w/none/x", WORLDS, "/_mock/nowhere", CHECKOUT])
def test_a_correlation_id_comes_back(port: int, path: str, value: str) -> None:
    reply = get(port, path, f"X-Correlation-Id: {value}")
    assert reply.header("x-request-id") == value
    assert reply.header("x-evil") is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"a b",
        b"a\tb",
        b"\xff",
        b"\xc3\xa4",
        b"a" * 129,
        b"a" * 100_000,
        b"abc\r\nX-Correlation-Id: abc",
        b"abc\r\nX-Evil: 1\r\nX-Correlation-Id: d",
    ],
)
@pytest.mark.parametrize("path", [STATUS, "/nowhere", WORLDS])
def test_a_correlation_id_that_cannot_be_one_is_replaced(port: int, path: str, value: bytes) -> None:
    reply = get(port, path, b"X-Correlation-Id: " + value)
    assert ULID.fullmatch(reply.header("x-request-id") or ""), reply.headers
    assert reply.header("x-evil") is None
    if reply.status >= 400:
        check_refused(reply, (400, 404))


def test_no_two_requests_have_the_same_id(port: int) -> None:
    ids = [get(port, path).header("x-request-id") for path in (STATUS, "/nowhere", WORLDS, "/w/none/x", PLAN) * 4]
    assert len(set(ids)) == len(ids)


WORLD_HEADERS = {
    "the same twice": (("X-Mock-World: demo", "X-Mock-World: demo"), 200, None),
    "two that differ": (("X-Mock-World: demo", "X-Mock-World: other"), 400, "worlds_disagree"),
    "another than the secret's": (("X-Mock-World: other", "X-API-Key: demo-owner@demo"), 400, "worlds_disagree"),
    "an unknown one": (("X-Mock-World: nobody",), 404, "unknown_world"),
    "an unknown one in the secret": (("X-API-Key: demo-owner@nobody",), 404, "unknown_world"),
    "nothing": (("X-Mock-World:",), 400, "invalid_world_name"),
    "nothing in the secret": (("X-API-Key: demo-owner@",), 400, "invalid_world_name"),
    "capitals": (("X-Mock-World: Demo",), 400, "invalid_world_name"),
    "bytes": ((b"X-Mock-World: \xff",), 400, "invalid_world_name"),
    "a list": (("X-Mock-World: demo, demo",), 400, "invalid_world_name"),
    "too long": (("X-Mock-World: " + "a" * 64,), 400, "invalid_world_name"),
    "far too long": (("X-Mock-World: " + "a" * 50_000,), 400, "invalid_world_name"),
    "five hundred": (tuple(f"X-Mock-World: w{n}" for n in range(500)), 400, "worlds_disagree"),
}


@pytest.mark.parametrize(("headers", "status", "code"), WORLD_HEADERS.values(), ids=WORLD_HEADERS)
def test_a_world_is_named_once_or_always_the_same(
    port: int, headers: tuple[str, ...], status: int, code: str | None
) -> None:
    reply = get(port, STATUS, *headers)
    assert reply.status == status, reply
    if code:
        check_refused(reply, status, code)
        assert len(reply.body) < 4_096


def test_a_world_in_the_path_and_another_in_a_header_disagree(port: int) -> None:
    check_refused(get(port, f"/w/demo{STATUS}", "X-Mock-World: other"), 400, "worlds_disagree")


MANY = {
    "100 kB in one": ("X-Long: " + "a" * 100_000,),
    "500 of them": tuple(f"X-Header-{n}: {n}" for n in range(500)),
    "500 of the same": ("X-Same: 1",) * 500,
    "one with no value": ("X-Empty:",),
    "one that is not ASCII": (b"X-Bytes: \xff\xfe\x80",),
    "one with a tab": ("X-Tab: a\tb",),
    "a name of 10 kB": ("X-" + "a" * 10_000 + ": 1",),
}


@pytest.mark.parametrize("headers", MANY.values(), ids=MANY)
@pytest.mark.parametrize("path", [STATUS, WORLDS])
def test_headers_that_nobody_reads_do_no_harm(port: int, path: str, headers: tuple[str, ...]) -> None:
    assert get(port, path, *headers).status == 200


NO_HEADERS = [
    b"X-Folded: a\r\n b",
    b"X-Folded: a\r\n\tb",
    b"X-Nul: a\x00b",
    b"X-Cr: a\rb",
    b"X-Cr: a\rX-Evil: 1",
    b"Spaced : a",
    b" Leading: a",
    b": nameless",
    b"nocolon",
    b"X Y: a",
    b"X\x00Y: a",
    b"X-\xc3\xa4: a",
    b"(x): a",
    b"X-Bell: \x07",
    b"X-Del: \x7f",
]


@pytest.mark.parametrize("line", NO_HEADERS, ids=repr)
def test_a_line_that_is_no_header_is_refused_by_the_server_itself(port: int, line: bytes) -> None:
    assert is_not_http(exchange(port, request("GET", STATUS, (HOST, line))))
