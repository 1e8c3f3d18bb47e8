"""Why there was no room: capacity, metered and session quotas, pins, and what a mock's memory is bounded to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.engine.decisions import Refused
from mock_server.engine.explanations import Explanation
from mock_server.engine.windows import window_at

from .capacity import no_room
from .doors import BY_KEY, BY_PEOPLE
from .explaining import MOST_IDS, Case, counted, named, one_of, some
from .limits import limits_of
from .metering import in_session, metered, used_in
from .organizations import DEEPEST, create_organization
from .pointers import NOWHERE, in_world, to_limit
from .quotas import CALENDAR_PERIODS, LIFETIME, PER_SESSION, QUOTAS
from .resources import KINDS, PLURAL, creation, oldest
from .state import Org
from .ways_out import Need, about, end_of_override, end_of_window, fewer, larger_tier, override, rule_of


def capacity_full(case: Case) -> Explanation:
    org, key, current = case.org, case.text("key"), int(case.fact("current"))
    if org is None:
        return case.answer(case.problem.message, in_world("orgs"))
    limit = limits_of(case.state, org, case.now).of(key, LIFETIME)

    def fits(state: Any, now: int) -> Refused | None:
        return no_room(state, state.orgs[org.id], key, now)

    legal = (
        fewer(key, current, limit.value or 0),
        larger_tier(case, org, key, LIFETIME, fits),
        override(case, org, [(key, LIFETIME, current + 1)], fits),
        end_of_override(case, org, key, LIFETIME, fits),
    )
    clause = to_limit(case.state, org.id, key, LIFETIME, limit)
    return case.answer(rule_of(case, org, key, LIFETIME, limit), clause, legal, _held(case, org, key))


def shelf_full(case: Case) -> Explanation:
    """More than any plan's limit: a bound of the mock itself."""
    org, key, current, limit = case.org, case.text("key"), int(case.fact("current")), int(case.fact("limit"))
    rule = f"A mock keeps no more than {counted(limit, key)} of one organization, whatever its limit."
    facts = {} if org is None else _held(case, org, key)
    return case.answer(rule, NOWHERE, [fewer(key, current, limit), "Go on in another organization."], facts)


def world_full(case: Case) -> Explanation:
    rule = f"A mock keeps no more than {case.fact('limit')} organizations in one world."
    return case.answer(rule, NOWHERE, ["Create it in another world."])


def nesting_too_deep(case: Case) -> Explanation:
    """The nearest organization above below which there is room, and that the caller reaches."""
    legal: list[str] = []
    above: list[Org] = []
    org = case.state.orgs.get(case.text("parent_id"))
    while org is not None and org.parent_id is not None and len(above) <= DEEPEST:
        org = case.state.orgs[org.parent_id]
        above.append(org)
    for each in above:
        if _can_create(case, {"parent_id": each.id}):
            legal.append(f"Create it below {named([each])}, with parent_id.")
            break
    if case.asker.org is None and _can_create(case, {}):
        legal.append("Leave parent_id out: it stands alone then.")
    rule = f"Organizations can be nested {case.fact('most')} deep, not deeper."
    return case.answer(rule, NOWHERE, legal, {"above": some(above)})


def meter_full(case: Case) -> Explanation:
    org, key, period, requested = case.org, case.text("key"), case.text("period"), int(case.fact("requested"))
    if org is None:
        return case.answer(case.problem.message, in_world("orgs"))
    charges = _charges(case, key, requested)

    def fits(state: Any, now: int) -> Refused | None:
        outcome = metered(state, state.orgs[org.id], charges, now)
        return outcome if isinstance(outcome, Refused) else None

    limit = limits_of(case.state, org, case.now).of(key, period)
    by_people = len(charges) > 1 and not isinstance(metered(case.state, org, BY_PEOPLE, case.now), Refused)
    legal = (
        end_of_window(case, period, fits),
        _less_at_once(_room(case, org, charges), requested),
        "Show a credential that is no API key: only those use up voice_invocations." if by_people else None,
        larger_tier(case, org, key, period, fits),
        override(case, org, _needs(case, org, charges), fits),
        end_of_override(case, org, key, period, fits),
    )
    clause = to_limit(case.state, org.id, key, period, limit)
    return case.answer(rule_of(case, org, key, period, limit), clause, legal, _metered(case, org, key))


