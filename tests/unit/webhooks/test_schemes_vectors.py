"""Published signatures, each with its source, and one body signed by every scheme: fixed, so that nothing drifts."""

from __future__ import annotations

import pytest

from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.generic import scheme_of
from mock_server.webhooks.schemes.protocol import Message, Rejected, Scheme, Verified

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNING = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
VERIFYING = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="

# The libraries' own tests: their names say where.
PUBLISHED = {
    "standard-webhooks, libraries/python/tests/test_webhooks.py": (
        scheme_named("standard-webhooks"),
        Message(b'{"test": 2432232314}', id="msg_p5jXN8AQM9LWM0D4loKWxJek"),
        STANDARD_SECRET,
        1_614_265_330,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    "svix-webhooks, server/svix-server/src/worker.rs": (
        scheme_named("svix"),
        Message(b'{"test": 2432232314}', id="msg_p5jXN8AQM9LWM0D4loKWxJek"),
        STANDARD_SECRET,
        1_614_265_330,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    "svix-webhooks, server/svix-server/src/worker.rs, Ed25519": (
        scheme_named("standard-webhooks"),
        Message(b'{"test": 2432232314}', id="msg_p5jXN8AQM9LWM0D4loKWxJek"),
        SIGNING,
        1_614_265_330,
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ),
    "square-python-sdk, tests/integration/test_webhooks_helper.py": (
        scheme_named("square"),
        Message(
            b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
            b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z",'
            b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}',
            "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
        ),
        "Ibxx_5AKakO-3qeNVR61Dw",
        0,
        "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
    ),
    "square-python-sdk, tests/integration/test_webhooks_helper.py, escaped": (
        scheme_named("square"),
        Message(b'{"data":{"type":"webhooks","id":">id<"}}', "https://webhook.site/webhooks"),
        "signature-key",
        0,
        "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
    ),
    "paddle-php-sdk, tests/Unit/Notification": (
        scheme_named("paddle"),
        Message(b"hello-world"),
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
        1_696_195_954,
        "ts=1696195954;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02",
    ),
    "docs.github.com, Validating webhook deliveries": (
        scheme_named("github"),
        Message(b"Hello, World!"),
        "It's a Secret to Everybody",
        0,
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
}

# The same bytes at 1,700,000,000 in every scheme. The libraries of Stripe, Standard Webhooks, Svix, Polar, Paddle, Square
# and GitHub's style (gidgethub) accept theirs; those without a published library are computed from the vendors' words.
BODY = b'{"id":"evt_1","type":"invoice.paid"}'
MESSAGE = Message(BODY, "https://example.test/webhooks/square", "msg_test1")
STANDARD = "v1,WTA9SA5tMPxhyMT9yVTvXPa25guF3/zgnAVTJf2voF0="
STRIPE = "t=1700000000,v1=4aa90aa69730f112c87accbf54203d1076675eae3b18a5cb82b5ab9e7f5cd5bc"
ONE_BODY = {
    "stripe": ("whsec_test", STRIPE),
    "commerce": ("whsec_test", STRIPE),
    "standard-webhooks": (STANDARD_SECRET, STANDARD),
    "svix": (STANDARD_SECRET, STANDARD),
    "polar": ("polar_whs_test", "v1,PNv1zxLZ4P5i9r5AeGfZ8pqRpUF0avwZDke2rjarpII="),
    "paddle": ("pdl_ntfset_test", "ts=1700000000;h1=6930be53eabd983ba97d6423322b921bffe6e1bbaf145517f4a5b3db549ee8d3"),
    "lemonsqueezy": ("ls_secret", "434f6525da007cedd11f1d5dc0f57625b0f7f8dd45a38a219d0653e7cfeb1d6a"),
    "square": ("sq_key", "tbD7qzb8HcG4z3SRpuk1TUJtnLAtZe4wAP0o7Iqz6J4="),
    "github": ("gh_secret", "sha256=fcadf53adc28d43808d3ffd5b6b5e8360280c5d7fa224e0171367b3b44f7ad6b"),
    "geopera": ("gh_secret", "sha256=fcadf53adc28d43808d3ffd5b6b5e8360280c5d7fa224e0171367b3b44f7ad6b"),
    "billsh": ("k_test", "c2a4f420b6493623806d75efc753c861e5dddf5ab8549b7d60df3f9596764bf8"),
    "generic": ("k_test", "c2a4f420b6493623806d75efc753c861e5dddf5ab8549b7d60df3f9596764bf8"),
}

# Providers that have no file of their own are a few options away.
BY_OPTIONS = {
    "gocardless": (
        {"header": "Webhook-Signature"},
        "gc_secret",
        "21d31f63bda25c9aefc42ade5373d0cd2828bd1f0455ca2fe6ae62f228c082db",
    ),
    "coinbase commerce": (
        {"header": "X-CC-Webhook-Signature"},
        "cc_secret",
        "de444c1dc0fd8e89e295fe2571a4c63159f1619bec59724e829ea37adfb12073",
    ),
    "razorpay": (
        {"header": "X-Razorpay-Signature"},
        "rz_secret",
        "059a95840750b285607daa6298144737f66cfabc3c880ad8481290a78a0760d6",
    ),
    "moonpay": (
        {"header": "Moonpay-Signature-V2", "value": "t={time},s={signature}", "signed": "{time}.{body}"},
        "mp_key",
        "t=1700000000,s=dc4bcdb486e6ed8b4ae4318f1c5e3a9cc9864a06e015984070aa2d45cb5f5d78",
    ),
    "lago": (
        {"header": "X-Lago-Signature", "encoding": "base64"},
        "lago_key",
        "6TMWAc9MSn8BOsDWHs+z2vHjVNiW3iVDxBCEssj+a2A=",
    ),
    "convoy, advanced": (
        {"header": "X-Convoy-Signature", "value": "t={time},v1={signature}", "signed": "{time},{body}"},
        "cv",
        "t=1700000000,v1=968f0a73c1216d9cda7b81c924cb5b2dec9aac7886ffb1899134d94ea3fed7fd",
    ),
    "adyen platform": (
        {"header": "HmacSignature", "encoding": "base64", "key": "hex"},
        "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        "LZRgzfWA3wMua9Sn4qxdhwxE9XWQC5TBjDCeg0TPbQY=",
    ),
    "github, before sha256": (
        {"header": "X-Hub-Signature", "value": "sha1={signature}", "digest": "sha1"},
        "gh_secret",
        "sha1=f23dc5cbc5d56219bd28066c307bf4a8691c9ce6",
    ),
    "standard webhooks": (
        {
            "header": "webhook-signature",
            "value": "v1,{signature}",
            "signed": "{id}.{time}.{body}",
            "encoding": "base64",
            "key": "whsec",
            "time_header": "webhook-timestamp",
            "id_header": "webhook-id",
            "future": "yes",
        },
        STANDARD_SECRET,
        STANDARD,
    ),
}


def signs_and_verifies(scheme: Scheme, message: Message, secret: str, now: int, value: str) -> None:
    headers = dict(scheme.sign(message, secret, now).headers)
    assert headers[scheme.header] == value
    lower = {name.lower(): text for name, text in headers.items()}
    assert isinstance(scheme.verify(message, lower, [secret], now), Verified)


@pytest.mark.parametrize("source", PUBLISHED)
def test_a_published_signature(source: str) -> None:
    signs_and_verifies(*PUBLISHED[source])


def test_every_scheme_has_its_signature_of_the_one_body() -> None:
    assert ONE_BODY.keys() == schemes().keys()


@pytest.mark.parametrize("name", ONE_BODY)
def test_the_one_body(name: str) -> None:
    secret, value = ONE_BODY[name]
    signs_and_verifies(scheme_named(name), MESSAGE, secret, 1_700_000_000, value)


@pytest.mark.parametrize("name", BY_OPTIONS)
def test_the_one_body_of_a_scheme_made_of_options(name: str) -> None:
    options, secret, value = BY_OPTIONS[name]
    signs_and_verifies(scheme_of(options), MESSAGE, secret, 1_700_000_000, value)


class TestEd25519:
    HEADERS = {
        "webhook-id": "msg_test1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1a,AQHnQGbV9hAAWaud7ov5nTqLnxDOE/ZJL8Q7l+VcC1VtKHhNiY0X++jnsYtgWxz0+zbFIayafMmll9DPcbi+AQ==",
    }

    @pytest.mark.parametrize("secret", [SIGNING, VERIFYING, VERIFYING.rstrip("=")])
    def test_either_half_of_the_key_verifies(self, secret: str) -> None:
        scheme = scheme_named("standard-webhooks")
        assert scheme.verify(MESSAGE, self.HEADERS, [secret], 1_700_000_000) == Verified(1_700_000_000)
        for message in (Message(BODY + b" "), Message(b"")):
            found = scheme.verify(message, self.HEADERS, [secret], 1_700_000_000)
            assert isinstance(found, Rejected)
            assert found.reason == "mismatch"

    def test_both_versions_may_stand_in_one_header_and_each_key_finds_its_own(self) -> None:
        scheme = scheme_named("standard-webhooks")
        both = {**self.HEADERS, "webhook-signature": f"{STANDARD} {self.HEADERS['webhook-signature']}"}
        for number, secrets in ((0, [STANDARD_SECRET]), (0, [VERIFYING]), (1, ["whsec_AAAA", VERIFYING])):
            assert scheme.verify(MESSAGE, both, secrets, 1_700_000_000) == Verified(1_700_000_000, number)

    def test_what_is_signed_with_a_public_key_as_if_it_were_a_secret_does_not_count(self) -> None:
        scheme = scheme_named("standard-webhooks")
        forged = dict(scheme.sign(MESSAGE, VERIFYING.replace("whpk_", "whsec_"), 1_700_000_000).headers)
        found = scheme.verify(MESSAGE, forged, [VERIFYING], 1_700_000_000)
        assert isinstance(found, Rejected)
        assert found.reason == "mismatch"
