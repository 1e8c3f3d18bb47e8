"""Tiers and subscriptions: who gets which, and what a refused or repeated checkout leaves behind."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import checkout, plans
from mock_server.apis.openapp.model.problems import UNKNOWN_TIER
from mock_server.engine.decisions import Accepted, Refused
from mock_server.engine.problems import ProblemType

from .despite import despite
from .mutant import family, replacing

mutant = family("checkout")

TOO_SMALL = ProblemType("tier_too_small", 400, "More is in use than {tier_slug!r} allows.")


def _default_tier(call: Any, state: Any, context: Any, problem: Any) -> Accepted[Any, None]:
    """The tier is looked up after the old one has been given up."""
    org = state.orgs.get(call.path["id"])
    if org is None:
        return Accepted(state, None)
    return Accepted(state.with_org(msgspec.structs.replace(org, tier_slug=state.catalog.default.slug)), None)


def _only_if_it_fits(real: Any) -> Any:
    def faulty(state: Any, context: Any, caller: Any, org_id: str, tier_slug: str) -> Any:
        decided = real(state, context, caller, org_id, tier_slug)
        if isinstance(decided, Refused) or org_id not in decided.state.lifecycles or org_id in state.lifecycles:
            return decided
        return Refused(TOO_SMALL(tier_slug=tier_slug))

    return faulty


def _unpublished_too(real: Any) -> Any:
    def faulty(state: Any, context: Any, caller: Any, org_id: str, tier_slug: str) -> Any:
        tiers = {slug: msgspec.structs.replace(tier, is_published=True) for slug, tier in state.catalog.tiers.items()}
        open_to_all = msgspec.structs.replace(state, catalog=msgspec.structs.replace(state.catalog, tiers=tiers))
        decided = real(open_to_all, context, caller, org_id, tier_slug)
        if isinstance(decided, Refused):
            return decided
        kept = msgspec.structs.replace(decided.state, catalog=state.catalog)
        return msgspec.structs.replace(decided, state=kept)

    return faulty


def _always_new(real: Any) -> Any:
    """The tier that is current is bought once more."""

    def faulty(state: Any, context: Any, caller: Any, org_id: str, tier_slug: str) -> Any:
        org = state.orgs.get(org_id)
        if org is None or org.subscription is None or org.subscription.tier_slug != tier_slug:
            return real(state, context, caller, org_id, tier_slug)
        return real(state.with_org(msgspec.structs.replace(org, subscription=None)), context, caller, org_id, tier_slug)

    return faulty


def _tier_stays(real: Any) -> Any:
    def faulty(state: Any, org: Any, *args: Any) -> Any:
        after = real(state, org, *args)
        return after.with_org(msgspec.structs.replace(after.orgs[org.id], tier_slug=org.tier_slug))

    return faulty


def _own_one_too(real: Any) -> Any:
    def faulty(state: Any, context: Any, caller: Any, org_id: str) -> Any:
        found = real(state, context, caller, org_id)
        if isinstance(found, Refused):
            return found
        own = state.catalog.tiers[state.orgs[org_id].tier_slug]
        return {"plans": [plans.plan(own), *found["plans"]] if own.is_published else found["plans"]}

    return faulty


MUTANTS = (
    mutant(
        "unknown-tier-resets",
        "asking for an unknown tier loses the one that is there",
        despite(UNKNOWN_TIER, _default_tier),
        98,
    ),
    mutant("downgrade-refused", "who holds too much cannot downgrade", replacing(checkout.checkout, _only_if_it_fits)),
    mutant(
        "unpublished-taken", "a tier that is not for sale can be bought", replacing(checkout.checkout, _unpublished_too)
    ),
    mutant(
        "same-tier-new-id",
        "buying the same tier again makes another subscription",
        replacing(checkout.checkout, _always_new),
    ),
    mutant(
        "own-tier-offered",
        "the tier that one has is among the upgrade options",
        replacing(plans.upgrade_options, _own_one_too),
    ),
    mutant(
        "tier-stays",
        "a checkout does not change the tier",
        replacing(checkout.with_subscription, _tier_stays, seen_by=checkout),
    ),
)
