"""Answers that belong to no operation: to paths and methods that the bundle does not know."""

from __future__ import annotations

from functools import lru_cache

from contracts.bench import Bench
from contracts.broken import shown
from contracts.bundle import Bundle, Operation
from contracts.http import Answer, Request
from contracts.places import Place

from .judging import alone, judged

NO_ROUTE = "/components/responses/RouteNotFound"
NO_METHOD = "/components/responses/MethodNotAllowed"


@lru_cache(maxsize=4)
def stray(bundle: Bundle) -> Operation | None:
    """What stands for an operation where there is none: its answers to unknown paths and methods."""
    responses = bundle.document["components"].get("responses", {})
    named = {"404": NO_ROUTE, "405": NO_METHOD}
    known = {status: {"$ref": f"#{at}"} for status, at in named.items() if at.rpartition("/")[2] in responses}
    document = {**bundle.document, "paths": {"/": {"get": {"operationId": "none", "responses": known}}}}
    return Operation(document, "/", "get", "") if len(known) == len(named) else None


def stray_answer(
    bench: Bench, place: Place, asked: Request, statuses: tuple[int, ...], why: str, clause: str
) -> Answer | None:
    """The answer to what belongs to no operation, if it is as the bundle says of these."""
    none = stray(bench.bundle)
    answer = alone(bench, place, None, asked, statuses, why, clause=clause, at=f"{asked.method} {asked.target}")
    wrong = None if answer is None or none is None else judged(none, answer, statuses, why, clause)
    if answer is None or wrong is None:
        return answer
    wrong.operation = None
    bench.found(wrong, [shown(place.url, asked, answer, None)])
    return None
