"""What an event that somebody asks for would say of an organization: what the world knows, and what it would say itself."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.decisions import Context

from .model.checkout import changed, invoiced
from .model.state import OpenApp, Org, Subscription

TOPICS = (
    "subscription.created",
    "subscription.updated",
    "subscription.canceled",
    "invoice.paid",
    "invoice.failed",
    "quota.warning",
    "quota.reached",
    "degradation.stage_changed",
    "override.expired",
    "portal.opened",
)
"""All that the model emits."""


def told(state: OpenApp, context: Context, topic: str, org_id: str | None) -> tuple[str, dict[str, Any]] | None:
    """The subject and the data of such an event; None without an organization."""
    org = state.orgs.get(org_id) if org_id is not None else min(state.orgs.values(), key=_age, default=None)
    if org is None:
        return None
    family = topic.partition(".")[0]
    data: dict[str, Any] = {"org_id": org.id, "org_name": org.label}
    if family in ("subscription", "invoice"):
        subscription = org.subscription or _made_up(state, context, org)
        if topic == "subscription.canceled":
            subscription = msgspec.structs.replace(subscription, status="canceled")
        if family == "invoice":
            data |= invoiced(state.catalog, org, subscription, f"in_{context.id(2)}").data
        else:
            data |= changed(state.catalog, org, subscription).data
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
    """`context`'s seed alone decides: each emission about the organization is about the same subscription."""
    context = msgspec.structs.replace(context, revision=0, now=org.created_at)
    return Subscription(
        external_id=f"sub_{context.id(0)}",
        subscription_id=context.id(1),
        provider=state.settings.provider,
        status="active",
        tier_slug=org.tier_slug,
    )
