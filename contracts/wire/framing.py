"""Requests as bytes: what HTTP itself says of them, whatever stands in front of the target.

Where HTTP leaves a choice (a proxy may refuse, close, or mend), each choice is fine. A 5xx, garbage or silence never is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from contracts.bench import Bench
from contracts.broken import Broken
from contracts.bundle import Operation
from contracts.findings import Shown
from contracts.http import NoAnswer, Request
from contracts.openapp.fuzzing import is_masked
from contracts.places import Place
from contracts.raw import Exchange, Unreachable, Wire

from .judging import in_rooms
from .room import Room

BODY_OPERATION = "reverse_geocode"
"""Takes a small JSON body and makes nothing."""
LIMITED = ("create_zone", BODY_OPERATION)
"""Of either limit that there is for a body."""
LARGEST_BODY = 1024 * 1024
PATIENCE = 3.0
LINGER, WAIT = 0.05, 1.0
NOTE = "sent as bytes over a socket: the body that is shown is the whole request"
REFUSED = (400, 411, 413, 414, 417, 431, 501, 505)
"""4xx and 5xx with which HTTP itself may refuse a message."""
CLIENT = "RFC 9112"


class Probe(msgspec.Struct, frozen=True):
    """`data`: the bytes, made of `request`. `allowed`: statuses of the first answer. `closes`: whether to close without one
    is fine too. `answers`: how many are due, and no more than these. `waits`: the body for leave to be sent.
    """

    what: str
    request: Request
    data: bytes
    allowed: Collection[int]
    closes: bool = False
    answers: int = 1
    lingers: bool = False
    waits: bool = False
    clause: str = CLIENT


def framing(bench: Bench) -> None:
    if bench.is_about(BODY_OPERATION, *LIMITED):
        in_rooms(bench, [_probed])


def _probed(room: Room) -> None:
    bench, place = room.bench, room.case.place
    operation = bench.bundle[BODY_OPERATION]
    request = room.request(room.base(BODY_OPERATION))
    alive = room.request(room.base("get_status"))
    for probe in (*_probes(place, operation, request, alive), *_sizes(room)):
        asked = bench.bundle.routed(probe.request.method, probe.request.target.partition("?")[0])
        _tried(room, asked or operation, probe)
        try:
            place.client.close()
            place.client.send(alive)
        except NoAnswer as error:
            broken = Broken("no answer", f"an answer to what comes after {probe.what}", str(error), operation.id)
            bench.found(broken, [_shown(place, operation, probe, None)], None, NOTE)


def _tried(room: Room, operation: Operation, probe: Probe) -> None:
    """Raises NotAllowed where even the request that it is made of may not be sent."""
    bench, place = room.bench, room.case.place
    guard = bench.allowance.guard
    if guard is not None:
        guard.before(place.client.base_path, probe.request)
    bench.allowance.take()
    came = None
    try:
        with Wire(place.url, bench.target.timeout) as wire:
            came = _exchanged(wire, probe, min(PATIENCE, bench.target.timeout))
    except Unreachable as error:
        broken = Broken("no answer", f"a connection for {probe.what}", str(error), operation.id)
        bench.found(broken, [_shown(place, operation, probe, None)], None, NOTE)
    finally:
        if guard is not None:
            guard.after(place.client.base_path, probe.request, came.answers[0] if came and came.answers else None)
    if came is not None:
        _judged(bench, place, operation, probe, came)


def _exchanged(wire: Wire, probe: Probe, seconds: float) -> Exchange:
    if not probe.waits:
        linger = LINGER if probe.lingers else 0.0
        return wire.exchange(probe.data, seconds, answers=probe.answers, linger=linger)
    head, end, body = probe.data.partition(b"\r\n\r\n")
    came = wire.exchange(head + end, WAIT, interim=1)
    # Who waits for leave to send the body does not wait for ever.
    return came if came.answers else wire.exchange(body, seconds)


def _judged(bench: Bench, place: Place, operation: Operation, probe: Probe, came: Exchange) -> None:
    if not probe.answers and not came.is_garbage and (came.status or 400) < 500:
        return
    if came.status is not None and is_masked(bench.target, came.status):
        return
    if came.status in probe.allowed and len(came.answers) <= probe.answers:
        return
    if probe.closes and came.is_closed and not came.answers and not came.is_garbage:
        return
    wanted = " or ".join(map(str, sorted(probe.allowed))) or "no answer"
    expected = f"{probe.what}: {wanted}" + (", or the connection closed" if probe.closes else "")
    if came.status in probe.allowed:
        expected = f"{probe.what}: no more than {probe.answers} answer{'' if probe.answers == 1 else 's'}"
    kind = "status" if came.answers else "no answer"
    broken = Broken(kind, expected, came.in_words, operation.id, came.status, probe.what, probe.clause)
    bench.found(broken, [_shown(place, operation, probe, came)], None, NOTE)


def _shown(place: Place, operation: Operation, probe: Probe, came: Exchange | None) -> Shown:
    first = came.answers[0] if came is not None and came.answers else None
    return Shown(
        probe.what,
        operation.method,
        place.url,
        (),
        probe.data[:4_000].decode("utf-8", "backslashreplace"),
        None if first is None else first.status,
        () if first is None else first.headers,
        "" if first is None else first.body[:4_000].decode("utf-8", "backslashreplace"),
        exact=probe.data[:65_536].decode("latin-1"),
        is_raw=True,
    )


def written(place: Place, request: Request, *lines: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    """The request with `lines` after its own headers, and with no other framing than theirs."""
    host = place.url.partition("//")[2].partition("/")[0]
    own = [f"{name}: {value}".encode("latin-1") for name, value in request.headers]
    target = f"{place.client.base_path}{request.target}".encode()
    first = b" ".join((request.method.encode(), target, version))
    return b"\r\n".join((first, f"Host: {host}".encode(), *own, *lines, b"", b"")) + body


def _probes(place: Place, operation: Operation, request: Request, alive: Request) -> Iterator[Probe]:
    fine, body = (operation.success,), request.body or b""
    length = b"Content-Length: %d" % len(body)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    small = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (1, body[:1], len(body) - 1, body[1:])
    chunked = b"Transfer-Encoding: chunked"
    read = (200,)

    def post(what: str, *lines: bytes, body: bytes = body, allowed: Collection[int] = REFUSED, **more: bool) -> Probe:
        return Probe(what, request, written(place, request, *lines, body=body), allowed, **more)  # type: ignore[arg-type]

    def get(what: str, *lines: bytes, allowed: Collection[int] = REFUSED, **more: bool) -> Probe:
        return Probe(what, alive, written(place, alive, *lines), allowed, **more)  # type: ignore[arg-type]

    yield post("a body of a known length", length, allowed=fine)
    yield post("a body in one chunk", chunked, body=chunks, allowed=(*fine, 411))
    yield post("a body in two chunks", chunked, body=small, allowed=(*fine, 411))
    yield post("chunks with an extension and a trailer", chunked, allowed=(*fine, 400, 411), closes=True,
               body=b"%x;a=b\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(body), body))  # fmt: skip
    yield post("Content-Length beside chunks", b"Content-Length: 5", chunked, body=chunks, allowed=(*fine, *REFUSED),
               closes=True, lingers=True)  # fmt: skip
    yield post("two Content-Lengths that differ", b"Content-Length: 5", length, closes=True, lingers=True)
    yield post("a Content-Length that is no number", b"Content-Length: many", closes=True)
    yield post("a negative Content-Length", b"Content-Length: -1", closes=True)
    yield post("a Content-Length with a sign", b"Content-Length: +%d" % len(body), closes=True)
    yield post("a transfer coding that nobody knows", b"Transfer-Encoding: mockbill", closes=True)
    yield post("a chunk whose length is no number", chunked, body=b"zz\r\n{}\r\n0\r\n\r\n", closes=True)
    yield post("no body and Content-Length 0", b"Content-Length: 0", body=b"", allowed=(400, 411, 415))
    yield post("no body at all", body=b"", allowed=(400, 411, 415))
    yield post("Expect: 100-continue", length, b"Expect: 100-continue", allowed=(*fine, 417), waits=True)
    yield get("Host twice", b"Host: somewhere.test", closes=True)
    named = written(place, alive)
    yield Probe("no Host", alive, re.sub(rb"\r\nHost: [^\r]*", b"", named, count=1), REFUSED, closes=True)
    yield get("a space before a header's colon", b"X-Spaced : a", closes=True)
    yield get("NUL in a header", b"X-Nul: a\0b", allowed=(*read, *REFUSED), closes=True)
    yield get("a folded header", b"X-Folded: a\r\n b", allowed=(*read, *REFUSED), closes=True)
    yield get("a header of 64 KiB", b"X-Long: " + b"a" * 65_536, allowed=(*read, *REFUSED), closes=True)
    yield get("a thousand headers", *[b"X-Many: a"] * 1_000, allowed=(*read, *REFUSED), closes=True)
    yield Probe("a request line that is none", alive, b"MOCKBILL\r\n\r\n", REFUSED, closes=True)
    spaced = written(place, alive).replace(b" HTTP", b" more HTTP", 1)
    yield Probe("a space in the target", alive, spaced, REFUSED, closes=True)
    yield Probe(
        "a version that nobody knows", alive, written(place, alive, version=b"HTTP/9.9"), (*read, *REFUSED), closes=True
    )
    yield Probe("HTTP/1.0", alive, written(place, alive, version=b"HTTP/1.0"), (*read, 426, 505), closes=True)
    yield Probe("a GET with a body", alive, written(place, alive, length, body=body), (*read, *REFUSED), closes=True)
    two = written(place, alive) * 2
    yield Probe("two requests at once", alive, two, read, answers=2)
    yield Probe("the absolute form of the target", alive, _absolute(place, alive), (*read, *REFUSED, 404), closes=True)
    # Cut off: nobody has to answer, and the next one is to be served all the same.
    yield Probe("half a request", request, written(place, request, length)[:40], (), closes=True, answers=0)
    yield Probe(
        "a body that breaks off", request, written(place, request, length, body=body[:3]), (), closes=True, answers=0
    )


def _absolute(place: Place, request: Request) -> bytes:
    origin = place.url[: len(place.url) - len(place.client.base_path)].encode()
    return written(place, request).replace(b" /", b" " + origin + b"/", 1)


def _sizes(room: Room) -> Iterator[Probe]:
    """A body may be as large as the bundle says, and not a byte larger."""
    place = room.case.place
    for name in LIMITED:
        operation = room.bench.bundle[name]
        request = room.request(room.base(name))
        most = int(operation.raw.get("x-max-body", LARGEST_BODY))
        fits, too_large = ((request.body or b"").ljust(size) for size in (most, most + 1))
        clause = "/components/responses/TooLarge"
        data = written(place, request, b"Content-Length: %d" % most, body=fits)
        yield Probe(f"a body of {most} bytes", request, data, (operation.success,), clause=clause)
        data = written(place, request, b"Content-Length: %d" % (most + 1), body=too_large)
        yield Probe(f"a body of {most + 1} bytes", request, data, (413,), closes=True, clause=clause)
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(too_large), too_large)
        data = written(place, request, b"Transfer-Encoding: chunked", body=chunk)
        yield Probe(f"a body of {most + 1} bytes in a chunk", request, data, (413, 411), closes=True, clause=clause)
