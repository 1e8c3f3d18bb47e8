"""A finding as a test that stands alone: it fails against a faulty server and passes against one that is right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.carrying import WAYS
from contracts.edges import EDGES, end_of
from contracts.findings import Finding
from contracts.laws import ALL
from contracts.reports import standalone
from contracts.reports.fitting import misfit
from contracts.reports.pytest_file import SIGNING, source
from contracts.runner import Plan, chosen, run
from contracts.signing import signed
from contracts.steps import Call, Move, text_of
from mock_server.engine.instants import add_duration, from_datetime, to_datetime
from tests.contracts.reported import ACME, BUNDLE, finding, report, result, step, target, view
from tests.server import ROOT

SECRETS = {
    "OWNER": "demo-owner", "READER": "demo-reader", "MEMBER": "demo-member", "OTHER": "demo-globex",
    "OPERATOR": "demo-operator", "WEBHOOK_SECRET": "whsec_demo",
}  # fmt: skip
MUTANT, LAW = "capacity-plus-one", "model.tiers"
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """A faulty server and one that is right, begun at once: each takes a second."""
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-m", "contracts.mutants", mutant],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, mutant in (("faulty", MUTANT), ("right", "none"))
    }
    found = {}
    try:
        for name, process in processes.items():
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("MOCKBILL_READY "), line
            found[name] = line.split("url=")[1].split()[0]
        yield found
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(20)
            if process.stdout is not None:
                process.stdout.close()


def tried(folder: Path, url: str, **more: str) -> dict[str, str]:
    """How each test in a folder went against a server, by the name of its file."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("MOCKBILL_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-W", "error", "--rootdir", ".", "."],
        cwd=folder,
        env=keep | SECRETS | {"MOCKBILL_URL": f"{url}/api/v1", **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told: dict[str, str] = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("PASSED", "FAILED", "ERROR"):
            told[rest.split("::")[0].split(" ")[0]] = word
        elif word == "SKIPPED":
            told[rest.split("] ", 1)[1].split(":")[0]] = word
    assert told, done.stdout + done.stderr
    return told


def call(operation: str, **more: Any) -> Call:
    return Call(operation, more.pop("caller", "owner"), **more)


ZONE = call("create_zone", json={"name": "Lobby"})
KEY = call("create_api_key", json={"name": "laptop", "scoped_roles": ["devices:list"]})
EVENT = {"id": "evt_{{try}}", "type": "ping", "created": 1, "data": {"object": {}}}
HOOK: dict[str, Any] = {"path": {"provider": "stripe"}, "media_type": "application/json", "caller": None}
USAGE = call("get_org_billing_usage", path={"id": "{{org}}"})
CLAUSE = "/paths/~1zones/post/responses"
TRUE: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "an id is carried on": (
        [ZONE, call("get_zone", path={"id": "{{1#/id}}"})],
        {"wanted": {"at": ["id"], "value": "{{1#/id}}", "is": "own"}},
    ),
    "a key that was made calls": ([KEY, call("list_devices", caller="{{1#/token}}")], {"wanted": {"status": 200}}),
    "the clock moves on": (
        [ZONE, Move(by="P1M"), ZONE],
        {"wanted": {"at": ["created_at"], "value": "2026-02-15T12:00:00Z", "is": "moment"}},
    ),
    "the clock moves to an edge": (
        [Move(edge="month", seconds=-1), USAGE],
        {"wanted": {"at": ["items", "7", "period_label"], "value": "day:2026-01-31", "is": "same"}},
    ),
    "a moment is told": (
        [
            call(
                "post_admin_quota_override",
                caller="operator",
                json={
                    "subject_type": "org", "subject_id": "{{org}}", "quota_key": "devices", "limit_value": 9,
                    "expires_at": "{{now+P1D}}",
                },
            )
        ],
        {"wanted": {"at": ["expires_at"], "value": "2026-01-16T12:00:00Z", "is": "moment"}},
    ),
    "a webhook is signed": ([call("post_billing_webhook", json=EVENT, signing={}, **HOOK)], {"wanted": {"status": 200}}),
    "a webhook is signed too early": (
        [call("post_billing_webhook", json=EVENT, signing={"age": 301}, **HOOK)],
        {"wanted": {"at": ["error_code"], "value": "signature_expired", "is": "same"}},
    ),
    "a body that is no JSON is sent": (
        [call("create_zone", body="\xff{", media_type="application/json")], {"wanted": {"status": 400}},
    ),
    "nothing stands there": ([ZONE], {"wanted": {"at": ["nothing"]}}),
    "a list is so long": ([call("list_zones")], {"wanted": {"at": ["zones"], "length": 0}}),
    "a header is missing": ([ZONE], {"wanted": {"header": "retry-after", "value": None}}),
    "a header says no": ([ZONE], {"wanted": {"header": "cache-control", "lacks": ["public"]}}),
    "two answers are alike": (
        [call("get_zone", path={"id": "nope-1"}), call("get_zone", path={"id": "nope-2"})],
        {"wanted": {"alike": ["correlationId", "code"]}},
    ),
    "a status is declared": ([ZONE], {"kind": "contract", "clause": CLAUSE, "operation": "create_zone"}),
    "an answer fits its schema": (
        [ZONE],
        {
            "kind": "contract", "clause": f"{CLAUSE}/200/content/application~1json/schema", "operation": "create_zone",
            "steps": (step(answer='{"id": 5}'),),
        },
    ),
    "a header is there": (
        [ZONE],
        {
            "kind": "contract", "clause": f"{CLAUSE}/200/headers/X-Request-Id", "operation": "create_zone",
            "came": "the header X-Request-Id is missing",
        },
    ),
    "its media type is declared": (
        [ZONE], {"kind": "contract", "clause": f"{CLAUSE}/200/content", "operation": "create_zone"},
    ),
    "one of several statuses comes": ([ZONE], {"expected": "status 200 or 201: it is made", "wanted": None, "status": 500}),
    "an answer comes": ([ZONE], {"kind": "no answer", "expected": "an answer"}),
    **{
        f"a credential is sent as {way}": (
            [call("get_org", path={"id": "{{org}}"}, carried=way)], {"wanted": {"status": status}},
        )
        for way, status in {
            "bearer": 200, "secret part": 200, "cut": 401, "longer": 401, "other case": 401, "cookie": 401,
        }.items()
    },
}  # fmt: skip
FALSE: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "an id is another": (
        [ZONE, ZONE], {"wanted": {"at": ["id"], "value": "{{1#/id}}", "is": "own"}},
    ),
    "a status did not come": ([ZONE], {"wanted": {"status": 429}}),
    "a value is another": ([ZONE], {"wanted": {"at": ["name", "en"], "value": "Hall", "is": "same"}}),
    "a moment is another": ([ZONE], {"wanted": {"at": ["created_at"], "value": "2026-01-15T12:00:05Z", "is": "moment"}}),
    "something stands there": ([ZONE], {"wanted": {"at": ["id"]}}),
    "two answers differ": ([ZONE, ZONE], {"wanted": {"alike": []}}),
    "an id that is not there is needed": ([USAGE, call("get_zone", path={"id": "{{1#/id}}"})], {"wanted": {"status": 200}}),
}  # fmt: skip
UNSURE: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a sentence that says it all": ([ZONE], {"kind": "race", "expected": "one of two", "wanted": None}),
    "an id that only the oracle knew": ([ZONE], {"wanted": {"at": ["id"], "value": "01ABC", "is": "own"}}),
}


