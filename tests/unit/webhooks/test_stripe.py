"""Our Stripe signatures against Stripe's own library, in both directions."""

from __future__ import annotations

import hmac
from hashlib import sha256
from unittest.mock import patch

import pytest
import stripe as vendor
from hypothesis import given
from hypothesis import strategies as st

from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

NOW = 1_700_000_000
SECRET = "whsec_test"
bodies = st.text().map(str.encode)
secrets = st.text(min_size=1).map(lambda text: f"whsec_{text}")


def taken_by_both(header: str, body: bytes = b"x", secret: str = SECRET, now: float = NOW) -> tuple[bool, bool]:
    """By the vendor's library, and by us."""
    try:
        with patch("time.time", return_value=now):
            vendor.WebhookSignature.verify_header(body, header, secret, tolerance=300)
        theirs = True
    except (vendor.SignatureVerificationError, UnicodeDecodeError):
        theirs = False
    verdict = stripe.SCHEME.verify(Message(body), {"stripe-signature": header}, [secret], int(now))
    return theirs, isinstance(verdict, Verified)


def header_of(body: bytes, secret: str = SECRET, now: int = NOW) -> str:
    ((name, value),) = stripe.SCHEME.sign(Message(body), secret, now).headers
    assert name == "Stripe-Signature"
    return value


def test_a_known_signature() -> None:
    mac = "4aa90aa69730f112c87accbf54203d1076675eae3b18a5cb82b5ab9e7f5cd5bc"
    assert header_of(b'{"id":"evt_1","type":"invoice.paid"}') == f"t={NOW},v1={mac}"


@given(bodies, secrets)
def test_the_vendor_accepts_what_we_sign(body: bytes, secret: str) -> None:
    with patch("time.time", return_value=NOW + 1.0):
        assert vendor.WebhookSignature.verify_header(body.decode(), header_of(body, secret), secret, tolerance=300)


@given(bodies, secrets)
def test_we_accept_what_the_vendor_signs(body: bytes, secret: str) -> None:
    header = vendor.WebhookSignature.generate_signature_header(body.decode(), secret, NOW)
    assert header == header_of(body, secret)
    headers = {"stripe-signature": header}
    assert stripe.SCHEME.verify(Message(body), headers, [secret], NOW, 300) == Verified(NOW)


@given(st.binary(), st.binary(), secrets, secrets)
def test_another_body_or_secret_never_fits(body: bytes, other: bytes, secret: str, wrong: str) -> None:
    headers = {"stripe-signature": header_of(body, secret)}
    verdict = stripe.SCHEME.verify(Message(other), headers, [wrong], NOW, 300)
    assert isinstance(verdict, Verified) == (body == other and secret == wrong)


@given(st.text(max_size=200))
def test_any_header_is_judged(header: str) -> None:
    assert isinstance(stripe.SCHEME.verify(Message(b"x"), {"stripe-signature": header}, [SECRET], NOW, 300), Rejected)


@pytest.mark.parametrize(("age", "reason"), [(300, None), (301, "expired"), (-(10**6), None)])
def test_old_ones_are_refused_and_future_ones_are_not_as_the_vendor_does(age: int, reason: str | None) -> None:
    headers = {"stripe-signature": header_of(b"x", now=NOW - age)}
    verdict = stripe.SCHEME.verify(Message(b"x"), headers, [SECRET], NOW, 300)
    assert (verdict.reason if isinstance(verdict, Rejected) else None) == reason


def test_any_of_several_secrets_may_fit_during_a_rotation() -> None:
    headers = {"stripe-signature": header_of(b"x", "whsec_old")}
    assert stripe.SCHEME.verify(Message(b"x"), headers, ["whsec_new", "whsec_old"], NOW, 300) == Verified(NOW, 1)


def test_upper_case_hex_does_not_fit() -> None:
    mac = hmac.new(SECRET.encode(), b"%d.x" % NOW, sha256).hexdigest().upper()
    assert isinstance(
        stripe.SCHEME.verify(Message(b"x"), {"stripe-signature": f"t={NOW},v1={mac}"}, [SECRET], NOW, 0), Rejected
    )


@given(bodies, bodies, secrets, secrets)
def test_the_vendor_refuses_what_we_refuse(body: bytes, other: bytes, secret: str, wrong: str) -> None:
    is_same = body == other and secret == wrong
    assert taken_by_both(header_of(body, secret), other, wrong) == (is_same, is_same)


@given(st.integers(-1000, 1000) | st.integers(-(10**9), 10**9) | st.sampled_from([299, 300, 301]))
def test_we_agree_about_every_age(age: int) -> None:
    assert taken_by_both(header_of(b"x", now=NOW - age)) == (age <= 300, age <= 300)


@pytest.mark.parametrize(
    "form",
    [
        "{t},{v1}",
        "{v1},{t}",
        "{t},v1=00,{v1}",
        "{t},v0=00,{v1}",
        "{t},{v1},more=1",
        "{t},v1=,{v1}",
        "{t},{v1},t=1",
    ],
)
def test_both_take_it_in_any_order_beside_others(form: str) -> None:
    time, signature = header_of(b"x").split(",")
    assert taken_by_both(form.format(t=time, v1=signature)) == (True, True)


@pytest.mark.parametrize("form", ["{t}", "{v1}", "t=1,{t},{v1}", "{t},V1{v1}", "{t};{v1}", "", "t=,{v1}", "t=x,{v1}"])
def test_both_refuse_it_where_something_is_missing(form: str) -> None:
    time, signature = header_of(b"x").split(",")
    assert taken_by_both(form.format(t=time, v1=signature)) == (False, False)


@pytest.mark.parametrize("secret", ["", " ", "\t\r\n"])
def test_both_take_a_blank_secret_for_none(secret: str) -> None:
    mac = hmac.new(secret.encode(), b"%d.x" % NOW, sha256).hexdigest()
    assert taken_by_both(f"t={NOW},v1={mac}", secret=secret) == (False, False)


def test_spaces_after_a_comma_which_proxies_write_are_read_by_us_alone() -> None:
    assert taken_by_both(header_of(b"x").replace(",", ", ")) == (False, True)


def test_bytes_that_are_no_utf8_are_signed_like_any_but_the_vendor_cannot_read_them() -> None:
    assert taken_by_both(header_of(b"K\xf6ln"), b"K\xf6ln") == (False, True)


def test_letters_that_are_no_ascii_are_passed_over_and_break_the_vendors_comparison() -> None:
    time, signature = header_of(b"x").split(",")
    header = f"{time},v1=\u00f6,{signature}"
    with pytest.raises(TypeError):
        taken_by_both(header)
    assert stripe.SCHEME.verify(Message(b"x"), {"stripe-signature": header}, [SECRET], NOW) == Verified(NOW)