def session_full(case: Case) -> Explanation:
    org, key, session, requested = case.org, case.text("key"), case.text("session"), int(case.fact("requested"))
    if org is None:
        return case.answer(case.problem.message, in_world("orgs"))
    limit = limits_of(case.state, org, case.now).of(key, PER_SESSION)
    current, most = int(case.fact("current")), limit.value or 0

    def fits(state: Any, now: int) -> Refused | None:
        outcome = in_session(state, state.orgs[org.id], key, session, requested, now)
        return outcome if isinstance(outcome, Refused) else None

    legal = (
        _less_at_once(most - current, requested),
        "Begin another session, with another name in `session`." if requested <= most else None,
        larger_tier(case, org, key, PER_SESSION, fits),
        override(case, org, [(key, PER_SESSION, current + requested)], fits),
        end_of_override(case, org, key, PER_SESSION, fits),
    )
    kept = case.state.held_by(org.id).sessions.get(key, ())
    facts = {**dict(about(case, org)), "limits": _limits(case, org, key), "sessions": some(list(kept)[::-1])}
    clause = to_limit(case.state, org.id, key, PER_SESSION, limit)
    return case.answer(rule_of(case, org, key, PER_SESSION, limit), clause, legal, facts)


def too_many_pins(case: Case) -> Explanation:
    org, kind = case.org, case.text("resource")
    if org is None or kind not in KINDS:
        return case.answer(case.problem.message, in_world("orgs"))
    limit = limits_of(case.state, org, case.now).of(kind, LIFETIME)
    shelf = case.state.held_by(org.id).shelf(kind)
    pinned = sorted((row for row in shelf.live.values() if row.keep is True), key=creation)

    def fits(state: Any, now: int) -> Refused | None:
        most = limits_of(state, state.orgs[org.id], now).of(kind, LIFETIME).value
        return None if most is None or len(pinned) < most else Refused(case.problem)

    most = limit.value or 0
    surplus = len(pinned) + 1 - most
    release = one_of("Release (keep: false)", f"pinned {PLURAL[kind]}", pinned, surplus)
    legal = (
        release if most else None,
        larger_tier(case, org, kind, LIFETIME, fits),
        override(case, org, [(kind, LIFETIME, len(pinned) + 1)], fits),
        end_of_override(case, org, kind, LIFETIME, fits),
    )
    rule = f"No more {PLURAL[kind]} can be pinned than there may be. {rule_of(case, org, kind, LIFETIME, limit)}"
    facts = {**_held(case, org, kind), "pinned_ids": some(pinned)}
    return case.answer(rule, to_limit(case.state, org.id, kind, LIFETIME, limit), legal, facts)


def _can_create(case: Case, body: Mapping[str, str]) -> bool:
    outcome = create_organization(case.state, case.context, case.asker, {"name": "tried out", **body})
    return not isinstance(outcome, Refused)


def _charges(case: Case, key: str, requested: int) -> Mapping[str, int]:
    """What the request uses: what an API key opens is charged twice, and only that."""
    is_by_key = case.caller is not None and case.caller.key is not None and key in BY_KEY and requested == 1
    return BY_KEY if is_by_key else {key: requested}


def _needs(case: Case, org: Org, charges: Mapping[str, int]) -> list[Need]:
    """Every window that has no room, whichever of them the refusal named."""
    limits, meters = limits_of(case.state, org, case.now), case.state.held_by(org.id).meters
    return [
        (key, period, least)
        for key, amount in charges.items()
        for period, limit in limits.windows(key)
        if (least := used_in(meters.get(key), period, case.now) + amount) > (limit.value or 0)
    ]


def _room(case: Case, org: Org, charges: Mapping[str, int]) -> int:
    """How much fits into all windows."""
    limits, meters = limits_of(case.state, org, case.now), case.state.held_by(org.id).meters
    rooms = (
        (limit.value or 0) - used_in(meters.get(key), period, case.now)
        for key in charges
        for period, limit in limits.windows(key)
    )
    return min(rooms, default=0)


def _less_at_once(room: int, requested: int) -> str | None:
    return f"Ask for {room} at most." if 0 < room < requested else None


def _limits(case: Case, org: Org, key: str) -> dict[str, Any]:
    limits = limits_of(case.state, org, case.now)
    found = {period: limits.of(key, period) for period in QUOTAS[key].allowed}
    return {period: {"value": limit.value, "source": dict(limit.source)} for period, limit in found.items()}


def _metered(case: Case, org: Org, key: str) -> dict[str, Any]:
    meter = case.state.held_by(org.id).meters.get(key)
    windows = {
        period: {"used": used_in(meter, period, case.now), "ends_at": window_at(period, case.now).end_text}
        for period in CALENDAR_PERIODS
    }
    return {**dict(about(case, org)), "limits": _limits(case, org, key), "windows": windows}


def _held(case: Case, org: Org, key: str) -> dict[str, Any]:
    holdings = case.state.held_by(org.id)
    facts = {**dict(about(case, org)), "limits": _limits(case, org, key), "live": holdings.count(key)}
    if key in KINDS:
        shelf = holdings.shelf(key)
        return {**facts, "deleted": len(shelf.deleted), "ids": some(oldest(shelf.live))}
    return {**facts, "ids": sorted(holdings.users if key == "org_users" else holdings.children)[:MOST_IDS]}
