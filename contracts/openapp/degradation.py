"""What happens to an organization that holds more than its limits allow, stage by stage, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.bench import Bench
from contracts.case import Case

from .stock import KINDS, PLURAL, POLICIES, Stock, billing, deletion, is_bound, opening, override


def stages(bench: Bench) -> None:
    """Each stage begins when it is due, not a second before, and slows down as much as it should."""
    if not bench.is_about("get_org_billing_degradation"):
        return
    for waits in (
        ("P6DT23H59M59S", "PT1S", "PT1S"),
        ("P7D", "P15D", "P14DT23H59M59S", "PT1S"),
        ("P37D", "P13DT23H59M59S", "PT1S", "PT1S"),
        ("P10D", "P10D", "P10D", "P10D"),
        ("P51D", "P1D"),
        ("P60D",),
    ):
        bench.attempt(_through(waits))
    bench.attempt(_doors)
    bench.attempt(_begins_anew)
    bench.attempt(_deletes_what_hangs_on_it)


def _too_many(case: Case, kind: str = "zone", n: int = 2, limit: int = 1) -> list[str]:
    """`n` of a kind and a limit for fewer; their ids, oldest first."""
    stock = Stock(case)
    made = []
    for _ in range(n):
        made.append(stock.another(kind))
        if case.place.clock is not None:
            case.advance("PT1M")
    case.ask(**override(case, KINDS[kind], limit))
    return made


def _through(waits: tuple[str, ...]) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        _too_many(case)
        case.ask(**billing(case, "degradation"))
        for wait in waits:
            case.advance(wait)
            case.ask(**billing(case, "degradation"))
        case.ask("list_zones", query={"include_deleted": "true"})
        case.ask(**billing(case, "usage"))

    return script


def _doors(case: Case) -> None:
    """Slower from day to day for all but administrators, but never refused."""
    door = Stock(case)["entity"]
    _too_many(case)
    callers = ["owner", *(role for role in ("member", "operator") if role in case.target.credentials)]
    for wait in ("PT1S", "P7D", "P10D", "P10D", "P10D"):
        case.advance(wait)
        for caller in callers:
            case.ask(**opening(door, caller=caller))


def _begins_anew(case: Case) -> None:
    """Of what is still too much after the deletion some is flagged again, and warned of from the start."""
    _too_many(case, n=3, limit=2)
    case.advance("P40D")
    case.ask(**override(case, "zones", 1))
    case.ask(**billing(case, "degradation"))
    case.advance("P12D")
    case.ask(**billing(case, "degradation"))
    case.advance("P51D")
    case.ask(**billing(case, "degradation"))


def _deletes_what_hangs_on_it(case: Case) -> None:
    stock = Stock(case)
    door = stock["entity"]
    case.ask(**override(case, "devices", 0))
    case.ask(**billing(case, "degradation"))
    case.advance("P52D")
    case.ask("get_entity", path={"id": door})
    case.ask("get_device", path={"id": stock["device"]})
    case.ask("list_entities")
    case.ask(**billing(case, "usage"))


def recovery(bench: Bench) -> None:
    """Back within the limits by any way, all of it ends at once."""
    if not bench.is_about("get_org_billing_degradation"):
        return
    ways: tuple[Callable[[Case, list[str]], Any], ...] = (
        lambda case, _: case.ask(**override(case, "zones", 2)),
        lambda case, made: case.ask(**deletion("zone", made[0])),
        lambda case, made: case.ask(**deletion("zone", made[1])),
        _by_expiry,
    )
    for way in ways:
        for wait in ("PT1S", "P8D", "P38D"):
            bench.attempt(_recovered(way, wait))
    bench.attempt(_by_upgrade)


def _by_expiry(case: Case, _: list[str]) -> None:
    """A low limit that ends by itself."""
    case.ask(**override(case, "zones", 1, expires="PT1H"))
    case.advance("PT1H")


def _recovered(way: Callable[[Case, list[str]], Any], wait: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        made = _too_many(case)
        case.advance(wait)
        way(case, made)
        case.ask(**billing(case, "degradation"))
        case.advance("P60D")
        case.ask("list_zones")
        case.ask(**billing(case, "degradation"))

    return script


def _by_upgrade(case: Case) -> None:
    buy = billing(case, "checkout", json={"tier_slug": "starter"})
    case.ask(**buy)
    for _ in range(4):
        case.ask(**Stock(case).creation("zone"))
    case.ask(**{**buy, "json": {"tier_slug": "free"}})
    case.ask(**billing(case, "degradation"))
    case.advance("P8D")
    case.ask(**buy)
    case.ask(**billing(case, "degradation"))
    case.advance("P60D")
    case.ask("list_zones")


def policies(bench: Bench) -> None:
    """Which resources go first, and which of each kind may go at all."""
    if not bench.is_about("put_org_billing_degradation_policy", "get_org_billing_degradation"):
        return
    for policy in POLICIES:
        bench.attempt(_chooses(policy))
    for kind in PLURAL:
        bench.attempt(_flags(kind))
    bench.attempt(_never_members)
    bench.attempt(_by_use)
    bench.attempt(_released)


def _policy(case: Case, policy: str) -> dict[str, Any]:
    return billing(case, "degradation_policy", json={"policy": policy})


def _pin(case: Case, kind: str, made: str, keep: bool = True) -> dict[str, Any]:
    body = {"resource": PLURAL[kind], "resource_id": made, "keep": keep}
    return billing(case, "degradation_resource", json=body)


def _chooses(policy: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        case.ask(**_policy(case, policy))
        _too_many(case, n=3, limit=1)
        case.ask(**billing(case, "degradation"))
        for other in POLICIES:
            case.ask(**_policy(case, other))
        case.ask(**_policy(case, policy))
        case.ask(**billing(case, "degradation"))

    return script


def _flags(kind: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        _too_many(case, kind)
        case.ask(**billing(case, "degradation"))

    return script


def _never_members(case: Case) -> None:
    Stock(case).another("user")
    case.ask(**override(case, "org_users", 0))
    case.ask(**billing(case, "degradation"))
    case.advance("P52D")
    case.ask("list_users")
    case.ask(**billing(case, "usage"))


def _by_use(case: Case) -> None:
    """What was used last goes last."""
    stock = Stock(case)
    devices = [stock.another("device") for _ in range(2)]
    doors = [
        case.ask("create_entity", json={"device_id": device, "entity_type": "door"}).json["id"] for device in devices
    ]
    case.ask(**_policy(case, "least_recently_used"))
    for door in (*doors, doors[0]):
        case.advance("PT1M")
        case.ask(**opening(door))
    case.ask(**override(case, "devices", 1))
    case.ask(**billing(case, "degradation"))
    case.advance("PT1M")
    case.ask(**opening(doors[1]))
    case.ask(**billing(case, "degradation"))


def _released(case: Case) -> None:
    """Under `manual` only what was released is flagged."""
    case.ask(**_policy(case, "manual"))
    made = _too_many(case, n=3, limit=1)
    case.ask(**billing(case, "degradation"))
    case.ask(**_pin(case, "zone", made[1], keep=False))
    case.ask(**_pin(case, "zone", made[2]))
    case.ask(**billing(case, "degradation"))


def pins(bench: Bench) -> None:
    """What is kept survives; nobody can keep more than the limit."""
    if not bench.is_about("post_org_billing_degradation_resource"):
        return
    for kept in (0, 1, 2):
        for policy in ("newest_first", "oldest_first"):
            bench.attempt(_kept(kept, policy))
    bench.attempt(_too_many_pins)
    bench.attempt(_other_pin)
    bench.attempt(_survives)


def _kept(index: int, policy: str) -> Callable[[Case], None]:
    def script(case: Case) -> None:
        made = _too_many(case, n=3, limit=2)
        case.ask(**_policy(case, policy))
        case.ask(**_pin(case, "zone", made[index]))
        case.ask(**_pin(case, "zone", made[index], keep=False))
        case.ask(**billing(case, "degradation"))

    return script


def _too_many_pins(case: Case) -> None:
    made = _too_many(case, n=3, limit=1)
    case.ask(**_pin(case, "zone", made[0]))
    case.ask(**_pin(case, "zone", made[1]))
    case.ask(**_pin(case, "zone", made[0]))
    case.ask(**billing(case, "degradation"))


def _other_pin(case: Case) -> None:
    """What is not there, or is something else, cannot be kept."""
    made = _too_many(case)
    if not is_bound(case):
        case.ask(**_pin(case, "zone", "01J9ZC3M4N5P6Q7R8S9T0V1W00"))
    case.ask(**_pin(case, "device", made[0]))
    case.ask(**billing(case, "degradation"))


def _survives(case: Case) -> None:
    made = _too_many(case, n=2, limit=1)
    case.ask(**_pin(case, "zone", made[1]))
    case.advance("P52D")
    case.ask("list_zones")
    case.ask(**billing(case, "degradation"))
