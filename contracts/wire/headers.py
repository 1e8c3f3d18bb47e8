"""Headers that every answer carries, whoever gave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.bench import Bench
from contracts.broken import Broken, shown
from contracts.bundle import Operation
from contracts.case import Case
from contracts.http import Answer, Request
from contracts.openapp.stock import METERED, Stock, override, request_for

from .reading import NOTHING, Reading, reading
from .strays import NO_ROUTE, stray_answer

REQUEST_ID = "/components/headers/X-Request-Id"


def headers(bench: Bench) -> None:
    """What every answer carries, whoever gave it."""
    with reading(bench) as here:
        for n, operation in enumerate(here.operations):
            there = here.path(operation)
            if there is not None:
                _traced(here, operation, there, (operation.success,), f"mockbill-{bench.seed}-{n}")
                _not_shared(here, operation, there)
        refusals: list[tuple[Operation, Mapping[str, str], Any, tuple[int, ...]]] = []
        for operation in here.operations:
            names = {str(each["name"]): NOTHING for each in operation.parameters if each["in"] == "path"}
            if names and 404 in operation.responses:
                refusals.append((operation, names, ..., (403, 404)))
            if not operation.is_anonymous:
                refusals.append((operation, names, None, (401,)))
        for n, (operation, path, caller, statuses) in enumerate(refusals):
            _traced(here, operation, path, statuses, f"mockbill-refused-{n}", caller)
        _no_route(here)


def _traced(
    here: Reading,
    operation: Operation,
    path: Mapping[str, str],
    statuses: tuple[int, ...],
    name: str,
    caller: Any = ...,
) -> None:
    """The caller's id for the request comes back; without one there is another one each time."""
    asked = here.request(operation, path, caller, headers={"X-Correlation-Id": name})
    answer = here.ask(operation, asked, statuses, "the request has an id of the caller's choice")
    if answer is not None:
        _expect(here, operation, asked, answer, "x-request-id", name)
        _same_id(here, operation, asked, answer)
    asked = here.request(operation, path, caller)
    seen = [here.ask(operation, asked, statuses, "the request has no id") for _ in range(2)]
    ids = [None if each is None else each.header("x-request-id") for each in seen]
    if seen[1] is not None and ids[0] is not None and ids[0] == ids[1]:
        _found(
            here, operation, asked, seen[1], "x-request-id", "another X-Request-Id for each request", f"{ids[0]} again"
        )
    if seen[1] is not None:
        _same_id(here, operation, asked, seen[1])


def _same_id(here: Reading, operation: Operation | None, asked: Request, answer: Answer) -> None:
    """A refusal names the request as the header does, and its code by both names."""
    body = answer.json
    if answer.status < 400 or not isinstance(body, dict):
        return
    if body.get("correlationId") != answer.header("x-request-id"):
        wanted = f"correlationId = X-Request-Id = {answer.header('x-request-id')}"
        _found(here, operation, asked, answer, "/correlationId", wanted, f"{body.get('correlationId')}")
    elif body.get("code") != body.get("error_code"):
        wanted = f"code = error_code = {body.get('error_code')}"
        _found(here, operation, asked, answer, "/code", wanted, f"code = {body.get('code')}")


def _expect(here: Reading, operation: Operation, asked: Request, answer: Answer, name: str, value: str) -> None:
    if answer.header(name) != value:
        _found(here, operation, asked, answer, name, f"{name}: {value}", f"{name}: {answer.header(name)}")


def _found(
    here: Reading, operation: Operation | None, asked: Request, answer: Answer, place: str, expected: str, came: str
) -> None:
    name = None if operation is None else operation.id
    broken = Broken("header", expected, came, name, answer.status, place, REQUEST_ID)
    here.bench.found(broken, [shown(here.place.url, asked, answer, None)])


def _not_shared(here: Reading, operation: Operation, path: Mapping[str, str]) -> None:
    """What one credential may see is not for a cache that others use: it cannot tell API keys apart."""
    if operation.is_anonymous:
        return
    asked = here.request(operation, path)
    answer = here.ask(operation, asked, (operation.success,), "what can be read is read")
    if answer is None:
        return
    directives = {each.partition("=")[0].strip().lower() for each in (answer.header("cache-control") or "").split(",")}
    if directives & {"public", "s-maxage"}:
        broken = Broken(
            "header",
            "no leave for shared caches to keep what belongs to one tenant",
            f"Cache-Control: {answer.header('cache-control')}",
            operation.id,
            answer.status,
            "cache-control",
            "RFC 9111, 5.2.2.9",
            {"header": "cache-control", "lacks": ["public", "s-maxage"]},
        )
        here.bench.found(broken, [shown(here.place.url, asked, answer, None)])


def _no_route(here: Reading) -> None:
    """Paths that are of no operation."""
    first = here.operations[0]
    for target in (
        "/nothing-here",
        "/nothing/here/at/all",
        f"{first.path.split('{')[0].rstrip('/')}/nothing/here/at-all",
    ):
        asked = Request("GET", target, (("X-Correlation-Id", "mockbill-lost"),))
        answer = stray_answer(here.bench, here.place, asked, (404,), "there is no such path", NO_ROUTE)
        if answer is not None:
            _same_id(here, None, asked, answer)
            if answer.header("x-request-id") != "mockbill-lost":
                came = f"X-Request-Id: {answer.header('x-request-id')}"
                _found(here, None, asked, answer, "x-request-id", "X-Request-Id: mockbill-lost", came)


def retry_after(bench: Bench) -> None:
    """Where waiting helps it is said for how long; where it does not, it is not."""
    for operation, key in METERED.items():
        if bench.is_about(operation):
            bench.attempt(_full(operation, key, "day"))
    if bench.is_about("create_zone"):
        bench.attempt(_full("create_zone", "zones", None))


def _full(operation: str, key: str, period: str | None) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        request = request_for(Stock(case), operation)
        case.ask(**override(case, key, 0, period))
        case.ask(**request)

    return script
