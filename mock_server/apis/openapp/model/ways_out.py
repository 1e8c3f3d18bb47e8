"""Ways out of a full quota: fewer things, a larger tier, an override, time. Each is tried out before it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from mock_server.engine.decisions import Refused
from mock_server.engine.instants import LATEST, Instant, format_instant
from mock_server.engine.windows import window_at

from .checkout import checkout
from .explaining import ROOT, Case, counted, listed
from .limits import limits_of, row
from .overrides import upsert_override
from .quotas import LIFETIME, PER_SESSION
from .resources import SINGULAR
from .state import EffectiveLimit, OpenApp, Org, Override

Fits = Callable[[OpenApp, Instant], Refused | None]
"""Asks the quota again: in another state, at another time."""
Need = tuple[str, str, int]
"""Quota key, period, and the least limit with which the request fits."""

_MANAGE = "billing:manage"
_VERBS = {"api_keys": "Revoke", "org_users": "Remove"}


def fewer(key: str, current: int, limit: int) -> str | None:
    """How many have to go before one more fits; nothing, where none can go or it would not help."""
    surplus = current + 1 - limit
    if key == "organizations" or not 1 <= surplus <= current:
        return None
    verb = _VERBS.get(key, "Delete")
    if current == 1:
        return f"{verb} the {SINGULAR[key]} that is there."
    return f"{verb} {'one' if surplus == 1 else surplus} of the {counted(current, key)}."


def larger_tier(case: Case, org: Org, key: str, period: str, fits: Fits) -> str | None:
    """The first published tier in their order with which the request fits."""
    for tier in case.state.catalog.published:
        if tier.slug == org.tier_slug:
            continue
        state = _with_tier(case, org, tier.slug)
        if state is None or fits(state, case.now) is not None:
            continue
        limit = limits_of(state, state.orgs[org.id], case.now).of(key, period).value
        size = "which has no limit" if limit is None else f"whose limit is {limit}{_per(period)}"
        who = "Check" if case.asker.may(_MANAGE) else f"Have someone with {_MANAGE} check"
        is_paid = case.state.settings.checkout == "hosted" and not tier.is_default_for_personal
        return f"{who} out {tier.slug!r}, {size}{', and pay for it' if is_paid else ''}."
    return None


def override(case: Case, org: Org, needs: Sequence[Need], fits: Fits) -> str | None:
    state = case.state
    for key, period, least in needs:
        body = {"subject_type": "org", "subject_id": org.id, "quota_key": key, "period": period, "limit_value": least}
        outcome = upsert_override(state, case.context, body)
        if isinstance(outcome, Refused):
            return None
        state = outcome.state
    if not needs or fits(state, case.now) is not None:
        return None
    texts = [f"{key} per {period.removeprefix('per_')} with {least} or more" for key, period, least in needs]
    return f"Have an operator override {listed(texts, 'and')}."


def end_of_override(case: Case, org: Org, key: str, period: str, fits: Fits) -> str | None:
    """A low override that ends by itself."""
    kept = overriding(case.state, org, key, period, case.now)
    if kept is None or kept.expires_at is None or fits(case.state, kept.expires_at) is not None:
        return None
    return f"Wait until {format_instant(kept.expires_at)}, when the override ends."


def end_of_window(case: Case, period: str, fits: Fits) -> str | None:
    """When every window that is full has ended; nothing, if time alone does not help."""
    at = window_at(period, case.now).end  # type: ignore[arg-type]
    for _ in range(3):
        if at > LATEST:
            return None
        refused = fits(case.state, at)
        if refused is None:
            return f"Wait until {format_instant(at)}, when the {period} ends."
        period = refused.problem.facts["period"]
        at = window_at(period, at).end  # type: ignore[arg-type]
    return None


def overriding(state: OpenApp, org: Org, key: str, period: str, now: Instant) -> Override | None:
    """The override that holds, if one does."""
    kept = state.overrides.get(org.id)
    found: Override | None = None if kept is None else kept.get(row(key, period))
    return found if found is not None and found.is_active(now) else None


def rule_of(case: Case, org: Org, key: str, period: str, limit: EffectiveLimit) -> str:
    """ "The tier 'free' allows 3 zones."."""
    size = f"{counted(limit.value or 0, key)}{_per(period)}"
    if limit.source["kind"] == "tier":
        return f"The tier {limit.source['slug']!r} allows {size}."
    kept = overriding(case.state, org, key, period, case.now)
    end = "" if kept is None or kept.expires_at is None else f" until {format_instant(kept.expires_at)}"
    return f"An override allows {size}{end}."


def about(case: Case, org: Org) -> Iterator[tuple[str, object]]:
    """What matters of an organization for its limits."""
    lifecycle = case.state.lifecycles.get(org.id)
    yield "organization", org.label
    yield "tier", org.tier_slug
    yield "stage", "none" if lifecycle is None else lifecycle.stage
    yield "now", format_instant(case.now)


def _with_tier(case: Case, org: Org, slug: str) -> OpenApp | None:
    """As if what is checked out were paid for at once."""
    settings = msgspec.structs.replace(case.state.settings, checkout="instant")
    paid = msgspec.structs.replace(case.state, settings=settings)
    outcome = checkout(paid, case.context, ROOT, org.id, slug)
    return None if isinstance(outcome, Refused) else outcome.state


def _per(period: str) -> str:
    return "" if period == LIFETIME else " per session" if period == PER_SESSION else f" per {period}"
