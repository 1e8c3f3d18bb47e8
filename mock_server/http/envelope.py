"""The error envelope `{message, error_code, code, correlationId, details}`: OpenApp's own, and the control API's."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.problems import Problem

LONGEST_MESSAGE = 2_000


def render(problem: Problem, request_id: str) -> tuple[bytes, str]:
    """`error_code` is the contract's name for the code, `code` the one that client libraries read."""
    body: dict[str, Any] = {
        "message": _clean(problem.message)[:LONGEST_MESSAGE],
        "error_code": problem.type.code,
        "code": problem.type.code,
        "correlationId": request_id,
    }
    details = {name: fact for name, fact in problem.facts.items() if not name.startswith("_")}
    if details:
        body["details"] = _clean(details)
    return msgspec.json.encode(body), "application/json"


def _clean(value: Any) -> Any:
    """Without lone surrogates, which a hostile path can bring in and UTF-8 cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value
