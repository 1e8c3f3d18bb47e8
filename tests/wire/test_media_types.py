"""Content-Type and Content-Encoding: 415 with the type to send, before a byte of the body is looked at."""

from __future__ import annotations

import pytest

from .raw import BUY_PRO, CHECKOUT, HOST, OWNER, WORLDS, check_refused, exchange, request

ACCEPTED = [
    b"Content-Type: application/json",
    b"Content-Type: application/JSON",
    b"content-type: APPLICATION/JSON",
    b"Content-Type:application/json",
    b"Content-Type: application/json;charset=utf-8",
    b'Content-Type: application/json ; charset="UTF-8"',
    b"Content-Type: application/json; charset=us-ascii",
    b"Content-Type: application/json; profile=x",
    b"Content-Type: application/json;",
    b"Content-Type: application/json\r\nContent-Encoding: identity",
    b"Content-Type: application/json\r\nAccept: text/html",
    b"Content-Type: application/json\r\nAccept: garbage;;q=x",
]
REFUSED = [
    b"X-Nothing: here",
    b"Content-Type: text/plain",
    b"Content-Type: text/json",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Type: multipart/form-data",
    b"Content-Type: application/xml",
    b"Content-Type: application/jsonp",
    b"Content-Type: application/vnd.api+json",
    b"Content-Type: application/json; charset=utf-16",
    b'Content-Type: application/json; charset="utf-16le"',
    b"Content-Type: application/json; charset=utf-8; charset=utf-16",
    b"Content-Type: application/json; charset=\xff",
    b"Content-Type: application/json, application/json",
    b"Content-Type: application/json text/plain",
    b"Content-Type: */*",
    b"Content-Type: application/*",
    b"Content-Type: application",
    b"Content-Type: /",
    b"Content-Type: ;;;",
    b"Content-Type:",
    b"Content-Type: \xff\xfe",
    b"Content-Type: " + b"a" * 50_000 + b"/json",
    b"Content-Type: application/json\r\nContent-Type: application/json",
    b"Content-Type: application/json\r\nContent-Type: text/plain",
    b"Content-Type: application/json\r\nContent-Encoding: gzip",
    b"Content-Type: application/json\r\nContent-Encoding: GZIP, identity",
    b"Content-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip",
    b"Content-Type: application/json\r\nContent-Encoding: garbage",
]


def _name(headers: bytes) -> str:
    return headers[:70].decode("latin-1").replace("\r\n", " + ").encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize("headers", ACCEPTED, ids=_name)
def test_json_under_any_correct_name_is_read(port: int, headers: bytes) -> None:
    assert exchange(port, request("POST", CHECKOUT, (HOST, OWNER, headers), BUY_PRO)).status == 200


@pytest.mark.parametrize("path", [CHECKOUT, WORLDS], ids=["checkout", "worlds"])
@pytest.mark.parametrize("headers", REFUSED, ids=_name)
def test_everything_else_is_415(port: int, path: str, headers: bytes) -> None:
    reply = exchange(port, request("POST", path, (HOST, OWNER, headers), b'{"not even":\xff'))
    check_refused(reply, 415, "unsupported_media_type")


def test_the_refusal_names_the_type_to_send(port: int) -> None:
    reply = exchange(port, request("POST", CHECKOUT, (HOST, OWNER, "Content-Type: text/plain"), BUY_PRO))
    assert "application/json" in reply.json["message"]


def test_a_missing_credential_is_named_before_a_wrong_type(port: int) -> None:
    reply = exchange(port, request("POST", CHECKOUT, (HOST, "Content-Type: text/plain"), BUY_PRO))
    check_refused(reply, 401, "unauthenticated")


def test_a_wrong_type_is_named_before_a_wrong_parameter(port: int) -> None:
    path = "/api/v1/orgs/no-such-org/billing/checkout"
    reply = exchange(port, request("POST", path, (HOST, OWNER, "Content-Type: text/plain"), BUY_PRO))
    check_refused(reply, 415)


@pytest.mark.parametrize("type_", [b"text/plain", b"garbage", b"\xff", b"application/json; charset=utf-16"])
def test_the_webhook_takes_any_type(port: int, type_: bytes) -> None:
    target = "/api/v1/billing/webhooks/stripe"
    reply = exchange(port, request("POST", target, (HOST, b"Content-Type: " + type_), b"{}"))
    check_refused(reply, 400)
    assert reply.json["code"] != "invalid_request", "it is the signature that is missing"
