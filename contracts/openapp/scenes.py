"""What OpenApp's callers race for: room, uses, a key, a limit, a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from contracts.case import Case
from contracts.http import Answer
from contracts.machine import Random
from contracts.races.judging import Breach, Burst, Done, Kept
from contracts.races.racing import Scene
from contracts.steps import Call

from .stock import KINDS, METERED, Stock, billing, opening, override

FURTHEST = 10
"""Uses or things made, one after the other, to come near a limit that cannot be set."""
TIERS = ("starter", "pro", "business")
USAGE = "get_org_billing_usage"


def call(operation: str, caller: str | None = "owner", **more: Any) -> Call:
    """What `Case.ask` would be given, as data."""
    json = more.pop("json", msgspec.UNSET)
    return Call(operation, caller, json=json, **more)


def reads(case: Case, *more: Call) -> tuple[Call, ...]:
    """Usage and the plan, and what else is to be read when all is over."""
    return (call(**billing(case, "usage")), call(**billing(case, "plan")), *more)


def now(case: Case, read: Call) -> Any:
    """What the oracle would answer to a read. The target is not asked."""
    return case.twin.send(case.requests(read)[0]).json


def row(usage: Any, key: str, period: str) -> Any:
    return next((each for each in usage["items"] if (each["key"], each["period"]) == (key, period)), None)


def limited(case: Case, key: str, period: str, room: int, again: dict[str, Any]) -> bool:
    """Whether so much of a quota is left now: an operator sets the limit, else `again` is asked until it is near."""
    usage = call(**billing(case, "usage"))
    found = row(now(case, usage), key, period)
    if "operator" in case.target.credentials:
        case.ask(**override(case, key, (found["current"] if found else 0) + room, period))
        return True
    value = found["limit"]["value"] if found else None
    if value is None or not 0 <= value - found["current"] - room <= FURTHEST:
        return False
    for _ in range(value - found["current"] - room):
        case.ask(**again)
    return True


# -- room -------------------------------------------------------------------------------------------------------------


def room_for(kind: str) -> Scene:
    """More of a kind are made at once than fit in."""
    key, operation = KINDS[kind], f"create_{kind}"

    def prepare(case: Case, random: Random) -> Burst | None:
        room = random.choice((1, 1, 2, 3))
        make = Stock(case).creation(kind)
        if not limited(case, key, "lifetime", room, make):
            return None
        calls = [named(make, n) for n in range(room + random.choice((1, 1, 2, 3, 4)))]
        listed = call("list_users" if kind == "user" else f"list_{key}")
        return Burst(alone(calls), reads(case, listed), counted(operation, key, "lifetime", is_listed=True))

    return Scene(operation, prepare)


def named(make: dict[str, Any], n: int) -> Call:
    """The n-th of several creations, told apart by the name that it gives."""
    return call(**{**make, "json": {**make["json"], "name": f"Racer {n + 1}"}})


def alone(calls: Sequence[Call]) -> tuple[tuple[Call, ...], ...]:
    """Each in a lane of its own."""
    return tuple((each,) for each in calls)


def counted(operation: str, key: str, period: str, *, is_listed: bool = False) -> Kept:
    """What is accepted fits in and is counted once. Usage is the first read; the list, if there is one, the third."""

    def kept(done: Sequence[Done], before: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        accepted = sum(
            each.is_accepted and each.call.operation == operation and not _is_replay(each.answer) for each in done
        )
        was, is_now = (row(each[0].json, key, period) for each in (before, after))
        room = max(0, was["limit"]["value"] - was["current"]) if was and was["limit"]["value"] is not None else accepted
        if accepted > room:
            return Breach(f"no more than {room} to be accepted, for which there is room", f"{accepted} were accepted")
        if was and is_now and is_now["current"] != was["current"] + accepted:
            expected = f"usage to go from {was['current']} to {was['current'] + accepted}: {accepted} were accepted"
            return Breach(expected, f"usage is {is_now['current']}", (0,))
        if is_listed and rows_of(after[2]) != rows_of(before[2]) + accepted:
            expected = f"{rows_of(before[2]) + accepted} in the list: {accepted} were accepted"
            return Breach(expected, f"{rows_of(after[2])} are there", (2,))
        return None

    return kept


def _is_replay(answer: Answer) -> bool:
    return isinstance(answer.json, dict) and answer.json.get("idempotent_replay") is True


def rows_of(answer: Answer) -> int:
    value = answer.json
    return len(value if isinstance(value, list) else value["items"])


# -- uses -------------------------------------------------------------------------------------------------------------


def uses_of(operation: str) -> Scene:
    """Something metered is used at once more often than the day allows."""
    key = METERED[operation]

    def prepare(case: Case, random: Random) -> Burst | None:
        room = random.choice((1, 1, 2, 4))
        use = using(operation, case)
        if not limited(case, key, "day", room, use):
            return None
        calls = [call(**use)] * (room + random.choice((1, 1, 2, 3, 4, 12)))
        return Burst(alone(calls), reads(case), counted(operation, key, "day"))

    return Scene(operation, prepare)


def using(operation: str, case: Case) -> dict[str, Any]:
    """The arguments of `ask` that use something metered once."""
    text = {"title": "Hello", "body": "World", "source_locale": "en", "target_locales": ["de"]}
    bodies: dict[str, Any] = {
        "create_scripting_execution": {"script": "open()"},
        "translate_locale_content": text,
        "reverse_geocode": {"lat": 52.5, "lng": 13.4},
    }
    if operation == "execute_entity_action":
        return opening(Stock(case)["entity"])
    return {"operation": operation, "json": bodies[operation]}


# -- one key ----------------------------------------------------------------------------------------------------------


def one_key(case: Case, random: Random) -> Burst | None:
    """One Idempotency-Key, sent several times at once; at times with another body, at times beside another key."""
    entity = Stock(case)["entity"]
    again = call(**opening(entity, "{{try}}-race"))
    calls = [again] * random.randint(2, 6)
    if random.random() < 0.3:
        calls.append(call(**opening(entity, "{{try}}-race", body={"other": 1})))
    if random.random() < 0.3:
        calls.append(call(**opening(entity, "{{try}}-beside")))
    uses = counted("execute_entity_action", "door_opens", "day")

    def kept(done: Sequence[Done], before: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        for key in sorted({each.call.headers["Idempotency-Key"] for each in done}):
            mine = [each for each in done if each.call.headers["Idempotency-Key"] == key]
            first = sum(each.is_accepted and not _is_replay(each.answer) for each in mine)
            if first != 1:
                expected = f"one of {len(mine)} calls with the same Idempotency-Key to be carried out"
                return Breach(expected, f"{first} were")
        return uses(done, before, after)

    return Burst(alone(calls), reads(case), kept)


# -- limits, plans ----------------------------------------------------------------------------------------------------


def one_override(case: Case, random: Random) -> Burst | None:
    """One limit, set to several values at once; at times another one beside it."""
    values = random.sample(range(1, 40), random.randint(2, 6))
    calls = [call(**override(case, "devices", value)) for value in values]
    for key, period in (("zones", None), ("door_opens", "day")):
        if random.random() < 0.5:
            calls.append(call(**override(case, key, random.randint(1, 40), period)))

    def kept(done: Sequence[Done], before: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        for key in sorted({_body(each)["quota_key"] for each in done}):
            sent = [_body(each)["limit_value"] for each in done if _body(each)["quota_key"] == key]
            ids = {each.answer.json["id"] for each in done if each.is_accepted and _body(each)["quota_key"] == key}
            rows = [each for each in after[2].json["overrides"] if each["id"] in ids]
            if len(rows) != 1:
                expected = f"one override for {key}, with the id that was answered"
                return Breach(expected, f"{len(rows)} in the list with {_or(sorted(ids))}", (2,))
            if rows[0]["limit_value"] not in sent:
                return Breach(f"the limit for {key} to be {_or(sent)}", f"it is {rows[0]['limit_value']}", (2,))
        return None

    listed = call("get_admin_quota_overrides", "operator")
    return Burst(alone(calls), reads(case, listed), kept)


def plans(case: Case, random: Random) -> Burst | None:
    """Several plans are bought at once, by somebody who may have one already."""
    if random.random() < 0.5:
        case.ask(**billing(case, "checkout", json={"tier_slug": random.choice(TIERS)}))
    tiers = [random.choice(TIERS) for _ in range(random.randint(2, 5))]
    calls = [call(**billing(case, "checkout", json={"tier_slug": tier})) for tier in tiers]

    def kept(done: Sequence[Done], before: Sequence[Answer], after: Sequence[Answer]) -> Breach | None:
        usage, plan = after[0].json, after[1].json
        sent = {_body(each)["tier_slug"] for each in done}
        if plan["tier_id"] != usage["tier_slug"]:
            expected = f"usage to be counted under {plan['tier_id']}, which is the plan"
            return Breach(expected, f"it is counted under {usage['tier_slug']}", (0, 1))
        if all(each.is_accepted and each.answer.json["status"] == "active" for each in done):
            if plan["tier_id"] not in sent:
                return Breach(f"the plan to be {_or(sorted(sent))}, as bought", f"it is {plan['tier_id']}", (1,))
            if plan["subscription"] is None or plan["subscription"]["tier_slug"] != plan["tier_id"]:
                return Breach(f"a subscription for the plan {plan['tier_id']}", f"it is {plan['subscription']}", (1,))
        return None

    return Burst(alone(calls), reads(case), kept)


def _body(done: Done) -> Any:
    return done.call.json


def _or(values: Sequence[Any]) -> str:
    return " or ".join(str(each) for each in values)