def as_finding(steps: list[Any], more: dict[str, Any]) -> Finding:
    wanted = more.get("wanted")
    shown = more.get("steps") or tuple(step() for _ in steps)
    fields = {"law": "model.x", "operation": None, "expected": "?", "kind": "body", "status": 200} | more
    return finding(
        **fields | {"steps": shown, "replay": text_of(steps), "wanted": None if wanted is None else text_of(wanted)}
    )


def make_room(url: str) -> None:
    """For organizations below the first, of which its plan allows one."""
    body = {"subject_type": "org", "subject_id": ACME, "quota_key": "organizations", "limit_value": 1_000}
    headers = {"X-API-Key": "demo-operator"}
    httpx.post(f"{url}/api/v1/admin/quota_overrides", json=body, headers=headers, timeout=20).raise_for_status()


Wanted = dict[str, str]
"""How a test should go, by the name of its file."""


def write_kinds(url: str, folder: Path) -> Wanted:
    """Each kind of verdict and step: in a world, and in an organization of the world that everybody shares."""
    make_room(url)
    wanted: Wanted = {}
    for control in (True, False):
        for outcome, cases in (("PASSED", TRUE), ("FAILED", FALSE), ("SKIPPED", UNSURE)):
            for n, (name, (steps, more)) in enumerate(cases.items()):
                if not control and ("moment" in f"{name} {more}" or "edge" in name):
                    continue
                made = view(report(as_finding(steps, more)), target(url, control=control))
                file = f"test_{outcome.lower()}_{n}_{'world' if control else 'org'}.py"
                (folder / file).write_text(f"# {name}\n" + source(made, made.found[0], BUNDLE))
                wanted[file] = outcome
    return wanted


