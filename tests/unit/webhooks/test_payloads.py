"""Payloads: any event is written in any shape, the same everywhere; and the vendors' own libraries read theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any
from unittest.mock import patch
from uuid import RFC_4122, UUID

import msgspec
import pytest
import stripe as vendor
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.apis.openapp.catalog import read_catalog
from mock_server.apis.openapp.model.providers import PROVIDERS, read_event
from mock_server.engine.instants import LATEST, SECOND
from mock_server.fixtures import read_yaml
from mock_server.webhooks.payloads import LARGEST, Event, Payload, render, shapes
from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Message
from mock_server.webhooks.schemes.stripe import SCHEME
from tests.server import ROOT

AT = 1_767_225_600 * SECOND
TOPICS = ("subscription.created", "subscription.updated", "subscription.canceled", "invoice.paid", "invoice.failed")
OTHERS = ("degradation.stage_changed", "quota.warning", "quota.reached", "override.expired", "portal.opened")
DATA: dict[str, Any] = {
    "org_id": "01J9ZC3M4N5P6Q7R8S9T0V1W2X",
    "org_name": "Acme Türen",
    "external_id": "sub_01KDXK5QG0",
    "subscription_id": "01KDXK5QG1",
    "provider": "stripe",
    "status": "active",
    "tier_slug": "pro",
    "previous_tier_slug": "free",
    "price_id": "price_pro_monthly",
    "invoice_id": "01KDXK5QG2",
    "amount": 4900,
    "currency": "usd",
}
SHAPES = sorted({*schemes(), "no such shape"})

texts = st.text(st.characters(exclude_categories=()), max_size=300)  # halves of characters too
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from([*DATA, "key", "percent", "object", "id"])
events = st.builds(
    Event,
    id=texts,
    topic=st.sampled_from([*TOPICS, *OTHERS]) | texts,
    api=st.just("openapp") | texts,
    at=st.integers(-(10**18), 10**18) | st.integers(0, LATEST),
    subject=texts,
    data=st.dictionaries(members | texts, values, max_size=12),
    world=texts,
)


def event(topic: str = "invoice.paid", number: str = "1", **changes: Any) -> Event:
    return Event(number, topic, "openapp", AT, DATA["org_id"], {**DATA, **changes}, "demo")


def body(topic: str, shape: str, **changes: Any) -> Any:
    return json.loads(render(event(topic, **changes), shape).body)


# -- whatever an event says --------------------------------------------------------------------------------------------


@given(events, st.sampled_from(SHAPES))
def test_any_event_has_any_shape(told: Event, shape: str) -> None:
    payload = render(told, shape)
    assert isinstance(json.loads(payload.body), dict)
    assert payload == render(told, shape)
    assert payload.id
    assert payload.id.isascii()
    for name, value in payload.headers:
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert re.fullmatch(r"[!-~]+", value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("letter", ["\0", "😀"])
def test_no_body_is_larger_than_it_may_be(shape: str, letter: str) -> None:
    much = letter * 100_000
    wide: dict[str, Any] = {f"{letter}{n}": {f"{m}{letter}": [much] * 50 for m in range(50)} for n in range(200)}
    deep: Any = much
    for _ in range(500):
        deep = {"deeper": [deep]}
    for topic in (*TOPICS, much):
        told = Event(much, topic, much, AT, much, {**dict.fromkeys(DATA, much), **wide, "deep": deep}, much)
        assert len(render(told, shape).body) <= LARGEST


@pytest.mark.parametrize("shape", SHAPES)
def test_money_stays_whole(shape: str) -> None:
    for topic in TOPICS:
        text = render(event(topic, amount=10**12 + 1), shape).body.decode()
        assert not re.search(r"\d\.\d+e|\d[.]\d(?!.*\")", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)), text


@pytest.mark.parametrize("shape", SHAPES)
def test_other_events_have_other_ids(shape: str) -> None:
    told = [Event(str(n), "invoice.paid", "openapp", AT, "", DATA, world) for n in range(100) for world in ("a", "b")]
    assert len({render(each, shape).id for each in told}) == 200


def test_the_same_bytes_in_every_process() -> None:
    told = [render(event(topic), shape) for shape in SHAPES for topic in (*TOPICS, *OTHERS)]
    program = (
        "import sys; from tests.unit.webhooks.test_payloads import *\n"
        "for shape in SHAPES:\n for topic in (*TOPICS, *OTHERS):\n  print(repr(render(event(topic), shape)))"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert run.stdout.decode().splitlines() == [repr(each) for each in told]


# -- Stripe ------------------------------------------------------------------------------------------------------------


def constructed(payload: Payload) -> vendor.Event:
    """By Stripe's library, from what is signed as Stripe signs."""
    (_, header), *_ = SCHEME.sign(Message(payload.body), "whsec_x", AT // SECOND).headers
    with patch("time.time", return_value=AT / SECOND + 1):
        return vendor.Webhook.construct_event(payload.body, header, "whsec_x")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("topic", "kind", "status"),
    [
        ("subscription.created", "customer.subscription.created", "active"),
        ("subscription.updated", "customer.subscription.updated", "active"),
        ("subscription.canceled", "customer.subscription.deleted", "canceled"),
    ],
)
def test_stripe_reads_a_subscription(topic: str, kind: str, status: str) -> None:
    told = constructed(render(event(topic), "stripe"))
    assert (told.object, told.type, told.created, told.livemode) == ("event", kind, AT // SECOND, False)
    assert re.fullmatch("evt_[0-9A-Za-z]{24}", told.id)
    assert told.request is not None
    assert told.request.id
    thing = told.data.object
    assert isinstance(thing, vendor.Subscription)
    assert (thing.id, thing.status, thing.metadata["tier_slug"]) == ("sub_01KDXK5QG0", status, "pro")
    (item,) = thing["items"].data
    assert isinstance(item, vendor.SubscriptionItem)
    assert (item.price.id, item.price.unit_amount, item.quantity) == ("price_pro_monthly", 4900, 1)
    assert item.price.recurring is not None
    assert item.current_period_start < item.current_period_end
    has_previous = hasattr(told.data, "previous_attributes")
    assert has_previous == (topic == "subscription.updated")
    if has_previous:
        assert told.data.previous_attributes["metadata"]["tier_slug"] == "free"


@pytest.mark.parametrize(
    ("topic", "kind", "paid"), [(TOPICS[3], TOPICS[3], True), (TOPICS[4], "invoice.payment_failed", False)]
)
def test_stripe_reads_an_invoice(topic: str, kind: str, paid: bool) -> None:
    told = constructed(render(event(topic), "stripe"))
    thing = told.data.object
    assert told.type == kind
    assert isinstance(thing, vendor.Invoice)
    assert (thing.status, thing.amount_due, thing.currency) == ("paid" if paid else "open", 4900, "usd")
    assert (thing.amount_paid, thing.amount_remaining) == ((4900, 0) if paid else (0, 4900))
    assert thing.parent is not None
    assert thing.parent.subscription_details is not None
    assert thing.parent.subscription_details.subscription == "sub_01KDXK5QG0"
    (line,) = thing.lines.data
    assert isinstance(line, vendor.InvoiceLineItem)
    assert line.pricing is not None
    assert line.pricing.price_details is not None
    assert (line.amount, line.pricing.price_details.price) == (4900, "price_pro_monthly")
    assert thing.metadata is not None
    assert thing.metadata["org_id"] == DATA["org_id"]


@pytest.mark.parametrize("topic", OTHERS)
def test_what_stripe_does_not_know_keeps_its_name(topic: str) -> None:
    told = constructed(render(event(topic), "stripe"))
    assert (told.type, told.data.object["object"]) == (topic, topic.partition(".")[0])
    assert told.data.object["org_id"] == DATA["org_id"]


@pytest.mark.parametrize("topic", TOPICS[:4])
@pytest.mark.parametrize("kind", [vendor.Subscription, vendor.Invoice])
def test_all_members_that_stripe_has_are_there(topic: str, kind: Any) -> None:
    thing = body(topic, "stripe")["data"]["object"]
    if thing["object"] == kind.OBJECT_NAME:
        newer = {"billing_mode", "billing_schedules", "customer_account", "managed_payments", "presentment_details"}
        newer |= {"status_details", "amount_paid_off_stripe"}
        only_expanded = {"confirmation_secret", "payments", "threshold_reason", "deleted", "OBJECT_NAME"}
        missing = set(kind.__annotations__) - set(thing) - newer - only_expanded
        assert not {each for each in missing if not each.startswith("_")}


def test_stripe_is_pretty_printed_with_its_members_in_order() -> None:
    payload = render(event(), "stripe")
    assert payload.body.startswith(b'{\n  "id": "evt_')
    assert list(json.loads(payload.body)) == sorted(
        json.loads(payload.body), key=lambda each: (each != "id", each != "object", each)
    )


@given(events)
@settings(max_examples=50)
def test_stripe_reads_whatever_we_write(told: Event) -> None:
    vendor.Event.construct_from(json.loads(render(told, "stripe").body), None)


CATALOG = read_catalog(read_yaml(ROOT / "fixtures" / "catalogs" / "openapp.yaml"))


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_mock_itself_understands_what_it_sends(topic: str, provider: str) -> None:
    payload = render(event(topic, provider=provider), provider)
    told = read_event(provider, json.loads(payload.body), payload.body, CATALOG)
    kind, status = {
        "invoice.paid": ("invoice_paid", "active"),
        "invoice.failed": ("invoice_failed", "past_due"),
        "subscription.canceled": ("subscription_canceled", "canceled"),
    }.get(topic, (topic.replace(".", "_"), "active"))
    assert (told.kind, told.status, told.created) == (kind, status, AT // SECOND)
    assert (told.org_id, told.tier_slug, told.external_id) == (DATA["org_id"], "pro", "sub_01KDXK5QG0")
    assert (told.money is not None) == topic.startswith("invoice.")


# -- Paddle, Square ----------------------------------------------------------------------------------------------------

READER = """
import json, sys
kind, told = sys.argv[1], json.load(sys.stdin)
if kind == "paddle":
    from paddle_billing.Entities.Notifications import NotificationEvent
    seen = []
    for each in told:
        event = NotificationEvent.from_dict(each)
        data = event.data
        seen.append([type(data).__name__, event.event_type.value, data.id, str(data.status),
                     data.items[0].price.unit_price.amount, dict(data.custom_data.data)])
else:
    from square.types.invoice import Invoice
    from square.types.subscription import Subscription
    seen = []
    for each in told:
        name = each["data"]["type"]
        thing = {"invoice": Invoice, "subscription": Subscription}[name].model_validate(each["data"]["object"][name])
        seen.append([name, each["type"], thing.id, thing.status, thing.version])
print(json.dumps(seen))
"""


def read_by(shape: str) -> list[Any]:
    from tests.clients.environments import python_with

    python = python_with("webhook-vendors", "2026.9")
    given = json.dumps([body(topic, shape) for topic in TOPICS])
    command = [str(python), "-I", "-c", READER, shape]
    run = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)  # type: ignore[no-any-return]


@pytest.mark.slow
def test_paddles_library_reads_its_shape() -> None:
    custom = {"org_id": DATA["org_id"], "tier_slug": "pro"}
    sub = [(each.split(".")[1], "canceled" if each.endswith("canceled") else "active") for each in TOPICS[:3]]
    seen = read_by("paddle")
    assert [each[1:4] for each in seen[:3]] == [
        [f"subscription.{name}", "sub_01KDXK5QG0", state] for name, state in sub
    ]
    assert [each[1::2] for each in seen[3:]] == [
        ["transaction.completed", "completed", custom],
        ["transaction.payment_failed", "past_due", custom],
    ]
    assert {each[4] for each in seen} == {"4900"}


@pytest.mark.slow
def test_squares_library_reads_its_shape() -> None:
    seen = read_by("square")
    assert [each[0] for each in seen] == ["subscription"] * 3 + ["invoice"] * 2
    assert [each[3] for each in seen] == ["ACTIVE", "ACTIVE", "CANCELED", "PAID", "UNPAID"]


# -- the others --------------------------------------------------------------------------------------------------------


def test_the_plain_shape() -> None:
    payload = render(event("quota.warning"), "svix")
    assert json.loads(payload.body) == {
        "type": "quota.warning",
        "timestamp": "2026-01-01T00:00:00.000000Z",
        "data": DATA,
    }
    assert (payload.id[:4], payload.type, payload.headers) == ("msg_", "quota.warning", ())


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("lemonsqueezy", {"X-Event-Name": "subscription_payment_success"}),
        ("github", {"X-GitHub-Event": "invoice.paid", "X-GitHub-Delivery": None}),
        ("geopera", {"X-Geopera-Event": "invoice.paid", "X-Geopera-Event-ID": None, "X-Geopera-Delivery-ID": None}),
        ("commerce", {"Commerce-Event-Type": "invoice.paid"}),
        ("square", {}),
    ],
)
def test_headers_of_their_own(shape: str, names: dict[str, str | None]) -> None:
    found = dict(render(event(), shape).headers)
    assert names.keys() <= found.keys()
    assert all(found[name] == value for name, value in names.items() if value)


