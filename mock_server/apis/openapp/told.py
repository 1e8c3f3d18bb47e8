"""What an event that somebody asks for would say of an organization: from what the world knows, else made up."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.decisions import Context

from .model.state import OpenApp, Org, Subscription


def told(state: OpenApp, context: Context, topic: str, org_id: str | None) -> tuple[str, dict[str, Any]] | None:
    """The subject and the data of such an event; None without an organization."""
    org = state.orgs.get(org_id) if org_id is not None else min(state.orgs.values(), key=_age, default=None)
    if org is None:
        return None
    family = topic.partition(".")[0]
    data: dict[str, Any] = {"org_id": org.id, "org_name": org.label}
    if family in ("subscription", "invoice"):
        subscription = org.subscription or _made_up(state, context, org)
        prices = state.catalog.tiers[subscription.tier_slug].provider_prices.get(subscription.provider, ())
        data |= {
            **msgspec.to_builtins(subscription),
            "price_id": prices[0] if prices else None,
            "previous_tier_slug": org.tier_slug,
        }
        if topic == "subscription.canceled":
            data["status"] = "canceled"
        if family == "invoice":
            data |= {"invoice_id": f"in_{context.id(2)}", "amount": 0, "currency": "usd"}
    elif family == "quota":
        percent = 80 if topic == "quota.warning" else 100
        data |= {"key": "door_opens", "period": "month", "period_label": "", "current": percent, "limit": 100}
        data["percent"] = percent
    elif family == "degradation":
        data |= {"from": "none", "to": "warned"}
    elif family == "override":
        data |= {"quota_key": "devices", "period": "lifetime", "limit_value": 10, "override_id": context.id(3)}
    return org.id, data


def _age(org: Org) -> tuple[int, int, str]:
    return org.created_at, org.serial, org.id


def _made_up(state: OpenApp, context: Context, org: Org) -> Subscription:
    return Subscription(
        external_id=f"sub_{context.id(0)}",
        subscription_id=context.id(1),
        provider=state.settings.provider,
        status="active",
        tier_slug=org.tier_slug,
    )
