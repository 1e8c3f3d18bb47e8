"""GET /plans, GET .../billing/plan and GET .../billing/upgrade-options: what can be had, and what an organization has."""

from __future__ import annotations

from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Context, Refused

from .access import reachable_org
from .checkout import checkout_url
from .state import OpenApp, Org, Tier


def plans(state: OpenApp) -> dict[str, Any]:
    """PlansResponse: the published tiers in their order."""
    return {"plans": [plan(tier) for tier in state.catalog.published]}


def upgrade_options(state: OpenApp, context: Context, caller: Caller, org_id: str) -> dict[str, Any] | Refused:
    """PlansResponse: published tiers that sort after the organization's own."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    here = state.catalog.tiers[org.tier_slug].sort_order
    return {"plans": [plan(tier) for tier in state.catalog.published if tier.sort_order > here]}


def billing_plan(
    state: OpenApp, context: Context, caller: Caller, org_id: str, base_url: str
) -> dict[str, Any] | Refused:
    """BillingPlanResponse."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    return {"org_id": org.id, "tier_id": org.tier_slug, "subscription": _subscription(org, base_url)}


def plan(tier: Tier) -> dict[str, Any]:
    """PlanResponse."""
    return {
        "slug": tier.slug,
        "name": tier.name,
        "description": tier.description,
        "is_published": tier.is_published,
        "is_default_for_personal": tier.is_default_for_personal,
        "sort_order": tier.sort_order,
        "quotas": tier.quota_rows,
    }


def _subscription(org: Org, base_url: str) -> dict[str, Any] | None:
    shown = org.subscription or org.pending
    if shown is None:
        return None
    waiting = org.pending if org.subscription is not None else None
    return {
        "external_id": shown.external_id,
        "subscription_id": shown.subscription_id,
        "provider": shown.provider,
        "status": shown.status,
        "tier_slug": shown.tier_slug,
        "checkout_url": checkout_url(shown, base_url),
        "pending": None
        if waiting is None
        else {
            "external_id": waiting.external_id,
            "tier_slug": waiting.tier_slug,
            "checkout_url": checkout_url(waiting, base_url),
        },
    }
