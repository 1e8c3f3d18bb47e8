"""A place in which whatever a valid request names is there, and nothing runs out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.bench import Bench, NotVerified
from contracts.broken import Broken
from contracts.bundle import UNSET
from contracts.case import Case
from contracts.http import Request
from contracts.openapp import fuzzing
from contracts.openapp.stock import Stock, request_for
from contracts.schemathesis_adapter import Sample
from contracts.steps import Call, filled, moment

from .verdicts import Unclear, Verdicts


class Unavailable(Exception):
    """A request to an operation cannot be made here; the message says why."""


class Room:
    """Of one case. What the target cannot make is missing, and so are the requests that need it."""

    def __init__(self, bench: Bench, case: Case, verdicts: Verdicts, spoils: Counter[str]) -> None:
        self.bench, self.case, self.verdicts, self.spoils = bench, case, verdicts, spoils
        self.stock = Stock(case)
        self._bases: dict[str, Call] = {}
        for thing in ("room", *fuzzing.STOCKED):
            steps, shown = len(case.numbered), len(case.shown)
            try:
                if thing == "room":
                    fuzzing.make_room(case)
                else:
                    self.stock[thing]
            except (AssertionError, NotVerified):
                # It is missing, then; wire.responses shows why.
                del case.numbered[steps:], case.shown[shown:]
        self._steps, self._shown = len(case.numbered), len(case.shown)

    def tidy(self) -> None:
        """Forget the steps since the room was made: no request depends on another."""
        for number, _ in self.case.numbered[self._steps :]:
            self.case.answers.pop(number, None)
        del self.case.numbered[self._steps :], self.case.shown[self._shown :]

    def base(self, operation_id: str) -> Call:
        """A call that succeeds. Raises Unavailable, or Broken if the target fails on the way to it."""
        if operation_id in self._bases and not operation_id.startswith(fuzzing.CONSUMING):
            return self._bases[operation_id]
        for need, operations in _NEEDS.items():
            if operation_id in operations and not self.bench.offers(need):  # type: ignore[arg-type]
                raise Unavailable(f"needs {need}")
        try:
            call = _call(request_for(self.stock, operation_id))
        except Broken:
            raise
        except (AssertionError, NotVerified) as error:
            raise Unavailable(str(error)) from None
        if operation_id in fuzzing.OPERATOR:
            call = msgspec.structs.replace(call, caller="operator")
        self._bases[operation_id] = call
        return call

    def spare(self, operation_id: str) -> Call:
        """One that may have been sent already: for requests that are about something else."""
        return self._bases.get(operation_id) or self.base(operation_id)

    def call(self, sample: Sample, *, valid: bool) -> Call | None:
        """The base call with the special part of a sample in it; None if that is not valid (or not invalid), or unclear.

        Raises Unavailable or Broken.
        """
        base = self.spare(sample.operation)
        known = {(each.place, each.name) for each in self.verdicts.parameters(self.case.bundle[sample.operation])}
        known -= {("header", name) for name in fuzzing.ONCE if sample.place == ""}

        def special(place: str, values: Mapping[str, str]) -> dict[str, str]:
            if sample.place not in (place, ""):
                return {}
            return {name: text for name, text in values.items() if (place, name) in known and sample.name in (name, "")}

        call = msgspec.structs.replace(
            base,
            path={**base.path, **(special("path", sample.path) if sample.place else {})},
            query={**base.query, **special("query", sample.query)},
            headers={**base.headers, **special("header", sample.headers)},
            json=sample.body if sample.place in ("body", "") and sample.body is not UNSET else base.json,
        )
        try:
            call, is_valid = self._settled(call)
        except Unclear:
            return None
        if is_valid != valid:
            return None
        if valid and sample.place != "path" and sample.operation.startswith(fuzzing.CONSUMING):
            call = msgspec.structs.replace(call, path=self.base(sample.operation).path)
        return call

    def _settled(self, call: Call) -> tuple[Call, bool]:
        """The call with whatever it names replaced by what is there, unless that would mend it; whether it is valid."""
        is_valid = self._is_valid(call)
        there = msgspec.structs.replace(
            call,
            query=self._named(call.query),
            headers=self._named(call.headers),
            json=call.json if call.json is msgspec.UNSET else fuzzing.settled(call.operation, call.json, self.stock),
        )
        return (there if self._is_valid(there) == is_valid else call), is_valid

    def _is_valid(self, call: Call) -> bool:
        json = call.json if call.json is msgspec.UNSET else filled(call.json, lambda name: moment(name, self.case.now))
        return self.verdicts.wrong_with(msgspec.structs.replace(call, json=json)) is None

    def _named(self, values: Mapping[str, str]) -> dict[str, str]:
        return {
            name: fuzzing.there(self.stock, name) if name in fuzzing.NAMES else text for name, text in values.items()
        }

    def request(self, call: Call) -> Request:
        """A call as the target alone gets it."""
        return self.case.requests(call)[1]


_NEEDS = {"portal": ("get_public_portal",), "webhook-secret": ("post_billing_webhook",), "operator": fuzzing.OPERATOR}


def _call(arguments: dict[str, Any]) -> Call:
    """What the arguments of `Case.ask` say."""
    made = {"caller": "owner", **arguments}
    if made.get("body") is not None:
        made["body"] = made["body"].decode("latin-1")
    return Call(**made)
