"""Why a value is none that can be had: tiers, quotas, periods, times, actions, sessions, and what a provider sends."""

from __future__ import annotations

from difflib import get_close_matches

from mock_server.engine.explanations import Explanation
from mock_server.engine.instants import DAY, LATEST, SECOND, format_instant

from .access import in_scope
from .api_keys import LONGEST_LIFE
from .doors import OPEN, SWITCHABLE
from .explaining import Case, one_of, reachable_orgs, some
from .pointers import DECLARED, in_catalog, in_world
from .providers import PROVIDERS
from .quotas import QUOTAS
from .resources import oldest

_SIGNATURES = {
    "stripe": "Stripe-Signature: t=<seconds>,v1=<hex>, the HMAC-SHA256 of `<seconds>.<body>`",
    "paddle": "Paddle-Signature: ts=<seconds>;h1=<hex>, the HMAC-SHA256 of `<seconds>:<body>`",
    "lemonsqueezy": "X-Signature: <hex>, the HMAC-SHA256 of the body",
    "square": "x-square-hmacsha256-signature: <base64>, the HMAC-SHA256 of `<URL that is called><body>`",
}


def unknown_tier(case: Case) -> Explanation:
    slug, published = case.text("tier_slug"), [tier.slug for tier in case.state.catalog.published]
    near = get_close_matches(slug, published, 1)
    legal = [f"Check out {each!r}." for each in dict.fromkeys([*near, *published])]
    exists = slug in case.state.catalog.tiers
    facts = {"published": published[:50], "exists": exists}
    tiers = list(case.state.catalog.tiers)
    clause = in_catalog("tiers", tiers.index(slug), "is_published") if exists else in_catalog("tiers")
    return case.answer("Only published tiers can be checked out.", clause, legal, facts)


def unknown_quota_key(case: Case) -> Explanation:
    near = get_close_matches(case.text("quota_key"), QUOTAS, 1)
    legal = [f"Name the quota {each!r}." for each in dict.fromkeys([*near, *QUOTAS])]
    return case.answer("There are only the quotas that the usage report lists.", DECLARED, legal)


def not_metered(case: Case) -> Explanation:
    metered = [key for key, quota in QUOTAS.items() if not quota.is_capacity]
    rule = f"{case.text('quota_key')} counts what exists; only metered quotas can be used up."
    return case.answer(rule, DECLARED, [f"Name a metered quota: {', '.join(metered)}."], {"metered": metered})


def session_needed(case: Case) -> Explanation:
    key = case.text("quota_key")
    rule = f"{key} is counted anew for each session."
    return case.answer(rule, DECLARED, ["Name a session in `session`; any name will do, such as 'session-1'."])


def unsupported_period(case: Case) -> Explanation:
    key = case.text("quota_key")
    allowed = QUOTAS[key].allowed if key in QUOTAS else ()
    legal = [f"Give the period {each!r}." for each in allowed]
    if allowed:
        legal.append(f"Leave the period out: it is {allowed[0]!r} then.")
    return case.answer(f"{key} can be limited per {' or '.join(allowed)} only.", DECLARED, legal)


def unsupported_subject_type(case: Case) -> Explanation:
    orgs = reachable_orgs(case)
    legal = (one_of("Give subject_type 'org' and as subject_id", "organizations", orgs),)
    return case.answer("An override is for an organization.", DECLARED, legal, {"ids": some(orgs)})


def invalid_time(case: Case) -> Explanation:
    field = case.text("field")
    legal = (
        f"Give {field} as an RFC 3339 instant with an offset, such as {_later(case, 30 * DAY)}.",
        f"Leave {field} out: an override without it has no end.",
    )
    rule = f"{field} is an RFC 3339 instant from 1970 to 9998."
    return case.answer(rule, DECLARED, legal, {"now": format_instant(case.now)})


def invalid_expiry(case: Case) -> Explanation:
    latest = _later(case, LONGEST_LIFE)
    legal = (
        "Give expires_in alone, as P30D or 30d." if case.now + 30 * DAY <= LATEST else None,
        f"Give expires_at alone, after {format_instant(case.now)} and until {latest}.",
        "Leave both out: the key lives for 365 days." if case.now + 365 * DAY <= LATEST else None,
    )
    rule = "A key expires at one instant from now on, 3650 days away at most, named in one way."
    return case.answer(rule, DECLARED, legal, {"now": format_instant(case.now), "latest": latest})


