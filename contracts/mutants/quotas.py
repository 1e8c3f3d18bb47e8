"""Limits that hold too late, too early, not at all, or for something else than what they say."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import capacity, doors, metering, usage
from mock_server.apis.openapp.model.limits import Limits
from mock_server.apis.openapp.model.problems import ACTION_NOT_IMPLEMENTED, METER_FULL, NO_SUCH
from mock_server.apis.openapp.model.resources import KINDS, Meter, Shelf
from mock_server.apis.openapp.model.state import EffectiveLimit
from mock_server.engine.decisions import Accepted, Refused
from mock_server.engine.instants import DAY
from mock_server.http.exchange import Call, Refusal
from mock_server.http.problems import UNSUPPORTED_MEDIA_TYPE
from mock_server.http.stages import CALL, Validation

from .around import Exchange, on_answer
from .despite import carry_out, despite
from .mutant import Make, always, family, patched, replacing

mutant = family("quotas")


def _off_by(amount: int) -> Make:
    """The limits that a check sees are larger by so much."""
    return lambda real: lambda *args: _Shifted(real(*args), amount)


class _Shifted:
    def __init__(self, limits: Limits, amount: int) -> None:
        self._limits, self._amount = limits, amount

    def of(self, key: str, period: str) -> EffectiveLimit:
        return self._shifted(self._limits.of(key, period))

    def windows(self, key: str) -> Any:
        return tuple((period, self._shifted(limit)) for period, limit in self._limits.windows(key))

    def _shifted(self, limit: EffectiveLimit) -> EffectiveLimit:
        if limit.value is None:
            return limit
        return msgspec.structs.replace(limit, value=max(0, limit.value + self._amount))


def _only_when_equal(real: Any) -> Any:
    """Whoever is over the limit already is refused nothing more."""

    def faulty(state: Any, org: Any, key: str, now: int) -> Any:
        refused = real(state, org, key, now)
        facts = refused.problem.facts if refused is not None else {}
        return None if facts and facts["current"] > facts["limit"] else refused

    return faulty


def _deleted_count(real: Any) -> Any:
    def faulty(state: Any, org: Any, key: str, now: int) -> Any:
        if key in KINDS:
            holdings = state.held_by(org.id)
            shelf = holdings.shelf(key)
            together = Shelf(shelf.live.update(shelf.deleted))
            state = state.with_holdings(org.id, holdings.with_shelf(key, together))
        return real(state, org, key, now)

    return faulty


def _below_count(real: Any) -> Any:
    """What the organizations below hold takes up room here."""

    def faulty(state: Any, org: Any, key: str, now: int) -> Any:
        below = [each.id for each in state.orgs.values() if each.parent_id == org.id]
        if key in KINDS:
            holdings = state.held_by(org.id)
            live = holdings.shelf(key).live
            for org_id in below:
                live = live.update(state.held_by(org_id).shelf(key).live)
            state = state.with_holdings(org.id, holdings.with_shelf(key, Shelf(live)))
        return real(state, org, key, now)

    return faulty


def _deleted_are_reported(real: Any) -> Any:
    def faulty(state: Any, org: Any, now: int) -> Any:
        held = state.held_by(org.id)
        return [
            {**item, "current": item["current"] + len(held.shelf(item["key"]).deleted)}
            if item["key"] in KINDS
            else item
            for item in real(state, org, now)
        ]

    return faulty


def _counts(_: Any, state: Any, context: Any, problem: Any) -> Accepted[Any, None]:
    facts = problem.facts
    return Accepted(_charged(state, context.now, facts["org_id"], facts["key"], facts["requested"]), None)


def _charged(state: Any, now: int, org_id: str, key: str, amount: int = 1) -> Any:
    """The state with so much more used."""
    meters = state.held_by(org_id).meters
    after = metering._used(meters.get(key), now // DAY, amount)
    return metering.with_meters(state, state.orgs[org_id], meters.insert(key, after))


def _counts_as_opened(call: Call, state: Any, context: Any, _: Any) -> Accepted[Any, None]:
    org_id = state.homes.get(call.path.get("id", ""), call.caller.org)
    if call.operation.id != "execute_entity_action" or org_id is None:
        return Accepted(state, None)
    return Accepted(_charged(state, context.now, org_id, "door_opens"), None)


def _charged_unread(real: Any) -> Any:
    """Whoever asks for a place is charged before anybody has looked whether the request can be read."""

    async def faulty(self: Validation, scope: Any, receive: Any, send: Any) -> None:
        try:
            await real(self, scope, receive, send)
        except Refusal as refusal:
            call: Call = scope[CALL]
            org_id = call.headers.get("x-org") or call.caller.org
            if refusal.problem.type is UNSUPPORTED_MEDIA_TYPE and call.operation.id == "reverse_geocode" and org_id:
                key = "geocoding_requests"
                carry_out(call, lambda state, it: Accepted(_charged(state, it.now, org_id, key), None))
            raise

    return faulty


def _counts_itself(real: Any) -> Any:
    """What is refused is part of what has been used."""

    def faulty(org: Any, key: str, period: str, window: Any, current: int, amount: int, *args: Any) -> Any:
        return real(org, key, period, window, current + amount, amount, *args)

    return faulty


def _twice(real: Any) -> Any:
    def faulty(state: Any, org: Any, charges: Any, now: int) -> Any:
        once = real(state, org, charges, now)
        if isinstance(once, Refused):
            return once
        return once.update({key: metering._used(once[key], now // DAY, amount) for key, amount in charges.items()})

    return faulty


def _only_the_day(real: Any) -> Any:
    """Weeks and months count nothing."""

    def faulty(meter: Any, day: int, amount: int) -> Meter:
        after: Meter = real(meter, day, amount)
        return msgspec.structs.replace(after, in_week=0, in_month=0)

    return faulty


def _forbidden(it: Exchange) -> None:
    it.drop("retry-after")
    it.status = 403


def _one_more_published(it: Exchange) -> None:
    plans = it.json["plans"]
    for plan in plans:
        plan["quotas"] = [{**each, "limit_value": (each["limit_value"] or 0) + 1} for each in plan["quotas"]]
    it.edit(plans=plans)


MUTANTS = (
    mutant("capacity-plus-one", "one more than the limit fits in", patched(capacity, "limits_of", _off_by(1)), 59),
    mutant("capacity-minus-one", "the last one does not fit in", patched(capacity, "limits_of", _off_by(-1)), 60),
    mutant("capacity-off", "capacity is not limited", replacing(capacity.no_room, always(None)), 61),
    mutant("metered-plus-one", "one use more than the limit", patched(metering, "limits_of", _off_by(1)), 59),
    mutant("metered-minus-one", "the last use is refused", patched(metering, "limits_of", _off_by(-1)), 60),
    mutant("over-limit-free", "whoever is over capacity may create", replacing(capacity.no_room, _only_when_equal)),
    mutant("refused-use-counts", "a refused use is counted", despite(METER_FULL, _counts), 62),
    mutant(
        "refusal-counts-itself",
        "429 counts what it refuses as used",
        replacing(metering._refused, _counts_itself),
        63,
    ),
    mutant(
        "deleted-reported", "usage reports what is deleted", replacing(usage.usage_items, _deleted_are_reported), 64
    ),
    mutant("deleted-counts", "what is deleted takes up room", replacing(capacity.no_room, _deleted_count)),
    mutant("below-counts", "what organizations below hold takes up room", replacing(capacity.no_room, _below_count)),
    mutant("missing-counts", "opening what is not there counts", despite(NO_SUCH, _counts_as_opened)),
    mutant(
        "unavailable-counts",
        "an action that is not offered counts as one that was done",
        despite(ACTION_NOT_IMPLEMENTED, _counts_as_opened),
    ),
    mutant("unread-counts", "a body of another type is charged for", patched(Validation, "__call__", _charged_unread)),
    mutant(
        "published-otherwise",
        "plans are published with other limits than those that hold",
        on_answer("GET /plans", _one_more_published, 200),
    ),
    mutant("full-is-403", "a full quota is answered 403", on_answer("* *", _forbidden, 429), 65),
    mutant("charged-twice", "one use counts twice", replacing(metering.metered, _twice, seen_by=doors), 79),
    mutant("only-day-counts", "a use counts in the day only", replacing(metering._used, _only_the_day)),
)
