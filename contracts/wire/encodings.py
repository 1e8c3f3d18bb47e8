"""Media types, encodings and JSON's dark corners."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping

import msgspec

from contracts.bench import Bench
from contracts.bundle import Operation
from contracts.openapp.fuzzing import NOT_MADE_UP
from contracts.steps import Call

from .judging import alone, compared, in_rooms
from .room import Room

JSON = "application/json"
MEDIA_TYPE = "/components/responses/UnsupportedMediaType"
INVALID = "/components/responses/InvalidRequest"
WHOLLY_TRIED = ("create_zone", "reverse_geocode", "execute_entity_action")
"""Operations whose bodies are broken in every way; others in a few."""


def _writing(bench: Bench) -> list[Operation]:
    return [each for each in bench.operations if JSON in each.content and each.id not in NOT_MADE_UP]


def _raw(room: Room, operation: Operation) -> bytes:
    """The bytes of a body that is taken, as the target alone gets them."""
    return room.request(room.base(operation.id)).body or b"{}"


# -- media types --------------------------------------------------------------------------------------------------------

OTHER_TYPES = (
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/octet-stream",
    "json",
)
SAME_TYPES = (
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json ;x=y",
)
ARGUABLE = ("application/json; charset=latin-1", "application/json; charset=utf-16", "application/merge-patch+json")


def media_types(bench: Bench) -> None:
    """A body is read if it is declared as JSON, and only then."""
    in_rooms(bench, [_declared(operation) for operation in _writing(bench)])


def _declared(operation: Operation) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        for media_type in OTHER_TYPES:
            _with(room, operation, media_type, valid=False)
        for media_type in SAME_TYPES:
            _with(room, operation, media_type, valid=True)
        raw = _raw(room, operation)
        either = (operation.success, 400, 415)
        for media_type in ARGUABLE:
            _send(room, operation, raw, media_type, either, f"a body of {media_type}", MEDIA_TYPE)
        _send(room, operation, raw, None, (415,), "a body of no declared type", MEDIA_TYPE)
        zipped = gzip.compress(raw, mtime=0)
        _send(room, operation, zipped, JSON, (415,), "a compressed body", MEDIA_TYPE, ("Content-Encoding", "gzip"))

    return tried


def _with(room: Room, operation: Operation, media_type: str, *, valid: bool) -> None:
    call = room.base(operation.id)
    body = {} if call.json is msgspec.UNSET else call.json
    compared(room, msgspec.structs.replace(call, json=body, media_type=media_type), succeeds=valid)
    room.tidy()


def _send(
    room: Room,
    operation: Operation,
    body: bytes,
    media_type: str | None,
    statuses: tuple[int, ...],
    why: str,
    clause: str,
    *headers: tuple[str, str],
) -> None:
    call = msgspec.structs.replace(
        room.base(operation.id),
        json=msgspec.UNSET,
        body=body.decode("latin-1"),
        media_type=media_type,
        headers=dict(headers),
    )
    alone(room.bench, room.case.place, operation, room.request(call), statuses, why, role=call.caller, clause=clause)


# -- encodings ----------------------------------------------------------------------------------------------------------

NO_JSON: Mapping[str, Callable[[bytes], bytes]] = {
    "a body that breaks off": lambda body: body[:-1] or b"{",
    "a body that is not UTF-8": lambda body: body[:-1] + b',"\xff":1}' if len(body) > 2 else b'{"\xff":1}',
    "a member twice": lambda body: b"{" + _first(body) + b"," + (body[1:] if len(body) > 2 else _first(body) + b"}"),
    "words": lambda _: b"mockbill",
    "NaN": lambda _: b"NaN",
    "a comment": lambda body: b"/* a */" + body,
    "something behind the body": lambda body: body + b"x",
    "a comma too many": lambda body: body[:-1] + b",}",
    "single quotes": lambda body: b"{'a':1}",
    "an unquoted name": lambda body: b"{a:1}",
    "a line break in a text": lambda body: b'{"a":"\n"}',
    "an escape that is none": lambda body: b'{"a":"\\x41"}',
    "half an escape": lambda body: b'{"a":"\\u12"}',
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "only space": lambda _: b"  \n ",
    "NUL alone": lambda _: b"\0",
    "a number with a leading zero": lambda _: b'{"a":01}',
    "an overlong form": lambda _: b'{"a":"\xc0\xaf"}',
    "half a surrogate in UTF-8": lambda _: b'{"a":"\xed\xa0\x80"}',
}
"""What is not JSON, or has no one meaning, made from what is."""
SHORT = 4


def _first(body: bytes) -> bytes:
    """A body's first member."""
    value = json.loads(body)
    name, each = next(iter(value.items())) if isinstance(value, dict) and value else ("a", 1)
    return json.dumps({name: each}, ensure_ascii=False).encode()[1:-1]


