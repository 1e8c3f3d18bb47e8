"""Our signatures against the vendors' own libraries, in both directions, and where the two differ on purpose.

Stripe's library, which needs no environment of its own, is asked in `tests/unit/webhooks/test_stripe.py`.
The others share one, `requirements/webhook-vendors-2026.9.txt`, made as `environments.py` says from: standardwebhooks, svix,
paddle-python-sdk, squareup, polar-sdk, gidgethub.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mock_server.engine.instants import SECOND
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import Capture, load_capture
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

from .environments import HERE, python_with
from .session import Conversation

pytestmark = pytest.mark.clients

NOW = 1_700_000_000
VENDORS = ["standard-webhooks", "svix", "polar", "paddle", "square", "github"]
SENT_AS = {
    "standard-webhooks": "webhook-signature",
    "svix": "svix-signature",
    "polar": "webhook-signature",
    "paddle": "Paddle-Signature",
    "square": "x-square-hmacsha256-signature",
    "github": "X-Hub-Signature-256",
}
FIXTURE_SECRETS = {
    "paddle": "pdl_ntfset_demo",
    "square": "sq_demo_key",
    "polar": "polar_whs_demo",
    "standard-webhooks": "whsec_bW9ja2JpbGwtZGVtby1zZWNyZXQtMDAwMQ==",
    "svix": "whsec_bW9ja2JpbGwtc3ZpeC1kZW1vLXNlY3JldA==",
    "github": "gh_demo_secret",
}


texts = st.text(min_size=1)
bodies = texts.map(str.encode)
encoded = st.binary(min_size=1, max_size=80).map(lambda key: b64encode(key).decode())
of_base64 = st.builds(lambda prefix, key: prefix + key, st.sampled_from(["", "whsec_"]), encoded)
of_text = texts.filter(str.strip)
secrets = {name: of_base64 if name in ("standard-webhooks", "svix") else of_text for name in VENDORS}
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
urls = st.sampled_from(
    ["https://acme.example/hooks", "http://127.0.0.1:4010/w/demo/hooks?team=ö&x=1", "https://acme.example/hooks/"]
)
some = settings(max_examples=settings().max_examples // 3, deadline=None)


class Case(msgspec.Struct, frozen=True):
    """A request as it came in at `now`."""

    vendor: str
    message: Message
    headers: dict[str, str]
    secrets: tuple[str, ...]
    now: float = NOW
    tolerance: int | None = None


class Judge:
    def __init__(self, talk: Conversation) -> None:
        self.talk = talk

    def _ask(self, do: str, case: Case) -> Any:
        return self.talk.ask(
            {
                "do": do,
                "vendor": case.vendor,
                "body": b64encode(case.message.body).decode(),
                "id": case.message.id,
                "url": case.message.url,
                "headers": case.headers,
                "secrets": case.secrets,
                "now": case.now,
                "tolerance": case.tolerance,
            }
        )

    def refusal(self, case: Case) -> str | None:
        """None if the vendor's library takes it."""
        found: str | None = self._ask("verify", case)
        return found

    def signature(self, case: Case) -> str:
        found: str = self._ask("sign", case)
        return found

    def reading(self, case: Case) -> str:
        found: str = self._ask("read", case)
        return found


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    python = python_with("webhook-vendors", "2026.9")
    inherited = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    with Conversation([python, "-I", HERE / "drivers" / "webhook_vendors.py"], inherited) as talk:
        yield Judge(talk)


def signed(vendor: str, message: Message, secret: str, at: int = NOW, **rest: Any) -> Case:
    sent = scheme_named(vendor).sign(message, secret, at)
    return Case(vendor, message, dict(sent.headers), (secret,), **rest)


def verdict(case: Case) -> Verified | Rejected:
    lower = {name.lower(): value for name, value in case.headers.items()}
    return scheme_named(case.vendor).verify(case.message, lower, case.secrets, int(case.now), case.tolerance)


def with_signature(case: Case, value: str) -> Case:
    return msgspec.structs.replace(case, headers={**case.headers, SENT_AS[case.vendor]: value})


