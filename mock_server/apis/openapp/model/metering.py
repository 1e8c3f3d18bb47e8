"""Metered quotas: so many uses in a UTC day, ISO week and month, or within one session.

A use counts in every window at once, whichever of them are limited, so that a limit that is set later finds what
happened before. It must fit into all of them, or it counts in none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
from rpds import HashTrieMap

from mock_server.engine.decisions import Emit, Refused
from mock_server.engine.instants import DAY, SECOND, Instant, format_instant
from mock_server.engine.windows import Window, number_of, window_at

from .limits import limits_of
from .problems import METER_FULL, SESSION_FULL
from .quotas import PER_SESSION
from .resources import Meter, Session
from .state import EffectiveLimit, OpenApp, Org
from .thresholds import WARNING, filled

Sessions = Mapping[str, tuple[Session, ...]]

MOST_SESSIONS = 100
"""Of one organization and quota; the one used longest ago is forgotten first."""


def used_in(meter: Meter | None, period: str, now: Instant) -> int:
    """Uses in the window of `period` that `now` lies in."""
    return 0 if meter is None else _in(_used(meter, now // DAY, 0), period)


def metered(state: OpenApp, org: Org, charges: Mapping[str, int], now: Instant) -> HashTrieMap[str, Meter] | Refused:
    """The organization's meters after these uses (quota key -> how many), all of them or none."""
    meters: HashTrieMap[str, Meter] = state.held_by(org.id).meters
    limits, day = limits_of(state, org, now), now // DAY
    refusals: list[tuple[Instant, Refused]] = []
    for key, amount in charges.items():
        after = _used(meters.get(key), day, amount)
        for period, limit in limits.windows(key):
            used = _in(after, period)
            if used > limit.value:  # type: ignore[operator]
                window = window_at(period, now)
                refusals.append((window.end, _refused(org, key, period, window, used - amount, amount, limit, now)))
        meters = meters.insert(key, after)
    if refusals:
        # Waiting helps only when the window that lasts longest has ended.
        return max(refusals, key=lambda each: each[0])[1]
    return meters


def crossed(
    state: OpenApp, org: Org, charges: Mapping[str, int], meters: HashTrieMap[str, Meter], now: Instant
) -> tuple[Emit, ...]:
    """What the outside hears of these uses, with which the meters have become `meters`."""
    limits = limits_of(state, org, now)
    news: tuple[Emit, ...] = ()
    for key, amount in charges.items():
        for period, limit in limits.windows(key):
            used, most = _in(meters[key], period), limit.value
            # Most uses are far from any limit: two multiplications tell.
            if used * 100 >= most * WARNING and (used - amount) < most:  # type: ignore[operator]
                label = window_at(period, now).label
                news += filled(org.id, key, period, label, used - amount, used, most)
    return news


def in_session(
    state: OpenApp, org: Org, key: str, session_id: str, amount: int, now: Instant
) -> HashTrieMap[str, tuple[Session, ...]] | Refused:
    """The organization's sessions after `amount` more in one of them (seconds, for a duration)."""
    sessions = state.held_by(org.id).sessions
    kept: tuple[Session, ...] = sessions.get(key, ())
    used = next((each.used for each in kept if each.id == session_id), 0)
    limit = limits_of(state, org, now).of(key, PER_SESSION)
    if limit.value is not None and used + amount > limit.value:
        facts = {"session": session_id, "current": used, "limit": limit.value, "requested": amount}
        return Refused(SESSION_FULL(org_id=org.id, key=key, period=PER_SESSION, source=limit.source, **facts))
    others = tuple(each for each in kept if each.id != session_id)[1 - MOST_SESSIONS :]
    return sessions.insert(key, (*others, Session(session_id, used + amount, now)))


def crossed_in_session(
    state: OpenApp, org: Org, key: str, session_id: str, amount: int, kept: Sessions, now: Instant
) -> tuple[Emit, ...]:
    """What the outside hears of `amount` more in a session, which is the last one of `kept` now."""
    limit, used = limits_of(state, org, now).of(key, PER_SESSION).value, kept[key][-1].used
    return filled(org.id, key, PER_SESSION, PER_SESSION, used - amount, used, limit, session=session_id)


def _in(meter: Meter, period: str) -> int:
    return meter.in_day if period == "day" else meter.in_week if period == "week" else meter.in_month


def _used(meter: Meter | None, day: int, amount: int) -> Meter:
    """The meter after `amount` more on `day`: windows that have ended since count from nothing."""
    if meter is None:
        return Meter(day, amount, amount, amount)
    if meter.day == day:
        return Meter(day, meter.in_day + amount, meter.in_week + amount, meter.in_month + amount)
    in_week = meter.in_week if number_of("week", meter.day) == number_of("week", day) else 0
    in_month = meter.in_month if number_of("month", meter.day) == number_of("month", day) else 0
    return Meter(day, amount, in_week + amount, in_month + amount)


def _refused(
    org: Org, key: str, period: str, window: Window, current: int, amount: int, limit: EffectiveLimit, now: Instant
) -> Refused:
    problem = METER_FULL(
        org_id=org.id,
        key=key,
        period=period,
        period_label=window.label,
        current=current,
        limit=limit.value,
        requested=amount,
        source=dict(limit.source),
        resets_at=format_instant(window.end),
    )
    return Refused(problem.with_headers(("Retry-After", str(math.ceil((window.end - now) / SECOND)))))


def with_meters(state: OpenApp, org: Org, meters: HashTrieMap[str, Meter]) -> OpenApp:
    return state.with_holdings(org.id, msgspec.structs.replace(state.held_by(org.id), meters=meters))