def encodings(bench: Bench) -> None:
    """What is not JSON is refused as such; what is, is taken as it was meant."""
    writing = _writing(bench)
    tries = [_broken(operation, bench.profile == "full") for operation in writing]
    known = {operation.id for operation in writing}
    in_rooms(bench, [*tries, *(_compared(call) for call in _kept() if call.operation in known), _extremes])


def _broken(operation: Operation, wholly: bool) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        raw = _raw(room, operation)
        ways = list(NO_JSON.items())
        for what, change in ways if wholly or operation.id in WHOLLY_TRIED else ways[:SHORT]:
            _send(room, operation, change(raw), JSON, (400,), what, INVALID)

    return tried


def _compared(call: Call) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        compared(room, call, succeeds=True)

    return tried


TEXTS = (
    "\N{DOOR} \N{ROCKET}\N{ZERO WIDTH JOINER}\N{FIRE}",
    "\u4e2d\u6587 \u0420\u0443\u0441 \u05e9\u05dc\u05d5\u05dd",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "a\u2028b\u2029c",
    "tab\tfeed\nreturn\r",
    "\u0001\u001f\u007f\u0085",
    "</script><b>&amp;\"'`",
    "  spaces around  ",
    "${7*7} %s {0} ../../",
    "\ufeffmark",
    "\uffff\ufffe",
    "\u202eright to left",
    "NULL",
    "0",
    "İı",
)
"""What has to come back letter by letter."""


def _kept() -> Iterator[Call]:
    """Texts and open objects that come back as they were sent."""
    for text in TEXTS:
        yield Call("create_zone", "owner", json={"name": {"en": text, "de": text}})
    yield Call("create_org", "owner", json={"name": dict.fromkeys(TEXTS, "a")})
    yield Call("create_user", "owner", json={"name": TEXTS[0], "first_name": TEXTS[1], "last_name": TEXTS[2]})
    yield Call("create_api_key", "owner", json={"name": TEXTS[0]})
    config = {"a": [1, 2.5, True, None, {"b": []}], "": {}, "n": 2**53 - 1, "m": -1, "text": TEXTS[0], "z": 0.1}
    body = {"org_id": "{{org}}", "provider_type": "mqtt", "name": "a", "config": config}
    yield Call("create_integration", "owner", json=body)
    for lat in (-0.0, 90, -90, 1e1, 1e-7, 52.520008123456):
        yield Call("reverse_geocode", "owner", json={"lat": lat, "lng": 13.4})


def _extremes(room: Room) -> None:
    """Numbers, depths and texts at which readers of JSON give up: an answer has to come, whichever it is."""
    for name, what, body, statuses in _extreme_bodies():
        if room.bench.is_about(name):
            operation = room.bench.bundle[name]
            wanted = (operation.success if statuses == "either" else 400, 400)
            _send(room, operation, body, JSON, wanted, what, INVALID)


def _extreme_bodies() -> Iterator[tuple[str, str, bytes, str]]:
    for number in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "9" * 400,
        "1e999999999",
        "0x10",
        "1.",
        ".5",
        "+1",
    ):
        yield "reverse_geocode", f"a latitude of {number[:20]}", f'{{"lat":{number},"lng":1}}'.encode(), "refused"
    for digits in (20, 5_000):
        body = f'{{"name":"a","site_ids":[{"9" * digits}]}}'.encode()
        yield "create_zone", f"an id that is a number of {digits} digits", body, "refused"
    action = "execute_entity_action"
    for number in (
        str(2**63),
        str(-(2**63) - 1),
        str(2**64),
        "9" * 5_000,
        "1e400",
        "-0",
        "1e308",
        "123456789012345678901.5",
    ):
        yield action, f"a number like {number[:24]} in an open object", f'{{"a":{number}}}'.encode(), "either"
    for depth in (60, 1_000, 100_000):
        yield action, f"objects {depth} deep", b'{"a":' * depth + b"1" + b"}" * depth, "either"
        yield action, f"lists {depth} deep", b'{"a":' + b"[" * depth + b"]" * depth + b"}", "either"
    for what, text in (
        ("NUL", "\\u0000"),
        ("half a surrogate pair", "\\ud800"),
        ("both halves, swapped", "\\udc00\\ud800"),
    ):
        yield "create_zone", f"{what} in a text", f'{{"name":"a{text}b"}}'.encode(), "either"
        yield "create_zone", f"{what} in a name", f'{{"name":{{"a{text}":"b"}}}}'.encode(), "either"
    yield "create_zone", "a byte order mark", b'\xef\xbb\xbf{"name":"a"}', "either"
    yield "create_zone", "a surrogate pair, escaped", b'{"name":"\\ud83d\\ude80"}', "either"
    yield action, "10,000 members", json.dumps({str(n): n for n in range(10_000)}).encode(), "refused"
