"""What plain `schemathesis run` is taken to have found."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from contracts.mutants.catalogue import NONE
from contracts.mutants.plain import OF_THE_REFERENCE, PlainFailed, _Reading, findings, run_plain
from contracts.mutants.served import Served

SCHEMA = "response_schema_conformance"


def finished(operation: str | None, check: str, label: str = "Stateful tests") -> dict[str, Any]:
    failure = {"type": "F"} | ({} if operation is None else {"operation": operation})
    failed = {"name": check, "status": "failure", "failure_info": {"failure": failure}}
    fine = {"name": "not_a_server_error", "status": "success", "failure_info": None}
    return {"ScenarioFinished": {"recorder": {"label": label, "cases": {}, "checks": {"a": [fine, failed]}}}}


def test_a_failed_check_is_a_finding_of_its_operation() -> None:
    assert list(findings(finished("GET /plans", SCHEMA))) == [("GET /plans", SCHEMA)]
    assert list(findings(finished(None, SCHEMA, "GET /zones"))) == [("GET /zones", SCHEMA)]
    assert list(findings({"PhaseStarted": {}})) == []


def test_what_the_reference_shows_too_does_not_count_nor_do_errors() -> None:
    known = next(iter(OF_THE_REFERENCE))
    events = [
        finished(*known),
        {"NonFatalError": {"label": "GET /zones"}},
        finished("GET /plans", SCHEMA),
        {"EngineFinished": {}},
    ]
    text = "".join(f"{json.dumps(event)}\n" for event in events)
    lines = io.StringIO()
    reading = _Reading(lines, OF_THE_REFERENCE)
    for part in (text[:-30], text[-30:]):
        at = lines.tell()
        lines.write(part)
        lines.seek(at)
        reading.go_on()
    assert list(reading.found) == [("GET /plans", SCHEMA)]
    assert list(reading.errors) == ["GET /zones"]
    assert reading.has_ended


def test_without_a_server_nothing_is_judged() -> None:
    with pytest.raises(PlainFailed, match="nothing answers"):
        run_plain("http://127.0.0.1:9", 1)


@pytest.mark.slow
def test_it_finds_nothing_in_the_reference_and_a_wrong_media_type_at_once() -> None:
    with Served(NONE) as server:
        result = run_plain(server.url, 1, max_examples=3, stop_at_first=False)
    assert (result.killed, result.findings, result.errors, result.is_whole) == (False, (), (), True)
    with Served("plans-as-text") as server:
        result = run_plain(server.url, 1, max_examples=3)
    assert result.findings == (("GET /plans", "content_type_conformance"),)
    with Served(NONE) as server:
        result = run_plain(server.url, 1, limit=1.0)
    assert (result.killed, result.is_whole) == (False, False)
