"""Which requests are made up for a bundle."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.bench import Bench
from contracts.bundle import UNSET, Operation
from contracts.openapp.fuzzing import NOT_MADE_UP
from contracts.schemathesis_adapter import Sample, coverage, drawn
from mock_server.openapi.walk import as_map, resolve

from .values import departures

EVERY = 6
"""Of the operations that share an optional header, for how many one is tried in the quick profile."""


OF_A_KIND = 2
"""Of values that are wrong in the same way, how many are tried in the quick profile; which ones the seed decides."""
WRONG_TYPE, NEAR = "Incorrect type", "Near-boundary"


def covering(bench: Bench) -> list[Sample]:
    """Of every operation that this run is about: bounds, and departures from the bundle one at a time."""
    wanted = {operation.id for operation in bench.operations}
    samples = _distinct(sample for sample in coverage(_document(bench)) if sample.operation in wanted)
    return samples if bench.profile == "full" else _fewer(bench, samples)


def _fewer(bench: Bench, samples: list[Sample]) -> list[Sample]:
    """Not every wrong type of every member, and no value that is beside a bound on its good side."""
    of_a_kind: dict[tuple[str, str, str, str], list[Sample]] = {}
    for sample in samples:
        if WRONG_TYPE in sample.what:
            of_a_kind.setdefault((sample.operation, sample.place, sample.name, sample.what), []).append(sample)
    kept = {id(each) for kind in of_a_kind.values() for each in bench.random.sample(kind, min(OF_A_KIND, len(kind)))}
    return [each for each in samples if id(each) in kept or not (WRONG_TYPE in each.what or NEAR in each.what)]


def departing(operation: Operation, document: Mapping[str, Any], base: Any) -> list[Sample]:
    """Departures that servers are known to let pass, from a body that is valid."""
    schema = operation.body_schema
    if schema is None or base is UNSET:
        return []
    return _distinct(
        Sample(operation.id, "body", "", what, body=body) for what, body in departures(document, schema, base)
    )


def random_ones(bench: Bench, operation: Operation, *, count: int, valid: bool) -> list[Sample]:
    if not count:
        return []
    return _distinct(drawn(_document(bench), operation.id, count=count, seed=bench.seed, valid=valid))


def _document(bench: Bench) -> Mapping[str, Any]:
    return made_up(bench.bundle.document, thin=bench.profile == "quick")


def made_up(document: Mapping[str, Any], *, thin: bool) -> dict[str, Any]:
    """The bundle without what is not made up. `thin`: headers that many operations share are left at a few of them."""
    occurrences: Counter[str] = Counter()

    def stays(parameter: Mapping[str, Any]) -> bool:
        shared = as_map(resolve(document, parameter))
        if not thin or "$ref" not in parameter or shared.get("in") != "header":
            return True
        occurrences[parameter["$ref"]] += 1
        return occurrences[parameter["$ref"]] % EVERY == 1

    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        paths[path] = {}
        for name, each in item.items():
            if name == "parameters":
                paths[path][name] = [parameter for parameter in each if stays(parameter)]
            elif not isinstance(each, dict) or each.get("operationId") not in NOT_MADE_UP:
                paths[path][name] = {
                    **each, "parameters": [parameter for parameter in each.get("parameters", []) if stays(parameter)]
                }  # fmt: skip
    return {**document, "paths": paths}


def _distinct(samples: Iterator[Sample] | list[Sample]) -> list[Sample]:
    found: dict[str, Sample] = {}
    for sample in samples:
        body = "" if sample.body is UNSET else json.dumps(sample.body)
        if "{{" not in body:
            found.setdefault(
                f"{sample.operation} {sample.place} {sample.name} {sample.path} {sample.query} {sample.headers} {body}",
                sample,
            )
    return list(found.values())
