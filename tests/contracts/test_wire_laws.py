"""The wire family: nothing is found in the reference, each law finds a lie alone, and what they are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.bundle import UNSET, Bundle
from contracts.findings import Report
from contracts.http import Allowance, Answer, Client
from contracts.laws import wire
from contracts.mutants.served import Served
from contracts.raw import parsed
from contracts.runner import Plan, run
from contracts.schemathesis_adapter import Sample, coverage, drawn
from contracts.steps import Call
from contracts.target import ControlPort, Ports, Target
from contracts.wire import bodies, judging
from contracts.wire.judging import _smaller
from contracts.wire.room import Room
from contracts.wire.samples import made_up
from contracts.wire.values import departures
from contracts.wire.verdicts import Unclear, Verdicts
from mock_server import bundles

from .liar import Exchange, Liar, Lie, honest
from .outcomes import found, states

BUNDLE = Bundle(msgspec.json.decode(bundles.load("openapp")))
LAWS = {law.id: law for law in wire.LAWS}
READING = {law.id for law in wire.LAWS if not law.needs}


@pytest.fixture(scope="module")
def clean() -> Iterator[Target]:
    with Served("none") as server:
        yield server.target


@pytest.fixture(scope="module")
def liar(clean: Target) -> Iterator[Liar]:
    assert clean.ports.control is not None
    with Liar(clean.ports.control.url) as liar:
        yield liar


def tried(target: Target, *laws: str, **how: Any) -> Report:
    return run(target, Plan(tuple(LAWS[each] for each in laws or LAWS), **how))


# -- the reference ------------------------------------------------------------------------------------------------------


class TestTheReference:
    def test_keeps_them_all_and_nothing_hides_anything(self, clean: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[tuple[Call, bool, int]] = []
        verdicts = Verdicts(BUNDLE)

        def compared(room: Room, call: Call, *, succeeds: bool = False) -> Answer | None:
            answer = judging.compared(room, call, succeeds=succeeds)
            if answer is not None:
                told.append((call, succeeds, answer.status))
            return answer

        monkeypatch.setattr(bodies, "compared", compared)
        report = tried(clean)
        assert found(report) == []
        assert set(states(report).values()) == {"passed"}
        assert [row for row in report.coverage if row.masked] == []
        assert {row.operation for row in report.coverage if row.status < 300 and row.verified} == set(BUNDLE.operations)
        # What our validators say of a request is what the reference answers to it.
        assert [(call, status) for call, succeeds, status in told if succeeds and status >= 300] == []
        invalid = [
            (call, status)
            for call, succeeds, status in told
            if not succeeds and call.caller is not None and call.json is not msgspec.UNSET
            and verdicts.wrong_with_body(BUNDLE[call.operation], call.json) and "{{" not in json.dumps(call.json)
        ]  # fmt: skip
        assert len(invalid) > 500
        assert {status for _, status in invalid} == {400}

    def test_gets_the_same_requests_for_the_same_seed(self, clean: Target) -> None:
        only = frozenset({"create_zone", "create_user", "list_zones"})
        laws = ("wire.parameters", "wire.accepts-valid", "wire.refuses-invalid")
        calls = [[law.calls for law in tried(clean, *laws, seed=seed, only=only).laws] for seed in (5, 5)]
        assert calls[0] == calls[1]

    def test_nothing_is_sent_but_reads_where_no_more_is_allowed(self, clean: Target) -> None:
        target = msgspec.structs.replace(clean, may="read-only", ports=Ports())
        report = tried(target)
        assert found(report) == []
        assert {law for law, state in states(report).items() if state == "passed"} == READING
        assert {row.method for row in report.coverage if row.seen or row.verified} == {"GET"}

    def test_in_an_organization_of_its_own_nothing_is_found_either(self, clean: Target) -> None:
        ports = Ports(webhook_secret=clean.ports.webhook_secret)
        lifted = {"subject_type": "org", "subject_id": clean.org, "quota_key": "organizations", "limit_value": 1_000}
        operation = BUNDLE["post_admin_quota_override"]
        key = (("X-API-Key", clean.credentials["operator"]),)
        client = Client(clean.url, Allowance(1, None, None))
        client.send(operation.request(headers=key, json_body=lifted))
        client.close()
        target = msgspec.structs.replace(clean, may="own-objects", ports=ports)
        laws = ("wire.responses", "wire.media-types", "wire.encodings", "wire.framing", "wire.methods")
        report = tried(target, *laws)
        assert found(report) == []
        assert {law for law, state in states(report).items() if state != "passed"} == {"wire.methods"}


# -- lies ---------------------------------------------------------------------------------------------------------------


def after(when: Callable[[Exchange], bool], change: Callable[[Exchange], None]) -> Lie:
    """Something else is told than the server said."""

    def lie(it: Exchange) -> None:
        it.send()
        if when(it):
            change(it)

    return lie


def instead(when: Callable[[Exchange], bool], status: int) -> Lie:
    """An answer of another status, without asking the server."""

    def lie(it: Exchange) -> None:
        it.send()
        if when(it):
            it.status = status

    return lie


def without(name: str) -> Callable[[Exchange], None]:
    def change(it: Exchange) -> None:
        it.answer_headers = [each for each in it.answer_headers if each[0].lower() != name]

    return change


def made_whole(it: Exchange) -> None:
    """A body that lacks what is required gets it."""
    if it.is_a("POST", "/zones") and isinstance(it.asked, dict) and "name" not in it.asked:
        it.ask({**it.asked, "name": "Nameless"})
    it.send()


def renamed(it: Exchange) -> None:
    """Texts lose what is not ASCII."""
    if it.is_a("POST", "/zones"):
        it.body = re.sub(rb"[\x80-\xff]+", b"?", it.body)
    it.send()


def read_as_json(it: Exchange) -> None:
    if it.is_a("PUT", r"/orgs/[^/]+/billing/degradation/policy"):
        it.headers["content-type"] = "application/json"
    it.send()


LIES: Mapping[str, Lie] = {
    "wire.reads": after(lambda it: it.is_a("GET", "/plans"), lambda it: it.tell({"plans": None})),
    "wire.parameters": instead(lambda it: it.query.get("offset") == "-1", 200),
    "wire.headers": after(
        lambda it: it.is_a("GET", "/orgs"), lambda it: it.answer_headers.append(("Cache-Control", "public"))
    ),
    "wire.paths": instead(lambda it: "%00" in it.path, 500),
    "wire.responses": instead(lambda it: it.is_a("POST", "/users") and it.status == 200, 201),
    "wire.accepts-valid": instead(lambda it: it.is_a("POST", "/zones") and len(it.body) > 200, 400),
    "wire.refuses-invalid": made_whole,
    "wire.media-types": read_as_json,
    "wire.encodings": renamed,
    "wire.too-large": instead(lambda it: it.is_a("POST", "/users") and it.status == 413, 400),
    "wire.correlation": instead(lambda it: it.is_a("GET", "/plans") and it.status == 400, 200),
    "wire.methods": after(lambda it: it.status == 405, without("allow")),
    "wire.retry-after": after(lambda it: it.status == 429, without("retry-after")),
    "wire.framing": honest,  # the liar itself cannot read chunks
}


ONLY = dict.fromkeys(("wire.accepts-valid", "wire.refuses-invalid"), frozenset({"create_zone"}))


def test_each_law_has_a_lie() -> None:
    assert set(LIES) == set(LAWS)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_alone_finds_a_lie_and_shows_it_in_a_request_or_two(liar: Liar, clean: Target, law: str) -> None:
    ports = msgspec.structs.replace(clean.ports, control=ControlPort(liar.url))
    target = msgspec.structs.replace(clean, url=f"{liar.url}/api/v1", ports=ports)
    liar.lie = LIES[law]
    try:
        report = tried(target, law, stop_at_first=True, only=ONLY.get(law, frozenset()))
    finally:
        liar.lie = honest
    assert states(report) == {law: "failed"}, states(report)
    (finding,) = report.findings
    assert finding.calls <= 3, [each.title for each in finding.steps]


def test_a_body_is_shown_as_small_as_it_may_be(liar: Liar, clean: Target) -> None:
    ports = msgspec.structs.replace(clean.ports, control=ControlPort(liar.url))
    target = msgspec.structs.replace(clean, url=f"{liar.url}/api/v1", ports=ports)
    liar.lie = instead(lambda it: isinstance(it.asked, dict) and "external_id" in it.asked and it.status == 200, 500)
    try:
        report = tried(target, "wire.accepts-valid", only=frozenset({"create_zone"}))
    finally:
        liar.lie = honest
    (finding,) = report.findings
    assert finding.calls == 1
    assert set(json.loads(finding.steps[-1].body or "")) == {"name", "external_id"}


# -- what is made up ----------------------------------------------------------------------------------------------------


class TestSamples:
    document = made_up(BUNDLE.document, thin=True)

    def test_are_always_the_same(self) -> None:
        first = coverage(self.document)
        assert first is coverage(json.loads(json.dumps(self.document)))
        assert {each.operation for each in first} == set(BUNDLE.operations) - {"post_billing_webhook"}

    def test_depend_on_the_seed_alone(self) -> None:
        def bodies_of(seed: int) -> list[Any]:
            return [each.body for each in drawn(self.document, "create_user", count=8, seed=seed, valid=True)]

        assert bodies_of(1) == bodies_of(1)
        assert bodies_of(1) != bodies_of(2)

    def test_depart_from_a_valid_body_in_ways_that_are_not_valid(self) -> None:
        verdicts = Verdicts(BUNDLE)
        for operation in BUNDLE.operations.values():
            schema = operation.body_schema
            base = next(
                (each.body for each in coverage(self.document) if _is_valid(verdicts, operation.id, each)), None
            )
            if schema is None or base is None:
                continue
            found = list(departures(BUNDLE.document, schema, base))
            wrong = [what for what, body in found if verdicts.wrong_with_body(operation, body)]
            assert len(wrong) > 0, operation.id
            assert {"a list of it", "its JSON as a text"} <= set(wrong)


def _is_valid(verdicts: Verdicts, operation: str, sample: Sample) -> bool:
    return (
        sample.operation == operation
        and sample.body is not UNSET
        and verdicts.wrong_with_body(BUNDLE[operation], sample.body) is None
    )


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ({"limit": "0"}, "valid"),
        ({"limit": "200"}, "valid"),
        ({"limit": "201"}, "invalid"),
        ({"limit": "-1"}, "invalid"),
        ({"limit": "ten"}, "invalid"),
        ({"limit": ""}, "invalid"),
        ({"limit": "9" * 30}, "invalid"),
        ({"limit": "05"}, "unclear"),
        ({"limit": "+5"}, "unclear"),
        ({"limit": "5.0"}, "unclear"),
        ({"include_deleted": "true"}, "valid"),
        ({"include_deleted": "True"}, "unclear"),
        ({"include_deleted": "2"}, "invalid"),
        ({"integration_id": "a b"}, "invalid"),
        ({"unknown": "a"}, "valid"),
    ],
)
def test_a_text_is_valid_or_not_or_it_depends_on_who_reads_it(query: dict[str, str], verdict: str) -> None:
    try:
        wrong = Verdicts(BUNDLE).wrong_with(Call("list_devices", query=query))
    except Unclear:
        assert verdict == "unclear"
    else:
        assert verdict == ("valid" if wrong is None else "invalid")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
@settings(deadline=None)
def test_whatever_is_smaller_is_smaller(value: Any) -> None:
    """So that reducing ends."""
    size = len(json.dumps(value))
    assert all(len(json.dumps(each)) < size for each in _smaller(value))


# -- bytes --------------------------------------------------------------------------------------------------------------

ANSWERS = st.lists(
    st.tuples(st.integers(200, 599).filter(lambda n: n not in (204, 304)), st.binary(max_size=30), st.booleans()),
    max_size=4,
)


def written(status: int, body: bytes, is_chunked: bool) -> bytes:
    head = b"HTTP/1.1 %d Some Words\r\nX-Some: header\r\n" % status
    if not is_chunked:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@given(ANSWERS, st.data())
@settings(deadline=None)
def test_answers_are_read_back_whole_however_far_they_have_come(answers: list[Any], data: st.DataObject) -> None:
    raw = b"".join(written(*each) for each in answers)
    final, interim, is_garbage = parsed(raw)
    assert [(each.status, each.body) for each in final] == [(status, body) for status, body, _ in answers]
    assert not is_garbage
    assert not interim
    cut = data.draw(st.integers(0, len(raw)))
    part, _, is_garbage = parsed(raw[:cut])
    assert not is_garbage
    assert part == final[: len(part)]


@pytest.mark.parametrize("data", [b"mockbill", b"<html>", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 ok\r\n\r\n"])
def test_what_is_not_http_is_told_apart(data: bytes) -> None:
    assert parsed(data)[2]


def test_interim_answers_are_not_final_ones() -> None:
    final, interim, _ = parsed(b"HTTP/1.1 100 Continue\r\n\r\n" + written(200, b"x", False))
    assert interim == [100]
    assert [each.status for each in final] == [200]
