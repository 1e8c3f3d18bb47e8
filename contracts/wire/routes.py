"""Methods and paths: what is declared, and all that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from contracts.bench import Bench
from contracts.broken import Broken, shown
from contracts.bundle import Operation
from contracts.http import Answer, Request

from .judging import alone, in_rooms
from .reading import Reading, reading
from .room import Room
from .strays import NO_METHOD, stray_answer

TRIED = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALWAYS = frozenset({"HEAD", "OPTIONS"})
"""Methods that a server may answer beside what is declared."""
ANY = tuple(range(200, 500))
OPTIONS = (*range(200, 300), *range(400, 500), 501)


# -- methods ------------------------------------------------------------------------------------------------------------


def methods(bench: Bench) -> None:
    """What a path does not declare it refuses, and says what it does declare."""
    declared: dict[str, list[Operation]] = {}
    for operation in bench.operations:
        declared.setdefault(operation.path, []).append(operation)
    whole = {path: {each.method for each in bench.bundle.operations.values() if each.path == path} for path in declared}
    in_rooms(bench, [_methods_of(path, operations, whole[path]) for path, operations in declared.items()])


def _methods_of(path: str, operations: list[Operation], declared: set[str]) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        bench, place = room.bench, room.case.place
        known = room.request(room.spare(operations[0].id))
        for method in TRIED:
            if method not in declared:
                asked = Request(method, known.target, known.headers)
                answer = stray_answer(bench, place, asked, (405,), f"{path} does not declare {method}", NO_METHOD)
                if answer is not None:
                    _allow(room, path, asked, answer, declared)
        bare = Request("OPTIONS", known.target, known.headers)
        alone(bench, place, None, bare, OPTIONS, f"what {path} answers to", clause=NO_METHOD, at=f"OPTIONS {path}")
        read = next((each for each in operations if each.method == "GET"), None)
        if read is not None:
            asked = room.request(room.spare(read.id))
            head = Request("HEAD", asked.target, asked.headers)
            why = "HEAD is GET without a body, or refused"
            alone(bench, place, None, head, (read.success, 405, 501), why, clause=NO_METHOD, at=f"HEAD {path}")

    return tried


def _allow(room: Room, path: str, asked: Request, answer: Answer, declared: set[str]) -> None:
    told = [each.strip() for each in (answer.header("allow") or "").split(",")]
    if declared <= set(told) <= declared | ALWAYS and told == sorted(told):
        return
    broken = Broken(
        "header",
        f"Allow: {', '.join(sorted(declared))} (perhaps with HEAD and OPTIONS), in alphabetical order",
        f"Allow: {answer.header('allow')}",
        None,
        answer.status,
        f"allow of {path}",
        "/components/headers/Allow",
    )
    room.bench.found(broken, [shown(room.case.place.url, asked, answer, None)])


# -- paths --------------------------------------------------------------------------------------------------------------

MALFORMED: Mapping[str, str] = {
    "a slash in it": "a%2Fb",
    "steps upwards in it": "..%2f..%2fstatus",
    "NUL in it": "a%00b",
    "a percent sign, encoded twice": "%2525",
    "what is not UTF-8": "a%ff",
    "an overlong form of a slash": "a%c0%afb",
    "a space in it": "a%20b",
    "a line break in it": "a%0d%0aX-Injected:%20a",
    "letters beyond ASCII": quote("é\N{ROCKET}"),
    "a semicolon in it": "a;b=c",
    "65 letters": "a" * 65,
    "a percent sign that begins nothing": "a%zz",
    "quotes in it": "a%27%20OR%20%271%27=%271",
}
"""Ids that are none by the bundle's `Identifier`."""
LONG = "a" * 6_000
LEADING_ELSEWHERE: Mapping[str, str] = {
    "one dot": ".", "two dots": "..", "an encoded dot": "%2e", "two encoded dots": "%2e%2e", "nothing": "",
}  # fmt: skip
"""What a proxy may take out of a path."""


def paths(bench: Bench) -> None:
    """Ids of other shapes: refused as malformed or unknown, by nothing worse."""
    with reading(bench) as here:
        for operation in here.operations:
            names = [each["name"] for each in operation.parameters if each["in"] == "path"]
            if not names:
                _variants(here, operation)
                continue
            for what, text in MALFORMED.items():
                _with_id(here, operation, text, (400, 404), f"the id has {what}")
            _with_id(here, operation, "a" * 64, (403, 404), "there is nothing with this id")
            _with_id(here, operation, LONG, (400, 404, 414, 431), "the id is far too long")
            for what, text in LEADING_ELSEWHERE.items():
                _with_id(here, operation, text, ANY, f"the id is {what}")


def _with_id(here: Reading, operation: Operation, text: str, statuses: tuple[int, ...], why: str) -> None:
    asked = here.request(operation, dict.fromkeys((each["name"] for each in operation.parameters), "-x-"))
    asked = Request(asked.method, asked.target.replace("-x-", text), asked.headers)
    alone(here.bench, here.place, operation, asked, statuses, why, clause="/components/schemas/Identifier")


def _variants(here: Reading, operation: Operation) -> None:
    """Other ways to write a path: whoever is kind may know it, nobody may fall over it."""
    for target in _written(operation.path):
        asked = here.request(operation, {})
        asked = Request(asked.method, target, asked.headers)
        alone(
            here.bench,
            here.place,
            None,
            asked,
            ANY,
            f"{target!r} stands for {operation.path} at most",
        )


def _written(path: str) -> Iterator[str]:
    yield path + "/"
    yield "/" + path
    yield path + "%00"
    yield path + "%2f"
    yield path.upper()
    yield "/%" + f"{ord(path[1]):02x}" + path[2:]
    yield path + "?" + "a=b&" * 50
    yield path + "?%"
    yield path + "?" + quote("é\N{ROCKET}", safe="") + "=%ff"
