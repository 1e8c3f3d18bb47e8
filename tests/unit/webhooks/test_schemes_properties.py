"""What every scheme has in common: all providers and some schemes made of options, with any bodies, secrets and headers."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.generic import OPTIONS, InvalidOptions, scheme_of
from mock_server.webhooks.schemes.hmacs import MOST_SIGNATURES, Hmac, Pairs
from mock_server.webhooks.schemes.protocol import (
    InvalidMessage,
    InvalidSecret,
    Message,
    Reason,
    Rejected,
    Scheme,
    Verified,
)
from mock_server.webhooks.schemes.standard import StandardWebhooks

NOW = 1_700_000_000
OPTIONAL: dict[str, dict[str, str]] = {
    "generic-pairs": {"value": "time={time};sig={signature}", "signed": "{time}|{url}|{body}", "digest": "sha512"},
    "generic-headers": {
        "signed": "v0:{id}:{time}:{body}",
        "value": "v0={signature}",
        "time_header": "X-Time",
        "id_header": "X-Id",
        "unit": "ms",
        "future": "yes",
        "encoding": "base64",
        "key": "base64",
    },
    "generic-hex": {"key": "hex", "digest": "sha1", "tolerance": "0", "value": "HMAC {signature}"},
    "generic-unsigned-time": {"value": "t={time},v1={signature}"},
}
SCHEMES: dict[str, Scheme] = {**schemes(), **{name: scheme_of(options) for name, options in OPTIONAL.items()}}
TIMED = [name for name, scheme in SCHEMES.items() if "time" in scheme.uses]

# There are seventeen of them, and each property is tried with each.
few = settings(max_examples=settings().max_examples // 5)
every = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
timed = pytest.mark.parametrize("scheme", [SCHEMES[name] for name in TIMED], ids=TIMED)

bodies = st.binary(max_size=200)
any_text = st.text(st.characters(), max_size=60)  # lone surrogates too, which `st.text()` leaves out
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
urls = st.text(min_size=1, max_size=60)
messages = st.builds(Message, bodies, urls, ids)
keys = st.binary(min_size=1, max_size=70)
texts = st.text(min_size=1, max_size=60).filter(str.strip)
hexes = keys.map(bytes.hex)
encoded = keys.map(lambda key: b64encode(key).decode())
prefixed = st.builds(lambda prefix, key: prefix + key, st.sampled_from(["", "whsec_"]), encoded)
OF_KIND = {"text": texts, "hex": hexes, "base64": encoded, "whsec": prefixed}


def kind_of(scheme: Scheme) -> str:
    assert isinstance(scheme, Hmac | StandardWebhooks)
    return scheme.key if isinstance(scheme.key, str) else scheme.key[0]


def secrets_of(scheme: Scheme) -> st.SearchStrategy[str]:
    return OF_KIND[kind_of(scheme)]


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def signed(scheme: Scheme, message: Message, secret: str, now: int = NOW) -> dict[str, str]:
    return lowered(scheme.sign(message, secret, now).headers)


def differ(scheme: Scheme, secret: str, other: str) -> bool:
    """Whether their keys do. HMAC fills a short key with zeros, so zeros at the end are none."""
    return scheme.keys(secret)[0].rstrip(b"\0") not in {key.rstrip(b"\0") for key in scheme.keys(other)}


def reason(verdict: Verified | Rejected) -> Reason | None:
    return verdict.reason if isinstance(verdict, Rejected) else None


def secret_of(scheme: Scheme, number: int = 0) -> str:
    """A plain one for the examples."""
    key = b"a key of mine %d" % number
    return {"hex": key.hex(), "text": key.decode()}.get(kind_of(scheme), b64encode(key).decode())


PLAIN = Message(b'{"id":"evt_1"}', "https://acme.example/hooks", "msg_1")


@every
class TestOneSecret:
    @few
    @given(message=messages, data=st.data(), now=st.integers(0, 4_000_000_000))
    def test_what_is_signed_holds(self, scheme: Scheme, message: Message, data: st.DataObject, now: int) -> None:
        secret = data.draw(secrets_of(scheme))
        sent = scheme.sign(message, secret, now)
        assert sent.body is message.body
        assert sent == scheme.sign(message, secret, now)
        expected = Verified(now if "time" in scheme.uses else None)
        # The id of the message is read from the headers, and the URL is what the receiver knows.
        assert scheme.verify(Message(message.body, message.url), lowered(sent.headers), [secret], now) == expected

    @few
    @given(message=messages, other=messages, data=st.data())
    def test_nothing_that_is_signed_can_change(
        self, scheme: Scheme, message: Message, other: Message, data: st.DataObject
    ) -> None:
        secret, wrong = data.draw(secrets_of(scheme)), data.draw(secrets_of(scheme))
        headers = signed(scheme, message, secret)
        changes = {
            "body": (message.body != other.body, Message(other.body, message.url), headers, secret),
            "url": (message.url != other.url, Message(message.body, other.url), headers, secret),
            "secret": (differ(scheme, secret, wrong), message, headers, wrong),
            "id": (message.id != other.id, message, {**headers, **only_id(scheme, other.id)}, secret),
            "time": (True, message, at(scheme, headers, NOW + 1), secret),
        }
        for part, (is_another, arrived, seen, known) in changes.items():
            verdict = scheme.verify(arrived, seen, [known], NOW, 0)
            counts = is_another and (part in ("body", "secret") or part in scheme.uses)
            assert reason(verdict) == ("mismatch" if counts else None), part

    @few
    @given(message=messages, data=st.data())
    def test_its_parts_are_what_it_does(self, scheme: Scheme, message: Message, data: st.DataObject) -> None:
        """Claim, material, keys and seal, from which somebody else may find out why a signature does not fit."""
        secret = data.draw(secrets_of(scheme))
        claim = scheme.claim(signed(scheme, message, secret))
        assert not isinstance(claim, Rejected)
        seal = scheme.seal(scheme.keys(secret)[0], scheme.material(message, claim))
        assert [each.removeprefix("v1,") for each in claim.signatures] == [seal]

    @few
    @given(message=messages, data=st.data())
    def test_a_signature_is_whole_or_none(self, scheme: Scheme, message: Message, data: st.DataObject) -> None:
        """Shorter or longer ones are compared without an exception, whatever stands in them."""
        secret = data.draw(secrets_of(scheme))
        headers = signed(scheme, message, secret)
        # What ends an entry of a list would make the rest an entry of its own.
        longer = st.text(st.characters(exclude_characters=" \t,;&"), min_size=1)
        whole = headers[scheme.header.lower()]
        changed = data.draw(
            st.one_of(
                st.integers(1, len(whole)).map(lambda length: whole[:-length]),
                longer.map(lambda text: whole + text),
                st.just(whole.swapcase()),
            )
        )
        verdict = scheme.verify(message, {**headers, scheme.header.lower(): changed}, [secret], NOW, 0)
        assert reason(verdict) in ("mismatch", "malformed", "unsupported")


def only_id(scheme: Scheme, value: str) -> dict[str, str]:
    names = [name for name in signed(scheme, PLAIN, secret_of(scheme)) if name.endswith("-id")]
    return dict.fromkeys(names, value)


def at(scheme: Scheme, headers: Mapping[str, str], now: int) -> dict[str, str]:
    """The signature as it is, under another time."""
    other = {name: value for name, value in signed(scheme, PLAIN, secret_of(scheme), now).items() if "time" in name}
    if isinstance(scheme, Hmac) and isinstance(scheme.layout, Pairs) and scheme.time_header is None:
        claim = scheme.claim(headers)
        assert not isinstance(claim, Rejected)
        other[scheme.header.lower()] = scheme.layout.write(str(now * scheme.per_second), claim.signatures[0])
    return {**headers, **other}


@every
class TestAnyHeader:
    @few
    @given(body=bodies, url=any_text, data=st.data())
    def test_it_is_judged(self, scheme: Scheme, body: bytes, url: str, data: st.DataObject) -> None:
        secret = "PkQ5ilRsYx81TmVz"  # valid base64, and no word that an explanation could have by chance
        known = secret.encode().hex() if kind_of(scheme) == "hex" else secret
        names = list(signed(scheme, PLAIN, known))
        texts = any_text | st.sampled_from(
            ["t=1", "v1,", "v1,x", "t=1,v1=x", "ts=1;h1=\ud800", "1700000000", ",", "=", "sha256="]
        )
        headers = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, texts)))
        verdict = scheme.verify(Message(body, url), headers, [known, "", "\ud800"], NOW)
        assert isinstance(verdict, Rejected)
        assert known not in verdict.explanation
        assert len(verdict.explanation) < 300

    @few
    @given(data=st.data())
    def test_so_is_one_that_was_right_once(self, scheme: Scheme, data: st.DataObject) -> None:
        headers = signed(scheme, PLAIN, secret_of(scheme))
        name = data.draw(st.sampled_from(sorted(headers)))
        value = headers[name]
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, len(value)))
        headers[name] = value[:start] + data.draw(any_text) + value[end:]
        verdict = scheme.verify(PLAIN, headers, [secret_of(scheme)], NOW)
        assert isinstance(verdict, Verified | Rejected)

    def test_its_name_is_expected_in_lower_case(self, scheme: Scheme) -> None:
        sent = dict(scheme.sign(PLAIN, secret_of(scheme), NOW).headers)
        upper = {name.upper(): value for name, value in sent.items()}
        assert reason(scheme.verify(PLAIN, upper, [secret_of(scheme)], NOW)) == "missing"


@every
class TestSeveralSecrets:
    @few
    @given(data=st.data())
    def test_each_may_be_the_one_and_is_named(self, scheme: Scheme, data: st.DataObject) -> None:
        known = data.draw(st.lists(secrets_of(scheme), min_size=1, max_size=4))
        number = data.draw(st.integers(0, len(known) - 1))
        assume(all(differ(scheme, known[number], each) for each in known[:number]))
        verdict = scheme.verify(PLAIN, signed(scheme, PLAIN, known[number]), known, NOW)
        assert isinstance(verdict, Verified)
        assert verdict.secret == number

    def test_those_that_are_no_keys_are_passed_over_but_not_all(self, scheme: Scheme) -> None:
        headers = signed(scheme, PLAIN, secret_of(scheme))
        bad = ["", " \n", *([] if kind_of(scheme) == "text" else ["no key!", "ö"]), "\ud800"]
        verdict = scheme.verify(PLAIN, headers, [*bad, secret_of(scheme), *bad], NOW)
        assert isinstance(verdict, Verified)
        assert verdict.secret == len(bad)
        for useless in ([], bad):
            assert reason(scheme.verify(PLAIN, headers, useless, NOW)) == "invalid_secret"

    def test_what_is_no_key_signs_nothing_and_is_not_repeated(self, scheme: Scheme) -> None:
        for secret in ("", "\t", "\ud800mine", *([] if kind_of(scheme) == "text" else ["hunter2, which is none"])):
            with pytest.raises(InvalidSecret) as error:
                scheme.sign(PLAIN, secret, NOW)
            assert "mine" not in str(error.value)
            assert "hunter2" not in str(error.value)


@timed
class TestTime:
    @few
    @given(age=st.integers(-2000, 2000) | st.sampled_from([300, 301, 5, 6, -5, -6, -300, -301]))
    def test_its_own_tolerance(self, scheme: Scheme, age: int) -> None:
        self.judged(scheme, age, None, scheme.tolerance)

    @few
    @given(age=st.integers(-2000, 2000), tolerance=st.integers(0, 1000))
    def test_another(self, scheme: Scheme, age: int, tolerance: int) -> None:
        self.judged(scheme, age, tolerance, tolerance)

    def judged(self, scheme: Scheme, age: int, tolerance: int | None, limit: int) -> None:
        headers = signed(scheme, PLAIN, secret_of(scheme), NOW - age)
        verdict = scheme.verify(PLAIN, headers, [secret_of(scheme)], NOW, tolerance)
        is_strict = isinstance(scheme, StandardWebhooks) or (isinstance(scheme, Hmac) and scheme.future)
        expected = None
        if limit and age > limit:
            expected = "expired"
        elif limit and -age > limit and is_strict:
            expected = "premature"
        assert reason(verdict) == expected
        if isinstance(verdict, Verified):
            assert verdict.signed_at == NOW - age


class TestReasons:
    """Each reason by a request that has nothing else wrong with it."""

    def seen(self, name: str, changes: Mapping[str, str | None], **how: Any) -> Reason | None:
        scheme = SCHEMES[name]
        headers = signed(scheme, PLAIN, secret_of(scheme))
        changed = {key: value for key, value in {**headers, **changes}.items() if value is not None}
        message, known, now = how.get("message", PLAIN), how.get("secrets", [secret_of(scheme)]), how.get("now", NOW)
        return reason(scheme.verify(message, changed, known, now))

    CASES: tuple[tuple[Reason, str, dict[str, str | None], dict[str, Any]], ...] = (
        ("missing", "stripe", {"stripe-signature": None}, {}),
        ("missing", "svix", {"svix-signature": None}, {}),
        ("missing_time", "polar", {"webhook-timestamp": None}, {}),
        ("missing_time", "generic-headers", {"x-time": None}, {}),
        ("missing_id", "standard-webhooks", {"webhook-id": None}, {}),
        ("missing_id", "svix", {"svix-id": ""}, {}),
        ("missing_id", "generic-headers", {"x-id": None}, {}),
        ("missing_url", "square", {}, {"message": Message(PLAIN.body)}),
        ("missing_url", "generic-pairs", {}, {"message": Message(PLAIN.body)}),
        ("malformed", "stripe", {"stripe-signature": ""}, {}),
        ("malformed", "stripe", {"stripe-signature": "v1=00"}, {}),
        ("malformed", "stripe", {"stripe-signature": "t=1700000000"}, {}),
        ("malformed", "stripe", {"stripe-signature": "t=soon,v1=00"}, {}),
        ("malformed", "stripe", {"stripe-signature": "t=-1,v1=00"}, {}),
        ("malformed", "stripe", {"stripe-signature": "t=\u0661,v1=00"}, {}),
        ("malformed", "stripe", {"stripe-signature": f"t={'9' * 5000},v1=00"}, {}),
        ("malformed", "github", {"x-hub-signature-256": "00"}, {}),
        ("malformed", "github", {"x-hub-signature-256": "sha256="}, {}),
        ("malformed", "lemonsqueezy", {"x-signature": ""}, {}),
        ("malformed", "standard-webhooks", {"webhook-signature": "v1,"}, {}),
        ("malformed", "standard-webhooks", {"webhook-signature": "garbage"}, {}),
        ("malformed", "standard-webhooks", {"webhook-timestamp": "1.5"}, {}),
        ("malformed", "generic-headers", {"x-time": "soon"}, {}),
        ("unsupported", "stripe", {"stripe-signature": "t=1700000000,v0=00"}, {}),
        ("unsupported", "stripe", {"stripe-signature": "v0=00,t=1700000000"}, {}),
        ("unsupported", "paddle", {"paddle-signature": "ts=1700000000;h2=00"}, {}),
        ("unsupported", "standard-webhooks", {"webhook-signature": "v2,AAAA"}, {}),
        ("mismatch", "square", {"x-square-hmacsha256-signature": "AAAA"}, {}),
        ("expired", "paddle", {}, {"now": NOW + 6}),
        ("expired", "generic-headers", {}, {"now": NOW + 301}),
        ("premature", "svix", {}, {"now": NOW - 301}),
        ("invalid_secret", "standard-webhooks", {}, {"secrets": ["no key!"]}),
        ("invalid_secret", "stripe", {}, {"secrets": []}),
    )

    @pytest.mark.parametrize(("expected", "name", "changes", "how"), CASES)
    def test_it_is_told(
        self, expected: Reason, name: str, changes: Mapping[str, str | None], how: Mapping[str, Any]
    ) -> None:
        assert self.seen(name, changes, **how) == expected

    def test_there_is_no_other(self) -> None:
        assert {case[0] for case in self.CASES} == set(get_args(Reason))


LISTS = ["stripe", "paddle", "standard-webhooks", "svix", "polar", "generic-pairs"]


class TestSeveralSignatures:
    def listed(self, scheme: Scheme, values: list[str]) -> str:
        """The header with all of these in it, its time once."""
        if isinstance(scheme, StandardWebhooks):
            return " ".join(values)
        assert isinstance(scheme, Hmac)
        assert isinstance(scheme.layout, Pairs)
        separator = scheme.layout.separator
        return separator.join([values[0], *(value.partition(separator)[2] for value in values[1:])])

    @pytest.mark.parametrize("name", LISTS)
    def test_the_right_one_may_stand_anywhere_among_the_first(self, name: str) -> None:
        scheme = SCHEMES[name]
        sent = [signed(scheme, PLAIN, secret_of(scheme, number)) for number in range(MOST_SIGNATURES + 1)]
        header = self.listed(scheme, [headers[scheme.header.lower()] for headers in sent])
        for number in range(MOST_SIGNATURES + 1):
            headers = {**sent[0], scheme.header.lower(): header}
            verdict = scheme.verify(PLAIN, headers, [secret_of(scheme, 99), secret_of(scheme, number)], NOW)
            assert isinstance(verdict, Verified) == (number < MOST_SIGNATURES)
            assert not isinstance(verdict, Verified) or verdict.secret == 1

    def test_of_several_commerce_reads_the_last(self) -> None:
        scheme = SCHEMES["commerce"]
        values = [signed(scheme, PLAIN, secret_of(scheme, number))["commerce-signature"] for number in (1, 2)]
        headers = {"commerce-signature": self.listed(scheme, values)}
        assert [reason(scheme.verify(PLAIN, headers, [secret_of(scheme, number)], NOW)) for number in (1, 2)] == [
            "mismatch",
            None,
        ]
        twice = {"commerce-signature": f"t=1,{values[0]}"}
        assert scheme.verify(PLAIN, twice, [secret_of(scheme, 1)], NOW) == Verified(NOW)

    def test_the_order_of_the_entries_and_unknown_ones_do_not_matter(self) -> None:
        scheme = SCHEMES["stripe"]
        time, signature = signed(scheme, PLAIN, secret_of(scheme))["stripe-signature"].split(",")
        for value in (f"{signature},{time}", f"v0=00,{signature},x,{time},", f"{time}, {signature}"):
            assert scheme.verify(PLAIN, {"stripe-signature": value}, [secret_of(scheme)], NOW) == Verified(NOW)


class TestTraps:
    def test_one_secret_is_two_keys(self) -> None:
        """`whsec_` belongs to Stripe's key, and stands before that of Standard Webhooks, which is base64."""
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        (literal,), (decoded,) = (SCHEMES[name].keys(secret) for name in ("stripe", "standard-webhooks"))
        assert literal == secret.encode()
        assert len(decoded) == 24
        assert SCHEMES["standard-webhooks"].keys(secret.removeprefix("whsec_")) == (decoded,)
        assert SCHEMES["polar"].keys(secret) == (literal, decoded)

    def test_an_entry_that_cannot_be_read_does_not_hide_the_right_one(self) -> None:
        scheme = SCHEMES["standard-webhooks"]
        headers = signed(scheme, PLAIN, secret_of(scheme))
        right = headers["webhook-signature"]
        for value in (f"garbage {right}", f"v1 v1, , {right}", f"v1,a,b {right}", f"{right} \u00f6", f"v1a,? {right}"):
            verdict = scheme.verify(PLAIN, {**headers, "webhook-signature": value}, [secret_of(scheme)], NOW)
            assert verdict == Verified(NOW)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\r\n",
            b'{"a":1}\r\n',
            b"\xef\xbb\xbf{}",
            b"\x1f\x8b\x08\x00gzip",
            "Köln → ü".encode(),
            b"K\xf6ln",
            b"\0" * 9,
        ],
        ids=["empty", "CRLF", "JSON and CRLF", "BOM", "gzip", "UTF-8", "Latin-1", "zeros"],
    )
    @every
    def test_bytes_are_bytes(self, scheme: Scheme, body: bytes) -> None:
        message = msgspec.structs.replace(PLAIN, body=body)
        headers = signed(scheme, message, secret_of(scheme))
        assert isinstance(scheme.verify(message, headers, [secret_of(scheme)], NOW), Verified)
        for other in (body + b"\n", body.removesuffix(b"\r\n") + b"\n", b"\xef\xbb\xbf" + body):
            verdict = scheme.verify(msgspec.structs.replace(message, body=other), headers, [secret_of(scheme)], NOW)
            assert reason(verdict) == "mismatch"

    @every
    def test_the_same_json_in_other_bytes_is_another_body(self, scheme: Scheme) -> None:
        message = msgspec.structs.replace(PLAIN, body='{"name":"Jörg","n":1.0}'.encode())
        headers = signed(scheme, message, secret_of(scheme))
        value = json.loads(message.body)
        for body in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, separators=(",", ":"))):
            verdict = scheme.verify(
                msgspec.structs.replace(message, body=body.encode()), headers, [secret_of(scheme)], NOW
            )
            assert reason(verdict) == "mismatch"

    @pytest.mark.parametrize("name", ["stripe", "paddle", "lemonsqueezy", "github", "billsh", "geopera", "commerce"])
    def test_hex_in_upper_case_is_another_text(self, name: str) -> None:
        scheme = SCHEMES[name]
        headers = signed(scheme, PLAIN, secret_of(scheme))
        claim = scheme.claim(headers)
        assert not isinstance(claim, Rejected)
        (text,) = claim.signatures
        headers[scheme.header.lower()] = headers[scheme.header.lower()].replace(text, text.upper())
        assert reason(scheme.verify(PLAIN, headers, [secret_of(scheme)], NOW)) == "mismatch"

    @pytest.mark.parametrize("name", ["square", "standard-webhooks", "svix", "polar"])
    def test_base64_without_its_padding_or_with_spaces_for_plus_is_another_text(self, name: str) -> None:
        scheme = SCHEMES[name]
        # Until there is a plus in it.
        messages = (msgspec.structs.replace(PLAIN, body=b"%d" % number) for number in range(100))
        message = next(
            each for each in messages if "+" in signed(scheme, each, secret_of(scheme))[scheme.header.lower()]
        )
        headers = signed(scheme, message, secret_of(scheme))
        right = headers[scheme.header.lower()]
        for value in (right.rstrip("="), right.replace("+", " "), right.replace("+", "-")):
            verdict = scheme.verify(message, {**headers, scheme.header.lower(): value}, [secret_of(scheme)], NOW)
            assert reason(verdict) == "mismatch"

    @pytest.mark.parametrize(
        "url",
        [
            "http://acme.example/hooks",
            "https://acme.example/hooks/",
            "https://acme.example/hooks?",
            "https://ACME.example/hooks",
            "https://acme.example:443/hooks",
            "https://acme.example/%68ooks",
        ],
    )
    def test_the_url_is_a_text(self, url: str) -> None:
        scheme = SCHEMES["square"]
        headers = signed(scheme, PLAIN, secret_of(scheme))
        verdict = scheme.verify(msgspec.structs.replace(PLAIN, url=url), headers, [secret_of(scheme)], NOW)
        assert reason(verdict) == "mismatch"

    @every
    def test_letters_that_are_no_ascii_are_compared_as_any(self, scheme: Scheme) -> None:
        headers = signed(scheme, PLAIN, secret_of(scheme))
        value = headers[scheme.header.lower()]
        for letter in ("ö", "\u00e4", "\uff10", "\udc80", "\ud800"):
            changed = {**headers, scheme.header.lower(): value[:-1] + letter}
            assert reason(scheme.verify(PLAIN, changed, [secret_of(scheme)], NOW)) == "mismatch"

    @pytest.mark.parametrize("name", ["stripe", "paddle", "square", "polar", "lemonsqueezy", "github"])
    def test_a_secret_may_have_any_letters(self, name: str) -> None:
        scheme = SCHEMES[name]
        for secret in ("pässwörd → \U0001f511", "x" * 5000, "whsec_", " a ", "\udc80"):
            assert isinstance(scheme.verify(PLAIN, signed(scheme, PLAIN, secret), [secret], NOW), Verified)

    def test_svix_is_understood_under_the_names_of_the_standard_but_not_mixed(self) -> None:
        headers = signed(SCHEMES["standard-webhooks"], PLAIN, secret_of(SCHEMES["svix"]))
        assert SCHEMES["svix"].verify(PLAIN, headers, [secret_of(SCHEMES["svix"])], NOW) == Verified(NOW)
        mixed = {
            "svix-signature": headers["webhook-signature"],
            **{k: v for k, v in headers.items() if k != "webhook-signature"},
        }
        assert reason(SCHEMES["svix"].verify(PLAIN, mixed, [secret_of(SCHEMES["svix"])], NOW)) == "missing_id"


