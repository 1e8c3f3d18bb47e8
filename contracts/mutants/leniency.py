"""Faults in how OpenApp's requests are validated. The control API, which the same stages serve, stays as strict as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonschema_rs import ValidationError

from mock_server.http import schemas, stages
from mock_server.http.contract import Operation
from mock_server.http.exchange import Call, Refusal
from mock_server.http.problems import INVALID_REQUEST
from mock_server.openapi.walk import join

from .mutant import Install, Make, patched, together

API = "openapp"
Forgive = Callable[[ValidationError, Any], bool]
"""Whether an error in a value does not count; it may mend the value in its place."""

IGNORED = object()
"""A query parameter that is as good as none."""


def forgiving(forgive: Forgive, operation_id: str | None = None) -> Install:
    """Bodies in which nothing but what `forgive` lets pass is wrong are as good as valid ones."""

    def make(real: Any) -> Any:
        def lenient(validator: Any, value: Any) -> Any:
            if real(validator, value) is not None:
                for error in validator.iter_errors(value):
                    if not forgive(error, value):
                        said = schemas._clipped(schemas._explained(error))
                        return join("", *error.instance_path), said, join("", *error.schema_path)
            return None

        return lenient

    return _while_reading("_read_json", "first_error", make, operation_id)


def taking(accepts: Callable[[str, str], bool]) -> Install:
    """Query parameters (name, text) that are taken as integers although the bundle does not allow them."""

    def make(real: Any) -> Any:
        def lenient(parameter: Any, text: str) -> Any:
            is_taken = parameter.place == "query" and accepts(parameter.name, text)
            return int(text) if is_taken else real(parameter, text)

        return lenient

    return _while_reading("_read_parameters", "_checked", make)


def passing_over(header: str) -> Install:
    """A request header of which every value is as good as none."""

    def make(real: Any) -> Any:
        def lenient(parameter: Any, text: str) -> Any:
            is_passed_over = parameter.place == "header" and parameter.name == header
            return text if is_passed_over else real(parameter, text)

        return lenient

    return _while_reading("_read_parameters", "_checked", make)


def ignoring_bad_queries() -> Install:
    """A query parameter that is not valid is as good as none."""

    def make(real: Any) -> Any:
        def lenient(parameter: Any, text: str) -> Any:
            try:
                return real(parameter, text)
            except Refusal:
                if parameter.place != "query":
                    raise
                return IGNORED

        return lenient

    def then(call: Call) -> None:
        call.query = {name: value for name, value in call.query.items() if value is not IGNORED}

    return together(_while_reading("_read_parameters", "_checked", make), _after("_read_parameters", then))


def refusing(wrong: Callable[[Any], str | None], operation_id: str | None = None) -> Install:
    """Valid bodies that are refused all the same, because of what `wrong` says."""

    def then(call: Call) -> None:
        if operation_id in (None, call.operation.id) and isinstance(call.body, dict):
            reason = wrong(call.body)
            if reason is not None:
                raise Refusal(INVALID_REQUEST(reason=f"body: {reason}", place="body"))

    return _after("_read_json", then)


def _while_reading(stage: str, name: str, make: Make, operation_id: str | None = None) -> Install:
    """A fault in a function that a stage looks up, as long as the stage is about OpenApp (about one operation)."""
    is_concerned = False

    def reading(real: Any) -> Any:
        def faulty(call: Call, operation: Operation, more: Any) -> None:
            nonlocal is_concerned
            is_concerned = operation.api == API and operation_id in (None, operation.id)
            try:
                # Nothing is awaited in here, so no other request can come in between.
                real(call, operation, more)
            finally:
                is_concerned = False

        return faulty

    def chosen(real: Any) -> Any:
        faulty = make(real)

        def either(*args: Any) -> Any:
            return (faulty if is_concerned else real)(*args)

        return either

    return together(patched(stages, stage, reading), patched(stages, name, chosen))


def _after(stage: str, then: Callable[[Call], None]) -> Install:
    """Something done after a stage that was about OpenApp."""

    def make(real: Any) -> Any:
        def faulty(call: Call, operation: Operation, more: Any) -> None:
            real(call, operation, more)
            if operation.api == API:
                then(call)

        return faulty

    return patched(stages, stage, make)
