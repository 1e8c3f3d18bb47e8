"""Entries of a journal as nobody would send them, and as everybody does."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from mock_server.control.exports.slices import Slice
from mock_server.store.journal import Entry

NOW = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z
WALL = 1_790_000_000_000_000
ORIGIN = "http://127.0.0.1:4010"
OWNER = "owner of Acme Doors"
JSON = (b"content-type", b"application/json")
KEY = (b"x-api-key", b"***")


def entry(number: int = 1, method: str = "GET", path: str = "/api/v1/zones", **members: Any) -> Entry:
    """An entry that was answered 200 with `{}`. `answer` may be a value, which is then written as JSON."""
    made = Entry(number, NOW, WALL + number, "openapp", method, path, members.pop("query", ""))
    made.headers = [(b"host", b"127.0.0.1:4010"), (b"accept", b"*/*"), *members.pop("headers", [KEY])]
    made.body = members.pop("body", b"")
    made.body_size = len(made.body)
    answer = members.pop("answer", {})
    made.answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    made.answer_size = len(made.answer)
    made.answer_headers = [JSON]
    made.status, made.caller, made.operation = 200, OWNER, "list_zones"
    for name, value in members.items():
        setattr(made, name, value)
    made.worked = members.get("worked", made.status)
    return made


def part(*entries: Entry, **members: Any) -> Slice:
    usual = {
        "world": "blue",
        "scenario": "demo",
        "seed": 7,
        "origin": ORIGIN,
    }
    return Slice(**{**usual, "entries": entries, **members})


def saved(**members: Any) -> dict[str, Any]:
    state = {"api": "openapp", "clock": {"now": "2026-03-01T00:00:00Z", "mode": "running"}, "domain": {}, **members}
    return {"mockbill_save": 1, "scenario": "demo", "states": [state]}


TRAPS = [
    "\n", "\r", "\r\n", "'", '"', "'''", '"""', "\\", "`id`", "$(id)", "${BASE}", "$1", "\n# ", "\nexit 1\n", "}", "{", "%s",
    "\x00", "\x1b[2J", "\u2028", "\u2029", "\x85", "\ufeff", "\u202e", "#", "# fmt: off", "coding: latin-1", "EOF", "@",
    "<start>", "***", "\x7f", "\\N{DASH}", "\\x", "\\u12", "é", "\U0001f600", "\U000e0001", ";", "|", "&", "!", "*",
    "~", "-", "--", "A" * 200,
]  # fmt: skip
hostile = st.lists(st.sampled_from(TRAPS) | st.text(max_size=5), max_size=5).map("".join)
_header_names = st.sampled_from(
    ["x-api-key", "authorization", "cookie", "x-mock-world", "Accept", "content-type", "x-$h", "x-`id`", "expect"]
)
_deliveries = st.sampled_from(
    ["whole", "late", "lost", "truncated", "malformed", "replaced", "repeated", "client_gone"]
)
_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=12,
)
_answers = _json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20)


@st.composite
def hostile_entries(draw: st.DrawFn) -> Entry:
    """Whatever could stand in an entry, and more."""
    made = entry(
        draw(st.integers(1, 10**9)),
        draw(st.sampled_from(["GET", "HEAD", "POST", "M-SEARCH", "$(id)"])),
        "/" + draw(hostile),
        query=draw(hostile),
        headers=[
            (draw(_header_names).encode(), draw(hostile).encode().replace(b"\x00", b""))
            for _ in range(draw(st.integers(0, 4)))
        ],
        body=draw(st.binary(max_size=40) | hostile.map(str.encode)),
        answer=draw(_answers),
        at=draw(st.integers(NOW, NOW * 2)),
        status=draw(st.sampled_from([0, 200, 201, 204, 401, 413, 500, 599])),
        caller=draw(st.sampled_from([OWNER, "anonymous", "rejected", "-"]) | hostile),
        operation=draw(st.none() | hostile),
        problem=draw(st.none() | hostile),
        delivery=draw(_deliveries),
        faults=tuple(draw(st.lists(hostile, max_size=2))),
        changed=draw(st.booleans()),
        api=draw(st.just("openapp") | hostile),
    )
    made.body_size += draw(st.sampled_from([0, 0, 0, 5]))
    made.answer_headers = [(b"content-type", draw(st.sampled_from(["application/json", "text/html"])).encode())]
    return made


hostile_parts = st.builds(
    lambda entries, world, scenario, origin, start: part(
        *entries, world=world, scenario=scenario, origin=origin, start=None if start is None else saved(domain=start)
    ),
    st.lists(hostile_entries(), max_size=4),
    st.just("blue") | hostile.map(lambda text: text.replace("\x00", "")),
    st.just("demo") | hostile,
    st.just(ORIGIN) | hostile.map(lambda text: text.replace("\x00", "")),
    st.none() | st.dictionaries(hostile, _json_values, max_size=3),
)

_URL_LETTERS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "?#")
_header_values = st.lists(st.integers(0x20, 0xFF).filter(lambda code: code != 0x7F), max_size=20).map(bytes)


@st.composite
def sent_requests(draw: st.DrawFn) -> tuple[Entry, str, list[tuple[bytes, bytes]]]:
    """An entry, and what its request comes down to: the target below the world, and the headers that count.

    A key stands there as `KEY`.
    """
    method = draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]))
    below = "/" + draw(st.text(_URL_LETTERS, max_size=20))
    query = draw(st.just("") | st.text(_URL_LETTERS + "?", min_size=1, max_size=20))
    world = draw(st.sampled_from(["", "/w/blue", "/%77/bl%75e"]))
    headers = [
        (f"x-{name}".encode(), value.strip())
        for name, value in draw(
            st.lists(st.tuples(st.text("abz!#$%&'*+.^_`|~-0", max_size=9), _header_values), max_size=4)
        )
    ]
    content_type = [(b"content-type", b"text/plain")] if draw(st.booleans()) else []
    shown, wanted = draw(
        st.sampled_from(
            [
                ((b"x-api-key", b"***"), b"KEY"),
                ((b"x-api-key", b"http://h_openapp_***@blue"), b"KEY"),
                ((b"authorization", b"Bearer ***@blue"), b"Bearer KEY"),
            ]
        )
    )
    noise = [(b"user-agent", b"x"), (b"x-mock-world", b"blue"), (b"content-length", b"3"), (b"connection", b"close")]
    body = b"" if method in ("GET", "HEAD") else draw(st.binary(max_size=60) | hostile.map(str.encode))
    made = entry(
        method=method,
        path=world + below if world or not below.startswith("/w/") else "/x" + below,
        query=query,
        headers=[*headers, shown, *noise, *content_type],
        body=body,
    )
    target = made.path.removeprefix(world) + (f"?{query}" if query else "")
    return made, target, [(b"accept", b"*/*"), *headers, (shown[0], wanted), *content_type]
