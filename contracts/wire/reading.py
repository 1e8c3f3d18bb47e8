"""What can be tried with nothing but a credential: GET requests to the target alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contracts.bench import Bench, NotVerified
from contracts.bundle import Operation
from contracts.carrying import NOBODY, carried
from contracts.http import Answer, Headers, Request
from contracts.openapp import fuzzing
from contracts.places import Place
from contracts.schemathesis_adapter import Sample
from contracts.steps import Call
from contracts.target import ROLES

from .judging import alone
from .samples import covering
from .verdicts import Unclear, Verdicts

NOTHING = "nothing-here"
"""An id that is well-formed, and of nothing."""
OUT_OF_REACH = (403, 404)
UNAUTHENTICATED = "/components/responses/Unauthenticated"
INVALID = "/components/responses/InvalidRequest"
LISTS: Mapping[str, str] = {
    "get_integration": "list_integrations",
    "get_device": "list_devices",
    "get_entity": "list_entities",
    "get_zone": "list_zones",
    "get_user": "list_users",
    "get_scripting_execution": "list_scripting_executions",
}
"""Where an id is found for what reads one thing."""


class Reading:
    """GET requests at a place, by whichever role is there."""

    def __init__(self, bench: Bench, place: Place) -> None:
        self.bench, self.place = bench, place
        self.verdicts = Verdicts(bench.bundle)
        credentials = bench.target.credentials
        self.role = next((role for role in ROLES if role in credentials and role not in ("other", "revoked")), None)
        self.operations = [each for each in bench.operations if each.is_read and self._can_ask(each)]
        self._found: dict[str, str | None] = {}

    def role_for(self, operation: Operation) -> str | None:
        """Whose credential is sent; None for none."""
        if operation.is_anonymous:
            return None
        return "operator" if operation.id in fuzzing.OPERATOR else self.role

    def _can_ask(self, operation: Operation) -> bool:
        return operation.is_anonymous or self.role_for(operation) in self.bench.target.credentials

    def request(
        self,
        operation: Operation,
        path: Mapping[str, str],
        role: Any = ...,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """`role`: another than usual, or a token."""
        whose = self.role_for(operation) if role is ... else role
        sent: Headers = tuple((headers or {}).items())
        if whose is not None:
            sent = (*carried(self.bench.target.credentials.get(whose, whose)), *sent)
        if whose == "operator" and any(each.get("name") == "X-Org" for each in operation.parameters):
            sent = (*sent, ("X-Org", self.place.names.get("org", NOTHING)))
        return operation.request(path, query, (*sent, *self.bench.target.extra_headers.items()))

    def ask(
        self, operation: Operation, request: Request, expected: Collection[int], why: str, clause: str | None = None
    ) -> Answer | None:
        role = self.role_for(operation)
        return alone(self.bench, self.place, operation, request, expected, why, role=role, clause=clause)

    def path(self, operation: Operation) -> dict[str, str] | None:
        """Where there is something to be read; None if nothing is known."""
        names = [each["name"] for each in operation.parameters if each["in"] == "path"]
        if not names:
            return {}
        if operation.id == "get_public_portal":
            return {names[0]: self.place.names["portal"]} if "portal" in self.place.names else None
        if operation.path.startswith("/orgs/{id}"):
            return {"id": self.place.names["org"]} if "org" in self.place.names else None
        if operation.id not in self._found:
            self._found[operation.id] = self._first(operation.id)
        found = self._found[operation.id]
        return None if found is None else {"id": found}

    def _first(self, operation_id: str) -> str | None:
        operation = self.bench.bundle[LISTS[operation_id]] if operation_id in LISTS else None
        if operation is None:
            return None
        value = self.place.client.send(self.request(operation, {})).json
        rows = value.get("items", []) if isinstance(value, dict) else value
        first = rows[0] if isinstance(rows, list) and rows else {}
        return first.get("id") if isinstance(first, dict) and isinstance(first.get("id"), str) else None


@contextmanager
def reading(bench: Bench) -> Iterator[Reading]:
    """Raises NotVerified where nobody can ask."""
    with bench.place() as place:
        found = Reading(bench, place)
        if not found.operations:
            raise NotVerified("needs a credential")
        yield found


def reads(bench: Bench) -> None:
    """Everything there is to read; what there is not; and who may not."""
    with reading(bench) as here:
        for operation in here.operations:
            path = here.path(operation)
            if path is not None:
                here.ask(operation, here.request(operation, path), (operation.success,), "what can be read is read")
            names = {each["name"]: NOTHING for each in operation.parameters if each["in"] == "path"}
            if names and 404 in operation.responses:
                request = here.request(operation, names)
                here.ask(operation, request, OUT_OF_REACH, "there is nothing with this id")
            if not operation.is_anonymous:
                _refused(here, operation, {**names, **(path or {})})


def _refused(here: Reading, operation: Operation, path: Mapping[str, str]) -> None:
    callers: list[tuple[Any, str]] = [(None, "there is no credential"), (NOBODY, "nobody knows the credential")]
    if here.bench.offers("revoked"):
        callers.append(("revoked", "the credential has been revoked"))
    for caller, why in callers:
        here.ask(operation, here.request(operation, path, caller), (401,), why, clause=UNAUTHENTICATED)


def parameters(bench: Bench) -> None:
    """Parameters of what can be read: valid ones are taken, invalid ones refused."""
    with reading(bench) as here:
        known = {operation.id: operation for operation in here.operations}
        for sample in covering(bench):
            if sample.operation in known:
                _tried(here, known[sample.operation], sample)
        for operation in here.operations:
            _badly_written(here, operation)


def _tried(here: Reading, operation: Operation, sample: Sample) -> None:
    path = here.path(operation)
    if sample.place == "path":
        path = {**(path or {}), **sample.path}
    there = {(each.place, each.name) for each in here.verdicts.parameters(operation)}

    def special(place: str, values: Mapping[str, str]) -> dict[str, str]:
        taken = {name: text for name, text in values.items() if (place, name) in there}
        return {name: text for name, text in taken.items() if sample.place == "" or sample.name in (name, "")}

    query = special("query", sample.query) if sample.place in ("query", "") else {}
    headers = special("header", sample.headers) if sample.place in ("header", "") else {}
    names = {name for name in (*query, *headers) if name in fuzzing.NAMES}
    try:
        wrong = _wrong(here, operation, path or {}, query, headers)
    except Unclear:
        return
    if wrong is None:
        if path is None or sample.place == "path" or names:
            return  # valid, and of nothing that is known to be there
        request = here.request(operation, path, query=query, headers=headers)
        here.ask(operation, request, (operation.success,), "the request is valid")
    else:
        whole = {each["name"]: NOTHING for each in operation.parameters if each["in"] == "path"} | (path or {})
        request = here.request(operation, whole, query=query, headers=headers)
        here.ask(operation, request, (400,), wrong, clause=INVALID)


def _wrong(here: Reading, operation: Operation, path: Any, query: Any, headers: Any) -> str | None:
    return here.verdicts.wrong_with(Call(operation.id, path=path, query=query, headers=headers))


BAD_QUERIES: Mapping[str, Callable[[str, str], str]] = {
    "it stands there twice": lambda name, text: f"{name}={text}&{name}={text}",
    "it stands there twice, with two values": lambda name, text: f"{name}={text}&{name}=1{text}",
    "it is not UTF-8": lambda name, _: f"{name}=%ff",
    "it is empty": lambda name, _: f"{name}=",
    "its digits are not ASCII": lambda name, _: f"{name}=%D9%A5",
    "it is a number beyond 64 bits": lambda name, _: f"{name}=99999999999999999999",
    "it has 5,000 digits": lambda name, _: f"{name}={'9' * 5000}",
    "it is written with an exponent": lambda name, _: f"{name}=1e1",
    "it is hexadecimal": lambda name, _: f"{name}=0x10",
    "NUL stands in it": lambda name, text: f"{name}={text}%00",
}


def _badly_written(here: Reading, operation: Operation) -> None:
    """Query parameters as no client library would write them."""
    path = here.path(operation)
    number = next((each for each in here.verdicts.parameters(operation) if each.schema.get("type") == "integer"), None)
    if path is None or number is None:
        return
    for why, write in BAD_QUERIES.items():
        request = here.request(operation, path)
        target = f"{request.target}?{write(number.name, '5')}"
        request = Request(request.method, target, request.headers)
        allowed = (400, 414) if len(target) > 4_000 else (400,)
        here.ask(operation, request, allowed, f"query parameter {number.name}: {why}", clause=INVALID)