def signature_in(case: Case) -> str:
    return case.headers[SENT_AS[case.vendor]]


@pytest.mark.parametrize("vendor", VENDORS)
class TestBothWays:
    @some
    @given(st.data())
    def test_the_vendor_takes_what_we_sign(self, judge: Judge, vendor: str, data: st.DataObject) -> None:
        message = Message(data.draw(bodies), data.draw(urls), data.draw(ids))
        case = signed(vendor, message, data.draw(secrets[vendor]))
        assert judge.refusal(case) is None

    @some
    @given(st.data())
    def test_we_take_what_the_vendor_signs(self, judge: Judge, vendor: str, data: st.DataObject) -> None:
        message = Message(data.draw(bodies), data.draw(urls), data.draw(ids))
        ours = signed(vendor, message, data.draw(secrets[vendor]))
        theirs = judge.signature(with_signature(ours, ""))
        assert theirs == signature_in(ours)
        assert isinstance(verdict(with_signature(ours, theirs)), Verified)

    @some
    @given(st.data())
    def test_another_body_or_secret_is_refused_by_both(self, judge: Judge, vendor: str, data: st.DataObject) -> None:
        body, other = data.draw(bodies), data.draw(bodies)
        secret, wrong = data.draw(secrets[vendor]), data.draw(secrets[vendor])
        keys = scheme_named(vendor).keys
        case = signed(vendor, Message(body, "https://acme.example/hooks", "msg_1"), secret)
        changed = msgspec.structs.replace(
            case, message=msgspec.structs.replace(case.message, body=other), secrets=(wrong,)
        )
        # Equal keys may be written in two ways, and HMAC takes zeros at the end of a short key for none.
        assume(
            body != other
            or not {key.rstrip(b"\0") for key in keys(secret)} & {key.rstrip(b"\0") for key in keys(wrong)}
        )
        found = verdict(changed)
        assert isinstance(found, Rejected)
        assert found.reason == "mismatch"
        assert judge.refusal(changed) is not None

    @some
    @given(data=st.data())
    def test_we_agree_about_every_age(self, judge: Judge, vendor: str, data: st.DataObject) -> None:
        limit = scheme_named(vendor).tolerance or 300
        edges = st.sampled_from([limit - 1, limit, limit + 1, -limit + 1, -limit, -limit - 1])
        age = data.draw(edges | st.integers(-1000, 1000) | st.integers(-(10**9), 10**9))
        secret = data.draw(secrets[vendor])
        case = signed(vendor, Message(b"{}", "https://acme.example", "msg_1"), secret, NOW - age)
        assert isinstance(verdict(case), Verified) == (judge.refusal(case) is None)


class TestTime:
    def test_paddle_is_the_strictest_and_five_seconds_are_the_last(self, judge: Judge) -> None:
        for age, reason in ((5, None), (6, "expired"), (-5, None), (-6, "premature")):
            case = signed("paddle", Message(b"{}"), "pdl_ntfset_test", NOW - age)
            found = verdict(case)
            assert (found.reason if isinstance(found, Rejected) else None) == reason
            assert (judge.refusal(case) is None) == (reason is None)

    def test_no_tolerance_is_any_age_for_paddle_too(self, judge: Judge) -> None:
        case = signed("paddle", Message(b"{}"), "pdl_ntfset_test", 1, tolerance=0)
        assert judge.refusal(case) is None
        assert verdict(case) == Verified(1)