def test_where_a_payloads_id_stands() -> None:
    places = {
        "stripe": lambda told: told["id"],
        "paddle": lambda told: told["event_id"],
        "lemonsqueezy": lambda told: told["meta"]["webhook_id"],
        "square": lambda told: told["event_id"],
        "billsh": lambda told: told["id"],
        "geopera": lambda told: told["event_id"],
        "commerce": lambda told: told["id"],
    }
    for shape, place in places.items():
        payload = render(event(), shape)
        assert place(json.loads(payload.body)) == payload.id, shape


def test_lemon_squeezy() -> None:
    told = body("subscription.canceled", "lemonsqueezy")
    assert told["meta"]["event_name"] == "subscription_expired"
    assert told["meta"]["custom_data"] == {"org_id": DATA["org_id"], "tier_slug": "pro"}
    assert (told["data"]["type"], told["data"]["id"]) == ("subscriptions", "sub_01KDXK5QG0")
    assert (told["data"]["attributes"]["status"], told["data"]["attributes"]["cancelled"]) == ("expired", True)
    assert body("invoice.paid", "lemonsqueezy")["data"]["attributes"]["total_formatted"] == "49.00 USD"


def test_bill_sh_counts_at_scale_twelve() -> None:
    assert body("invoice.paid", "billsh")["data"]["total_nanos"] == "49000000000000"
    assert body("subscription.updated", "billsh", status="past_due")["type"] == "subscription.past_due"


