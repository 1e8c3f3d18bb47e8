"""A payment provider's webhook: trusted by its signature alone, and tolerant of repeats and disorder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.bench import Bench, Script
from contracts.case import Case

from .events import Provider, invoice, story, subscription
from .stock import Stock, billing

CREATED, UPDATED, DELETED = (f"customer.subscription.{what}" for what in ("created", "updated", "deleted"))
FORGED: Sequence[Mapping[str, Any]] = (
    {"header": "missing"},
    {"secret": "wrong"},
    {"body": "changed"},
    {"body": "another"},
    {"body": "spaced"},
    {"time": "changed"},
    {"header": "malformed"},
    {"header": "no time"},
    {"header": "no signature"},
    {"header": "two wrong"},
    {"scheme": "v0"},
    {"secret": "empty"},
    {"body": "cut"},
    {"body": "longer"},
    {"body": "reordered"},
)
NOT_EVENTS: Sequence[Any] = (
    "", "not json", "{", "[]", '"text"', "null", {}, {"id": "evt_x"}, {"id": "evt_x", "type": "ping"},
    {"id": 7, "type": "ping", "data": {"object": {}}}, {"id": "evt_x", "type": "ping", "data": {"object": []}},
)  # fmt: skip


def signature(bench: Bench) -> None:
    """Only what the secret has signed, byte for byte, is taken in."""
    if bench.is_about("post_billing_webhook"):
        for signing in FORGED:
            bench.attempt(_forged(signing))
        bench.attempt(_one_of_two)


def _forged(signing: Mapping[str, Any]) -> Script:
    def script(case: Case) -> None:
        provider = Provider(case)
        event = provider.event(CREATED, subscription(case))
        provider.send(event, **signing)
        provider.look()
        provider.send(event)
        provider.look()

    return script


def _one_of_two(case: Case) -> None:
    """While a secret is being replaced the provider signs with both."""
    provider = Provider(case)
    provider.send(provider.event(CREATED, subscription(case)), header="two")
    provider.look()


def age(bench: Bench) -> None:
    """A signature holds for five minutes."""
    for seconds in (0, 299, 300, 301, 3600) if bench.offers("clock") else (0, 200, 400, 3600):
        bench.attempt(_aged(seconds))


def _aged(seconds: int) -> Script:
    def script(case: Case) -> None:
        provider = Provider(case)
        event = provider.event(CREATED, subscription(case))
        provider.send(event, age=seconds)
        provider.look()
        provider.send(event)

    return script


def payload(bench: Bench) -> None:
    """What is no event is refused, but not before its signature has been checked."""
    for body in NOT_EVENTS:
        bench.attempt(_not_an_event(body))
    bench.attempt(_of_nobody)


def _not_an_event(body: Any) -> Script:
    def script(case: Case) -> None:
        provider = Provider(case)
        provider.send(body, secret="wrong")  # noqa: S106
        provider.send(body, header="missing")
        provider.send(body)
        provider.look()

    return script


def _of_nobody(case: Case) -> None:
    """A provider that is not known."""
    event = Provider(case).event(CREATED, subscription(case))
    for signing in ({}, {"header": "missing"}):
        for name in ("acmepay", "stripe2"):
            case.ask("post_billing_webhook", None, path={"provider": name}, json=event, signing=signing)
    case.ask(**billing(case, "plan"))


def repeats(bench: Bench) -> None:
    """An event that was seen before changes nothing, whatever happened in between and whatever it says now."""
    for script in (_again_after_another, _same_id_other_event):
        bench.attempt(script)
    if bench.offers("clock"):
        bench.attempt(_again_next_day)


def once(bench: Bench) -> None:
    """An event that comes twice counts once."""
    bench.attempt(_twice)
    bench.attempt(_again_by_another_road)


def _twice(case: Case) -> None:
    provider = Provider(case)
    event = provider.event(CREATED, subscription(case))
    for _ in range(2):
        provider.send(event)
        provider.look()


def _again_after_another(case: Case) -> None:
    provider = Provider(case)
    event = provider.event(UPDATED, subscription(case, price="price_business_monthly"), at=20)
    provider.send(event)
    provider.tell(UPDATED, subscription(case, price="price_starter_monthly"), at=20)
    provider.send(event)
    provider.look()


def _same_id_other_event(case: Case) -> None:
    provider = Provider(case)
    provider.tell(CREATED, subscription(case), name="a")
    provider.tell(UPDATED, subscription(case, price="price_business_monthly"), name="a")
    provider.tell(DELETED, subscription(case, "canceled"), name="a")


def _again_by_another_road(case: Case) -> None:
    """Bought here in the meantime: the provider's repeated news do not undo it."""
    provider = Provider(case)
    event = provider.event(CREATED, subscription(case))
    provider.send(event)
    case.ask(**billing(case, "checkout", json={"tier_slug": "business"}))
    provider.send(event)
    provider.look()