def write_requests(url: str, folder: Path) -> Wanted:
    """Requests that are no sequence of calls, with what one answer gave in the next, and bytes that are no HTTP."""
    there = {"url": f"{url}/w/contract-1-1/api/v1/zones"}
    first = step(**there)
    second = step("GET", body=None, url=f"{there['url']}/01KF0RDQG0P9QWWJTP117SF22H")
    host = url.removeprefix("http://")
    data = f"GET /api/v1/plans HTTP/1.1\r\nHost: {host}\r\nX-API-Key: demo-owner\r\nConnection: close\r\n\r\n"
    raw = step(headers=(), body="", exact=data, is_raw=True, url=url)
    nothing: dict[str, Any] = {"replay": None, "wanted": None, "law": "wire.x", "operation": None, "status": 500}
    findings = {
        "in_order": (finding(**nothing, steps=(first, second), expected="status 200: it is there"), "PASSED"),
        "raw": (finding(**nothing, steps=(raw,), expected="plans, over a line: 200 or 304"), "PASSED"),
        "raw_wrong": (finding(**nothing, steps=(raw,), expected="plans: 400, or the connection closed"), "FAILED"),
        "empty": (finding(**nothing, steps=(), expected="anything"), "SKIPPED"),
    }
    for name, (each, _) in findings.items():
        made = view(report(each), target(url))
        (folder / f"test_{name}.py").write_text(source(made, made.found[0], BUNDLE))
    return {f"test_{name}.py": outcome for name, (_, outcome) in findings.items()}


def test_a_file_fails_where_something_is_wrong_and_passes_where_nothing_is(
    urls: dict[str, str], tmp_path: Path
) -> None:
    """All of them in one go, since pytest takes a while to begin."""
    on = target(urls["faulty"])
    made = view(run(on, Plan(chosen(ALL, [LAW]))), on)
    assert made.found
    faulty, right = tmp_path / "faulty", tmp_path / "right"
    for folder in (faulty, right):
        folder.mkdir()
        for each in made.found:
            (folder / each.file).write_text(source(made, each, BUNDLE))
    wanted = {each.file: "PASSED" for each in made.found}
    wanted |= write_kinds(urls["right"], right) | write_requests(urls["right"], right)
    (right / "test_not_set.py").write_text(
        (right / made.found[0].file).read_text().replace('env("OWNER")', 'env("NOT_SET")')
    )
    wanted["test_not_set.py"] = "FAILED"
    assert set(tried(faulty, urls["faulty"]).values()) == {"FAILED"}
    assert tried(right, urls["right"]) == wanted


HOSTILE = st.text(max_size=20) | st.sampled_from(['"""', "\\", "'''\n", "{{1#/id}}", "{", "\ud800", "<owner>"])


