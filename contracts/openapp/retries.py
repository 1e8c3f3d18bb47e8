"""What clients send again: a checkout, an override, an action with an `Idempotency-Key`, and what counts as the same."""

from __future__ import annotations

import json
from typing import Any

from contracts.bench import Bench, Script
from contracts.broken import Broken
from contracts.case import Case
from contracts.steps import in_sequence

from .stock import Stock, billing, new_key, opening, override
from .tenants import made_by_another

KEY = "front-door-1"
ACTION = "execute_entity_action"


def checkout(bench: Bench) -> None:
    """The same plan again is the same subscription, and nothing else changes."""
    if bench.is_about("post_org_billing_checkout"):
        for tier in ("pro", "starter", "free"):
            bench.attempt(_bought_again(tier))
        bench.attempt(_bought_back)


def _bought_again(tier: str) -> Script:
    def script(case: Case) -> None:
        for _ in range(2):
            case.ask(**billing(case, "checkout", json={"tier_slug": tier}))
            case.ask(**billing(case, "plan"))

    return script


def _bought_back(case: Case) -> None:
    for tier in ("pro", "business", "pro"):
        case.ask(**billing(case, "checkout", json={"tier_slug": tier}))
    case.ask(**billing(case, "plan"))


def overrides(bench: Bench) -> None:
    """An override that is set again is the same one; of another quota or period it is another."""
    if bench.is_about("post_admin_quota_override"):
        for script in (_set_again, _of_other_periods, _spelled_out, _of_other_orgs):
            bench.attempt(script)
        if bench.offers("clock"):
            bench.attempt(_set_later)
            bench.attempt(_set_after_its_end)


def _overrides(case: Case) -> None:
    case.ask("get_admin_quota_overrides", "operator")
    case.ask(**billing(case, "usage"))


def _set_again(case: Case) -> None:
    for limit in (3, 3, 5):
        case.ask(**override(case, "zones", limit))
    _overrides(case)


def _of_other_periods(case: Case) -> None:
    for period, limit in (("day", 5), ("month", 6), ("day", 7)):
        case.ask(**override(case, "door_opens", limit, period))
    _overrides(case)


def _spelled_out(case: Case) -> None:
    """Without a period it is the one that goes without saying."""
    case.ask(**override(case, "zones", 3))
    case.ask(**override(case, "zones", 4, "lifetime"))
    case.ask(**override(case, "door_opens", 5))
    case.ask(**override(case, "door_opens", 6, "day"))
    _overrides(case)


def _of_other_orgs(case: Case) -> None:
    annex = Stock(case).another("org")
    case.ask(**override(case, "zones", 3))
    theirs = override(case, "zones", 1)
    case.ask(**{**theirs, "json": {**theirs["json"], "subject_id": annex}})
    case.ask("get_org_billing_usage", path={"id": annex})
    _overrides(case)


def _set_later(case: Case) -> None:
    case.ask(**override(case, "zones", 3, expires="P1D"))
    case.advance("PT1H")
    case.ask(**override(case, "zones", 3))
    _overrides(case)


def _set_after_its_end(case: Case) -> None:
    case.ask(**override(case, "zones", 0, expires="PT1H"))
    case.advance("PT2H")
    case.ask(**override(case, "zones", 1, expires="PT1H"))
    _overrides(case)
    case.ask(**Stock(case).creation("zone"))


def replay(bench: Bench) -> None:
    """The same key with the same request gives the same answer again, and counts once."""
    if bench.is_about(ACTION):
        for script in (_opened_again, _without_a_key, _in_other_words, _with_no_room_left, _of_an_entity_that_is_gone):
            bench.attempt(script)
        if bench.offers("operator"):
            bench.attempt(_when_it_is_used_up)
        if bench.offers("clock"):
            bench.attempt(_a_minute_later)
        _in_the_same_bytes(bench)


def _uses(case: Case) -> None:
    case.ask(**billing(case, "usage"))


def _opened_again(case: Case) -> None:
    door = Stock(case)["entity"]
    for _ in range(3):
        case.ask(**opening(door, KEY))
        _uses(case)


def _without_a_key(case: Case) -> None:
    door = Stock(case)["entity"]
    for _ in range(2):
        case.ask(**opening(door))
    _uses(case)


def _in_other_words(case: Case) -> None:
    """The short name of an action is another spelling of the same request."""
    door = Stock(case)["entity"]
    case.ask(**opening(door, KEY))
    case.ask(**{**opening(door, KEY), "path": {"id": door, "action_id": "open"}})
    _uses(case)


def _with_no_room_left(case: Case) -> None:
    """Two keys are two uses."""
    door = Stock(case)["entity"]
    for key in (KEY, "front-door-2", KEY, "FRONT-DOOR-1"):
        case.ask(**opening(door, key))
    _uses(case)


