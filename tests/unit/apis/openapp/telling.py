"""What each payment provider reports of a subscription, in its own words, and how it signs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import SECOND, format_instant
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message

KINDS = ("created", "updated", "canceled", "paid", "failed", "ping")


class News(msgspec.Struct, frozen=True):
    """`kind`: one of KINDS. `status` in our words (`unheard of`: one that no provider has). `at`: seconds."""

    kind: str = "created"
    id: str = "sub_acme"
    status: str = "active"
    org: str | None = None
    tier: str | None = None
    price: str | None = None
    at: int = 1_709_164_800
    number: int = 1

    @property
    def said(self) -> dict[str, str]:
        """What the seller has attached to it."""
        return {name: value for name, value in (("org_id", self.org), ("tier_slug", self.tier)) if value is not None}

    @property
    def is_invoice(self) -> bool:
        return self.kind in ("paid", "failed")


def stripe(news: News) -> dict[str, Any]:
    types = {
        "created": "customer.subscription.created",
        "updated": "customer.subscription.updated",
        "canceled": "customer.subscription.deleted",
        "paid": "invoice.paid",
        "failed": "invoice.payment_failed",
    }
    statuses = {"pending": "incomplete"}
    prices = {"data": [{"price": {"id": news.price}}] if news.price else []}
    thing: dict[str, Any] = {"customer": "cus_7", "metadata": news.said}
    if news.is_invoice:
        thing |= {"id": "in_7", "subscription": news.id, "lines": prices, "currency": "eur"}
        thing |= {"amount_paid": 700, "amount_due": 700}
    else:
        thing |= {"id": news.id, "status": statuses.get(news.status, news.status), "items": prices}
    return {
        "id": f"evt_{news.number}",
        "type": types.get(news.kind, news.kind),
        "created": news.at,
        "data": {"object": thing},
    }


def paddle(news: News) -> dict[str, Any]:
    types = {"paid": "transaction.completed", "failed": "transaction.payment_failed"}
    items = [{"price": {"id": news.price}, "quantity": 1}] if news.price else []
    data: dict[str, Any] = {"customer_id": "ctm_7", "custom_data": news.said or None, "items": items}
    if news.is_invoice:
        data |= {"id": "txn_7", "subscription_id": news.id, "currency_code": "EUR"}
        data |= {"details": {"totals": {"grand_total": "700"}}}
    else:
        data |= {"id": news.id, "status": news.status}
    return {
        "event_id": f"evt_{news.number}",
        "event_type": types.get(news.kind, f"subscription.{news.kind}"),
        "occurred_at": format_instant(news.at * SECOND),
        "data": data,
    }


def lemonsqueezy(news: News) -> dict[str, Any]:
    types = {
        "canceled": "subscription_expired",
        "paid": "subscription_payment_success",
        "failed": "subscription_payment_failed",
    }
    at = format_instant(news.at * SECOND).replace("Z", ".000000Z")
    attributes: dict[str, Any] = {"customer_id": 7, "updated_at": at, "created_at": at}
    if news.is_invoice:
        number: Any = int(news.id) if news.id.isdigit() else news.id
        attributes |= {"subscription_id": number, "status": "paid", "total": 700, "currency": "EUR"}
    else:
        attributes |= {"status": news.status, "variant_id": None if news.price is None else int(news.price)}
    return {
        "meta": {
            "event_name": types.get(news.kind, f"subscription_{news.kind}"),
            "test_mode": True,
            "custom_data": news.said,
            "webhook_id": f"{news.number}",
        },
        "data": {
            "type": "subscription-invoices" if news.is_invoice else "subscriptions",
            "id": "7" if news.is_invoice else news.id,
            "attributes": attributes,
        },
    }


def square(news: News) -> dict[str, Any]:
    types = {
        "created": "subscription.created",
        "updated": "subscription.updated",
        "canceled": "subscription.updated",
        "paid": "invoice.payment_made",
        "failed": "invoice.scheduled_charge_failed",
    }
    statuses = {"past_due": "PAUSED"}
    thing: dict[str, Any] = {"metadata": news.said}
    if news.is_invoice:
        money = {"amount": 700, "currency": "EUR"}
        thing |= {"id": "inv:7", "subscription_id": news.id, "primary_recipient": {"customer_id": "SQ7"}}
        thing |= {"payment_requests": [{"computed_amount_money": money}]}
    else:
        status = "CANCELED" if news.kind == "canceled" else statuses.get(news.status, news.status.upper())
        thing |= {"id": news.id, "status": status, "customer_id": "SQ7", "plan_variation_id": news.price}
    name = "invoice" if news.is_invoice else "subscription"
    return {
        "merchant_id": "M7",
        "event_id": f"evt_{news.number}",
        "type": types.get(news.kind, news.kind),
        "created_at": format_instant(news.at * SECOND),
        "data": {"type": name, "id": news.id, "object": {name: thing}},
    }


TELLERS = {each.__name__: each for each in (stripe, paddle, lemonsqueezy, square)}
SECRETS = {
    "stripe": "whsec_demo",
    "paddle": "pdl_ntfset_demo",
    "lemonsqueezy": "ls_demo_secret",
    "square": "sq_demo_key",
}
"""Of the scenario `demo`."""
PRICES: Mapping[str, Mapping[str, str]] = {
    "stripe": {"pro": "price_pro_monthly", "business": "price_business_yearly"},
    "paddle": {"pro": "pri_pro_monthly", "business": "pri_business_yearly"},
    "lemonsqueezy": {"pro": "1003", "business": "1006"},
    "square": {"pro": "VARIATION_PRO_MONTHLY", "business": "VARIATION_BUSINESS_YEARLY"},
}
URL = "http://127.0.0.1:4010/api/v1/billing/webhooks/square"


def body_of(provider: str, news: News) -> bytes:
    return json.dumps(TELLERS[provider](news)).encode()


def signed(provider: str, body: bytes, at: int, secret: str | None = None, url: str = URL) -> dict[str, str]:
    """The headers, by lower-case name."""
    secret = SECRETS[provider] if secret is None else secret
    headers = scheme_named(provider).sign(Message(body, url), secret, at).headers
    return {name.lower(): value for name, value in headers}
