"""A table of near misses: a message is signed with one thing changed, and the diagnosis names just that."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from mock_server.webhooks.diagnosis import Diagnosis, detected, diagnose
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

NOW = 1_700_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://shop.example/hooks/square"
ID = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"
BODY = '{"id":"evt_1","type":"invoice.paid","name":"Jörg Müller","amounts":[1,2.5]}'.encode()


def signed(
    provider: str, body: bytes = BODY, secret: str = SECRET, url: str = URL, now: int = NOW, message_id: str = ID
) -> dict[str, str]:
    headers = scheme_named(provider).sign(Message(body, url, message_id), secret, now).headers
    return {name.lower(): value for name, value in headers}


def told(
    provider: str,
    headers: Mapping[str, str],
    body: bytes = BODY,
    secret: str = SECRET,
    url: str = URL,
    now: int = NOW,
    **more: Any,
) -> Diagnosis:
    return diagnose(scheme_named(provider), Message(body, url), headers, [secret], now, **more)


def names(found: Diagnosis) -> list[str]:
    return [near.name for near in found.near_misses]


def mac(key: str | bytes, material: bytes, digest: str = "sha256") -> bytes:
    return hmac.digest(key.encode() if isinstance(key, str) else key, material, digest)


def stripe_header(signature: str, time: object = NOW) -> dict[str, str]:
    return {"stripe-signature": f"t={time},v1={signature}"}


# What is held, and what was signed.
DOUBLE = BODY.decode("latin-1").encode()
LINES = BODY.replace(b",", b",\n") + b"\n"
CRLF = LINES.replace(b"\n", b"\r\n")
PHRASE = "plain “text” € ü".encode()
BODIES: dict[str, tuple[bytes, bytes]] = {
    "newline-added": (BODY, BODY + b"\n"),
    "newline-removed": (BODY + b"\n", BODY),
    "crlf-added": (BODY, BODY + b"\r\n"),
    "crlf-to-lf": (CRLF, LINES),
    "lf-to-crlf": (LINES, CRLF),
    "bom-removed": (b"\xef\xbb\xbf" + BODY, BODY),
    "bom-added": (BODY, b"\xef\xbb\xbf" + BODY),
    "whitespace-stripped": (b"  " + BODY + b" \n", BODY),
    "newlines-removed": (b"one,\ntwo\r\n", b"one,two"),
    "empty": (BODY, b""),
    "double-encoding-undone": (DOUBLE, BODY),
    "utf8-to-latin1": (BODY, BODY.decode().encode("latin-1")),
    "utf8-to-windows1252": (PHRASE, PHRASE.decode().encode("cp1252")),
    "latin1-to-utf8": (BODY.decode().encode("latin-1"), BODY),
    "windows1252-to-utf8": (PHRASE.decode().encode("cp1252"), PHRASE),
    "utf16": (BODY, BODY.decode().encode("utf-16-le")),
    "nfc": (unicodedata.normalize("NFD", BODY.decode()).encode(), BODY),
    "nfd": (BODY, unicodedata.normalize("NFD", BODY.decode()).encode()),
    "unzipped": (gzip.compress(BODY), BODY),
    "zipped-9-3": (BODY, gzip.compress(BODY, mtime=0)),
    "base64-decoded": (base64.b64encode(BODY), BODY),
    "base64-encoded": (BODY, base64.b64encode(BODY)),
    "hex-encoded": (BODY, BODY.hex().encode()),
    "form-value": (b"payload=" + quote_plus(BODY).encode(), BODY),
    "form-payload": (BODY, b"payload=" + quote_plus(BODY).encode()),
    "url-decoded": (b"a=1&payload=%7B%7D+x", b"a=1&payload={} x"),
    "url-encoded-form": (b"a b", b"a+b"),
    "url-encoded": (b"a b", b"a%20b"),
    "json-string-opened": (json.dumps(BODY.decode()).encode(), BODY),
    "json-string": (BODY, json.dumps(BODY.decode(), ensure_ascii=False).encode()),
    "json-string-ascii": (BODY, json.dumps(BODY.decode()).encode()),
    "python-bytes": (BODY, f"{BODY!r}".encode()),
    "python-value": (BODY, f"{json.loads(BODY)}".encode()),
    "js-object": (BODY, b"[object Object]"),
    "word-undefined": (BODY, b"undefined"),
    "word-null": (BODY, b"null"),
    "word-None": (BODY, b"None"),
    "word-{}": (BODY, b"{}"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_was_changed_is_named(name: str) -> None:
    held, original = BODIES[name]
    found = told("stripe", signed("stripe", original), held)
    assert isinstance(found.verdict, Rejected)
    assert found.verdict.reason == "mismatch"
    assert names(found) == [f"body:{name}"]


def test_node_zips_as_we_do() -> None:
    """Node's zlib.gzipSync writes the same bytes but for the system's number, 3 on Unix."""
    zipped = bytearray(gzip.compress(BODY, 6, mtime=0))
    zipped[8:10] = b"\x00\x03"
    assert zlib.decompress(bytes(zipped), 47) == BODY
    assert names(told("stripe", signed("stripe", bytes(zipped)))) == ["body:zipped-6-3"]


RAW_KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
KEYS: dict[str, tuple[str, str, bytes]] = {
    # The secret that is given, the provider, and the key that was used.
    "trimmed": (f"{SECRET}\n", "stripe", SECRET.encode()),
    "unquoted": (f'"{SECRET}"', "stripe", SECRET.encode()),
    "assigned": (f"export STRIPE_SECRET='{SECRET}'", "stripe", SECRET.encode()),
    "escaped-newline": (f"{SECRET}\\n", "stripe", SECRET.encode()),
    "newline-added": (SECRET, "stripe", f"{SECRET}\n".encode()),
    "crlf-added": (SECRET, "stripe", f"{SECRET}\r\n".encode()),
    "without-bom": (f"\ufeff{SECRET}", "stripe", SECRET.encode()),
    "prefix-doubled": (f"whsec_{SECRET}", "stripe", SECRET.encode()),
    "plus": ("whsec_a b", "stripe", b"whsec_a+b"),
    "url-decoded": (quote("whsec_a+b/c="), "stripe", b"whsec_a+b/c="),
    "lower": ("SECRET-KEY", "square", b"secret-key"),
    "upper": ("secret-key", "square", b"SECRET-KEY"),
    "prefix-stripped+as-text": (SECRET, "stripe", SECRET.removeprefix("whsec_").encode()),
    "prefix-added-whsec": (SECRET.removeprefix("whsec_"), "stripe", SECRET.encode()),
    "prefix-added-polar_whs": ("abcdefgh", "polar", b"polar_whs_abcdefgh"),
    "prefix-added-pdl_ntfset": ("01h_abc", "paddle", b"pdl_ntfset_01h_abc"),
    "last-part": ("pdl_ntfset_01h_abc", "paddle", b"abc"),
    "prefix-stripped+base64-decoded": (SECRET, "stripe", RAW_KEY),
    "as-text": (SECRET, "standard-webhooks", SECRET.encode()),
    "base64-decoded": ("c2VjcmV0LWtleQ==", "square", b"secret-key"),
    "hex-decoded": ("00ff10ab", "lemonsqueezy", b"\x00\xff\x10\xab"),
    "base64-encoded": ("secret-key", "lemonsqueezy", b"c2VjcmV0LWtleQ=="),
    "sha256": ("secret-key", "lemonsqueezy", hashlib.sha256(b"secret-key").digest()),
    "sha256-hex": ("secret-key", "lemonsqueezy", hashlib.sha256(b"secret-key").hexdigest().encode()),
}
STANDARD_KEYS = {
    "trimmed": (f"{SECRET}\n", RAW_KEY),
    "unquoted": (f"'{SECRET}'", RAW_KEY),
    "prefix-stripped+as-text": (SECRET, SECRET.removeprefix("whsec_").encode()),
    "base64-decoded": ("whsec_".join(("", "-_-_AAAA")), base64.b64decode("+/+/AAAA")),
}


def with_key(provider: str, key: bytes, body: bytes = BODY) -> dict[str, str]:
    """Headers as the scheme writes them, with any bytes for its key."""
    scheme = scheme_named(provider)
    material = {
        "stripe": b"%d." % NOW + body,
        "paddle": b"%d:" % NOW + body,
        "square": URL.encode() + body,
        "lemonsqueezy": body,
    }.get(provider, f"{ID}.{NOW}.".encode() + body)
    raw = mac(key, material)
    text = raw.hex() if provider in ("stripe", "paddle", "lemonsqueezy") else base64.b64encode(raw).decode()
    if provider in ("standard-webhooks", "polar"):
        return {"webhook-id": ID, "webhook-timestamp": str(NOW), "webhook-signature": f"v1,{text}"}
    form = {"stripe": f"t={NOW},v1={text}", "paddle": f"ts={NOW};h1={text}"}
    return {scheme.header.lower(): form.get(provider, text)}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_was_made_otherwise_is_named(name: str) -> None:
    secret, provider, key = KEYS[name]
    found = told(provider, with_key(provider, key), secret=secret)
    # The letters without a prefix are both: what stands after it, and its text.
    assert [each.removesuffix("+as-text") for each in names(found)] == [f"key:{name.removesuffix('+as-text')}"]


@pytest.mark.parametrize("name", STANDARD_KEYS)
def test_the_same_for_a_scheme_whose_secrets_are_base64(name: str) -> None:
    secret, key = STANDARD_KEYS[name]
    found = told("standard-webhooks", with_key("standard-webhooks", key), secret=secret)
    expected = "key:prefix-stripped+base64-decoded" if name == "base64-decoded" else f"key:{name}"
    assert names(found) == [expected]


URLS = {
    "http": ("https://shop.example/hooks", "http://shop.example/hooks"),
    "https": ("http://shop.example/hooks", "https://shop.example/hooks"),
    "slash": ("https://shop.example/hooks", "https://shop.example/hooks/"),
    "no-slash": ("https://shop.example/hooks/", "https://shop.example/hooks"),
    "no-query": ("https://shop.example/hooks?a=1", "https://shop.example/hooks"),
    "no-fragment": ("https://shop.example/hooks#x", "https://shop.example/hooks"),
    "no-port": ("https://shop.example:8443/hooks", "https://shop.example/hooks"),
    "port": ("https://shop.example/hooks", "https://shop.example:443/hooks"),
    "lower-host": ("https://Shop.Example/hooks", "https://shop.example/hooks"),
    "www": ("https://shop.example/hooks", "https://www.shop.example/hooks"),
    "no-www": ("https://www.shop.example/hooks", "https://shop.example/hooks"),
    "path-only": ("https://shop.example/hooks?a=1", "/hooks?a=1"),
    "host-only": ("https://shop.example/hooks", "https://shop.example"),
    "no-scheme": ("https://shop.example/hooks", "shop.example/hooks"),
    "decoded": ("https://shop.example/a%20b", "https://shop.example/a b"),
    "encoded": ("https://shop.example/hooks", "https%3A%2F%2Fshop.example%2Fhooks"),
    "http+slash": ("https://shop.example/hooks", "http://shop.example/hooks/"),
}


@pytest.mark.parametrize("name", URLS)
def test_another_spelling_of_the_url_is_named_and_said(name: str) -> None:
    given, called = URLS[name]
    found = told("square", signed("square", url=called), url=given)
    assert names(found) == [f"url:{name}"]
    assert f"--url {called}" in found.near_misses[0].changes[0].advice


def test_the_url_that_the_request_names_is_tried_where_nobody_said_which_it_is() -> None:
    headers = signed("square", url="https://shop.example/hooks")
    found = told("square", headers, url="", urls=["https://shop.example/hooks"])
    assert isinstance(found.verdict, Rejected)
    assert found.verdict.reason == "missing_url"
    assert found.near_misses
    assert "https://shop.example/hooks" in found.near_misses[0].changes[0].advice


TIMES: dict[str, tuple[str, str]] = {
    # What stands in the header, and what was signed.
    "time:milliseconds": (f"{NOW}", f"{NOW}000"),
    "time:seconds": (f"{NOW}000", f"{NOW}"),
    "time:no-zeros": (f"0{NOW}", f"{NOW}"),
    "time:float": (f"{NOW}", f"{NOW}.0"),
    "time:iso": (f"{NOW}", "2023-11-14T22:13:20Z"),
    "time:+1s": (f"{NOW}", f"{NOW + 1}"),
    "time:-2s": (f"{NOW}", f"{NOW - 2}"),
    "time:+2h": (f"{NOW}", f"{NOW + 7200}"),
}


@pytest.mark.parametrize("name", TIMES)
def test_another_time_than_the_one_in_the_header_is_named(name: str) -> None:
    stands, was_signed = TIMES[name]
    text = mac(SECRET, f"{was_signed}.".encode() + BODY).hex()
    assert names(told("stripe", stripe_header(text, stands))) == [name]


def test_a_time_in_another_header_is_found() -> None:
    text = mac(SECRET, b"%d." % (NOW + 99) + BODY).hex()
    found = told("stripe", {**stripe_header(text), "x-timestamp": str(NOW + 99)})
    assert names(found) == ["time:other"]


PARTS: dict[str, bytes] = {
    "parts:body-only": BODY,
    "parts:{time}{body}": b"%d" % NOW + BODY,
    "parts:{time}\\n{body}": b"%d\n" % NOW + BODY,
    "parts:{body}.{time}": BODY + b".%d" % NOW,
    "parts:v0:{time}:{body}": b"v0:%d:" % NOW + BODY,
    "parts:{time}.": b"%d." % NOW,
    "body:empty": b"%d." % NOW,
    "scheme:paddle": b"%d:" % NOW + BODY,
}


@pytest.mark.parametrize("name", [name for name in PARTS if name not in ("parts:{time}.", "scheme:paddle")])
def test_parts_that_were_joined_otherwise_are_named(name: str) -> None:
    assert names(told("stripe", stripe_header(mac(SECRET, PARTS[name]).hex()))) == [name]


def test_an_id_that_was_left_out_or_is_another_is_named() -> None:
    headers = with_key("standard-webhooks", RAW_KEY)
    without = base64.b64encode(mac(RAW_KEY, b"%d." % NOW + BODY)).decode()
    other = base64.b64encode(mac(RAW_KEY, b"evt_9.%d." % NOW + BODY)).decode()
    assert names(told("svix", {**headers, "webhook-signature": f"v1,{without}"})) == ["parts:{time}.{body}"]
    found = told("svix", {**headers, "webhook-signature": f"v1,{other}", "x-event-id": "evt_9"})
    assert names(found) == ["id:other"]


RIGHT = mac(SECRET, b"%d." % NOW + BODY)
GITHUB = mac(SECRET, BODY)
SQUARE = base64.b64encode(mac(SECRET, URL.encode() + BODY)).decode()
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "encoding:HEX": ("stripe", stripe_header(RIGHT.hex().upper())),
    "encoding:base64": ("stripe", stripe_header(base64.b64encode(RIGHT).decode())),
    "encoding:base64-unpadded": ("square", {"x-square-hmacsha256-signature": SQUARE.rstrip("=")}),
    "encoding:hex": ("square", {"x-square-hmacsha256-signature": base64.b64decode(SQUARE).hex()}),
    "encoding:hex-in-base64": ("stripe", stripe_header(base64.b64encode(RIGHT.hex().encode()).decode())),
    "encoding:cut-off": ("stripe", stripe_header(RIGHT.hex()[:50])),
    "header:prefix-kept": ("lemonsqueezy", {"x-signature": f"sha256={GITHUB.hex()}"}),
    "header:form": ("github", {"x-hub-signature-256": GITHUB.hex()}),
    "header:wrapped": ("github", {"x-hub-signature-256": f'"sha256={GITHUB.hex()}"'}),
    "header:other": ("stripe", {"http_stripe_signature": f"t={NOW},v1={RIGHT.hex()}"}),
    "header:not-counted": ("commerce", {"commerce-signature": f"t={NOW},v1={RIGHT.hex()},v1={'0' * 64}"}),
    "digest:sha1": ("lemonsqueezy", {"x-signature": mac(SECRET, BODY, "sha1").hex()}),
    "digest:sha512": ("stripe", stripe_header(mac(SECRET, b"%d." % NOW + BODY, "sha512").hex())),
    "digest:swapped": ("lemonsqueezy", {"x-signature": mac(BODY, SECRET.encode()).hex()}),
    "digest:secret-before": ("lemonsqueezy", {"x-signature": hashlib.sha256(SECRET.encode() + BODY).hexdigest()}),
    "digest:secret-after": ("lemonsqueezy", {"x-signature": hashlib.sha256(BODY + SECRET.encode()).hexdigest()}),
    "digest:unkeyed": ("lemonsqueezy", {"x-signature": hashlib.sha256(BODY).hexdigest()}),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_signature_in_another_form_is_named(name: str) -> None:
    provider, headers = FORMS[name]
    assert names(told(provider, headers)) == [name]


def test_a_url_safe_signature_is_named() -> None:
    body = next(body for n in range(99) if {*"+/"} & {*_square(body := BODY + b" " * n)})
    text = _square(body).replace("+", "-").replace("/", "_")
    found = told("square", {"x-square-hmacsha256-signature": text}, body)
    assert names(found) == ["encoding:base64url"]


def _square(body: bytes) -> str:
    return base64.b64encode(mac(SECRET, URL.encode() + body)).decode()


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("stripe", "paddle"),
        ("paddle", "stripe"),
        ("stripe", "square"),
        ("square", "github"),
        ("github", "standard-webhooks"),
        ("standard-webhooks", "svix"),
        ("lemonsqueezy", "stripe"),
        ("commerce", "stripe"),
        ("stripe", "lemonsqueezy"),
    ],
)
def test_the_scheme_of_another_provider_is_named(expected: str, actual: str) -> None:
    assert names(told(expected, signed(actual))) == [f"scheme:{actual}"]


def test_the_scheme_of_another_provider_is_found_in_the_header_of_the_expected_one() -> None:
    found = told("stripe", stripe_header(mac(SECRET, b"%d:" % NOW + BODY).hex()))
    # One separator is all that tells them apart, so either name is right.
    assert names(found)[0] in ("scheme:paddle", "parts:{time}:{body}")


def test_polar_secrets_are_known_by_their_prefix() -> None:
    secret = "polar_whs_abcdefgh"
    assert names(told("standard-webhooks", signed("polar", secret=secret), secret=secret)) == ["scheme:polar"]


def test_an_old_secret_is_named() -> None:
    headers = signed("stripe", secret="whsec_yesterday")
    found = told("stripe", headers, old=["whsec_last_year", "whsec_yesterday"])
    assert names(found) == ["key:old-secret"]
    assert "no. 2" in found.near_misses[0].changes[0].what


def test_of_several_signatures_the_one_by_an_old_secret_is_seen() -> None:
    old = mac("whsec_yesterday", b"%d." % NOW + BODY).hex()
    headers = {"stripe-signature": f"t={NOW},v1={'0' * 64},v1={old}"}
    found = told("stripe", headers, old=["whsec_yesterday"])
    assert names(found) == ["key:old-secret"]


PAIRS: dict[str, Callable[[], Diagnosis]] = {
    "body:newline-removed + key:prefix-added-whsec": lambda: told(
        "stripe", signed("stripe"), BODY + b"\n", SECRET.removeprefix("whsec_")
    ),
    "url:slash + key:trimmed": lambda: told("square", signed("square", url=f"{URL}/"), secret=f"{SECRET}\n"),
    "body:newline-added + url:http": lambda: told(
        "square", signed("square", BODY + b"\n", url=URL.replace("https", "http"))
    ),
    "body:newline-added + encoding:HEX": lambda: told(
        "stripe", stripe_header(mac(SECRET, b"%d." % NOW + BODY + b"\n").hex().upper())
    ),
    "scheme:paddle + key:trimmed": lambda: told("stripe", signed("paddle"), secret=f"{SECRET} "),
    "scheme:paddle + body:newline-removed": lambda: told("stripe", signed("paddle"), BODY + b"\n"),
    "body:newline-removed + key:old-secret": lambda: told(
        "stripe", signed("stripe", secret="whsec_yesterday"), BODY + b"\n", old=["whsec_yesterday"]
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_changes_at_once_are_both_named(name: str) -> None:
    assert names(PAIRS[name]()) == [name]


@pytest.mark.parametrize(
    ("provider", "age", "reason", "word"),
    [
        ("stripe", 301, "expired", "301 s old"),
        ("stripe", 7_200, "expired", "2 h off"),
        ("stripe", 19_800, "expired", "5.5 h off"),
        ("stripe", 400_000, "expired", "4.6 days old"),
        ("paddle", -60, "premature", "60 s ahead"),
        ("paddle", -3_600, "premature", "1 h off"),
    ],
)
def test_a_time_out_of_bounds_is_told_with_the_amount(provider: str, age: int, reason: str, word: str) -> None:
    found = told(provider, signed(provider), now=NOW + age)
    assert isinstance(found.verdict, Rejected)
    assert found.verdict.reason == reason
    assert found.near_misses == ()
    assert word in " ".join(found.notes)
    assert found.time is not None
    assert found.time.age == age


def test_milliseconds_in_the_header_are_told() -> None:
    found = told("paddle", signed("paddle", now=NOW * 1000))
    assert isinstance(found.verdict, Rejected)
    assert "milliseconds" in " ".join(found.notes)


def test_what_is_wrong_with_the_body_itself_is_noted() -> None:
    headers = signed("stripe")
    cut_short = told("stripe", {**headers, "content-length": str(len(BODY))}, BODY[:-9])
    unpacked = told("stripe", {**headers, "content-length": "40", "content-encoding": "gzip"}, BODY + b"x")
    lossy = told("stripe", headers, BODY.replace("ö".encode(), "\ufffd".encode()))
    assert "its end is missing" in cut_short.notes[0].lower()
    assert "unpacked" in unpacked.notes[0]
    assert "U+FFFD" in " ".join(lossy.notes)
    ordered = json.dumps({**json.loads(BODY), "a": 1}, sort_keys=True).encode()
    assert "alphabetical" in " ".join(told("stripe", headers, ordered).notes)


def test_your_own_computation_is_judged_instead_of_the_header() -> None:
    headers = signed("stripe")
    slip = mac(SECRET, f"{NOW}.".encode() + json.dumps(json.loads(BODY)).encode()).hex()
    found = told("stripe", headers, computed=slip)
    assert isinstance(found.verdict, Verified)
    assert names(found) == ["body:json-python"]
    right = told("stripe", headers, computed=mac(SECRET, f"{NOW}.".encode() + BODY).hex())
    assert right.near_misses == ()
    assert "computes it right" in right.notes[0]


@pytest.mark.parametrize(
    "provider", ["stripe", "paddle", "standard-webhooks", "svix", "lemonsqueezy", "square", "github"]
)
def test_a_scheme_is_known_by_its_header(provider: str) -> None:
    assert detected(signed(provider))[0].name == provider
    assert detected({"x-other": "1"}) == []
