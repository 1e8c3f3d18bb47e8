"""Captures out of HAR files, curl commands and Stripe's events: what is read, what is refused, and why."""

from __future__ import annotations

import json
import shlex
import subprocess
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.engine.instants import SECOND, parse_instant
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import LARGEST_BODY, Answer, Capture, load_capture, written
from mock_server.webhooks.importing.curl import read_curl
from mock_server.webhooks.importing.har import read_har
from mock_server.webhooks.importing.shell import commands
from mock_server.webhooks.importing.sources import Imported, ImportProblem, kind_of
from mock_server.webhooks.importing.stripe_events import HEADERS, read_stripe_events
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message, Verified

NOW = parse_instant("2026-11-21T18:31:50Z")
STRIPE = sorted((FIXTURES / "webhooks" / "stripe").glob("*.json"))


def har(*entries: Any) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def entry(**changes: Any) -> dict[str, Any]:
    request = {
        "method": "POST",
        "url": "https://me.example/hooks?a=1#x",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "X-B", "value": "1"}, {"name": "x-a", "value": ""}, {"name": "X-B", "value": "2"}],
        "postData": {"mimeType": "application/json", "text": '{"type":"invoice.paid","n":"ö"}'},
    }
    return {"startedDateTime": "2026-11-20T10:00:00.123+01:00", "request": {**request, **changes}}


def one(imported: Imported) -> Capture:
    (capture,) = imported.captures
    return capture


def curl(text: str | bytes) -> Capture:
    return one(read_curl(text.encode() if isinstance(text, str) else text, NOW))


class TestHar:
    def test_a_request_with_all_that_it_says(self) -> None:
        answered = {
            "status": 200,
            "headers": [{"name": "A", "value": "b"}],
            "content": {"text": "b2s=", "encoding": "base64"},
        }
        capture = one(read_har(har({**entry(), "response": answered}), NOW))
        assert capture == Capture(
            "unknown",
            "invoice.paid",
            parse_instant("2026-11-20T09:00:00.123Z"),
            "POST",
            "/hooks?a=1",
            (("X-B", "1"), ("x-a", ""), ("X-B", "2")),
            '{"type":"invoice.paid","n":"ö"}'.encode(),
            "https://me.example/hooks?a=1",
            Answer(200, (("A", "b"),), b"ok"),
        )

    @given(st.binary(min_size=1, max_size=60))
    def test_any_body_in_base64(self, body: bytes) -> None:
        text = b64encode(body).decode()
        assert one(read_har(har(entry(postData={"text": text, "encoding": "base64"})), NOW)).body == body

    def test_a_form_that_is_only_told_in_its_fields(self) -> None:
        data = {
            "mimeType": "application/x-www-form-urlencoded",
            "params": [{"name": "a b", "value": "ö&"}, {"name": "c"}],
        }
        assert one(read_har(har(entry(postData=data)), NOW)).body == b"a+b=%C3%B6%26&c="

    def test_headers_of_http_2(self) -> None:
        told = [(":method", "POST"), (":path", "/"), ("cookie", "a\nb"), ("x", " ö "), ("y", "€"), ("bad name", "")]
        headers = [{"name": name, "value": value} for name, value in told]
        assert one(read_har(har(entry(headers=headers)), NOW)).headers == (
            ("cookie", "a"),
            ("cookie", "b"),
            ("x", "ö"),
            ("y", "€".encode().decode("latin-1")),
        )

    def test_the_provider_is_recognised(self) -> None:
        signed = entry(headers=[{"name": "Paddle-Signature", "value": "ts=1;h1=a"}])
        assert one(read_har(har(signed), NOW)).provider == "paddle"
        assert one(read_har(har(signed), NOW, "stripe")).provider == "stripe"

    def test_what_is_no_webhook_is_left_out_and_counted(self) -> None:
        imported = read_har(
            har(entry(method="GET"), entry(postData={}), entry(), entry(method="GET"), {"request": 1}, 7), NOW
        )
        assert len(imported.captures) == 1
        assert imported.notes[:3] == (
            "2 left out: not POST",
            "1 left out: POST without a body that was kept",
            "2 left out: a request that cannot be read",
        )

    def test_a_body_that_was_changed_on_its_way_is_told(self) -> None:
        imported = read_har(har(entry(headers=[{"name": "Content-Length", "value": "3"}])), NOW)
        assert "entry 0: 32 bytes are in the file where Content-Length says 3" in imported.notes[0]

    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            (b"", "not JSON"),
            (b"[]", "no object"),
            (b'{"log":[]}', "no HAR"),
            (b'{"log":{}}', "no HAR"),
            (har(), "no POST"),
            (har(entry(url="nowhere")), "no URL"),
            (har(entry(url="http://[/")), "no URL"),
            (har(entry(postData={"text": "?", "encoding": "base64"})), "base64"),
            (har(entry(postData={"text": "a" * (LARGEST_BODY + 1)})), "more than"),
        ],
    )
    def test_what_cannot_be_imported(self, raw: bytes, text: str) -> None:
        with pytest.raises(ImportProblem, match=text):
            read_har(raw, NOW)

    @settings(max_examples=30)
    @given(st.data())
    def test_any_har_is_judged(self, data: st.DataObject) -> None:
        junk: Any = st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "text"]), inner)
            ),
            max_leaves=5,
        )
        name = data.draw(st.sampled_from(["method", "url", "headers", "postData"]))
        whole = {**entry(**{name: data.draw(junk)}), "response": data.draw(junk), "startedDateTime": data.draw(junk)}
        try:
            imported = read_har(har(whole), NOW)
        except ImportProblem:
            return
        for capture in imported.captures:
            written(capture)