class TestRotation:
    def test_paddle_tries_each_h1_with_each_secret(self, judge: Judge) -> None:
        message = Message(b'{"id":1}')
        old, new = (signed("paddle", message, secret) for secret in ("pdl_ntfset_old", "pdl_ntfset_new"))
        both = with_signature(new, f"{signature_in(old)};{signature_in(new).partition(';')[2]}")
        for known, number in ((("pdl_ntfset_new",), 0), (("pdl_ntfset_other", "pdl_ntfset_old"), 1)):
            case = msgspec.structs.replace(both, secrets=known)
            assert judge.refusal(case) is None
            assert verdict(case) == Verified(NOW, number)

    @pytest.mark.parametrize("vendor", ["standard-webhooks", "svix", "polar"])
    def test_the_right_one_may_stand_second(self, judge: Judge, vendor: str) -> None:
        message = Message(b"{}", id="msg_1")
        right, wrong = (signed(vendor, message, secret) for secret in ("whsec_cmlnaHQ=", "whsec_d3Jvbmc="))
        case = with_signature(right, f"{signature_in(wrong)} {signature_in(right)}")
        assert judge.refusal(case) is None
        assert verdict(case) == Verified(NOW)

    def test_a_v1a_beside_it_is_passed_over(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        beside = with_signature(case, f"v1a,{'A' * 86}== v2,x {signature_in(case)}")
        assert judge.refusal(beside) is None
        assert verdict(beside) == Verified(NOW)


class TestOnPurpose:
    """Where we judge otherwise than a library does."""

    def test_an_entry_without_a_version_ends_their_search_and_not_ours(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        garbage = with_signature(case, f"garbage {signature_in(case)}")
        assert str(judge.refusal(garbage)).startswith("ValueError")
        assert verdict(garbage) == Verified(NOW)

    def test_signatures_are_compared_as_texts_where_they_ignore_what_is_no_base64(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        loose = with_signature(case, signature_in(case).replace("v1,", "v1,!!"))
        assert judge.refusal(loose) is None
        assert isinstance(verdict(loose), Rejected)

    def test_a_signature_without_its_padding_is_refused_and_breaks_theirs(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        bare = with_signature(case, signature_in(case).rstrip("="))
        assert str(judge.refusal(bare)).startswith("Error: Incorrect padding")
        assert isinstance(verdict(bare), Rejected)

    def test_times_are_whole_numbers(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        fraction = msgspec.structs.replace(case, headers={**case.headers, "webhook-timestamp": f"{NOW}.5"})
        assert judge.refusal(fraction) is None
        found = verdict(fraction)
        assert isinstance(found, Rejected)
        assert found.reason == "malformed"

    def test_a_secret_with_what_is_no_base64_is_no_key_where_they_drop_it(self, judge: Judge) -> None:
        case = signed("standard-webhooks", Message(b"{}", id="msg_1"), "whsec_cmlnaHQ=")
        loose = msgspec.structs.replace(case, secrets=("whsec_!cml naHQ=",))
        assert judge.refusal(loose) is None
        found = verdict(loose)
        assert isinstance(found, Rejected)
        assert found.reason == "invalid_secret"

    def test_paddles_library_stops_at_an_entry_that_it_does_not_know(self, judge: Judge) -> None:
        case = signed("paddle", Message(b"{}"), "pdl_ntfset_test")
        newer = with_signature(case, f"{signature_in(case)};h2=00")
        assert judge.refusal(newer) == "ValueError: Unrecognized Paddle-Signature key"
        assert verdict(newer) == Verified(NOW)

    def test_of_two_times_paddles_library_takes_the_last_and_we_the_first(self, judge: Judge) -> None:
        case = signed("paddle", Message(b"{}"), "pdl_ntfset_test")
        before = with_signature(case, f"ts=1;{signature_in(case)}")
        after = with_signature(case, f"{signature_in(case)};ts=1")
        assert [judge.refusal(each) is None for each in (before, after)] == [True, False]
        assert [isinstance(verdict(each), Verified) for each in (before, after)] == [False, True]

    @pytest.mark.parametrize("vendor", ["paddle", "github", "square"])
    def test_an_empty_secret_is_none(self, judge: Judge, vendor: str) -> None:
        signed_bytes = {"paddle": b"1700000000:{}", "github": b"{}", "square": b"https://acme.example{}"}[vendor]
        mac = hmac.digest(b"", signed_bytes, "sha256")
        value = {
            "paddle": f"ts={NOW};h1={mac.hex()}",
            "github": f"sha256={mac.hex()}",
            "square": b64encode(mac).decode(),
        }[vendor]
        case = Case(vendor, Message(b"{}", "https://acme.example"), {SENT_AS[vendor]: value}, ("",))
        assert (judge.refusal(case) is None) == (vendor != "square")
        found = verdict(case)
        assert isinstance(found, Rejected)
        assert found.reason == "invalid_secret"

    def test_squares_library_refuses_an_empty_body(self, judge: Judge) -> None:
        case = signed("square", Message(b"", "https://acme.example/hooks"), "sq_key")
        assert judge.refusal(case) == "Refused: "
        assert verdict(case) == Verified()

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_bytes_that_are_no_utf8_are_signed_like_any_and_most_libraries_cannot_read_them(
        self, judge: Judge, vendor: str
    ) -> None:
        case = signed(vendor, Message(b'{"city":"K\xf6ln"}', "https://acme.example", "msg_1"), "whsec_cmlnaHQ=")
        assert isinstance(verdict(case), Verified)
        refusal = judge.refusal(case)
        assert refusal is None if vendor == "github" else str(refusal).startswith("UnicodeDecodeError")

    def test_letters_that_are_no_ascii_are_a_mismatch_and_break_theirs(self, judge: Judge) -> None:
        case = with_signature(signed("github", Message(b"{}"), "gh_secret"), "sha256=\u00f6")
        assert str(judge.refusal(case)).startswith("TypeError")
        found = verdict(case)
        assert isinstance(found, Rejected)
        assert found.reason == "mismatch"


def shipped(provider: str) -> list[Capture]:
    return [load_capture(path) for path in sorted((FIXTURES / "webhooks" / provider).glob("*.json"))]


CLASSES = {
    "paddle": {
        "subscription.created": "SubscriptionCreated",
        "subscription.past_due": "Subscription",
        "transaction.completed": "Transaction",
    },
    "square": {
        "invoice.payment_made": "InvoicePaymentMadeEvent",
        "subscription.updated": "SubscriptionUpdatedEvent",
    },
    "polar": {
        "order.paid": "WebhookOrderPaidPayload",
        "subscription.active": "WebhookSubscriptionActivePayload",
    },
}


def received(capture: Capture) -> Case:
    return Case(
        capture.provider,
        Message(capture.body, capture.url),
        dict(capture.headers),
        (FIXTURE_SECRETS[capture.provider],),
        capture.received_at / SECOND,
    )


def named(provider: str, *marks: pytest.MarkDecorator) -> list[Any]:
    return [pytest.param(capture, id=capture.title, marks=marks) for capture in shipped(provider)]


@pytest.mark.parametrize("capture", [case for vendor in VENDORS for case in named(vendor)])
def test_the_vendor_takes_the_signature_of_a_fixture(judge: Judge, capture: Capture) -> None:
    refusal = judge.refusal(received(capture))
    assert refusal is None or (refusal.startswith("UnicodeDecodeError") and "Latin-1" in capture.title)


# Polar's library takes seconds to put its reader together.
@pytest.mark.parametrize("capture", [*named("paddle"), *named("square"), *named("polar", pytest.mark.slow)])
def test_the_vendors_model_knows_all_that_stands_in_a_fixture(judge: Judge, capture: Capture) -> None:
    body = msgspec.json.decode(capture.body)
    kind = body.get("event_type") or body["type"]
    assert judge.reading(received(capture)) == CLASSES[capture.provider][kind]


def test_a_member_that_the_vendor_does_not_know_is_told(judge: Judge) -> None:
    """So the test above says more than that the body is JSON."""
    capture = shipped("square")[0]
    body = capture.body.replace(b'"invoice_number"', b'"number_of_the_invoice"')
    changed = msgspec.structs.replace(received(capture), message=Message(body))
    assert judge.reading(changed) == "InvoicePaymentMadeEvent Invoice.number_of_the_invoice"
    capture = shipped("paddle")[0]
    changed = msgspec.structs.replace(
        received(capture), message=Message(capture.body.replace(b'"items"', b'"elements"'))
    )
    assert judge.reading(changed) == "UndefinedEntity"
