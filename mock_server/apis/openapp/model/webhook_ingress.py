"""POST /billing/webhooks/{provider}: a provider's signed event, and what it changes.

The body is not parsed before its signature holds. Providers repeat and reorder: a known event id changes nothing,
and neither does an event older than the newest one applied to its subscription. An event that finds no
organization or no tier is kept (its id is remembered) and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from mock_server.engine.decisions import Accepted, Context, Effect, Emit, Refused, Remember
from mock_server.engine.idempotency import Record
from mock_server.engine.instants import DAY, LATEST, SECOND
from mock_server.webhooks.schemes.protocol import Message, Rejected, Scheme, Verified

from .checkout import changed, invoiced, with_pending, with_subscription
from .lifecycle import rebalanced
from .problems import (
    INVALID_PAYLOAD,
    PROVIDER_NOT_FOUND,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SIGNATURE_PREMATURE,
)
from .providers import PROVIDERS, InvalidEvent, ProviderEvent, read_event
from .state import OpenApp, Org, Subscription

REFUSALS = {"missing": SIGNATURE_MISSING, "expired": SIGNATURE_EXPIRED, "premature": SIGNATURE_PREMATURE}
"""By the reason; all others are signatures that do not hold."""
REMEMBERED_FOR = 30 * DAY
OLDER = "older than what was applied already"

ParseJson = Callable[[bytes], Any]
"""Bytes to JSON value; raises ValueError with an explanation."""


def receive(
    state: OpenApp,
    context: Context,
    provider: str,
    headers: Mapping[str, str],
    body: bytes,
    parse: ParseJson,
    urls: Sequence[str] = (),
) -> Accepted[OpenApp, dict[str, Any]] | Refused:
    """BillingWebhookResponse. `headers` by lower-case name; `parse` is handed in because how JSON is read is HTTP's part.

    `urls`: those that lead here, for a provider that signs the one it calls. Any of the world's secrets for the provider
    may have signed, as while it is being changed.
    """
    known, secrets = PROVIDERS.get(provider), state.webhook_secrets.get(provider)
    if known is None or not secrets:
        configured = ", ".join(sorted(name for name in state.webhook_secrets if name in PROVIDERS)) or "none"
        return Refused(PROVIDER_NOT_FOUND(provider=provider, providers=configured))
    now, tolerance = context.now // SECOND, state.settings.webhook_tolerance_s
    verdict = _verified(known.scheme, body, urls, headers, secrets, now, tolerance)
    if isinstance(verdict, Rejected):
        refusal = REFUSALS.get(verdict.reason, SIGNATURE_INVALID)
        return Refused(refusal(explanation=verdict.explanation, provider=provider))
    try:
        event = read_event(provider, parse(body), body, state.catalog)
    except (InvalidEvent, ValueError) as error:
        return Refused(INVALID_PAYLOAD(provider=provider, reason=str(error)))

    reply = {"provider": provider, "events": [event.view()]}
    scope = f"openapp/webhook/{provider}"
    if context.recall(scope, event.id) is not None:
        return Accepted(state, reply)
    after, effects, outcome = applied(state, event, context)
    record = Record("", min(context.now + REMEMBERED_FOR, LATEST), json.dumps({"kind": event.kind, "outcome": outcome}))
    return Accepted(after, reply, (*effects, Remember(scope, event.id, record)))


def _verified(
    scheme: Scheme,
    body: bytes,
    urls: Sequence[str],
    headers: Mapping[str, str],
    secrets: Sequence[str],
    now: int,
    tolerance: int,
) -> Verified | Rejected:
    if "url" not in scheme.uses:
        return scheme.verify(Message(body), headers, secrets, now, tolerance)
    verdict: Verified | Rejected = Rejected("missing_url", "nobody knows which URL was called")
    for url in urls:
        verdict = scheme.verify(Message(body, url), headers, secrets, now, tolerance)
        if isinstance(verdict, Verified):
            break
    return verdict


def applied(state: OpenApp, event: ProviderEvent, context: Context) -> tuple[OpenApp, tuple[Effect, ...], str]:
    """The state after the event, what the outside hears of it, and in a few words what came of it."""
    if event.kind == "other":
        return state, (), "not a subscription's or an invoice's event"
    org = _org_of(state, event)
    if org is None:
        return state, (), "no organization matches"
    if _is_about(org.pending, event) and event.status in ("pending", "canceled"):
        return _with_news_of_pending(state, org, event)
    before = _meant_by(org, event)
    subscription = _following(org, before, event, context)
    if isinstance(subscription, str):
        return state, (), subscription
    if subscription.status == "pending":
        return with_pending(state, org, subscription), (), "pending"
    # Paying for the pending checkout ends it; news of the current subscription leaves it waiting, unless it has
    # brought what was to be paid for.
    waiting = org.pending if before is not None and before is org.subscription else None
    if waiting is not None and subscription.status == "active" and waiting.tier_slug == subscription.tier_slug:
        waiting = None
    after = with_subscription(state, org, subscription, waiting)
    after, news = rebalanced(after, org.id, context.now)
    told = (changed(state.catalog, org, subscription, event.price_id),) if _is_news(org, subscription) else ()
    effects = (*told, *_of_invoice(state, org, subscription, event, context), *news)
    return after, effects, f"{org.tier_slug} -> {after.orgs[org.id].tier_slug}"


def _is_news(org: Org, subscription: Subscription) -> bool:
    """Whether it is another one in what can be seen of it, or only newer."""
    before = org.subscription
    return before is None or any(
        getattr(before, name) != getattr(subscription, name)
        for name in ("status", "tier_slug", "external_id", "provider", "subscription_id")
    )


def _of_invoice(
    state: OpenApp, org: Org, subscription: Subscription, event: ProviderEvent, context: Context
) -> tuple[Emit, ...]:
    if event.kind not in ("invoice_paid", "invoice_failed"):
        return ()
    return (
        invoiced(
            state.catalog,
            org,
            subscription,
            event.invoice_id or f"in_{context.id(2)}",
            is_paid=event.kind == "invoice_paid",
            price_id=event.price_id,
            money=event.money,
        ),
    )


def _org_of(state: OpenApp, event: ProviderEvent) -> Org | None:
    """What the event itself says, else whose subscription it names. None if the two contradict each other, or the
    subscription is one that another provider has under the same id.
    """
    owner = state.by_external_id.get(event.external_id) if event.external_id else None
    if owner is not None and (event.org_id not in (None, owner) or _is_of_another_provider(state.orgs[owner], event)):
        return None
    return state.orgs.get(event.org_id or owner or "")


def _is_of_another_provider(org: Org, event: ProviderEvent) -> bool:
    """Whether the subscription that the event names is not its own provider's."""
    return any(
        _is_about(each, event) and each.provider != event.provider for each in (org.subscription, org.pending) if each
    )


