"""Webhooks of the payment provider: forged, old, repeated or disordered ones that count, true ones that do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.apis.openapp.model import providers, webhook_ingress
from mock_server.apis.openapp.model.state import Catalog
from mock_server.engine.decisions import Context
from mock_server.webhooks.schemes import hmacs, stripe
from mock_server.webhooks.schemes.hmacs import Hmac
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

from .mutant import Install, family, patched, replacing, together

mutant = family("ingress")


def _verifying(make: Callable[[Any], Any]) -> Install:
    """A fault in how Stripe's signatures are verified."""

    def of_all(real: Any) -> Any:
        faulty = make(lambda *args: real(stripe.SCHEME, *args))
        return lambda self, *args: faulty(*args) if self is stripe.SCHEME else real(self, *args)

    return patched(Hmac, "verify", of_all)


def _taking(*reasons: str) -> Install:
    """Webhooks that would be refused for one of these reasons."""

    def make(real: Any) -> Any:
        def faulty(*args: Any) -> Any:
            verdict = real(*args)
            return Verified() if isinstance(verdict, Rejected) and verdict.reason in reasons else verdict

        return faulty

    return _verifying(make)


def _known_header(real: Any) -> Any:
    """A signature that was good once is good for any body."""
    known: set[str] = set()

    def faulty(message: Any, headers: Any, *args: Any) -> Any:
        header = headers.get("stripe-signature", "")
        verdict = real(message, headers, *args)
        if isinstance(verdict, Verified) and len(known) < 10_000:
            known.add(header)
        is_known = isinstance(verdict, Rejected) and verdict.reason == "mismatch" and header in known
        return Verified() if is_known else verdict

    return faulty


def _rewritten(*, only: bool) -> Install:
    """The signature is looked for over the parsed body written anew: in addition, or instead of the bytes that came."""

    def make(real: Any) -> Any:
        def faulty(message: Any, headers: Any, *args: Any) -> Any:
            verdict = real(message, headers, *args)
            if not only and not (isinstance(verdict, Rejected) and verdict.reason == "mismatch"):
                return verdict
            try:
                body = json.dumps(json.loads(message.body), separators=(",", ":"), ensure_ascii=False).encode()
            except ValueError:
                return verdict
            return real(Message(body), headers, *args)

        return faulty

    return _verifying(make)


def _tolerating(seconds: Any) -> Install:
    def make(real: Any) -> Any:
        return lambda message, headers, secrets, now, tolerance: real(
            message, headers, secrets, now, seconds(tolerance)
        )

    return _verifying(make)


def _empty_secret(real: Any) -> Any:
    return lambda message, headers, secrets, *args: real(message, headers, [*secrets, ""], *args)


def _no_key(real: Any) -> Any:
    return lambda secret, kind: real(secret, kind) if secret else b""


def _never_seen(real: Any) -> Any:
    return lambda self, scope, key: None if scope.startswith("openapp/webhook/") else real(self, scope, key)


def _in_any_order(real: Any) -> Any:
    def timeless(subscription: Any) -> Any:
        return subscription and msgspec.structs.replace(subscription, provider_time=0, plan_time=0)

    def faulty(org: Any, before: Any, event: Any, context: Any) -> Any:
        current, pending = timeless(org.subscription), timeless(org.pending)
        before = None if before is None else current if before is org.subscription else pending
        return real(msgspec.structs.replace(org, subscription=current, pending=pending), before, event, context)

    return faulty


def _next_tier(real: Any) -> Any:
    """A price that is listed with the wrong tier."""

    def faulty(self: Catalog, provider: str, price: str) -> Any:
        tier, tiers = real(self, provider, price), list(self.tiers.values())
        return tier and tiers[(tiers.index(tier) + 1) % len(tiers)]

    return faulty


def _as_it_claims(real: Any) -> Any:
    """Whose subscription it is according to what is known is not asked where the event names an organization."""
    return lambda state, event: real(state, event) if event.org_id is None else state.orgs.get(event.org_id)


def _of_any_shape(real: Any) -> Any:
    """What is not understood is an event of another kind."""

    def faulty(provider: str, payload: Any, *args: Any) -> Any:
        try:
            return real(provider, payload, *args)
        except providers.InvalidEvent:
            raw = payload if isinstance(payload, dict) else {}
            return providers.ProviderEvent("", "other", provider, 0, raw)

    return faulty


def _paid_all_the_same(statuses: Any) -> Any:
    return {**statuses, "past_due": "active", "unpaid": "active"}


MUTANTS = (
    mutant("signature-unchecked", "any signature will do", _taking("mismatch", "malformed"), 83),
    mutant(
        "signature-without-body",
        "a signature that was good once is good for any body",
        _verifying(_known_header),
        84,
    ),
    mutant("unsigned-taken", "a webhook may have no signature", _taking("missing"), 37),
    mutant("old-taken", "webhooks may be of any age", _tolerating(lambda _: 0), 85),
    mutant(
        "a-second-older-taken", "webhooks may be a second too old", _tolerating(lambda tolerance: tolerance + 1), 85
    ),
    mutant(
        "empty-secret-taken",
        "what is signed with an empty secret is taken",
        together(patched(hmacs, "key_of", _no_key), _verifying(_empty_secret)),
    ),
    mutant("rewritten-taken", "a body may be written in another way than it was signed", _rewritten(only=False)),
    mutant("only-rewritten-taken", "a body must be signed as our own JSON writer writes it", _rewritten(only=True)),
    mutant("event-twice", "an event that comes twice counts twice", patched(Context, "recall", _never_seen), 86),
    mutant(
        "events-in-any-order",
        "an event older than the last one counts",
        replacing(webhook_ingress._following, _in_any_order),
    ),
    mutant("no-event-taken", "what is no event is taken", replacing(providers.read_event, _of_any_shape)),
    mutant("price-of-another", "a price stands for the tier after its own", patched(Catalog, "with_price", _next_tier)),
    mutant(
        "contradiction-applied",
        "an event may give one organization's subscription to another",
        replacing(webhook_ingress._org_of, _as_it_claims),
    ),
    mutant(
        "past-due-is-active",
        "a subscription that is past due is taken for an active one",
        patched(providers.stripe, "STATUSES", _paid_all_the_same),
    ),
)
