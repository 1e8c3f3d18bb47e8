"""POST .../billing/checkout: an organization takes another tier.

`instant`: the tier changes at once. `hosted`: a pending subscription waits for the provider's signed webhook; only
the default tier, which costs nothing, still takes effect at once. Clients repeat POSTs, so asking again for the
tier that is current or pending answers the same subscription and changes nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from rpds import HashTrieMap

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Emit, Refused

from .access import reachable_org
from .lifecycle import after
from .problems import UNKNOWN_TIER
from .providers import Money
from .state import Catalog, OpenApp, Org, Subscription

Decision = Accepted[OpenApp, Subscription] | Refused


def checkout(state: OpenApp, context: Context, caller: Caller, org_id: str, tier_slug: str) -> Decision:
    """A downgrade below what is used is never refused."""
    tier = state.catalog.tiers.get(tier_slug)
    if tier is None or not tier.is_published:
        published = ", ".join(each.slug for each in state.catalog.published)
        return Refused(UNKNOWN_TIER(tier_slug=tier_slug, published_tiers=published))
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    is_hosted = state.settings.checkout == "hosted" and not tier.is_default_for_personal
    current = org.subscription if org.subscription is not None and org.subscription.status != "canceled" else None
    for known in (current, org.pending if is_hosted else None):
        if known is not None and known.tier_slug == tier_slug:
            return Accepted(state, known)
    subscription = Subscription(
        external_id=f"sub_{context.id(0)}" if current is None or is_hosted else current.external_id,
        subscription_id=context.id(1) if current is None else current.subscription_id,
        provider=state.settings.provider,
        status="pending" if is_hosted else "active",
        tier_slug=tier_slug,
        provider_time=0 if current is None or is_hosted else current.provider_time,
        plan_time=0 if current is None or is_hosted else current.provider_time,
    )
    if is_hosted:
        return Accepted(with_pending(state, org, subscription), subscription)
    news = [changed(state.catalog, org, subscription)]
    if not tier.is_default_for_personal:
        news.append(invoiced(state.catalog, org, subscription, f"in_{context.id(2)}"))
    return after(Accepted(with_subscription(state, org, subscription), subscription, tuple(news)), org_id, context.now)


def with_pending(state: OpenApp, org: Org, pending: Subscription | None) -> OpenApp:
    """The organization waits for `pending` to be paid (None: for nothing); an earlier pending one is forgotten."""
    index = _with(_without(state.by_external_id, org.pending), pending, org.id)
    return state.with_org(msgspec.structs.replace(org, pending=pending), by_external_id=index)


def with_subscription(
    state: OpenApp, org: Org, subscription: Subscription, pending: Subscription | None = None
) -> OpenApp:
    """`subscription` is the organization's one subscription now, and `pending` what it waits for beside it.

    It sets the tier; a canceled one the default tier.
    """
    tier_slug = state.catalog.default.slug if subscription.status == "canceled" else subscription.tier_slug
    index = _without(_without(state.by_external_id, org.subscription), org.pending)
    return state.with_org(
        msgspec.structs.replace(org, subscription=subscription, tier_slug=tier_slug, pending=pending),
        by_external_id=_with(_with(index, subscription, org.id), pending, org.id),
    )


def changed(catalog: Catalog, org: Org, subscription: Subscription, price_id: str | None = None) -> Emit:
    """What the outside hears of an organization (as it was before) that has this subscription now.

    `price_id`: where the provider has named one that the catalog has.
    """
    if subscription.status == "canceled":
        topic = "subscription.canceled"
    elif org.subscription is None or org.subscription.status == "canceled":
        topic = "subscription.created"
    else:
        topic = "subscription.updated"
    data = _told(catalog, org, subscription, price_id)
    return Emit(topic, org.id, {**data, "status": subscription.status, "previous_tier_slug": org.tier_slug})


def invoiced(
    catalog: Catalog,
    org: Org,
    subscription: Subscription,
    invoice_id: str,
    *,
    is_paid: bool = True,
    price_id: str | None = None,
    money: Money | None = None,
) -> Emit:
    """What the outside hears of a subscription's invoice. `money`: what the provider says that it comes to."""
    if money is None:
        money = Money(catalog.tiers[subscription.tier_slug].amount)
    data = {
        **_told(catalog, org, subscription, price_id),
        "invoice_id": invoice_id,
        "amount": money.amount,
        "currency": money.currency,
    }
    return Emit("invoice.paid" if is_paid else "invoice.failed", org.id, data)


def _told(catalog: Catalog, org: Org, subscription: Subscription, price_id: str | None) -> dict[str, Any]:
    """`price_id`: unless it is one of the tier's, the first that the tier has with the provider."""
    prices = catalog.tiers[subscription.tier_slug].provider_prices.get(subscription.provider, ())
    return {
        "org_id": org.id,
        "org_name": org.label,
        "external_id": subscription.external_id,
        "subscription_id": subscription.subscription_id,
        "provider": subscription.provider,
        "tier_slug": subscription.tier_slug,
        "price_id": price_id if price_id in prices else next(iter(prices), None),
    }


def subscription_ref(subscription: Subscription, base_url: str) -> dict[str, Any]:
    """SubscriptionRef."""
    return {
        "external_id": subscription.external_id,
        "provider": subscription.provider,
        "status": subscription.status,
        "tier_slug": subscription.tier_slug,
        "subscription_id": subscription.subscription_id,
        "checkout_url": checkout_url(subscription, base_url),
    }


def checkout_url(subscription: Subscription, base_url: str) -> str | None:
    """Where the customer pays; only a pending subscription has such a page."""
    return (
        f"{base_url}/checkout/{quote(subscription.external_id, safe='')}" if subscription.status == "pending" else None
    )


def _with(index: HashTrieMap[str, str], subscription: Subscription | None, org_id: str) -> HashTrieMap[str, str]:
    for name in subscription.names if subscription is not None else ():
        index = index.insert(name, org_id)
    return index


def _without(index: HashTrieMap[str, str], subscription: Subscription | None) -> HashTrieMap[str, str]:
    for name in subscription.names if subscription is not None else ():
        index = index.discard(name)
    return index
