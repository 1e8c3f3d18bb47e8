"""The only module that knows Schemathesis: it makes requests up, and neither sends nor judges them.

What it says of a request (valid, invalid) is not taken over: 4.32 is sometimes wrong about it (#4332).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from .bundle import UNSET

CONFIG: dict[str, Any] = {
    "base-url": "http://127.0.0.1",
    "generation": {"database": "none", "with-security-parameters": False},
    "phases": {"coverage": {"unexpected-methods": [], "generate-duplicate-query-parameters": False}},
    "cache": {"enabled": False},
}
JSON = "application/json"


class Sample(msgspec.Struct, frozen=True):
    """A request that was made up. `place`: which part of it is meant to be special: path, query, header, body, or "" for
    none; `name`: which parameter, "" for several. `what`: in what way. Parameters are texts as they are before they are
    percent-encoded.
    """

    operation: str
    place: str
    name: str
    what: str
    path: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: Any = UNSET


def coverage(document: Mapping[str, Any]) -> tuple[Sample, ...]:
    """For every operation its examples and bounds, and each one-sided departure from them: always the same ones."""
    return _coverage(json.dumps(document))


@lru_cache(maxsize=4)
def _coverage(text: str) -> tuple[Sample, ...]:
    from schemathesis.generation import GenerationMode

    schema, found = _schema(text), []
    for operation in _operations(schema):
        cases = schema.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=schema.config.generation
        )
        found += [sample for case in cases if (sample := _sample(operation, case)) is not None]
    return tuple(found)


def drawn(document: Mapping[str, Any], operation_id: str, *, count: int, seed: int, valid: bool) -> list[Sample]:
    """Random requests to one operation that are meant to be valid, or not to be; the same ones for the same seed."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis.errors import Unsatisfiable
    from schemathesis.generation import GenerationMode

    operation = next(
        each
        for each in _operations(_schema(json.dumps(document)))
        if each.definition.raw["operationId"] == operation_id
    )
    found: list[Sample] = []

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE))
    def collect(case: Any) -> None:
        sample = _sample(operation, case)
        if sample is not None:
            found.append(sample)

    try:
        collect()
    except Unsatisfiable:
        pass  # nothing could be wrong with what this operation takes
    return found


@lru_cache(maxsize=4)
def _schema(text: str) -> Any:
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    return schemathesis.openapi.from_dict(json.loads(text), config=SchemathesisConfig.from_dict(CONFIG))


def _operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        yield result.ok()


def _sample(operation: Any, case: Any) -> Sample | None:
    """None for what is no request in this operation's media type, or cannot be said in texts."""
    from schemathesis.core import NotSet

    if case.method != operation.method.upper() or (case.media_type or JSON) != JSON:
        return None
    texts = [_texts(values) for values in (case.path_parameters, case.query, case.headers)]
    if any(each is None for each in texts) or "Content-Type" in (texts[2] or {}) or isinstance(case.body, bytes):
        return None
    path, query, headers = (each or {} for each in texts)
    phase = case.meta.phase.data if case.meta is not None else None
    place = getattr(getattr(phase, "parameter_location", None), "value", "") or ""
    return Sample(
        operation.definition.raw["operationId"],
        place,
        getattr(phase, "parameter", None) or "" if place in ("path", "query", "header") else "",
        getattr(phase, "description", "") or "",
        {name: unquote(text) for name, text in path.items()},
        query,
        headers,
        UNSET if isinstance(case.body, NotSet) else case.body,
    )


def _texts(values: Mapping[str, Any] | None) -> dict[str, str] | None:
    found = {}
    for name, value in dict(values or {}).items():
        if isinstance(value, bool) or value is None:
            found[name] = json.dumps(value)
        elif isinstance(value, str | int | float):
            found[name] = str(value)
        else:
            return None
    return found