def action_not_implemented(case: Case) -> Explanation:
    entities = [
        row
        for org in reachable_orgs(case)
        for row in oldest(case.state.held_by(org.id).entities.live)
        if row.entity_type in SWITCHABLE and in_scope(case.state, case.asker, row.id)
    ]
    legal = (
        f"Do {OPEN!r} with it." if case.fact("actions") else None,
        one_of(f"Do {OPEN!r} with", "entities that can be opened", entities),
    )
    rule = f"A door, a light and a switch can do {OPEN!r}; no entity can do anything else."
    return case.answer(rule, DECLARED, legal, {"ids": some(entities)})


def idempotency_conflict(case: Case) -> Explanation:
    key = case.text("key")
    record = case.context.recall(f"openapp/action/{case.text('id')}/{case.asker.id}", key)
    until = None if record is None else format_instant(record.expires_at)
    legal = (
        "Send another Idempotency-Key, or none.",
        "Send the first request again under this one: it is answered as before, and not carried out again.",
        None if until is None else f"Wait until {until}, when the key is forgotten.",
    )
    rule = "An Idempotency-Key stands for one action with one body on one entity, for a day."
    facts = {"remembered_until": until, "now": format_instant(case.now)}
    return case.answer(rule, DECLARED, legal, facts)


def portal_unavailable(case: Case) -> Explanation:
    legal = ["Change the world's setting `portal` to 'on'."]
    rule = "The setting `portal` is 'off': the billing provider offers no customer portal then."
    return case.answer(rule, in_world("settings", "portal"), legal, {"portal": case.state.settings.portal})


def provider_not_found(case: Case) -> Explanation:
    configured = sorted(name for name in case.state.webhook_secrets if name in PROVIDERS)
    asked = case.text("provider")
    legal = [f"Give the world a webhook secret for {asked!r}."] if asked in PROVIDERS else []
    legal += [f"Send it to /billing/webhooks/{name}." for name in configured]
    rule = "A webhook is taken only from a provider whose secret the world has."
    return case.answer(rule, in_world("webhook_secrets"), legal, {"configured": configured})


def signature_missing(case: Case) -> Explanation:
    legal = [f"Sign the body with the world's secret for {case.text('provider')!r}: {_signature(case)}."]
    return case.answer("A webhook is signed, or nothing of it is read.", DECLARED, legal, _clock(case))


def signature_invalid(case: Case) -> Explanation:
    legal = [
        f"Sign the exact bytes of the body with the world's secret for {case.text('provider')!r}: {_signature(case)}.",
    ]
    rule = "A webhook's signature fits its exact bytes, what else the provider signs, and the world's secret for it."
    return case.answer(rule, DECLARED, legal, _clock(case))


def signature_expired(case: Case) -> Explanation:
    """`0` switches the check off."""
    tolerance = case.state.settings.webhook_tolerance_s
    earliest = max(case.now // SECOND - tolerance, 0)
    legal = (
        f"Sign it with a time from {format_instant(earliest * SECOND)} on ({earliest} in seconds): the world's clock shows "
        f"{format_instant(case.now)}.",
        "Change the world's setting `webhook_tolerance_s` to 0: any age is tolerated then.",
    )
    rule = f"A webhook's signature is no older than {tolerance} s by the world's clock."
    return case.answer(rule, in_world("settings", "webhook_tolerance_s"), legal, _clock(case))


def signature_premature(case: Case) -> Explanation:
    """Only of the providers whose own libraries refuse it."""
    tolerance = case.state.settings.webhook_tolerance_s
    latest = min(case.now // SECOND + tolerance, LATEST // SECOND)
    legal = (
        f"Sign it with a time up to {format_instant(latest * SECOND)} ({latest} in seconds): the world's clock shows "
        f"{format_instant(case.now)}.",
        "Change the world's setting `webhook_tolerance_s` to 0: any time is tolerated then.",
    )
    rule = f"A signature of {case.text('provider')!r} is no more than {tolerance} s ahead of the world's clock."
    return case.answer(rule, in_world("settings", "webhook_tolerance_s"), legal, _clock(case))


def invalid_payload(case: Case) -> Explanation:
    provider = PROVIDERS.get(case.text("provider"))
    legal = [provider.form] if provider is not None else []
    return case.answer(f"The body is an event of {case.text('provider')!r}.", DECLARED, legal)


def _signature(case: Case) -> str:
    return _SIGNATURES.get(case.text("provider"), "as it signs")


def _clock(case: Case) -> dict[str, object]:
    tolerance = case.state.settings.webhook_tolerance_s
    return {"now": format_instant(case.now), "now_s": case.now // SECOND, "webhook_tolerance_s": tolerance}


def _later(case: Case, by: int) -> str:
    return format_instant(min(case.now + by, LATEST))
