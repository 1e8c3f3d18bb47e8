"""POST .../checkout and POST /_mock/worlds with bodies that are not what they should be: a clear 400, at once."""

from __future__ import annotations

import pytest

from .raw import CHECKOUT, HOST, OWNER, WORLDS, Reply, check_refused, exchange, get, post, request

MEMBERS = {CHECKOUT: b"tier_slug", WORLDS: b"name"}
"""Where to, and the one member that must be in the body there: `MEMBER` in the tables below."""

NOT_TEXT = {
    "a byte that UTF-8 does not know": b'{"MEMBER":"\xff"}',
    "a lone continuation byte": b'{"MEMBER":"\x80"}',
    "a sequence that breaks off": b'{"MEMBER":"\xe2\x82"}',
    "an overlong slash": b'{"MEMBER":"\xc0\xaf"}',
    "a surrogate as UTF-8 bytes": b'{"MEMBER":"\xed\xa0\x80"}',
    "beyond the last code point": b'{"MEMBER":"\xf5\x80\x80\x80"}',
    "UTF-16": '{"MEMBER":"pro"}'.encode("utf-16"),
    "UTF-32": '{"MEMBER":"pro"}'.encode("utf-32-le"),
    "a byte order mark": b'\xef\xbb\xbf{"MEMBER":"pro"}',
    "compressed without saying so": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
}
NOT_JSON = {
    "whitespace": b" \r\n\t ",
    "one NUL": b"\x00",
    "a NUL after the end": b'{"MEMBER":"pro"}\x00',
    "a raw NUL in a string": b'{"MEMBER":"p\x00ro"}',
    "a raw line feed in a string": b'{"MEMBER":"p\nro"}',
    "trailing garbage": b'{"MEMBER":"pro"}x',
    "two values": b'{"MEMBER":"pro"}{"MEMBER":"pro"}',
    "a line comment": b'{"MEMBER":"pro"} // please',
    "a block comment": b'{/* please */"MEMBER":"pro"}',
    "a trailing comma": b'{"MEMBER":"pro",}',
    "single quotes": b"{'MEMBER':'pro'}",
    "a bare key": b'{MEMBER:"pro"}',
    "no closing brace": b'{"MEMBER":"pro"',
    "no closing quote": b'{"MEMBER":"pro',
    "only a quote": b'"',
    "an unknown escape": b'{"MEMBER":"\\x41"}',
    "half an escape": b'{"MEMBER":"\\u00"}',
    "a number with a leading zero": b'{"MEMBER":01}',
    "a number with a plus": b'{"MEMBER":+1}',
    "a hexadecimal number": b'{"MEMBER":0x10}',
    "a form": b"MEMBER=pro",
    "XML": b"<MEMBER>pro</MEMBER>",
}
NO_NUMBERS = {
    "NaN": b'{"MEMBER":NaN}',
    "Infinity": b'{"MEMBER":Infinity}',
    "-Infinity": b'{"MEMBER":-Infinity}',
    "1e400": b'{"MEMBER":1e400}',
    "-1e400": b'{"MEMBER":-1e400}',
    "5,000 digits": b'{"MEMBER":' + b"9" * 5_000 + b"}",
    "a million digits": b'{"MEMBER":' + b"9" * 1_000_000 + b"}",
    "a million decimals": b'{"MEMBER":0.' + b"9" * 1_000_000 + b"}",
    "400 digits": b'{"MEMBER":' + b"9" * 400 + b"}",
    "an exponent of 1,000 digits": b'{"MEMBER":1e' + b"9" * 1_000 + b"}",
    "a large number where nobody looks": b'{"MEMBER":"pro","x":' + b"9" * 350 + b"}",
}
TOO_DEEP = {
    "100 arrays": b"[" * 100 + b"]" * 100,
    "10,000 arrays": b"[" * 10_000 + b"]" * 10_000,
    "200,000 arrays": b"[" * 200_000 + b"]" * 200_000,
    "200,000 arrays never closed": b"[" * 200_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "100 levels in the member": b'{"MEMBER":' + b"[" * 100 + b"]" * 100 + b"}",
    "behind a string full of brackets": b'{"a":"]]]]","MEMBER":' + b"[" * 100 + b"]" * 100 + b"}",
    "behind an escaped quote": b'{"a":"\\"]","MEMBER":' + b"[" * 100 + b"]" * 100 + b"}",
}
AMBIGUOUS = {
    "a key twice": b'{"MEMBER":"pro","MEMBER":"starter"}',
    "the same value twice": b'{"MEMBER":"pro","MEMBER":"pro"}',
    "a key twice further down": b'{"MEMBER":{"a":1,"a":1}}',
    "a key twice in two spellings": b'{"MEMBER":"pro","a":1,"\\u0061":1}',
    "the first half of a surrogate pair": b'{"MEMBER":"\\ud83d"}',
    "the second half": b'{"MEMBER":"\\ude00"}',
    "the halves in the wrong order": b'{"MEMBER":"\\ude00\\ud83d"}',
    "half a pair as a key": b'{"MEMBER":"pro","\\ud83d":1}',
}
NOT_FITTING = {
    "null": b"null",
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "true": b"true",
    "an empty object": b"{}",
    "a member nobody knows": b'{"MEMBER":"pro","x":1}',
    "a wrong type": b'{"MEMBER":1}',
    "null in the member": b'{"MEMBER":null}',
    "an object in the member": b'{"MEMBER":{}}',
    "an escaped NUL": b'{"MEMBER":"p\\u0000ro"}',
    "a line feed": b'{"MEMBER":"pro\\n"}',
    "a string of a million letters": b'{"MEMBER":"' + b"a" * 1_000_000 + b'"}',
    "a string of a million brackets": b'{"MEMBER":"' + b"[" * 1_000_000 + b'"}',
    "an emoji": b'{"MEMBER":"\\ud83d\\ude00"}',
    "80,000 members": b"{" + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}",
    "300,000 elements": b"[" + b"1," * 300_000 + b"1]",
    "a million letters as a key": b'{"' + b"a" * 1_000_000 + b'":1}',
}
REFUSED = {**NOT_TEXT, **NOT_JSON, **NO_NUMBERS, **TOO_DEEP, **AMBIGUOUS, **NOT_FITTING}


