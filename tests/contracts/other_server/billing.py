"""Tiers, subscriptions, usage, the over-capacity status, and overrides."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ulid import ULID

from . import lifecycle, quotas
from .call import Call, operation
from .errors import Refusal, no_org
from .state import Org, Override, World
from .times import read_instant, show


def _tier(tier: dict[str, Any]) -> dict[str, Any]:
    return {
        "slug": tier["slug"],
        "name": tier["name"],
        "description": tier.get("description"),
        "is_published": tier.get("published", True),
        "is_default_for_personal": tier.get("default_for_personal", False),
        "sort_order": tier["sort_order"],
        "quotas": [
            {"quota_key": key, "period": period, "limit_value": limit, "unit": quotas.unit(key)}
            for key, rows in tier["quotas"].items()
            for period, limit in rows.items()
        ],
    }


def _published(world: World) -> list[dict[str, Any]]:
    return [tier for tier in world.tiers.values() if tier.get("published", True)]


def set_tier(world: World, org: Org, slug: str) -> None:
    org.tier = slug
    lifecycle.refresh(world, org)


@operation("get_plans")
def get_plans(world: World, call: Call) -> Any:
    return {"plans": [_tier(tier) for tier in _published(world)]}


@operation("get_org_billing_plan")
def plan(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    subscription = {**org.subscription, "checkout_url": None, "pending": None} if org.subscription else None
    return {"org_id": org.id, "tier_id": org.tier, "subscription": subscription}


@operation("get_org_billing_upgrade_options")
def upgrade_options(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    rank = world.tiers[org.tier]["sort_order"]
    return {"plans": [_tier(tier) for tier in _published(world) if tier["sort_order"] > rank]}


@operation("get_org_billing_usage")
def usage(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    items = quotas.report(world, org)
    return {"org_id": org.id, "tier_slug": org.tier, "items": items, "degradation": lifecycle.status(world, org)}


@operation("post_org_billing_checkout")
def checkout(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    slug = call.body["tier_slug"]
    published = [tier["slug"] for tier in _published(world)]
    if slug not in published:
        names = ", ".join(published)
        message = f"No published tier is called '{slug}'; there are: {names}."
        raise Refusal(400, "unknown_tier", message, {"tier_slug": slug, "published_tiers": names})
    current = org.subscription
    if current is None or current["status"] == "canceled":
        org.subscription = {
            "external_id": f"sub_{ULID()}",
            "subscription_id": str(ULID()),
            "provider": "stripe",
            "status": "active",
            "tier_slug": slug,
        }
    elif current["tier_slug"] != slug or org.tier != slug:
        current.update(tier_slug=slug, status="active")
    set_tier(world, org, slug)
    return {**(org.subscription or {}), "checkout_url": None}


@operation("post_org_billing_portal")
def portal(world: World, call: Call) -> Any:
    world.org(call.caller, call.path["id"])
    return {"url": f"{world.base_url}/portal/ps_{ULID()}?return_url={quote(call.body['return_url'], safe='')}"}


@operation("get_org_billing_degradation")
def degradation(world: World, call: Call) -> Any:
    return lifecycle.status(world, world.org(call.caller, call.path["id"]))


@operation("put_org_billing_degradation_policy")
def policy(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    org.policy = call.body["policy"]
    lifecycle.refresh(world, org)
    return lifecycle.status(world, org)


@operation("post_org_billing_degradation_resource")
def keep(world: World, call: Call) -> Any:
    org = world.org(call.caller, call.path["id"])
    kind, thing_id = call.body["resource"], call.body["resource_id"]
    thing = world.things[kind].get(thing_id)
    if thing is None or thing.org_id != org.id or thing.deleted_at:
        message = f"Organization '{org.id}' has no {kind} with id '{thing_id}'."
        details = {"org_id": org.id, "resource": kind, "resource_id": thing_id}
        raise Refusal(404, "not_found", message, details)
    if call.body["keep"] and not thing.pinned:
        pinned = sum(other.pinned for other in world.live(kind, org.id))
        limit = quotas.limit_of(world, org, kind, "lifetime")["value"]
        if limit is not None and pinned >= limit:
            message = f"{pinned} {kind} are pinned already, which is all that the limit allows. Release one first."
            raise Refusal(409, "too_many_pins", message, {"resource": kind, "pinned": pinned, "limit": limit})
    thing.pinned = call.body["keep"]
    thing.released = not thing.pinned
    lifecycle.refresh(world, org)
    return lifecycle.status(world, org)


def _override(world: World, override: Override) -> dict[str, Any]:
    return {
        "id": override.id,
        "subject_type": "org",
        "subject_id": override.org_id,
        "quota_key": override.key,
        "period": override.period,
        "limit_value": override.limit,
        "expires_at": show(override.expires_at) if override.expires_at else None,
        "reason": override.reason,
        "active": override.expires_at is None or world.now < override.expires_at,
        "created_at": show(override.created_at),
        "updated_at": show(override.updated_at),
    }


@operation("get_admin_quota_overrides")
def list_overrides(world: World, call: Call) -> Any:
    return {"overrides": [_override(world, override) for override in world.overrides.values()]}


@operation("post_admin_quota_override")
def set_override(world: World, call: Call) -> Any:
    body = call.body
    if body["subject_type"] != "org":
        message = "An override's subject is an organization: subject_type must be 'org'."
        raise Refusal(400, "unsupported_subject_type", message, {"subject_type": body["subject_type"]})
    key = body["quota_key"]
    if key not in quotas.PERIODS:
        raise Refusal(400, "unknown_quota_key", f"There is no quota called '{key}'.", {"quota_key": key})
    periods = quotas.can_be_limited(key)
    period = body.get("period") or quotas.PERIODS[key][0]
    if period not in periods:
        names = ", ".join(periods)
        message = f"Quota '{key}' is not counted per '{period}'; it can be limited per: {names}."
        raise Refusal(400, "unsupported_period", message, {"quota_key": key, "period": period, "periods": names})
    org = world.orgs.get(body["subject_id"])
    if org is None:
        raise no_org(body["subject_id"])
    expiry = read_instant(body["expires_at"]) if body.get("expires_at") else None
    limit, reason = int(body["limit_value"]), body.get("reason")
    override = world.overrides.get((org.id, key, period))
    if override:
        override.limit, override.expires_at, override.reason = limit, expiry, reason
        override.updated_at = world.now
    else:
        override = Override(str(ULID()), org.id, key, period, limit, expiry, reason, world.now, world.now)
        world.overrides[org.id, key, period] = override
    lifecycle.refresh(world, org)
    return _override(world, override)
