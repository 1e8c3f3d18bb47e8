"""What a provider's events mean: which organization, which plan, which status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.bench import Bench, Script
from contracts.case import Case

from .credentials import NOWHERE
from .events import SUBSCRIPTION, Provider, invoice, session, subscription
from .ingress import CREATED, DELETED, UPDATED
from .stock import Stock, billing, is_bound, override

STATUSES = (
    "active", "trialing", "past_due", "unpaid", "paused", "canceled", "unheard_of",
)  # fmt: skip
IGNORED = ("ping", "customer.created", "charge.refunded", "payout.paid")
PRICES = (
    "price_starter_monthly", "price_starter_yearly", "price_business_yearly", "price_enterprise_2024", "price_of_nothing",
)  # fmt: skip


def plans(bench: Bench) -> None:
    """The plan is the one that the event names, or the one whose price it has."""
    for price in PRICES:
        bench.attempt(_told(CREATED, {"price": price}))
    for tier in ("business", "enterprise-2024", "gold"):
        bench.attempt(_named(tier))
    for script in (_items_expanded, _limits_follow, _paid_in_both_shapes, _invoice_names_no_plan, _invoice_of_a_change):
        bench.attempt(script)


def _told(kind: str, about: Mapping[str, Any]) -> Script:
    def script(case: Case) -> None:
        Provider(case).tell(kind, subscription(case, **about))

    return script


def _named(tier: str) -> Script:
    """By name, although the price is another's."""

    def script(case: Case) -> None:
        Provider(case).tell(CREATED, subscription(case, metadata={"org_id": case.org, "tier_slug": tier}))

    return script


def _items_expanded(case: Case) -> None:
    """Without a price there is no plan; the one that is known stays."""
    provider = Provider(case)
    provider.tell(CREATED, subscription(case, price=None))
    provider.tell(CREATED, subscription(case, price="price_business_monthly"))
    provider.tell(UPDATED, subscription(case, "past_due", None))


def _limits_follow(case: Case) -> None:
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    for what in ("usage", "upgrade_options", "degradation"):
        case.ask(**billing(case, what))
    provider.tell(DELETED, subscription(case, "canceled"))
    for what in ("usage", "upgrade_options", "degradation"):
        case.ask(**billing(case, what))


def _paid_in_both_shapes(case: Case) -> None:
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    for newer in (False, True):
        provider.tell("invoice.payment_failed", invoice(newer=newer))
        provider.tell("invoice.payment_succeeded" if newer else "invoice.paid", invoice(newer=newer))


def _invoice_names_no_plan(case: Case) -> None:
    """The plan stays what the subscription's own events said."""
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    lines = {"data": [{"amount": 19900, "price": {"id": "price_business_monthly"}}]}
    provider.tell("invoice.paid", invoice(lines=lines))


def _invoice_of_a_change(case: Case) -> None:
    """What is given back for the plan before says nothing about the plan that holds."""
    provider = Provider(case)
    lines = [
        {"amount": -500, "proration": True, "price": {"id": "price_pro_monthly"}},
        {"amount": 900, "price": {"id": "price_business_monthly"}},
    ]
    provider.tell("invoice.paid", invoice(lines={"data": lines}, metadata={"org_id": case.org}))


def states(bench: Bench) -> None:
    """Status and plan follow the subscription to its end, from which nothing brings it back."""
    for status in STATUSES:
        bench.attempt(_status(status))
    bench.attempt(_first_incomplete)
    bench.attempt(_ended)
    bench.attempt(_anew)
    for payment in ("paid", "no_payment_required"):
        bench.attempt(_session(payment))
    bench.attempt(_session_for_something_else)


def _status(status: str) -> Script:
    def script(case: Case) -> None:
        provider = Provider(case)
        provider.tell(CREATED, subscription(case))
        provider.tell(UPDATED, subscription(case, status))

    return script


def _first_incomplete(case: Case) -> None:
    provider = Provider(case)
    provider.send(provider.event(CREATED, subscription(case, "incomplete")))
    provider.tell(UPDATED, subscription(case, "active"))


def _ended(case: Case) -> None:
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    provider.tell(DELETED, subscription(case, "canceled"))
    provider.tell(UPDATED, subscription(case))
    provider.tell("invoice.paid", invoice())
    provider.tell("invoice.payment_failed", invoice())


def _anew(case: Case) -> None:
    """After the end another one can begin."""
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    provider.tell(DELETED, subscription(case, "canceled"))
    provider.send(provider.event(CREATED, subscription(case, price="price_starter_monthly", id="sub_{{try}}_new")))
    case.ask(**billing(case, "usage"))


def _session(payment: str) -> Script:
    def script(case: Case) -> None:
        case.ask(**billing(case, "checkout", json={"tier_slug": "pro"}))
        provider = Provider(case)
        provider.send(provider.event("checkout.session.completed", session(case, payment_status=payment)))
        case.ask(**billing(case, "usage"))

    return script


def _session_for_something_else(case: Case) -> None:
    Provider(case).tell("checkout.session.completed", session(case, "business", mode="payment", subscription=None))


def ownership(bench: Bench) -> None:
    """An event is about one organization; if what it says contradicts itself, about none."""
    for script in (_of_nobody, _contradicting, _by_subscription, _reference_first, _over_capacity):
        if script is not _over_capacity or bench.offers("operator"):
            bench.attempt(script)
    for kind in IGNORED:
        bench.attempt(_ignored(kind))


def _of_nobody(case: Case) -> None:
    provider = Provider(case)
    provider.tell(CREATED, subscription(case, metadata={}))
    if not is_bound(case):
        provider.tell(CREATED, subscription(case, metadata={"org_id": NOWHERE}))


def _contradicting(case: Case) -> None:
    """It names one organization, and the subscription of another."""
    annex = Stock(case).another("org")
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    provider.tell(UPDATED, subscription(case, price="price_business_monthly", metadata={"org_id": annex}))
    case.ask("get_org_billing_plan", path={"id": annex})


def _by_subscription(case: Case) -> None:
    """Once it is known the subscription's id is enough, and leads nowhere else."""
    annex = Stock(case).another("org")
    provider = Provider(case)
    provider.tell(CREATED, subscription(case))
    provider.tell(CREATED, subscription(case, id="sub_{{try}}_annex", metadata={"org_id": annex}))
    provider.tell(UPDATED, subscription(case, "past_due", id="sub_{{try}}_annex", metadata={}))
    provider.tell("invoice.payment_failed", invoice(SUBSCRIPTION))
    case.ask("get_org_billing_plan", path={"id": annex})


def _reference_first(case: Case) -> None:
    annex = Stock(case).another("org")
    provider = Provider(case)
    thing = session(case, "business", client_reference_id=case.org, metadata={"org_id": annex, "tier_slug": "business"})
    provider.tell("checkout.session.completed", thing)
    case.ask("get_org_billing_plan", path={"id": annex})


def _over_capacity(case: Case) -> None:
    """Ending a subscription may leave an organization with more than it may hold."""
    provider = Provider(case)
    provider.send(provider.event(CREATED, subscription(case)))
    for _ in range(4):
        case.ask(**Stock(case).creation("zone"))
    provider.tell(DELETED, subscription(case, "canceled"))
    case.ask(**billing(case, "degradation"))
    case.ask(**override(case, "zones", 4))
    case.ask(**billing(case, "degradation"))


def _ignored(kind: str) -> Script:
    def script(case: Case) -> None:
        thing = {"id": "ch_1", "object": kind.partition(".")[0], "metadata": {"org_id": case.org}}
        Provider(case).tell(kind, thing)

    return script
