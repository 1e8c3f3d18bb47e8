"""Webhook ingress: a provider's events, forged, old, repeated, out of order, and what they change."""

from __future__ import annotations

from contracts.law import Law
from contracts.openapp import ingress, provider_news
from contracts.target import Need

DOCS = "docs/apis/openapp.md#provider-webhooks"
INVALID = "/components/responses/InvalidWebhook"
WEBHOOK = "/paths/~1billing~1webhooks~1{provider}/post"
NEEDS: frozenset[Need] = frozenset({"writes", "webhook-secret"})

LAWS = (
    Law("ingress.signature", "Only what the provider has signed is taken in, byte for byte",
        INVALID, NEEDS, ingress.signature),
    Law("ingress.age", "A signature holds for five minutes", INVALID, NEEDS, ingress.age),
    Law("ingress.payload", "What is no event is refused, once its signature has been checked",
        INVALID, NEEDS | {"full"}, ingress.payload),
    Law("ingress.repeats", "An event that was seen before changes nothing", WEBHOOK, NEEDS, ingress.repeats),
    Law("ingress.disorder", "An event that comes too late changes nothing", WEBHOOK, NEEDS, ingress.disorder),
    Law("ingress.plans", "The plan is the one that the event names, or whose price it has",
        DOCS, NEEDS, provider_news.plans),
    Law("ingress.states", "A subscription is active, past due or over, as the provider says",
        DOCS, NEEDS, provider_news.states),
    Law("ingress.ownership", "An event changes the organization that it is about, and no other",
        DOCS, NEEDS, provider_news.ownership),
)  # fmt: skip