class TestCurl:
    def test_as_a_browser_copies_it(self) -> None:
        capture = curl(
            "curl 'https://me.example/hooks?a=1' \\\n  -X 'POST' \\\n  -H 'Accept: */*' \\\n"
            '  -H \'stripe-signature: t=1,v1=ab\' \\\n  --data-raw $\'{"type":"invoice.paid",\\n"n":"J\\u00f6rg\\\'s"}\' \\\n'
            "  --compressed --insecure\n"
        )
        assert (capture.provider, capture.title, capture.method, capture.path) == (
            "stripe",
            "invoice.paid",
            "POST",
            "/hooks?a=1",
        )
        assert capture.body == '{"type":"invoice.paid",\n"n":"Jörg\'s"}'.encode()
        assert capture.headers == (
            ("Accept", "*/*"),
            ("stripe-signature", "t=1,v1=ab"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        )
        assert (capture.url, capture.received_at) == ("https://me.example/hooks?a=1", NOW)

    @pytest.mark.parametrize(
        ("text", "body"),
        [
            ("curl h -d a -d b=c", b"a&b=c"),
            ("curl h -da --data-binary $'\\xff\\x00\\101\\n'", b"a&\xff\x00A\n"),
            ("curl h --data-raw @x", b"@x"),
            ('curl h -d "a\\"b\\$c\\x"', b'a"b$c\\x'),
            ("curl h -d a\\ b'c'\"d\"", b"a bcd"),
            ("curl h --data-urlencode 'n=a b&ö'", b"n=a%20b%26%C3%B6"),
            ("curl h -d $'\\ud83d\\ude00 \\U0001F600'", "😀 😀".encode()),
            ("$ curl h -d x # done", b"x"),
            ("curl h \\\r\n -d x\r\n", b"x"),
            ("curl h -d ''", b""),
        ],
    )
    def test_data(self, text: str, body: bytes) -> None:
        capture = curl(text)
        assert (capture.body, capture.method, capture.url) == (body, "POST", "http://h")

    def test_options_in_their_short_forms(self) -> None:
        capture = curl("curl -sSXPUT -HA:b -H 'C:  d ' -H 'E;' -u me:pw -A me -b 'x=y' --url https://h/x -- ")
        assert capture.method == "PUT"
        assert capture.headers == (
            ("A", "b"),
            ("C", "d"),
            ("E", ""),
            ("Authorization", "Basic bWU6cHc="),
            ("User-Agent", "me"),
            ("Cookie", "x=y"),
        )

    def test_json(self) -> None:
        assert curl("curl --json '{}' h").headers == (
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
        )
        assert curl("curl -d x h -H Content-Type:").headers == ()

    def test_several(self) -> None:
        imported = read_curl(b"curl h/1 -d a ;\ncurl h/2 -d b &\n\ncurl h/3 -d c", NOW)
        assert [each.path for each in imported.captures] == ["/1", "/2", "/3"]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("curl h -d @body.json", "reads a file"),
            ("curl h --data-binary '@-'", "reads a file"),
            ("curl h -H @headers", "reads a file"),
            ("curl h -b cookies.txt", "reads cookies from a file"),
            ("curl h -K x", "reads a file of options"),
            ("curl h -F a=b", "boundary"),
            ("curl h -T x", "sends a file"),
            ("curl -G h -d a", "into the URL"),
            ('curl h -H "Authorization: $TOKEN"', "variable"),
            ("curl h -d $(cat x)", "variable"),
            ("curl h -d `cat x`", "variable"),
            ("curl h | jq .", "pipe"),
            ("curl h > x", "redirection"),
            ("rm -rf /", "only curl"),
            ("curl h -d a; rm -rf /", "only curl"),
            ("curl h && curl h2", "hang on another"),
            ("curl h h2", "two URLs"),
            ("curl -d a", "no URL"),
            ("curl h -d", "lacks its value"),
            ("curl h -d 'a", "never closed"),
            ('curl h -d "a', "never closed"),
            ("curl h -d $'a\\'", "never closed"),
            ("curl h --frobnicate", "not understood"),
            ('curl "h" -H ^"a: b^"', "cmd.exe"),
            ("curl ftp://h -d a", "no URL"),
            ("curl h -H 'a b: c'", "header"),
            ("curl h -X 'a b'", "method"),
            ("", "no curl command"),
        ],
    )
    def test_what_cannot_be_imported(self, text: str, why: str) -> None:
        with pytest.raises(ImportProblem, match=why):
            read_curl(text.encode(), NOW)

    @given(st.text(max_size=60))
    def test_any_text_is_judged(self, text: str) -> None:
        for each in (text, f"curl h {text}"):
            try:
                imported = read_curl(each.encode("utf-8", "surrogatepass"), NOW)
            except ImportProblem:
                continue
            for capture in imported.captures:
                written(capture)

    @given(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12), min_size=1
        )
    )
    def test_words_are_those_that_were_quoted(self, words: list[str]) -> None:
        assert commands(shlex.join(words).encode()) == [[word.encode() for word in words]]

    def test_words_are_those_of_bash(self) -> None:
        texts = [
            r"""a$'\x41\101\u00f6\t\'\"\\\e\cA'b"c\d\"e"'f\g'h\ i""",
            r"""$'\U0001F600' "" '' x#y a=b*""",
            "a\\\nb 'c\\\nd' \"e\\\nf\"",
        ]
        for text in texts:
            ran = subprocess.run(
                ["bash", "-fc", f"printf '%s\\0' {text}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
            )
            assert commands(text.encode()) == [ran.stdout.split(b"\0")[:-1]], text


class TestStripeEvents:
    @pytest.mark.parametrize("path", STRIPE[:4], ids=lambda path: path.stem)
    def test_an_event_becomes_what_stripe_sent(self, path: Any) -> None:
        sent = load_capture(path)
        event = json.loads(sent.body)
        for raw in (sent.body, json.dumps(event).encode(), json.dumps(event, separators=(",", ":")).encode()):
            capture = one(read_stripe_events(raw, NOW, "whsec_x"))
            assert capture.body == sent.body
            assert capture.title == event["type"]
            assert capture.received_at == event["created"] * SECOND
            assert capture.headers[:-1] == HEADERS == sent.headers[:-1]
            signature = {"stripe-signature": capture.headers[-1][1]}
            verdict = stripe.SCHEME.verify(Message(capture.body), signature, ["whsec_x"], event["created"], 1)
            assert verdict == Verified(event["created"])

    def test_without_a_secret_it_has_no_signature_and_says_so(self) -> None:
        imported = read_stripe_events(b'{"object":"event","id":"evt_1","type":"a.b","created":1776418105}', NOW, None)
        assert one(imported).headers == HEADERS
        assert imported.notes == ("not signed: an event as the API gives it has no signature (--secret makes one)",)

    def test_a_list_is_told_from_its_oldest_event_on(self) -> None:
        events = [{"object": "event", "id": f"evt_{n}", "type": f"t.{n}", "created": at} for n, at in ((4, 90_002), (3, 90_001), (2, 90_001), (1, 90_000))]  # fmt: skip  # noqa: E501
        imported = read_stripe_events(
            json.dumps({"object": "list", "data": events, "has_more": True}).encode(), NOW, None
        )
        assert [each.title for each in imported.captures] == ["t.1", "t.2", "t.3", "t.4"]
        assert "has_more" in imported.notes[0]

    @pytest.mark.parametrize("created", [None, "x", -1, 2**80, True])
    def test_a_time_that_is_none(self, created: Any) -> None:
        raw = json.dumps({"object": "event", "id": "e", "type": "t", "created": created}).encode()
        assert one(read_stripe_events(raw, NOW, None)).received_at == NOW

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"x", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b"[]", "no Stripe event"),
            (b"{}", "no Stripe event"),
            (b'{"object":"customer","id":"cus_1","type":"x"}', "its object is 'customer'"),
            (b'{"object":"list","data":[]}', "no events"),
            (b'{"object":"list","data":[1]}', "no Stripe event"),
            (b'{"object":"list","data":[{"object":"charge","id":"a","type":"b"}]}', "its object is 'charge'"),
        ],
    )
    def test_what_cannot_be_imported(self, raw: bytes, why: str) -> None:
        with pytest.raises(ImportProblem, match=why):
            read_stripe_events(raw, NOW, None)


class TestKinds:
    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (har(), "har"),
            (b"\xef\xbb\xbf" + har(), "har"),
            (b"\n  curl 'x'", "curl"),
            (b"$ curl x", "curl"),
            (b'{"object":"event"}', "stripe-event"),
            (b'{"object":"list","data":[]}', "stripe-event"),
        ],
    )
    def test_it_is_guessed(self, raw: bytes, kind: str) -> None:
        assert kind_of(raw) == kind

    @pytest.mark.parametrize("raw", [b"", b"{}", b"hello", b"[]", b"\xff", b"[" * 100_000, b"curling"])
    def test_or_not(self, raw: bytes) -> None:
        with pytest.raises(ImportProblem, match="--from"):
            kind_of(raw)

    def test_a_capture_is_one_already(self) -> None:
        with pytest.raises(ImportProblem, match="already"):
            kind_of(STRIPE[0].read_bytes())
