"""POST /billing/webhooks/{provider}: a provider's signed event, and what it changes.

The body is not parsed before its signature holds. Providers repeat and reorder: a known event id changes nothing,
and neither does an event older than the newest one applied to its subscription. An event that finds no
organization or no tier is kept (its id is remembered) and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mock_server.engine.decisions import Accepted, Context, Effect, Refused, Remember
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import DAY, SECOND
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message, Rejected

from .checkout import changed, with_subscription
from .problems import (
    INVALID_PAYLOAD,
    PROVIDER_NOT_FOUND,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
)
from .provider_events import InvalidEvent, ProviderEvent, read_event
from .state import OpenApp, Org, Subscription

PROVIDERS = {"stripe": stripe}
REFUSALS = {"missing": SIGNATURE_MISSING, "expired": SIGNATURE_EXPIRED}
REMEMBERED_FOR = 30 * DAY

ParseJson = Callable[[bytes], Any]
"""Bytes to JSON value; raises ValueError with an explanation."""


def receive(
    state: OpenApp, context: Context, provider: str, headers: Mapping[str, str], body: bytes, parse: ParseJson
) -> Accepted[OpenApp, dict[str, Any]] | Refused:
    """BillingWebhookResponse. `headers` by lower-case name; `parse` is handed in because how JSON is read is HTTP's part."""
    scheme, secret = PROVIDERS.get(provider), state.webhook_secrets.get(provider)
    if scheme is None or secret is None:
        known = ", ".join(sorted(name for name in state.webhook_secrets if name in PROVIDERS)) or "none"
        return Refused(PROVIDER_NOT_FOUND(provider=provider, providers=known))
    now = context.now // SECOND
    verdict = scheme.verify(Message(body), headers, [secret], now, state.settings.webhook_tolerance_s)
    if isinstance(verdict, Rejected):
        refusal = REFUSALS.get(verdict.reason, SIGNATURE_INVALID)
        return Refused(refusal(explanation=verdict.explanation, provider=provider))
    try:
        event = read_event(provider, parse(body), state.catalog)
    except (InvalidEvent, ValueError) as error:
        return Refused(INVALID_PAYLOAD(provider=provider, reason=str(error)))

    reply = {"provider": provider, "events": [event.view()]}
    scope = f"openapp/webhook/{provider}"
    if context.recall(scope, event.id) is not None:
        return Accepted(state, reply)
    after, effects, outcome = applied(state, event, context)
    record = Record("", context.now + REMEMBERED_FOR, json.dumps({"kind": event.kind, "outcome": outcome}))
    return Accepted(after, reply, (*effects, Remember(scope, event.id, record)))


def applied(state: OpenApp, event: ProviderEvent, context: Context) -> tuple[OpenApp, tuple[Effect, ...], str]:
    """The state after the event, what the outside hears of it, and in a few words what came of it."""
    if event.kind == "other":
        return state, (), "not a subscription's or an invoice's event"
    org = _org_of(state, event)
    if org is None:
        return state, (), "no organization matches"
    before = _meant_by(org, event)
    if before is not None and event.created < before.provider_time:
        return state, (), "older than what was applied already"
    subscription = _following(org, before, event, context)
    if isinstance(subscription, str):
        return state, (), subscription
    if subscription.status == "pending":
        waiting = msgspec.structs.replace(org, pending=subscription)
        index = state.by_external_id
        if org.pending is not None:
            index = index.discard(org.pending.external_id)
        return state.with_org(waiting, by_external_id=index.insert(subscription.external_id, org.id)), (), "pending"
    # Paying for the pending checkout ends it; news of the current subscription leaves it waiting.
    kept = org.pending if before is not None and before is org.subscription else None
    after = with_subscription(state, org, subscription)
    if kept is not None and subscription.status != "canceled":
        after = _with_pending_again(after, after.orgs[org.id], kept)
    return after, (changed(org, subscription),), f"{org.tier_slug} -> {after.orgs[org.id].tier_slug}"


def _org_of(state: OpenApp, event: ProviderEvent) -> Org | None:
    """What the event itself says, else whose subscription it names. None if the two contradict each other."""
    owner = state.by_external_id.get(event.external_id) if event.external_id else None
    if event.org_id is not None and owner is not None and owner != event.org_id:
        return None
    return state.orgs.get(event.org_id or owner or "")


def _meant_by(org: Org, event: ProviderEvent) -> Subscription | None:
    """Which of the organization's subscriptions the event speaks of.

    By external id; a pending one has the provider's id only after the first event, so there an event for the
    pending tier counts too.
    """
    for known in (org.subscription, org.pending):
        if known is not None and known.external_id == event.external_id:
            return known
    pays = event.kind in ("subscription_created", "subscription_updated", "invoice_paid")
    if org.pending is not None and pays and event.tier_slug in (None, org.pending.tier_slug):
        return org.pending
    return None


def _following(org: Org, before: Subscription | None, event: ProviderEvent, context: Context) -> Subscription | str:
    """The subscription as the event leaves it, or why nothing changes."""
    is_about_current = before is not None and before is org.subscription
    if event.kind in ("subscription_canceled", "invoice_failed") and not is_about_current:
        return "not about the current subscription"
    tier_slug = event.tier_slug or (before.tier_slug if before is not None else None)
    if tier_slug is None:
        return "no tier matches"
    status = event.status or (before.status if before is not None else None)
    if status is None:
        return "no status matches"
    if status in ("canceled", "past_due") and not is_about_current:
        return "not about the current subscription"
    if status == "pending" and is_about_current:
        return "a current subscription does not become pending"
    return Subscription(
        external_id=event.external_id or (before.external_id if before is not None else f"sub_{context.id(0)}"),
        subscription_id=before.subscription_id if before is not None else context.id(1),
        provider=event.provider,
        status=status,
        tier_slug=tier_slug,
        provider_time=max(event.created, before.provider_time if before is not None else 0),
    )


def _with_pending_again(state: OpenApp, org: Org, pending: Subscription) -> OpenApp:
    return state.with_org(
        msgspec.structs.replace(org, pending=pending),
        by_external_id=state.by_external_id.insert(pending.external_id, org.id),
    )