@given(texts)
def test_uuids_are_of_version_4(seed: str) -> None:
    found = UUID(json.loads(render(event(number=seed), "square").body)["event_id"])
    assert (found.version, found.variant) == (4, RFC_4122)


def test_every_scheme_has_a_shape() -> None:
    assert set(schemes()) == set(shapes())


def test_one_customer_for_all_events_of_an_organization() -> None:
    one, other = body("subscription.created", "stripe"), body("invoice.paid", "stripe", number="7")
    assert one["data"]["object"]["customer"] == other["data"]["object"]["customer"]
    assert one["id"] != json.loads(render(event(number="2"), "stripe").body)["id"]


@given(events, texts, texts)
def test_of_another_attempt_no_more_than_the_delivery_id_is_another(told: Event, one: str, other: str) -> None:
    for shape in SHAPES:
        first = render(msgspec.structs.replace(told, attempt=one), shape)
        again = render(msgspec.structs.replace(told, attempt=other), shape)
        assert (first.body, first.id, first.type) == (again.body, again.id, again.type)
        different = {name for (name, value), (_, now) in zip(first.headers, again.headers, strict=True) if value != now}
        assert different <= {"X-Geopera-Delivery-ID"}
        if shape == "geopera" and one.isascii() and other.isascii():
            assert bool(different) == (one != other)
