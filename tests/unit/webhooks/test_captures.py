"""Captured webhooks: the file format with all that it refuses, and the shipped files, judged by the vendor's library."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
import stripe as vendor
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.apis.openapp.model.providers.stripe import KINDS
from mock_server.engine.instants import EARLIEST, LATEST, SECOND, format_instant
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import (
    LARGEST_ANSWER,
    LARGEST_BODY,
    LARGEST_FILE,
    LONGEST_VALUE,
    MOST_HEADERS,
    Answer,
    Capture,
    CaptureError,
    load_capture,
    read_capture,
    written,
)
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

SHIPPED = sorted((FIXTURES / "webhooks" / "stripe").glob("*.json"))
SECRET = "whsec_demo"
SMALL: dict[str, Any] = {
    "mockbill_capture": 1,
    "provider": "stripe",
    "title": "A test",
    "received_at": "2026-04-17T09:30:00Z",
    "request": {"method": "POST", "path": "/hook", "headers": [["X-B", "1"], ["x-a", ""], ["X-B", "2"]]},
    "body": {"text": '{\n  "name": "Jörg"\n}'},
}


def small(**changes: Any) -> bytes:
    return json.dumps({**SMALL, **changes}).encode()


def request(**changes: Any) -> bytes:
    return small(request={**SMALL["request"], **changes})


def headers(*pairs: Any) -> bytes:
    return request(headers=list(pairs))


def without(key: str) -> bytes:
    return json.dumps({name: value for name, value in SMALL.items() if name != key}).encode()


class TestFormat:
    def test_all_of_it_is_kept_in_order_and_case(self) -> None:
        assert read_capture(small(), "small.json") == Capture(
            provider="stripe",
            title="A test",
            received_at=1_776_418_200 * SECOND,
            method="POST",
            path="/hook",
            headers=(("X-B", "1"), ("x-a", ""), ("X-B", "2")),
            body='{\n  "name": "Jörg"\n}'.encode(),
        )

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_a_text_is_its_utf8_bytes(self, text: str) -> None:
        assert read_capture(small(body={"text": text}), "f").body == text.encode()

    @given(st.binary())
    def test_base64_holds_any_bytes(self, body: bytes) -> None:
        assert read_capture(small(body={"base64": b64encode(body).decode()}), "f").body == body

    @pytest.mark.parametrize(
        ("raw", "complaint"),
        [
            (b"", "Expecting value"),
            (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0"),
            (b"\xef\xbb\xbf" + small(), "BOM"),
            (b"[]", "Expected `object`, got `array`"),
            (b"[" * 100_000, "recursion"),
            (b"1" * 5_000, "digits"),
            (small().replace(b'"title"', b'"title": "twice", "title"'), "a key stands twice"),
            (small().replace(b'"method"', b'"method": "PUT", "method"'), "a key stands twice"),
            (small(title="\ud800"), "small.json: "),
            (small(body={"text": "\ud800"}), "small.json: "),
            (small(more=1), "unknown field `more`"),
            (request(more=1), "unknown field `more` - at `$.request`"),
            (small(body={"text": "", "more": 1}), "unknown field `more` - at `$.body`"),
            *((without(key), f"missing required field `{key}`") for key in SMALL),
            (small(mockbill_capture=2), "of format 2, and this mockbill reads 1"),
            (small(mockbill_capture=True), "$.mockbill_capture"),
            (small(provider="Stripe"), "$.provider"),
            (small(provider="stripe\n"), "$.provider"),
            (small(title=""), "$.title"),
            (small(received_at=1_776_418_200), "$.received_at"),
            (small(received_at="yesterday"), "'yesterday' is not an RFC 3339 instant"),
            (small(received_at="2026-02-30T00:00:00Z"), "not a date and time that exists"),
            (small(received_at="1969-12-31T00:00:00Z"), "before 1970-01-02"),
            (request(method="post"), "$.request.method"),
            (request(path="hook"), "$.request.path"),
            (request(path="/a b"), "$.request.path"),
            (request(path="/a\n"), "$.request.path"),
            (headers(["a"]), "$.request.headers[0]"),
            (headers(["a", "b"], ["", "b"]), "$.request.headers[1][0]"),
            (headers(["a b", "c"]), "$.request.headers[0][0]"),
            (headers(["a\n", "c"]), "$.request.headers[0][0]"),
            (headers(["a", "c\r\nx: y"]), "$.request.headers[0][1]"),
            (headers(["a", "c\n"]), "$.request.headers[0][1]"),
            (headers(["a", " c"]), "$.request.headers[0][1]"),
            (headers(["a", "c\x00"]), "$.request.headers[0][1]"),
            (headers(["a", "Ā"]), "$.request.headers[0][1]"),
            (request(url="ftp://a"), "$.request.url"),
            (request(url=""), "$.request.url"),
            (small(answer={"status": 99, "headers": [], "body": {"text": ""}}), "$.answer.status"),
            (small(answer={"status": 200, "headers": [["a", "\n"]], "body": {"text": ""}}), "$.answer.headers[0][1]"),
            (
                small(answer={"status": 200, "headers": [], "body": {}}),
                "either `text` or `base64` - at `$.answer.body`",
            ),
            (small(redacted="yes"), "$.redacted"),
            (headers(*[["a", "b"]] * 101), "$.request.headers"),
            (small(body={}), "either `text` or `base64` - at `$.body`"),
            (small(body={"text": "a", "base64": "YQ=="}), "either `text` or `base64` - at `$.body`"),
            (small(body={"text": None, "base64": "YQ=="}), "$.body.text"),
            (small(body={"base64": "YQ"}), "padding"),
            (small(body={"base64": "Y Q="}), "base64"),
            (small(body={"base64": "ö"}), "ASCII"),
            (b" " * (LARGEST_FILE + 1), f"larger than {LARGEST_FILE} bytes"),
        ],
        ids=lambda value: value[:40] if isinstance(value, str) else "",
    )
    def test_what_is_wrong_is_named(self, raw: bytes, complaint: str) -> None:
        with pytest.raises(CaptureError) as error:
            read_capture(raw, "small.json")
        assert str(error.value).startswith("small.json: ")
        assert complaint in str(error.value)

    def test_a_complaint_is_short_and_can_be_printed(self) -> None:
        with pytest.raises(CaptureError) as error:
            read_capture(small(**{"ö" * 10_000: 1}), "small.json")
        assert len(str(error.value).encode()) < 1_000

    def test_the_largest_file_still_fits(self) -> None:
        raw = small()
        assert read_capture(raw + b" " * (LARGEST_FILE - len(raw)), "f").title == "A test"

    @given(st.one_of(st.binary(), st.text().map(str.encode)))
    def test_any_bytes_are_judged(self, raw: bytes) -> None:
        judged(raw)

    @settings(max_examples=300)
    @given(st.data())
    def test_a_file_with_any_bytes_changed_is_judged(self, data: st.DataObject) -> None:
        raw = small()
        at = data.draw(st.integers(0, len(raw)))
        judged(raw[:at] + data.draw(st.binary(max_size=8)) + raw[at + data.draw(st.integers(0, 8)) :])

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "none.json"):
            with pytest.raises(CaptureError) as error:
                load_capture(path)
            assert str(error.value).startswith(f"{path}: cannot be read: ")

    def test_a_file_that_is_too_large_is_not_read_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "large.json"
        with path.open("wb") as file:
            file.truncate(2**40)
        with pytest.raises(CaptureError, match="larger than"):
            load_capture(path)


def judged(raw: bytes) -> None:
    """It is a capture that can be sent, or a CaptureError. Nothing else is raised."""
    try:
        capture = read_capture(raw, "f")
    except CaptureError:
        return
    "".join([capture.path, *(part for pair in capture.headers for part in pair)]).encode("latin-1")


METHODS = st.sampled_from(["POST", "GET", "PUT", "M-SEARCH"])
PATHS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30).map(
    lambda text: "/" + text
)
NAMES = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=20)
VALUES = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\x00\r\n"), max_size=30).map(
    lambda value: value.strip(" \t")
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(tuple)
BODIES = st.one_of(
    st.binary(max_size=60), st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(str.encode)
)
CAPTURES = st.builds(
    Capture,
    provider=st.sampled_from(["stripe", "unknown", "standard-webhooks"]),
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
    received_at=st.integers(EARLIEST, LATEST),
    method=METHODS,
    path=PATHS,
    headers=HEADERS,
    body=BODIES,
    url=st.one_of(st.just(""), PATHS.map(lambda path: f"https://me.example{path}")),
    answer=st.one_of(
        st.none(), st.builds(Answer, status=st.integers(100, 999), headers=HEADERS, body=BODIES, cut=st.booleans())
    ),
    redacted=st.booleans(),
)


class TestWritten:
    @given(CAPTURES)
    def test_what_is_written_is_read(self, capture: Capture) -> None:
        raw = written(capture)
        assert read_capture(raw, "f") == capture
        assert written(read_capture(raw, "f")) == raw
        # Nothing in it that a screen would not show, or that would turn the direction of writing.
        assert all(letter == "\n" or letter.isprintable() or ord(letter) > 0x9F for letter in raw.decode())
        assert not set("\u202e\u2066\u200f\u2028\ufeff") & set(raw.decode())

    @pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
    def test_the_shipped_ones_are_written_like_this(self, path: Path) -> None:
        assert written(load_capture(path)) == path.read_bytes()

    def test_the_largest_fits(self) -> None:
        body = b'"\\' * (LARGEST_BODY // 2)
        headers = (("a" * 256, "\x01" * LONGEST_VALUE),) * MOST_HEADERS
        answer = Answer(200, headers, b'"' * LARGEST_ANSWER)
        capture = Capture("unknown", "a", EARLIEST, "POST", "/", headers, body, answer=answer)
        raw = written(capture)
        assert len(raw) <= LARGEST_FILE
        assert read_capture(raw, "f") == capture

    def test_text_and_base64(self) -> None:
        def body(raw: bytes) -> Any:
            return json.loads(written(Capture("unknown", "a", EARLIEST, "POST", "/", (), raw)))["body"]

        assert body(b"") == {"text": ""}
        assert body("Jörg\r\n\t€".encode()) == {"text": "Jörg\r\n\t€"}
        assert body(b"\xff") == {"base64": "/w=="}
        assert body(b"a\x00") == {"base64": "YQA="}

    @pytest.mark.parametrize(
        "change",
        [
            {"title": ""},
            {"title": "\ud800"},
            {"title": "a" * 201},
            {"provider": "No Provider"},
            {"method": "post"},
            {"path": "hook"},
            {"path": "/a b"},
            {"url": "/x"},
            {"headers": (("a", "b\r\nc: d"),)},
            {"headers": (("a", " b"),)},
            {"headers": (("a:", "b"),)},
            {"headers": (("a", "€"),)},
            {"headers": (("a", "b"),) * (MOST_HEADERS + 1)},
            {"body": b"a" * (LARGEST_BODY + 1)},
            {"received_at": 2**70},
            {"answer": Answer(1)},
            {"answer": Answer(200, (), b"a" * (LARGEST_ANSWER + 1))},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_could_not_be_read_again_is_not_written(self, change: dict[str, Any]) -> None:
        capture = msgspec.structs.replace(Capture("unknown", "a", EARLIEST, "POST", "/", (), b""), **change)
        with pytest.raises(CaptureError) as error:
            written(capture)
        assert len(str(error.value)) < 400


def event_of(capture: Capture) -> Any:
    return json.loads(capture.body)


def signature_of(capture: Capture) -> str:
    (found,) = [value for name, value in capture.headers if name == stripe.SCHEME.header]
    return found


def at_its_time(capture: Capture, late: int = 0) -> Any:
    return patch("time.time", return_value=capture.received_at / SECOND + late)


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def capture(request: pytest.FixtureRequest) -> Capture:
    return load_capture(request.param)


class TestShipped:
    def test_it_verifies_with_our_scheme_when_it_was_received(self, capture: Capture) -> None:
        seconds = capture.received_at // SECOND
        given = {name.lower(): value for name, value in capture.headers}
        verdicts = [
            stripe.SCHEME.verify(Message(capture.body), given, [SECRET], seconds + late, 300) for late in (0, 300, 301)
        ]
        assert verdicts[:2] == [Verified(seconds)] * 2
        assert isinstance(verdicts[2], Rejected)

    def test_it_verifies_with_the_vendors_library_when_it_was_received(self, capture: Capture) -> None:
        with at_its_time(capture):
            assert vendor.WebhookSignature.verify_header(capture.body.decode(), signature_of(capture), SECRET, 300)
            event = vendor.Webhook.construct_event(capture.body, signature_of(capture), SECRET, 300)
        assert event.id == event_of(capture)["id"]
        with at_its_time(capture, 301), pytest.raises(vendor.SignatureVerificationError, match="tolerance"):
            vendor.WebhookSignature.verify_header(capture.body.decode(), signature_of(capture), SECRET, 300)

    def test_no_byte_of_it_can_change(self, capture: Capture) -> None:
        given = {"stripe-signature": signature_of(capture)}
        for at in range(len(capture.body)):
            body = bytearray(capture.body)
            body[at] ^= 1 + at % 255
            verdict = stripe.SCHEME.verify(Message(bytes(body)), given, [SECRET], capture.received_at // SECOND, 300)
            assert isinstance(verdict, Rejected)
            assert verdict.reason == "mismatch"

    def test_the_vendors_library_knows_what_it_is_about(self, capture: Capture) -> None:
        classes: dict[str, type] = {
            "checkout.session": vendor.checkout.Session,
            "customer": vendor.Customer,
            "invoice": vendor.Invoice,
            "subscription": vendor.Subscription,
        }
        raw = event_of(capture)
        event = vendor.Event.construct_from(raw, None)
        assert isinstance(event.data.object, classes[raw["data"]["object"]["object"]])
        assert json.loads(str(event)) == raw

    def test_it_reads_as_stripe_writes(self, capture: Capture) -> None:
        raw = event_of(capture)
        members = ["id", "object", "api_version", "created", "data", "livemode", "pending_webhooks", "request", "type"]
        assert list(raw) == members
        assert capture.body == json.dumps(raw, indent=2, ensure_ascii=False).encode()
        assert (raw["object"], raw["livemode"]) == ("event", False)
        assert 0 <= capture.received_at // SECOND - raw["created"] <= 10
        assert (capture.provider, capture.method, capture.path) == ("stripe", "POST", "/api/v1/billing/webhooks/stripe")

    def test_its_shape_is_that_of_its_version(self, capture: Capture) -> None:
        raw = event_of(capture)
        thing, is_older = raw["data"]["object"], raw["api_version"] == "2023-10-16"
        assert is_older or raw["api_version"] == "2025-03-31.basil"
        if thing["object"] == "invoice":
            assert ("subscription" in thing, "parent" in thing) == (is_older, not is_older)
            for line in thing["lines"]["data"]:
                assert ("price" in line, "pricing" in line) == (is_older, not is_older)
        if thing["object"] == "subscription":
            assert ("current_period_end" in thing) == is_older
            assert all(("current_period_end" in item) != is_older for item in thing["items"]["data"])


def all_of(what: Callable[[Any], Any]) -> list[Any]:
    return [what(event_of(load_capture(path))) for path in SHIPPED]


def test_every_type_that_we_treat_is_shipped_and_one_that_we_do_not() -> None:
    types = set(all_of(lambda event: event["type"]))
    assert set(KINDS) < types
    both = {(event["type"], event["api_version"]) for event in all_of(lambda event: event)}
    assert {("invoice.paid", "2023-10-16"), ("invoice.paid", "2025-03-31.basil")} <= both


def test_no_two_are_the_same_event() -> None:
    ids = all_of(lambda event: event["id"])
    assert len(set(ids)) == len(ids) >= 12


def test_a_story_is_told_in_the_order_of_its_file_names() -> None:
    for story in ("acme", "globex", "stranger"):
        times = [load_capture(path).received_at for path in SHIPPED if path.stem.startswith(story)]
        assert times == sorted(times) != [], [format_instant(each) for each in times]


def test_some_speak_more_than_ascii() -> None:
    assert any("Jörg Müller".encode() in load_capture(path).body for path in SHIPPED)