def _again_next_day(case: Case) -> None:
    provider = Provider(case)
    event = provider.event(CREATED, subscription(case))
    provider.send(event)
    case.ask(**billing(case, "checkout", json={"tier_slug": "business"}))
    case.advance("P1D")
    provider.send(event)
    provider.look()


def disorder(bench: Bench) -> None:
    """What is older than the newest that was applied changes nothing, but for a plan that an invoice has overtaken."""
    for at in (30, 20, 10):
        bench.attempt(_late(at))
    for kind in ("invoice.paid", "invoice.payment_failed"):
        bench.attempt(_overtaken_by_an_invoice(kind))
    for script in (_created_after_updated, _late_end, _late_for_another, _replaced):
        bench.attempt(script)
    for name in ("acme", "globex", "stranger"):
        bench.attempt(_story(name, False))
        if bench.profile == "full":
            bench.attempt(_story(name, True))


def _late(at: int) -> Script:
    """The second event was created at `at`, the first one at 20."""

    def script(case: Case) -> None:
        provider = Provider(case)
        provider.tell(UPDATED, subscription(case), at=20)
        provider.tell(UPDATED, subscription(case, "past_due", "price_business_monthly"), at=at)

    return script


def _overtaken_by_an_invoice(kind: str) -> Script:
    def script(case: Case) -> None:
        provider = Provider(case)
        provider.tell(CREATED, subscription(case), at=10)
        provider.tell(kind, invoice(), at=30)
        provider.tell(UPDATED, subscription(case, price="price_business_monthly"), at=20)
        provider.tell(UPDATED, subscription(case, price="price_starter_monthly"), at=5)

    return script


def _created_after_updated(case: Case) -> None:
    provider = Provider(case)
    provider.tell(UPDATED, subscription(case, price="price_business_monthly"), at=20)
    provider.tell(CREATED, subscription(case, "incomplete"), at=10)


def _late_end(case: Case) -> None:
    provider = Provider(case)
    provider.tell(UPDATED, subscription(case), at=20)
    provider.tell(DELETED, subscription(case, "canceled"), at=10)


def _late_for_another(case: Case) -> None:
    """Each organization's subscription has a time of its own."""
    annex = Stock(case).another("org")
    provider = Provider(case)
    provider.tell(CREATED, subscription(case), at=20)
    theirs = subscription(case, id="sub_{{try}}_annex", metadata={"org_id": annex})
    provider.tell(CREATED, theirs, at=10)
    case.ask("get_org_billing_plan", path={"id": annex})


def _replaced(case: Case) -> None:
    """The end of a subscription that another one has replaced ends nothing."""
    provider = Provider(case)
    provider.send(provider.event(CREATED, subscription(case, id="sub_{{try}}_old"), at=10))
    provider.send(provider.event(CREATED, subscription(case, price="price_business_monthly"), at=20))
    provider.send(provider.event(DELETED, subscription(case, "canceled", id="sub_{{try}}_old"), at=30))
    # Not the plan: whether the second one has an id of its own, nobody says.
    case.ask(**billing(case, "usage"))


def _story(name: str, backwards: bool) -> Script:
    def script(case: Case) -> None:
        if name == "globex" and not (case.place.is_own and "other" in case.target.credentials):
            return
        provider = Provider(case)
        # What an event of a kind that changes nothing is told to say of a subscription, nobody promises.
        told = [each for each in story(name) if not each["type"].endswith("trial_will_end")]
        for event in reversed(told) if backwards else told:
            provider.send(event)
            if name == "globex":
                case.ask("get_org_billing_plan", "other", path={"id": case.name("other_org")})
            else:
                provider.look()

    return script
