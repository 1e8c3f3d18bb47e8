"""A bit of everything at the same time: for what no rule about one quota or one key would see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.case import Case
from contracts.machine import Random
from contracts.races.judging import Burst
from contracts.steps import Call

from .disappearing import DELETED_TOO, nothing_else
from .scenes import TIERS, call, limited, named, reads
from .stock import Stock, billing, deletion, override

Makers = list[Callable[[int], Call]]
"""Each makes the n-th call of a burst."""


def _looks(case: Case) -> Makers:
    return [lambda _: call(**billing(case, "usage")), lambda _: call(**billing(case, "plan"))]


def _zones(case: Case, random: Random) -> Makers:
    stock = Stock(case)
    zone = stock["zone"]
    limited(case, "zones", "lifetime", random.randint(0, 2), stock.creation("zone"))
    return [
        lambda n: named(stock.creation("zone"), n),
        lambda _: call(**deletion("zone", zone)),
        lambda _: call("restore_zone", path={"id": zone}),
        lambda _: call("get_zone", path={"id": zone}),
        lambda _: call("list_zones"),
    ]


def _devices(case: Case, random: Random) -> Makers:
    stock = Stock(case)
    make = stock.creation("device")
    limited(case, "devices", "lifetime", random.randint(0, 2), make)
    return [lambda n: named(make, n), lambda n: named(make, n), lambda _: call("list_devices")]


def _people(case: Case, random: Random) -> Makers:
    stock = Stock(case)
    user = stock["user"]
    limited(case, "org_users", "lifetime", random.randint(0, 2), stock.creation("user"))
    return [
        lambda n: named(stock.creation("user"), n),
        lambda _: call("delete_user", path={"id": user}),
        lambda _: call("list_users"),
    ]


def _uses(case: Case, random: Random) -> Makers:
    use: dict[str, Any] = {"operation": "reverse_geocode", "json": {"lat": 52.5, "lng": 13.4}}
    limited(case, "geocoding_requests", "day", random.randint(0, 2), use)
    return [lambda _: call(**use), lambda _: call("create_scripting_execution", json={"script": "open()"})]


def _plans(case: Case, random: Random) -> Makers:
    buy: Callable[[int], Call] = lambda _: call(  # noqa: E731
        **billing(case, "checkout", json={"tier_slug": random.choice(TIERS)})
    )
    return [buy, buy]


def _limits(case: Case, random: Random) -> Makers:
    if "operator" not in case.target.credentials:
        return []
    return [lambda n: call(**override(case, "devices", n)), lambda n: call(**override(case, "zones", n + 1))]


SUBJECTS = (_zones, _devices, _people, _uses, _plans, _limits)


def with_another(subject: Callable[[Case, Random], Makers]) -> Callable[[Case, Random], Burst]:
    """What people do with one thing and with another at the same time, and reads between them."""

    def prepare(case: Case, random: Random) -> Burst:
        other = random.choice([each for each in SUBJECTS if each is not subject])
        makers = [*subject(case, random), *other(case, random), *_looks(case)]
        calls = [random.choice(makers)(n) for n in range(random.randint(4, 6))]
        lanes: list[list[Call]] = [[] for _ in range(random.randint(2, len(calls)))]
        for n, each in enumerate(calls):
            lanes[n % len(lanes)].append(each)
        listed = [call(f"list_{what}", query=DELETED_TOO) for what in ("zones", "devices")]
        return Burst(tuple(tuple(lane) for lane in lanes), reads(case, *listed, call("list_users")), nothing_else)

    return prepare