@given(text=HOSTILE, key=HOSTILE)
@settings(max_examples=40)
def test_whatever_is_sent_the_file_is_python(text: str, key: str) -> None:
    sent = call("create_zone", json={key: [text, {text: key}]}, headers={"X-A": text}, query={"q": text})
    made = view(report(finding(came=text, title=text, notes=(text,), replay=text_of([sent, sent]))))
    compile(source(made, made.found[0], BUNDLE), "x", "exec")


class TestTimes:
    @given(MOMENTS, st.sampled_from(["P1M", "P31D", "PT90S", "P1Y", "P2W", "P1DT12H30M", "PT0S", "P1Y2M3DT4H5M6S"]))
    def test_later_is_what_the_engine_says(self, start: datetime, duration: str) -> None:
        assert from_datetime(standalone.later(start, duration)) == add_duration(from_datetime(start), duration)

    @given(MOMENTS, st.sampled_from(EDGES))
    def test_edges_are_those_of_the_calendar(self, now: datetime, edge: str) -> None:
        assert standalone.end_of(edge, now) == to_datetime(end_of(edge, from_datetime(now)))

    def test_moments_are_near_to_the_second(self) -> None:
        assert standalone.about("2026-01-15T12:00:01Z", "2026-01-15T12:00:00Z")
        assert not standalone.about("2026-01-15T12:00:02Z", "2026-01-15T12:00:00Z")
        assert not standalone.about(None, "2026-01-15T12:00:00Z")


SIGNINGS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(ways) if ways else st.integers(-400, 400) for name, ways in SIGNING.items()}
)


@given(SIGNINGS, MOMENTS, st.sampled_from([{"id": "evt_1", "a": "pro", "b": [1]}, {"x": None}]))
def test_webhooks_are_signed_as_the_laws_sign_them(how: dict[str, Any], now: datetime, event: Any) -> None:
    body, headers = signed(event, how, "whsec_demo", from_datetime(now))
    assert standalone.signed(event, how, "whsec_demo", now) == (body, list(headers))


def test_every_way_to_carry_a_credential_is_known() -> None:
    from contracts.reports.pytest_file import _way

    assert not [way for way in WAYS if _way(way, "x") is None]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, "", "ab", "2026-01-15T12:00:00Z", "x:y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
PARTS: list[dict[str, Any]] = [
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0}, "maxItems": 2, "uniqueItems": True},
    {"type": "string", "minLength": 1, "pattern": "^[a-z0-9]", "format": "date-time"},
    {"type": "number", "maximum": 1, "exclusiveMaximum": True},
    {"enum": ["ab", None, 1]},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 2},
    {"type": "string", "format": "uri"},
    {"not": {"type": "string"}},
    {"type": "integer", "multipleOf": 2},
    {"type": "boolean"},
]
SCHEMAS = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.builds(
        lambda how, parts: {how: parts},
        st.sampled_from(["allOf", "anyOf", "oneOf"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=3,
)


@given(VALUES, SCHEMAS)
@settings(max_examples=300)
def test_schemas_mean_what_they_mean_to_the_validator(value: Any, schema: dict[str, Any]) -> None:
    validator = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    assert (misfit(value, schema) is None) == validator.is_valid(value)


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/definitions/s0"}}, "required": ["id"]}
    schema = {"$ref": "#/definitions/s0", "definitions": {"s0": tree}}
    assert misfit({"id": 1, "next": {"id": 2}}, schema) is None
    assert misfit({"id": 1, "next": {}}, schema) == "/next/id is missing"


def test_what_is_written_is_small_and_has_what_it_needs_only() -> None:
    made = view(report(finding(), laws=(result("model.capacity", "failed"),)))
    text = source(made, made.found[0], BUNDLE)
    assert "def signed(" not in text
    assert "def misfit(" not in text
    assert ACME in text
    assert json.dumps("demo-owner") not in text
    assert len(text.splitlines()) < 180