@pytest.mark.parametrize("path", MEMBERS, ids=["checkout", "worlds"])
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_bad_body_is_refused_with_400(port: int, path: str, body: bytes) -> None:
    reply = post(port, path, body.replace(b"MEMBER", MEMBERS[path]))
    check_refused(reply, 400, "invalid_request")
    assert len(reply.body) < 4_096, "the refusal does not repeat the request"


@pytest.mark.parametrize("path", MEMBERS, ids=["checkout", "worlds"])
@pytest.mark.parametrize("length", [b"Content-Length: 0", b"Transfer-Encoding: chunked", None], ids=str)
def test_a_missing_body_is_refused_with_400(port: int, path: str, length: bytes | None) -> None:
    headers: list[str | bytes] = [HOST, OWNER, *([length] if length else [])]
    body = b"0\r\n\r\n" if length and b"chunked" in length else b""
    reply = exchange(port, request("POST", path, headers) + body)
    check_refused(reply, 400, "invalid_request")
    assert "body is required" in reply.json["message"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"\xff", "not UTF-8 (byte 0)"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"{\n  1}", "line 2, column 3"),
        (b'{"a":1,"a":2}', "'a' stands twice"),
        (b"[" * 100, "64 levels"),
        (b"NaN", "NaN is not JSON"),
        (b"9" * 5_000, "5000 digits"),
        (b"1e400", "1e400"),
        (b'"\\ud800"', "surrogate"),
        (b'{"tier_slug":1}', "/tier_slug"),
    ],
)
def test_the_refusal_says_what_is_wrong_and_where(port: int, body: bytes, hint: str) -> None:
    assert hint in post(port, CHECKOUT, body).json["message"]


@pytest.mark.parametrize("body", [b' \t\r\n{ "tier_slug" : "pro" } \r\n', b'{"\\u0074ier_slug":"\\u0070ro"}'])
def test_unusual_but_correct_json_works(port: int, body: bytes) -> None:
    assert post(port, CHECKOUT, body).status == 200


def test_a_body_of_the_deepest_allowed_nesting_is_read(port: int) -> None:
    """63 levels below the top: the refusal is the schema's, not the reader's."""
    reply: Reply = post(port, CHECKOUT, b'{"tier_slug":' + b"[" * 63 + b"]" * 63 + b"}")
    check_refused(reply, 400)
    assert "levels deep" not in reply.json["message"]


ANY_BODY = {"none": None, "empty": b"", "an object": b"{}", "junk": b"\xff\x00", "2 MB": b"x" * 2_000_000}


@pytest.mark.parametrize("body", ANY_BODY.values(), ids=ANY_BODY)
def test_an_operation_without_a_body_ignores_what_is_sent(port: int, frozen_world: str, body: bytes | None) -> None:
    reply = exchange(port, request("POST", f"{WORLDS}/{frozen_world}/reset", (HOST,), body))
    assert reply.status == 200, reply


@pytest.mark.parametrize("size", [2, 3_000_000])
def test_a_get_with_a_body_is_answered_as_without(port: int, size: int) -> None:
    reply = exchange(port, request("GET", "/api/v1/plans", (HOST,), b"x" * size))
    assert reply.status == 200
    assert reply.body == get(port, "/api/v1/plans").body


def test_the_webhook_does_not_parse_before_the_signature_is_checked(port: int) -> None:
    reply = exchange(port, request("POST", "/api/v1/billing/webhooks/stripe", (HOST,), b"\xff" + b"[" * 10_000))
    check_refused(reply, 400)
    assert reply.json["code"] != "invalid_request"