def _is_about(subscription: Subscription | None, event: ProviderEvent) -> bool:
    return subscription is not None and event.external_id in subscription.names


def _meant_by(org: Org, event: ProviderEvent) -> Subscription | None:
    """Which of the organization's subscriptions the event speaks of.

    By id; what is pending gets the provider's id only with the first event, so there the end of a checkout counts
    too, and an event for the very tier that is pending.
    """
    for known in (org.subscription, org.pending):
        if _is_about(known, event):
            return known
    if org.pending is None or event.kind not in ("subscription_created", "subscription_updated", "invoice_paid"):
        return None
    is_meant = event.tier_slug == org.pending.tier_slug or (event.is_session and event.tier_slug is None)
    return org.pending if is_meant else None


def _with_news_of_pending(state: OpenApp, org: Org, event: ProviderEvent) -> tuple[OpenApp, tuple[Effect, ...], str]:
    """Still unpaid, or given up. Its first id stays: the client has it, and the link to the page where it is paid."""
    pending = org.pending
    assert pending is not None
    if event.created < pending.provider_time:
        return state, (), OLDER
    if event.status == "canceled":
        return with_pending(state, org, None), (), "the checkout was given up"
    return with_pending(state, org, msgspec.structs.replace(pending, provider_time=event.created)), (), "still pending"


def _following(org: Org, before: Subscription | None, event: ProviderEvent, context: Context) -> Subscription | str:
    """The subscription as the event leaves it, or why nothing changes."""
    # A subscription that is not known may be one that was replaced: what is older than the replacement comes too late.
    newest = before or org.subscription
    if newest is not None and event.created < newest.provider_time:
        return _late_plan(before, event) or OLDER
    if before is not None and before.status == "canceled":
        return "canceled already"
    is_about_current = before is not None and before is org.subscription
    is_invoice = event.kind in ("invoice_paid", "invoice_failed")
    # An invoice tells of money; which plan holds, the subscription's own events say.
    known = before.tier_slug if before is not None else None
    tier_slug = (known or event.tier_slug) if is_invoice else (event.tier_slug or known)
    if tier_slug is None:
        return "no tier matches"
    status = event.status or (before.status if before is not None else None)
    if status is None:
        return "no status matches"
    if status in ("canceled", "past_due") and not is_about_current:
        return "not about the current subscription"
    if status == "pending" and is_about_current:
        return "a current subscription does not become pending"
    external_id = event.external_id or (before.external_id if before is not None else f"sub_{context.id(0)}")
    if status == "pending" and before is not None:
        # Paid for here later, known to the provider by another id from now on.
        return msgspec.structs.replace(before, alias=external_id, provider_time=event.created)
    return Subscription(
        external_id=external_id,
        subscription_id=before.subscription_id if before is not None else context.id(1),
        provider=event.provider,
        status=status,
        tier_slug=tier_slug,
        provider_time=max(event.created, before.provider_time if before is not None else 0),
        plan_time=before.plan_time if is_invoice and before is not None else event.created,
    )


def _late_plan(before: Subscription | None, event: ProviderEvent) -> Subscription | None:
    """A change of plan that an invoice has overtaken: the invoice's word holds for the status, this for the plan."""
    if (
        before is None
        or before.status == "canceled"
        or event.kind not in ("subscription_created", "subscription_updated")
    ):
        return None
    if event.tier_slug is None or event.created <= before.plan_time:
        return None
    return msgspec.structs.replace(before, tier_slug=event.tier_slug, plan_time=event.created)