class TestWhatCannotBeSigned:
    @pytest.mark.parametrize("name", ["standard-webhooks", "svix", "polar", "generic-headers"])
    @few
    @given(other=any_text)
    @example("")
    @example("a b")
    @example("msg\r\nx-admin: 1")
    @example("ö")
    @example("m" * 257)
    def test_an_id_that_no_header_can_carry(self, name: str, other: str) -> None:
        assume(not (other.isascii() and other.isprintable() and " " not in other and 0 < len(other) <= 256))
        with pytest.raises(InvalidMessage):
            SCHEMES[name].sign(Message(b"{}", id=other), secret_of(SCHEMES[name]), NOW)

    def test_the_longest_id_is_signed(self) -> None:
        scheme = SCHEMES["standard-webhooks"]
        assert signed(scheme, Message(b"{}", id="m" * 256), secret_of(scheme))["webhook-id"] == "m" * 256

    @pytest.mark.parametrize("name", ["square", "generic-pairs"])
    def test_no_url(self, name: str) -> None:
        with pytest.raises(InvalidMessage, match="signs the URL"):
            SCHEMES[name].sign(Message(b"{}"), secret_of(SCHEMES[name]), NOW)

    @pytest.mark.parametrize(
        ("secret", "complaint"),
        [
            ("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "only verifies"),
            ("whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "64 bytes"),
            ("whpk_AAAA", "32 bytes"),
            ("whsk_" + b64encode(bytes(64)).decode(), "two halves"),
            ("whsk_!", "not base64"),
            ("whsec_", "empty"),
            ("whsec_ö", "not base64"),
        ],
    )
    def test_a_key_of_another_form(self, secret: str, complaint: str) -> None:
        with pytest.raises(InvalidSecret, match=complaint):
            SCHEMES["standard-webhooks"].sign(PLAIN, secret, NOW)

    def test_an_hmac_key_may_begin_like_one_of_ed25519(self) -> None:
        scheme = SCHEMES["standard-webhooks"]
        secret = "whsec_" + b64encode(b"whsk_short").decode()
        assert scheme.verify(PLAIN, signed(scheme, PLAIN, secret), [secret], NOW) == Verified(NOW)


class TestOptions:
    VALUES: dict[str, list[str]] = {
        "header": ["X-A", "x-b", "", "a b", "X-Time"],
        "value": [
            "{signature}",
            "p={signature}",
            "t={time},v1={signature}",
            "a={time};b={signature}",
            "a={time},a={signature}",
            " {signature}",
            "{signature}x",
            "{time}{signature}",
            "t={time}|v1={signature}",
            "ö{signature}",
            "",
        ],
        "signed": [
            "{body}",
            "{time}.{body}",
            "{id}{time}{body}{body}",
            "{url}{body}",
            "ö{body}",
            "{time}",
            "{now}{body}",
            "{{body}}",
            "",
        ],
        "digest": ["sha1", "sha256", "sha512", "md5", ""],
        "encoding": ["hex", "base64", "base32"],
        "key": ["text", "base64", "hex", "whsec", "utf8"],
        "tolerance": ["0", "300", "-1", "", "9" * 16],
        "future": ["no", "yes", "maybe"],
        "unit": ["s", "ms", "us"],
        "time_header": ["X-Time", "x-time", "\r\n", ""],
        "id_header": ["X-Id", "X-A", "ö"],
    }

    @few
    @given(st.data())
    def test_what_is_taken_signs_and_verifies(self, data: st.DataObject) -> None:
        assert self.VALUES.keys() == set(OPTIONS)
        options = data.draw(
            st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in self.VALUES.items()})
        )
        try:
            scheme = scheme_of(options)
        except InvalidOptions:
            return
        message, secret = data.draw(messages), data.draw(secrets_of(scheme))
        verdict = scheme.verify(Message(message.body, message.url), signed(scheme, message, secret), [secret], NOW)
        assert verdict == Verified(NOW if "time" in scheme.uses else None)
        wrong = scheme.verify(message, signed(scheme, message, secret + "00"), [secret], NOW)
        assert reason(wrong) == "mismatch" or not differ(scheme, secret + "00", secret)

    @few
    @given(st.dictionaries(st.sampled_from(OPTIONS), any_text, max_size=4))
    def test_any_texts_make_a_scheme_or_a_complaint(self, options: dict[str, str]) -> None:
        try:
            scheme = scheme_of(options)
        except InvalidOptions:
            return
        assert isinstance(scheme.verify(PLAIN, {}, ["x"], NOW), Rejected)

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"colour": "red"}, "no option 'colour'; there are: header, value, "),
            ({"header": "X Signature"}, "header is not the name of a header"),
            ({"time_header": "X:T"}, "time_header is not the name of a header"),
            ({"header": "X-A", "id_header": "x-a"}, "three different headers"),
            ({"signed": "{time}"}, "signed has to have {body} in it"),
            ({"signed": "{timestamp}.{body}"}, "places that nothing fills; there are: {time}, {id}, {url}, {body}"),
            ({"signed": "{time}.{body}"}, "a time is signed, so value has to carry it"),
            ({"signed": "{id}.{body}"}, "an id is signed, so it needs an id_header"),
            ({"value": "sha256="}, "value is `<prefix>{signature}` or"),
            ({"value": "v={time},v={signature}"}, "value is `<prefix>{signature}` or"),
            ({"value": "{signature}", "tolerance": "5m"}, "tolerance is a number of seconds"),
            ({"digest": "md5"}, "digest is one of: sha256, sha1, sha512"),
            ({"unit": "us"}, "unit is one of: s, ms"),
        ],
    )
    def test_what_is_wrong_is_named(self, options: dict[str, str], complaint: str) -> None:
        with pytest.raises(InvalidOptions) as error:
            scheme_of(options)
        assert complaint in str(error.value)

    def test_a_time_that_is_not_signed_says_nothing(self) -> None:
        scheme = scheme_named("generic")
        beside = SCHEMES["generic-unsigned-time"]
        assert scheme.verify(PLAIN, signed(scheme, PLAIN, "k"), ["k"], NOW) == Verified(None)
        assert beside.verify(PLAIN, signed(beside, PLAIN, "k", 5), ["k"], NOW, 300) == Verified(None)
