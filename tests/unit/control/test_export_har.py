"""HAR 1.2: every member that the format requires, in the form that it requires."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema_rs import Draft7Validator

from mock_server.control.exports.har import har
from mock_server.control.exports.slices import Slice

from .entries import JSON, NOW, WALL, entry, hostile_parts, part


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object that has these members, perhaps those, and else only members of ours."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional, "comment": TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
SIZE = {"type": "integer", "minimum": -1}
TIME = {"type": "number", "minimum": 0}
PAIRS = {"type": "array", "items": _object({"name": TEXT, "value": TEXT})}
POST_DATA = _object({"mimeType": TEXT, "text": TEXT})
MESSAGE = {"httpVersion": TEXT, "cookies": {"type": "array", "maxItems": 0}, "headers": PAIRS, "headersSize": SIZE}
REQUEST = _object(
    {**MESSAGE, "method": TEXT, "url": {"type": "string", "format": "uri"}, "queryString": PAIRS, "bodySize": SIZE},
    postData=POST_DATA,
)
CONTENT = _object(
    {"size": {"type": "integer", "minimum": 0}, "mimeType": TEXT}, text=TEXT, encoding={"const": "base64"}
)
RESPONSE = _object(
    {
        **MESSAGE,
        "status": {"type": "integer"},
        "statusText": TEXT,
        "content": CONTENT,
        "redirectURL": TEXT,
        "bodySize": SIZE,
    }
)
ENTRY = _object(
    {
        "startedDateTime": {"type": "string", "format": "date-time"},
        "time": TIME,
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object", "maxProperties": 0},
        "timings": _object({"send": TIME, "wait": TIME, "receive": TIME}),
        "_mockbill": {
            "type": "object",
            "required": ["number", "world", "at", "operation", "caller", "problem", "faults", "delivery"],
        },
    }
)
LOG = _object(
    {
        "version": {"const": "1.2"},
        "creator": _object({"name": TEXT, "version": TEXT}),
        "entries": {"type": "array", "items": ENTRY},
    }
)
HAR = Draft7Validator({"type": "object", "required": ["log"], "properties": {"log": LOG}}, validate_formats=True)


def only(whole: dict[str, Any]) -> Any:
    """The one entry of a HAR that keeps the format."""
    HAR.validate(json.loads(json.dumps(whole)))
    (made,) = whole["log"]["entries"]
    return made


def test_what_a_har_says_of_a_request() -> None:
    asked = entry(
        3,
        "POST",
        "/w/blue/api/v1/zones",
        query="a=1%202&a=&b&c=%26",
        headers=[(b"x-api-key", b"http://h_openapp_***@blue"), JSON, (b"X-Twice", b"1"), (b"X-Twice", b"2")],
        body='{"name":"Büro"}'.encode(),
        answer={"id": "z"},
        status=201,
        operation="create_zone",
        seconds=0.00125,
        at=NOW + 1,
    )
    asked.answer_headers.append((b"location", b"/there"))
    made = only(har(part(asked)))
    assert made["startedDateTime"] == "2026-09-21T14:13:20.000003Z"
    assert made["time"] == made["timings"]["wait"] == 1.25
    request, response = made["request"], made["response"]
    assert (request["method"], request["url"]) == (
        "POST",
        "http://127.0.0.1:4010/w/blue/api/v1/zones?a=1%202&a=&b&c=%26",
    )
    assert [(each["name"], each["value"]) for each in request["queryString"]] == [
        ("a", "1 2"),
        ("a", ""),
        ("b", ""),
        ("c", "&"),
    ]
    assert [each["name"] for each in request["headers"]] == [
        "host",
        "accept",
        "x-api-key",
        "content-type",
        "X-Twice",
        "X-Twice",
    ]
    assert request["postData"] == {"mimeType": "application/json", "text": '{"name":"Büro"}'}
    assert request["bodySize"] == 16
    assert (response["status"], response["statusText"], response["redirectURL"]) == (201, "Created", "/there")
    assert response["content"] == {"size": 11, "mimeType": "application/json", "text": '{"id": "z"}'}
    assert made["_mockbill"] == {
        "number": 3,
        "world": "blue",
        "at": "2026-03-01T00:00:00.000001Z",
        "operation": "create_zone",
        "caller": "owner of Acme Doors",
        "problem": None,
        "faults": [],
        "delivery": "whole",
    }


def test_entries_stand_in_the_order_in_which_they_came() -> None:
    slow, quick = entry(1, received_at=WALL), entry(2, received_at=WALL + 5)
    numbers = [each["_mockbill"]["number"] for each in har(part(quick, slow))["log"]["entries"]]
    assert numbers == [1, 2]


def test_bodies_that_are_no_text() -> None:
    made = only(har(part(entry(method="POST", body=b"\xff\x00", answer=b"\xfe"))))
    data = made["request"]["postData"]
    assert (data["text"], base64.b64decode(data["_base64"])) == ("", b"\xff\x00")
    assert "encoding" not in data
    content = made["response"]["content"]
    assert (content["encoding"], base64.b64decode(content["text"])) == ("base64", b"\xfe")


def test_bodies_that_were_cut_say_so() -> None:
    kept = b"a" * 65_536
    made = only(har(part(entry(method="POST", body=kept, body_size=70_000, answer=kept, answer_size=80_000))))
    assert made["request"]["postData"]["comment"] == "Only the first 65536 of 70000 bytes were kept."
    assert made["request"]["bodySize"] == 70_000
    assert made["response"]["content"]["comment"] == "Only the first 65536 of 80000 bytes were kept."


def test_a_lost_answer_has_no_status() -> None:
    response = only(har(part(entry(delivery="lost", faults=("lost-reply",), status=201))))["response"]
    assert (response["status"], response["headers"], response["content"]["size"]) == (0, [], 0)
    assert response["_error"] == "the fault lost-reply closed the connection without an answer"


@pytest.mark.parametrize("delivery", ["truncated", "client_gone"])
def test_other_troubles_are_errors_too(delivery: str) -> None:
    response = only(har(part(entry(delivery=delivery))))["response"]
    assert (response["status"], bool(response["_error"])) == (200, True)


def test_head_is_answered_without_a_body() -> None:
    response = only(har(part(entry(method="HEAD", answer={"a": 1}))))["response"]
    assert (response["content"]["size"], response["bodySize"]) == (0, 0)


def test_a_credential_that_the_journal_did_not_mask_is_masked_here() -> None:
    made = only(har(part(entry(headers=[(b"X-API-Key", b"sk_live_1"), (b"cookie", b"a=sk_live_2")]))))
    assert "sk_live" not in json.dumps(made)


@given(hostile_parts)
def test_any_entries_make_a_har(any_part: Slice) -> None:
    if any_part.origin == "http://127.0.0.1:4010":
        HAR.validate(json.loads(json.dumps(har(any_part))))
    json.dumps(har(any_part), ensure_ascii=False).encode()
