"""What an event of any payment provider comes to, and how a document that nobody promised anything about is read.

Reading is pure and tolerant: a provider adds members and event types at will, and what is not understood is `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from mock_server.apis.openapp.model.state import Catalog, Subscription, SubscriptionStatus, Tier
from mock_server.engine.instants import SECOND, InvalidTime, parse_instant
from mock_server.webhooks.schemes.protocol import Scheme

LONGEST_ID = 255
LARGEST = 2**53
_CURRENCY_LETTERS = 3


CERTAIN: dict[str, SubscriptionStatus] = {
    "subscription_canceled": "canceled",
    "invoice_paid": "active",
    "invoice_failed": "past_due",
}
"""What a kind of event says by itself, whatever status stands beside it."""


class InvalidEvent(ValueError):
    """The payload is not an event; the message says what is missing."""


class Money(msgspec.Struct, frozen=True):
    """Minor units, and an ISO 4217 code in lower case."""

    amount: int
    currency: str = "usd"


class ProviderEvent(msgspec.Struct, frozen=True):
    """`created` is the provider's time in seconds. `org_id` is what the event itself claims, not yet looked up.

    `is_session`: it ends a checkout that started here, and so speaks of whatever is pending. `price_id`: the price that
    named the tier. `invoice_id` and `money`: what an invoice's event says of the invoice.
    """

    id: str
    kind: str
    provider: str
    created: int
    raw: Mapping[str, Any]
    customer: str | None = None
    external_id: str | None = None
    status: SubscriptionStatus | None = None
    tier_slug: str | None = None
    org_id: str | None = None
    is_session: bool = False
    price_id: str | None = None
    invoice_id: str | None = None
    money: Money | None = None

    def view(self) -> dict[str, Any]:
        """BillingEvent."""
        return {
            "kind": self.kind,
            "provider": self.provider,
            "raw": self.raw,
            "external_customer_id": self.customer,
            "external_subscription_id": self.external_id,
            "status": self.status,
            "tier_slug": self.tier_slug,
        }


class Provider(msgspec.Struct, frozen=True):
    """How one provider signs, what its events say, and how it would report that a pending subscription is paid.

    `read(payload, body, catalog)`: `payload` is the JSON object in `body`. Raises InvalidEvent.
    `paid(org_id, subscription, tier, now)` is such an event as JSON; `now` in seconds since 1970.
    `form`: the least that its events have, in a sentence.
    """

    scheme: Scheme
    read: Callable[[Mapping[str, Any], bytes, Catalog], ProviderEvent]
    paid: Callable[[str, Subscription, Tier, int], Mapping[str, Any]]
    form: str


def member(thing: Any, *path: str) -> Any:
    """What stands there, None if anything on the way is no object."""
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def text(thing: Any, *path: str) -> str | None:
    value = member(thing, *path)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID else None


def number_or_text(thing: Any, *path: str) -> str | None:
    """An id, which some providers write as a number."""
    value = member(thing, *path)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
        return str(value)
    return text(thing, *path)


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def seconds(value: Any) -> int:
    """A number of seconds as it is; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST else 0


def seconds_of(value: Any) -> int:
    """The second that an RFC 3339 text lies in; 0 for what is none."""
    try:
        return parse_instant(value) // SECOND if isinstance(value, str) else 0
    except InvalidTime:
        return 0


def money(amount: Any, currency: Any) -> Money | None:
    """What both together say; some providers write the minor units as a text of digits."""
    if isinstance(amount, str) and amount.isascii() and amount.isdigit() and len(amount) < 16:
        amount = int(amount)
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount < LARGEST:
        return None
    if not isinstance(currency, str) or len(currency) != _CURRENCY_LETTERS or not currency.isascii():
        return None
    return Money(amount, currency.lower())


def priced(
    provider: str, named: str | None, prices: Iterable[str | None], catalog: Catalog
) -> tuple[str | None, str | None]:
    """The tier and the price that names it: the tier that the event names itself (an unknown one is none), else the
    first of its prices that the catalog has."""
    known = [(tier.slug, price) for price in prices if price and (tier := catalog.with_price(provider, price))]
    if named is None:
        return known[0] if known else (None, None)
    slug = named if named in catalog.tiers else None
    return slug, next((price for tier, price in known if tier == slug), None)
