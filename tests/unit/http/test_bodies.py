"""JSON is read strictly, and whatever the bytes are, they are read or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.http.bodies import InvalidJson, parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_what_json_writes_is_read(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except InvalidJson:
        return
    json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"b":1,"c":2,"b":3}}', "twice"),
        (b"NaN", "not JSON"),
        (b"-Infinity", "not JSON"),
        (b"1e400", "beyond"),
        (b"1" * 5_000, "5000 digits"),
        (b"[" * 65 + b"]" * 65, "levels"),
        (b"[" * 200_000, "levels"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'"\x00"', "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"// no\n{}", "not JSON"),
        (b"01", "not JSON"),
    ],
)
def test_what_is_refused_and_why(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match=reason):
        parse_json(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"[[[[' + b"[" * 100 + b'"', "[[[[" + "[" * 100),
        (b"[" * 64 + b"]" * 64, None),
        (b"-0", 0),
        (b'"\\u0000"', "\x00"),
        (b" \t\r\n1 ", 1),
    ],
)
def test_what_is_unusual_and_fine(raw: bytes, value: Any) -> None:
    read = parse_json(raw)
    assert value is None or read == value
