"""Redaction of captures: what must go is gone, what a test needs stays, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import LARGEST_BODY, Answer, Capture, load_capture, read_capture, written
from mock_server.webhooks.json_tokens import NoJson, changed, check, laid_out
from mock_server.webhooks.redaction import Redaction, redacted, shape

SHIPPED = sorted((FIXTURES / "webhooks").rglob("*.json"))
JSONS: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
SENSITIVE = [
    "email",
    "customer_email",
    "name",
    "firstName",
    "phone",
    "line1",
    "last4",
    "client_secret",
    "iban",
    "password",
]
STYLES = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False, "indent": 1}])


def capture(body: Any = b"", *headers: tuple[str, str], path: str = "/", url: str = "", **more: Any) -> Capture:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Capture("stripe", "a", 10**15, "POST", path, headers, raw, url, **more)


def of_body(body: Any) -> Any:
    return json.loads(redacted(capture(body)).capture.body)


class TestTokens:
    @settings(max_examples=40)
    @given(JSONS, STYLES)
    def test_a_change_of_nothing_changes_no_byte(self, value: Any, style: dict[str, Any]) -> None:
        text = json.dumps(value, **style)
        assert changed(check(text.encode()), lambda token, _: token) == text

    @settings(max_examples=40)
    @given(JSONS, STYLES)
    def test_every_value_is_seen_with_its_place(self, value: Any, style: dict[str, Any]) -> None:
        seen: list[tuple[tuple[str, ...], Any]] = []

        def note(token: str, place: Any) -> str:
            if place.role == "value":
                seen.append((place.path, json.loads(token)))
            return token

        changed(json.dumps(value, **style), note)
        assert seen == list(leaves(value))

    @settings(max_examples=40)
    @given(JSONS, STYLES)
    def test_laid_out_is_as_stripe_writes(self, value: Any, style: dict[str, Any]) -> None:
        assert laid_out(json.dumps(value, **style)) == json.dumps(value, indent=2, ensure_ascii=False)

    def test_numbers_stay_as_they_are_written(self) -> None:
        assert laid_out('[1.50,1e5,-0,12345678901234567890,"\\u00f6\\/"]') == (
            '[\n  1.50,\n  1e5,\n  -0,\n  12345678901234567890,\n  "ö/"\n]'
        )

    @pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b"nul", b'{"a":1}x'])
    def test_what_is_no_json(self, raw: bytes) -> None:
        with pytest.raises(NoJson):
            check(raw)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, path)
    else:
        yield path, value


class TestBodies:
    def test_people_go_and_things_stay(self) -> None:
        told = of_body(
            {
                "type": "invoice.paid",
                "data": {
                    "customer": {
                        "id": "cus_1",
                        "name": "Jörg Müller",
                        "email": "j.m@acme.test",
                        "phone": "+49 221 98-65",
                    },
                    "customer_address": {"line1": "Ring 12", "city": "Köln", "country": "DE", "state": "NW", "no": 12},
                    "payment_method": {"brand": "visa", "last4": "4242", "exp_year": 2030, "fingerprint": "a1B2"},
                    "product": {"name": "Pro plan"},
                    "lines": [{"price": {"id": "price_1"}, "description": "for jane@x.test, 1 seat"}],
                    "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1/live_abc?s=ap",
                    "client_secret": "pi_1_secret_ab",
                    "ip": "203.0.113.9",
                    "amount": 4900,
                    "phone": None,
                    "metadata": {"org_id": "01J9"},
                },
            }
        )
        assert told == {
            "type": "invoice.paid",
            "data": {
                "customer": {
                    "id": "cus_1",
                    "name": "Xxxx Xxxxxx",
                    "email": "x.x@example.com",
                    "phone": "+00 000 00-00",
                },
                "customer_address": {"line1": "Xxxx 00", "city": "Xxxx", "country": "DE", "state": "XX", "no": 11},
                "payment_method": {"brand": "visa", "last4": "0000", "exp_year": 2030, "fingerprint": "x0X0"},
                "product": {"name": "Pro plan"},
                "lines": [{"price": {"id": "price_1"}, "description": "for xxxx@example.com, 1 seat"}],
                "hosted_invoice_url": "https://invoice.stripe.com/redacted",
                "client_secret": "xx_0_xxxxxx_xx",
                "ip": "192.0.2.1",
                "amount": 4900,
                "phone": None,
                "metadata": {"org_id": "01J9"},
            },
        }

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("key sk_live_abC123 here", "key sk_live_xxX000 here"),
            ("whsec_a1b2", "whsec_xx0x0".replace("xx0x0", "x0x0")),
            ("Bearer abcdefghijk", "Bearer redacted"),
            ("eyJhbGciOi.eyJzdWIi.c2ln", "redacted"),
            ("4242 4242 4242 4242", "0000 0000 0000 0000"),
            ("4242 4242 4242 4241", "4242 4242 4242 4241"),
            ("evt_1T2VSlchby6YkYuRgUey5GSR", "evt_1T2VSlchby6YkYuRgUey5GSR"),
            ("1776418105", "1776418105"),
        ],
    )
    def test_what_is_known_by_its_looks(self, text: str, expected: str) -> None:
        assert of_body({"note": text, text: 1}) == {"note": expected, expected: 1}

    def test_layout_and_escapes_stay(self) -> None:
        body = b'{ "email" :\t"J\\u00f6rg@acme.test",\n"url":"https:\\/\\/x", "n": 1.50 , "phone": 49221 }'
        told = redacted(capture(body)).capture.body
        assert told == b'{ "email" :\t"Xxxx@example.com",\n"url":"https:\\/\\/x", "n": 1.50 , "phone": 11111 }'

    def test_forms(self) -> None:
        form = capture(b"id=1&customer%5Bemail%5D=a%40b.test&name=J%C3%B6rg+M&x", ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))  # fmt: skip  # noqa: E501
        assert redacted(form).capture.body == b"id=1&customer%5Bemail%5D=x%40example.com&name=Xxxx+X&x"

    def test_json_in_a_form_and_json_that_says_it_is_a_form(self) -> None:
        form = ("Content-Type", "application/x-www-form-urlencoded")
        told = redacted(capture(b'payload={"name":"Eve","n":1}&z=2', form)).capture
        assert told.body == b"payload=%7B%22name%22%3A%22Xxx%22%2C%22n%22%3A1%7D&z=2"
        assert redacted(capture(b'{"name":"Eve"}', form)).capture.body == b'{"name":"Xxx"}'

    def test_a_body_that_is_no_text_goes_whole(self) -> None:
        told = redacted(capture(b"\x1f\x8b\xff"))
        assert told.capture.body == b"redacted: a body that is no text"
        assert told.capture.redacted

    def test_a_body_that_is_no_json_is_looked_through_and_that_is_said(self) -> None:
        told = redacted(capture(b"<mail>a@b.test</mail><name>Eve</name>"))
        assert told.capture.body == b"<mail>x@example.com</mail><name>Eve</name>"
        assert "no JSON" in told.warning

    @pytest.mark.parametrize(
        "body", [b"a" * 10**6, b"a@" * 10**5, b"@" * 10**6, b"4" * 10**6, b'["' + b"1 " * 10**5 + b'"]']
    )
    def test_nothing_takes_long(self, body: bytes) -> None:
        redacted(capture(body))


class TestRest:
    def test_headers(self) -> None:
        kept = (
            ("Stripe-Signature", "t=1,v1=ab"),
            ("webhook-id", "msg_1"),
            ("Content-Type", "text/plain"),
            ("X-Empty-Token", ""),
        )
        hidden = (
            ("Authorization", "Bearer abc"),
            ("authorization", "Basic YTpi"),
            ("Proxy-Authorization", "abc"),
            ("Cookie", "a=b; c=d"),
            ("X-Api-Key", "k"),
            ("X-Auth-Token", "k"),
            ("X-Forwarded-For", "203.0.113.7"),
            ("From", "me@acme.test"),
            ("Referer", "https://a.test/?token=abc"),
        )
        told = redacted(capture(b"", *kept, *hidden)).capture
        assert told.headers == (
            *kept,
            ("Authorization", "Bearer redacted"),
            ("authorization", "Basic redacted"),
            ("Proxy-Authorization", "redacted"),
            ("Cookie", "redacted"),
            ("X-Api-Key", "redacted"),
            ("X-Auth-Token", "redacted"),
            ("X-Forwarded-For", "192.0.2.1"),
            ("From", "xx@example.com"),
            ("Referer", "https://a.test/?token=redacted"),
        )
        assert not told.redacted, "the signature still fits"

    def test_urls(self) -> None:
        told = redacted(capture(path="/h/%C3%A9?token=abc&a=1&email=a%40b.test&key", url="https://me.test/h?api_key=x"))
        assert told.capture.path == "/h/%C3%A9?token=redacted&a=1&email=x%40example.com&key"
        assert told.capture.url == "https://me.test/h?api_key=redacted"
        assert told.capture.redacted
        assert told.replaced == ("query token", "query email", "query api_key")

    def test_the_length_that_is_said_stays_true(self) -> None:
        body = b'{"email":"a@company.test"}'
        told = redacted(capture(body, ("content-length", str(len(body))))).capture
        assert told.headers == (("content-length", str(len(told.body))),)
        assert len(told.body) != len(body)

    def test_answers(self) -> None:
        answer = Answer(200, (("Set-Cookie", "a=b"),), b'{"email":"a@b.test"}')
        told = redacted(capture(answer=answer)).capture
        assert told.answer == Answer(200, (("Set-Cookie", "redacted"),), b'{"email":"x@example.com"}')
        assert not told.redacted
        cut = redacted(capture(answer=Answer(200, (), b'{"name":"Eve', cut=True))).capture.answer
        assert cut == Answer(200, (), b"redacted: a body that is not all there", cut=True)

    @pytest.mark.slow
    def test_stand_ins_that_are_longer_still_fit(self) -> None:
        mails = "a@b.c," * (LARGEST_BODY // 6)
        path = "/" + "a@b.c," * 1300
        header = ("X-Mails", "a@b.c," * 1300)
        told = redacted(
            capture(mails.encode(), header, path=path, url=f"http://me.test{path}", answer=Answer(200, (header,)))
        )
        assert told.capture.body == b"redacted: a body that is too large with stand-ins in it"
        assert (told.capture.path, told.capture.url) == ("/redacted", "http://redacted")
        assert read_capture(written(told.capture), "f") == told.capture

    def test_what_is_told_names_no_value(self) -> None:
        told = redacted(capture({"data": {"email": "a@b.test"}, "me@b.test": {"name": "Eve"}}, ("Cookie", "c")))
        assert told.replaced == ("body data.email", "body xx@example.com", "header Cookie")
        many = redacted(capture({f"k{n}": "a@b.test" for n in range(1000)}))
        assert len(many.replaced) <= 60


@settings(max_examples=50)
@given(
    st.text(min_size=3, max_size=12).filter(lambda text: any(each.isalnum() and each not in "xX01" for each in text)),
    st.sampled_from(SENSITIVE),
    STYLES,
)
def test_what_stands_in_a_personal_member_is_gone(secret: str, member: str, style: dict[str, Any]) -> None:
    body = json.dumps({"data": [{member: secret, "id": "evt_1"}]}, **style).encode()
    told = of_raw(body)
    value = json.loads(told.capture.body)["data"][0][member]
    assert value != secret
    assert shape(secret) == value or "example.com" in value or "redacted" in value
    assert told.capture.redacted


@settings(max_examples=50)
@given(JSONS, STYLES, st.text("abc.%=?&@:/", max_size=30).map(lambda text: "/" + text))
def test_a_second_time_changes_nothing_and_it_can_be_written(value: Any, style: dict[str, Any], path: str) -> None:
    once = redacted(capture(json.dumps(value, **style).encode(), ("X-Url", path), path=quote(path, safe="/%=?&@:")))
    assert redacted(once.capture).capture == once.capture
    assert read_capture(written(once.capture), "f") == once.capture


@given(st.binary(max_size=80))
def test_any_body_is_redacted(body: bytes) -> None:
    once = of_raw(body)
    assert redacted(once.capture).capture.body == once.capture.body


def of_raw(body: bytes) -> Redaction:
    return redacted(capture(body))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nobody_is_left_in_the_shipped_ones(path: Path) -> None:
    told = redacted(load_capture(path)).capture
    raw = written(told).decode()
    for trace in ("Jörg", "Müller", "acme-doors.example", "@globex", "Türmchenswall"):
        assert trace not in raw.partition('"body"')[2] or trace == "acme-doors.example", trace
