"""Which quotas exist: what each one counts, in which unit, over which periods.

Capacity keys cap how many of a thing exist at once; metered keys cap uses in a UTC calendar window.
"""

from __future__ import annotations

import msgspec

from mock_server.engine.windows import Calendar

LIFETIME = "lifetime"
PER_SESSION = "per_session"
CALENDAR_PERIODS: tuple[Calendar, ...] = ("day", "week", "month")
PERIODS = (LIFETIME, *CALENDAR_PERIODS, PER_SESSION)


class Quota(msgspec.Struct, frozen=True):
    """`reported` are the periods that every usage report shows; `allowed` those that a tier or an override may limit."""

    key: str
    unit: str
    reported: tuple[str, ...]
    allowed: tuple[str, ...]

    @property
    def is_capacity(self) -> bool:
        return self.allowed == (LIFETIME,)

    @property
    def default_period(self) -> str:
        """Where an override without a period applies: the smallest window."""
        return self.allowed[0]


def _capacity(key: str) -> Quota:
    return Quota(key, "count", (LIFETIME,), (LIFETIME,))


def _metered(key: str, *reported: str) -> Quota:
    return Quota(key, "count", reported, CALENDAR_PERIODS)


QUOTAS: dict[str, Quota] = {
    quota.key: quota
    for quota in (
        _capacity("org_users"),
        _capacity("organizations"),
        _capacity("integrations"),
        _capacity("devices"),
        _capacity("entities"),
        _capacity("zones"),
        _capacity("api_keys"),
        _metered("door_opens", "day", "month"),
        _metered("voice_invocations", "day"),
        _metered("portal_views", "day"),
        _metered("video_sessions", "day"),
        Quota("video_session_duration_seconds", "seconds", (PER_SESSION,), (PER_SESSION,)),
        _metered("scripting_executions", "day"),
        _metered("ai_requests", "day", "month"),
        _metered("geocoding_requests", "day", "month"),
    )
}
"""By key, in the order in which reports list them."""

CAPACITY_KEYS = tuple(key for key, quota in QUOTAS.items() if quota.is_capacity)
