"""Metered quotas: so many uses in a UTC day, ISO week and month, or within one session.

A use counts in every window at once, whichever of them are limited, so that a limit that is set later finds what
happened before. It must fit into all of them, or it counts in none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec
from rpds import HashTrieMap

from mock_server.engine.decisions import Refused
from mock_server.engine.instants import DAY, SECOND, Instant, format_instant
from mock_server.engine.windows import Window, window_at

from .limits import EffectiveLimit, Limits, limits_of
from .problems import METER_FULL, SESSION_FULL
from .quotas import CALENDAR_PERIODS, PER_SESSION
from .resources import Meter, Session
from .state import OpenApp, Org

MOST_SESSIONS = 100
"""Of one organization and quota; the one used longest ago is forgotten first."""

_NEVER = Meter(0, 0, 0, 0)


def used_in(meter: Meter | None, period: str, now: Instant) -> int:
    """Uses in the window of `period` that `now` lies in."""
    if meter is None:
        return 0
    rolled = _rolled(meter, now // DAY)
    return rolled.in_day if period == "day" else rolled.in_week if period == "week" else rolled.in_month


def metered(state: OpenApp, org: Org, charges: Mapping[str, int], now: Instant) -> HashTrieMap[str, Meter] | Refused:
    """The organization's meters after these uses (quota key -> how many), all of them or none."""
    meters: HashTrieMap[str, Meter] = state.held_by(org.id).meters
    limits, day = limits_of(state, org, now), now // DAY
    refusals: list[tuple[Instant, Refused]] = []
    for key, amount in charges.items():
        meter = _rolled(meters.get(key, _NEVER), day)
        refusals += _too_much(limits, org, key, amount, meter)
        meters = meters.insert(key, Meter(day, meter.in_day + amount, meter.in_week + amount, meter.in_month + amount))
    if refusals:
        # Waiting helps only when the window that lasts longest has ended.
        return max(refusals, key=lambda each: each[0])[1]
    return meters


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


def _rolled(meter: Meter, day: int) -> Meter:
    """The meter as of `day`: windows that have ended since count from nothing."""
    if meter.day == day:
        return meter
    in_month = meter.in_month if _window("month", meter.day).start == _window("month", day).start else 0
    in_week = meter.in_week if _window("week", meter.day).start == _window("week", day).start else 0
    return Meter(day, 0, in_week, in_month)


def _window(period: str, day: int) -> Window:
    return window_at(period, day * DAY)  # type: ignore[arg-type]


def _too_much(limits: Limits, org: Org, key: str, amount: int, meter: Meter) -> Iterator[tuple[Instant, Refused]]:
    """A refusal for each window that the uses do not fit into, with its end."""
    for period, current in zip(CALENDAR_PERIODS, (meter.in_day, meter.in_week, meter.in_month), strict=True):
        limit = limits.of(key, period)
        if limit.value is not None and current + amount > limit.value:
            window = window_at(period, limits.now)
            yield window.end, _refused(org, key, period, window, current, amount, limit, limits.now)


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
