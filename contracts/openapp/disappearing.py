"""Scenes in which something goes away, comes back, or arrives twice, while it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contracts.case import Case
from contracts.http import Answer
from contracts.machine import Random
from contracts.races.judging import Breach, Burst, Done
from contracts.steps import Call
from mock_server.engine.instants import SECOND

from .scenes import TIERS, alone, call, counted, limited, named, reads
from .stock import KINDS, Stock, deletion, opening

DELETED_TOO = {"include_deleted": "true"}
PARENTS = {"device": ("integration", "integration_id"), "entity": ("device", "device_id")}
"""What hangs on what, and which member says so."""


def nothing_else(_: Sequence[Done], __: Sequence[Answer], ___: Sequence[Answer]) -> Breach | None:
    """For what only an order of the calls can explain."""
    return None


def opened_while_deleted(case: Case, random: Random) -> Burst | None:
    entity = Stock(case)["entity"]
    lanes = alone([call(**opening(entity))] * random.randint(2, 5))
    listed = call("list_entities", query=DELETED_TOO)
    return Burst(
        (*lanes, _away(random, "entity", entity)),
        reads(case, listed),
        counted("execute_entity_action", "door_opens", "day"),
    )


def _away(random: Random, kind: str, made: str) -> tuple[Call, ...]:
    """A deletion, at times a little after the others have begun: whatever they looked up is still there then."""
    look = call(f"get_{kind}", path={"id": made})
    return (*((look,) if random.random() < 0.5 else ()), call(**deletion(kind, made)))


def filled_while_deleted(kind: str) -> Callable[[Case, Random], Burst | None]:
    """Something is deleted while more is hung on it."""
    parent, member = PARENTS[kind]

    def prepare(case: Case, random: Random) -> Burst | None:
        stock = Stock(case)
        make = stock.creation(kind)
        lanes = alone([named(make, n) for n in range(random.randint(2, 5))])
        lanes = (*lanes, _away(random, parent, stock[parent]))
        return Burst(lanes, reads(case, call(f"list_{KINDS[kind]}"), call(f"list_{KINDS[parent]}")), kept)

    def kept(_: Sequence[Done], __: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        there = {each["id"] for each in _items(after[3])}
        orphans = [each["id"] for each in _items(after[2]) if each[member] not in there]
        expected = f"no {kind} without its {parent}"
        return Breach(expected, f"{orphans[0]} is there, its {parent} is not", (2, 3)) if orphans else None

    return prepare


def deleted_at_once(kind: str) -> Callable[[Case, Random], Burst | None]:
    """One thing is deleted several times at once."""

    def prepare(case: Case, random: Random) -> Burst | None:
        calls = [call(**deletion(kind, Stock(case)[kind]))] * random.randint(2, 4)
        return Burst(alone(calls), reads(case, call(f"list_{KINDS[kind]}")), kept)

    def kept(done: Sequence[Done], _: Sequence[Answer], __: Sequence[Answer]) -> Breach | None:
        accepted = sum(each.is_accepted for each in done)
        expected = f"one of {len(done)} deletions of the same {kind} to find it"
        return None if accepted == 1 else Breach(expected, f"{accepted} did")

    return prepare


def brought_back(kind: str) -> Callable[[Case, Random], Burst | None]:
    """One deleted thing is restored several times at once, beside purges of it and new things that want its room."""

    def prepare(case: Case, random: Random) -> Burst | None:
        stock = Stock(case)
        deleted = stock[f"deleted {kind}"]
        make = stock.creation(kind)
        if not limited(case, KINDS[kind], "lifetime", 1, make):
            return None
        restore, purge = (call(f"{verb}_{kind}", path={"id": deleted}) for verb in ("restore", "purge"))
        calls = [restore] * random.randint(1, 3) + [purge] * random.randint(0, 2)
        calls += [named(make, n) for n in range(random.randint(0, 2))] or [restore]
        random.shuffle(calls)
        return Burst(alone(calls), reads(case, call(f"list_{KINDS[kind]}", query=DELETED_TOO)), nothing_else)

    return prepare


def revoked_key(case: Case, random: Random) -> Burst | None:
    """A key is revoked while others work with it."""
    made = case.ask("create_api_key", json={"name": "laptop"}).json
    token = made["token"]
    uses = [call("list_zones", token)] * 3
    lanes = [(call("revoke_api_key", path={"id": made["id"]}),)] + [tuple(uses)] * random.randint(1, 3)
    random.shuffle(lanes)

    def kept(done: Sequence[Done], _: Sequence[Answer], __: Sequence[Answer]) -> Breach | None:
        ends = [each for each in done if each.call.operation == "revoke_api_key" and each.is_accepted]
        for each in done:
            if each.call.operation != "revoke_api_key" and each.is_accepted:
                for end in ends:
                    if end.span.is_before(each.span):
                        expected = "a key to be good for nothing once its revocation has been answered"
                        return Breach(expected, "a call that was made after that was accepted")
        return None

    return Burst(tuple(lanes), reads(case, call("list_api_keys")), kept)


def one_event(case: Case, random: Random) -> Burst | None:
    """A provider's events, each several times, in any order, at once."""
    at = case.now // SECOND
    tiers = random.sample(TIERS, random.randint(1, 3))
    events = [_event(case.org, n, at - len(tiers) + n, tier) for n, tier in enumerate(tiers)]
    calls = [each for each in events for _ in range(random.randint(1, 2))]
    calls += [events[0]] * max(0, 2 - len(calls))
    random.shuffle(calls)

    def kept(done: Sequence[Done], _: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        newest = max((each.call.json for each in done), key=lambda event: int(event["created"]))
        tier = newest["data"]["object"]["metadata"]["tier_slug"]
        plan = after[1].json["tier_id"]
        return None if plan == tier else Breach(f"the plan {tier}, of the newest event", f"it is {plan}", (1,))

    return Burst(alone(calls), reads(case), kept)


def _event(org: str, n: int, created: int, tier: str) -> Call:
    about = {
        "id": "sub_race_{{try}}",
        "customer": "cus_race",
        "status": "active",
        "metadata": {"org_id": org, "tier_slug": tier},
    }
    event = {
        "id": f"evt_race_{{{{try}}}}_{n}",
        "type": "customer.subscription.updated",
        "created": created,
        "data": {"object": about},
    }
    path = {"provider": "stripe"}
    return call("post_billing_webhook", None, path=path, json=event, signing={}, media_type="application/json")


def _items(answer: Answer) -> Any:
    value = answer.json
    return value if isinstance(value, list) else value["items"]