def _when_it_is_used_up(case: Case) -> None:
    """A repeat is answered although there would be no room for another use."""
    door = Stock(case)["entity"]
    case.ask(**override(case, "door_opens", 1, "day"))
    case.ask(**opening(door, KEY))
    case.ask(**opening(door, KEY))
    case.ask(**opening(door, "front-door-2"))
    _uses(case)


def _of_an_entity_that_is_gone(case: Case) -> None:
    door = Stock(case)["entity"]
    case.ask(**opening(door, KEY))
    case.ask("delete_entity", path={"id": door})
    case.ask(**opening(door, KEY))


def _a_minute_later(case: Case) -> None:
    """It is the first answer, with the first moment."""
    door = Stock(case)["entity"]
    case.ask(**opening(door, KEY))
    case.advance("PT1M")
    case.ask(**opening(door, KEY))
    _uses(case)


def _in_the_same_bytes(bench: Bench) -> None:
    """Member by member in the same order, with the same numbers, but for the flag and the request's own id."""
    with bench.case() as case:
        try:
            door = Stock(case)["entity"]
            for _ in range(2):
                case.ask(**opening(door, KEY))
        except Broken as broken:
            bench.keep(broken, case)
            return
        first, again = (_members(each.answer_body) for each in case.shown[-2:])
        if first != again:
            wanted = {"alike": ["idempotent_replay", "correlation_id"]}
            status = case.shown[-1].status
            found = Broken("replay", f"the same answer again: {first}", again, ACTION, status, wanted=wanted)
            bench.found(found, case.shown, in_sequence(case.numbered)[0])


def _members(body: str) -> str:
    pairs: Any = json.loads(body, object_pairs_hook=list, parse_float=str, parse_int=str)
    return json.dumps([each for each in pairs if each[0] not in ("idempotent_replay", "correlation_id")])


def conflict(bench: Bench) -> None:
    """The same key with another request is refused, and the first answer stays."""
    if bench.is_about(ACTION):
        for body in ({"force": True}, {"force": False, "for": 3}):
            bench.attempt(_another_body(body))


def _another_body(body: Any) -> Script:
    def script(case: Case) -> None:
        door = Stock(case)["entity"]
        case.ask(**opening(door, KEY))
        case.ask(**opening(door, KEY, body=body))
        _uses(case)
        case.ask(**opening(door, KEY))

    return script


def scope(bench: Bench) -> None:
    """A key is for one entity."""
    if not bench.is_about(ACTION):
        return
    bench.attempt(_at_another_door)
    if bench.offers("other") and bench.offers("full"):
        bench.attempt(_in_another_organization)


def callers(bench: Bench) -> None:
    """A key of one caller is not taken for another's."""
    if bench.is_about(ACTION):
        bench.attempt(_by_another_caller)
        bench.attempt(_by_a_key)


def _at_another_door(case: Case) -> None:
    stock = Stock(case)
    for door in (stock.another("entity"), stock.another("entity")):
        case.ask(**opening(door, KEY))
    _uses(case)


def _by_another_caller(case: Case) -> None:
    door = Stock(case)["entity"]
    for caller in ("owner", "member", "owner"):
        case.ask(**opening(door, KEY, caller))
    case.ask(**opening(door, KEY, "member", body={"force": True}))
    _uses(case)


def _by_a_key(case: Case) -> None:
    door = Stock(case)["entity"]
    token = new_key(case)["token"]
    for caller in ("member", token, token):
        case.ask(**opening(door, KEY, caller))
    _uses(case)


def _in_another_organization(case: Case) -> None:
    if not case.place.is_own:
        return
    door, theirs = Stock(case)["entity"], made_by_another(case)("entity")
    case.ask(**opening(door, KEY))
    case.ask(**opening(theirs, KEY, "other"))
    case.ask("get_org_billing_usage", "other", path={"id": case.name("other_org")})


def refused(bench: Bench) -> None:
    """A request that was refused has not used its key."""
    if bench.is_about(ACTION):
        bench.attempt(_unknown_then_known)
        bench.attempt(_no_room_then_room)


def _no_room_then_room(case: Case) -> None:
    door = Stock(case)["entity"]
    case.ask(**override(case, "door_opens", 0, "day"))
    case.ask(**opening(door, KEY))
    case.ask(**override(case, "door_opens", 1, "day"))
    case.ask(**opening(door, KEY))
    case.ask(**opening(door, KEY))
    _uses(case)


def _unknown_then_known(case: Case) -> None:
    door = Stock(case)["entity"]
    case.ask(**{**opening(door, KEY), "path": {"id": door, "action_id": "explode"}})
    case.ask(**opening(door, KEY))
    _uses(case)


def lifetime(bench: Bench) -> None:
    """A key is remembered for a day."""
    if bench.is_about(ACTION):
        for wait in ("PT1M", "PT23H59M", "P1DT1M", "P3D"):
            bench.attempt(_after(wait))


def _after(wait: str) -> Script:
    def script(case: Case) -> None:
        door = Stock(case)["entity"]
        case.ask(**opening(door, KEY))
        case.advance(wait)
        case.ask(**opening(door, KEY))
        _uses(case)

    return script
