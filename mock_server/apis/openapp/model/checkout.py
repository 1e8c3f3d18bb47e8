"""POST .../billing/checkout: an organization takes another tier.

`instant`: the tier changes at once. `hosted`: a pending subscription waits for the provider's signed webhook; only
the default tier, which costs nothing, still takes effect at once. Clients repeat POSTs, so asking again for the
tier that is current or pending answers the same subscription and changes nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Emit, Refused

from .access import reachable_org
from .problems import UNKNOWN_TIER
from .state import OpenApp, Org, Subscription

Decision = Accepted[OpenApp, Subscription] | Refused


def checkout(state: OpenApp, context: Context, caller: Caller, org_id: str, tier_slug: str) -> Decision:
    """A downgrade below what is used is never refused."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    tier = state.catalog.tiers.get(tier_slug)
    if tier is None or not tier.is_published:
        published = ", ".join(each.slug for each in state.catalog.published)
        return Refused(UNKNOWN_TIER(tier_slug=tier_slug, published_tiers=published))
    for known in (org.subscription, org.pending):
        if known is not None and known.tier_slug == tier_slug and known.status != "canceled":
            return Accepted(state, known)
    is_hosted = state.settings.checkout == "hosted" and not tier.is_default_for_personal
    subscription = Subscription(
        external_id=f"sub_{context.id(0)}",
        subscription_id=context.id(1),
        provider=state.settings.provider,
        status="pending" if is_hosted else "active",
        tier_slug=tier_slug,
    )
    if is_hosted:
        return Accepted(with_pending(state, org, subscription), subscription)
    return Accepted(with_subscription(state, org, subscription), subscription, (changed(org, subscription),))


def with_pending(state: OpenApp, org: Org, pending: Subscription) -> OpenApp:
    """The organization waits for `pending` to be paid; an earlier pending one is forgotten."""
    index = _without(state.by_external_id, org.pending)
    return state.with_org(
        msgspec.structs.replace(org, pending=pending), by_external_id=index.insert(pending.external_id, org.id)
    )


def with_subscription(state: OpenApp, org: Org, subscription: Subscription) -> OpenApp:
    """`subscription` is the organization's one subscription now. It sets the tier; a canceled one the default tier."""
    canceled = subscription.status == "canceled"
    tier_slug = state.catalog.default.slug if canceled else subscription.tier_slug
    index = _without(_without(state.by_external_id, org.subscription), None if canceled else org.pending)
    return state.with_org(
        msgspec.structs.replace(
            org, subscription=subscription, tier_slug=tier_slug, pending=org.pending if canceled else None
        ),
        by_external_id=index.insert(subscription.external_id, org.id),
    )


def changed(org: Org, subscription: Subscription) -> Emit:
    """What the outside hears of it."""
    if subscription.status == "canceled":
        topic = "subscription.canceled"
    elif org.subscription is None or org.subscription.status == "canceled":
        topic = "subscription.created"
    else:
        topic = "subscription.updated"
    return Emit(topic, org.id, {"org_id": org.id, **msgspec.to_builtins(subscription)})


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
    return f"{base_url}/checkout/{subscription.external_id}" if subscription.status == "pending" else None


def _without(index: Any, subscription: Subscription | None) -> Any:
    return index if subscription is None else index.discard(subscription.external_id)
