"""A hosted checkout from the click to the paid plan, and `stripe`'s own library as the judge of signatures."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import stripe

from mock_server.webhooks.schemes import stripe as scheme
from mock_server.webhooks.schemes.protocol import Message

from .sdk import Sdk
from .world import ACME, World

pytestmark = pytest.mark.clients

SECRET = "whsec_demo"


def event(kind: str, thing: dict[str, Any], event_id: str = "evt_1") -> bytes:
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": thing},
        },
        indent=2,  # as Stripe does; the exact bytes are signed
    ).encode()


def completed(tier: str = "pro") -> bytes:
    session = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": ACME,
        "customer": "cus_1",
        "subscription": "sub_from_stripe",
        "payment_status": "paid",
        "metadata": {"tier_slug": tier},
    }
    return event("checkout.session.completed", session)


def signed(payload: bytes, secret: str = SECRET, at: int | None = None) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(payload.decode(), secret, timestamp=at)
    return header


def test_a_hosted_checkout_takes_effect_when_stripe_says_that_it_was_paid(sdk: Sdk, world: World) -> None:
    world.settings(checkout="hosted")
    secret = world.secret("demo-owner")
    clicked = sdk.run("buy", world.server_url, secret=secret, org=ACME, tier="pro")
    payload = completed()
    answer = world.webhook(payload, signed(payload))
    paid = sdk.run("look", world.server_url, secret=secret, org=ACME)

    pending = clicked["checkout"]
    assert (pending["status"], pending["tier_slug"]) == ("pending", "pro")
    assert pending["checkout_url"].startswith(f"{world.server_url}/")
    assert clicked["plan"]["tier_id"] == "free"
    assert answer.status == 200, answer.body
    (told,) = answer.json["events"]
    assert (told["kind"], told["provider"], told["tier_slug"]) == ("subscription_created", "stripe", "pro")
    assert told["raw"] == json.loads(payload)
    subscription = paid["plan"]["subscription"]
    assert paid["plan"]["tier_id"] == "pro"
    assert (subscription["external_id"], subscription["status"]) == ("sub_from_stripe", "active")
    assert subscription["subscription_id"] == pending["subscription_id"]
    assert subscription["checkout_url"] is None


def test_the_page_to_pay_on_is_in_the_world_that_the_key_names(sdk: Sdk, world: World) -> None:
    world.settings(checkout="hosted")
    seen = sdk.run("buy", world.server_url, secret=world.secret("demo-owner"), org=ACME, tier="pro")

    # A browser that follows the link sends no key: the link itself has to say which world it is of.
    assert seen["checkout"]["checkout_url"].startswith(f"{world.server_url}/w/{world.name}/")


def test_an_unsigned_webhook_leaves_a_hosted_checkout_pending(sdk: Sdk, world: World) -> None:
    world.settings(checkout="hosted")
    secret = world.secret("demo-owner")
    sdk.run("buy", world.server_url, secret=secret, org=ACME, tier="pro")
    answer = world.webhook(completed(), None)
    plan = sdk.run("look", world.server_url, secret=secret, org=ACME)["plan"]

    assert (answer.status, answer.json["error_code"]) == (400, "signature_missing")
    assert (plan["tier_id"], plan["subscription"]["status"]) == ("free", "pending")


def test_a_repeated_webhook_changes_nothing_more(world: World) -> None:
    payload = completed()
    header = signed(payload)
    first = world.webhook(payload, header)
    revision = world.summary["revision"]
    again = world.webhook(payload, header)

    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert world.summary["revision"] == revision


def test_what_the_mock_signs_stripes_library_accepts() -> None:
    payload = completed()
    ((_, header),) = scheme.SCHEME.sign(Message(payload), SECRET, int(time.time())).headers

    accepted = stripe.Webhook.construct_event(payload, header, SECRET)
    assert (accepted.id, accepted.type) == ("evt_1", "checkout.session.completed")


def header_like(case: str, payload: bytes) -> str:
    now = int(time.time())
    good, other = signed(payload), signed(payload, "whsec_other")
    timestamp, mac = good.split(",")
    return {
        "good": good,
        "tampered": signed(payload + b" "),
        "another secret": other,
        "old but tolerated": signed(payload, at=now - 250),
        "too old": signed(payload, at=now - 400),
        "from the future": signed(payload, at=now + 4_000),
        "rotated secret": f"{timestamp},{other.split(',')[1]},{mac}",
        "with a v0 entry": f"{timestamp},{mac},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
        "only v0": f"{timestamp},{mac.replace('v1=', 'v0=')}",
        "no timestamp": mac,
        "no signature": timestamp,
        "changed timestamp": f"t={now - 1},{mac}",
        "in upper case": f"{timestamp},v1={mac.removeprefix('v1=').upper()}",
        "empty": "t=,v1=",
        "nonsense": "nonsense",
    }[case]


CASES = {
    "good": True,
    "tampered": False,
    "another secret": False,
    "old but tolerated": True,
    "too old": False,
    "from the future": True,
    "rotated secret": True,
    "with a v0 entry": True,
    "only v0": False,
    "no timestamp": False,
    "no signature": False,
    "changed timestamp": False,
    "in upper case": False,
    "empty": False,
    "nonsense": False,
}


@pytest.mark.parametrize(("case", "accepted"), CASES.items(), ids=CASES)
def test_the_mock_and_stripes_library_agree_on_a_header(world: World, case: str, accepted: bool) -> None:
    payload = completed()
    header = header_like(case, payload)
    try:
        stripe.Webhook.construct_event(payload, header, SECRET)
        by_stripe = True
    except stripe.SignatureVerificationError:
        by_stripe = False
    answer = world.webhook(payload, header)

    assert by_stripe is accepted
    assert (answer.status == 200) is accepted, answer.body
    if not accepted:
        assert answer.json["error_code"] == ("signature_expired" if case == "too old" else "signature_invalid")
