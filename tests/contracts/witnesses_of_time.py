"""Witnesses that need the clock: windows, overrides that end, degradation, purging."""

from __future__ import annotations

from collections.abc import Mapping

from .witnessing import Probe, Witness

TOMORROW = "2026-04-16T10:00:00Z"


def purged_in_time(it: Probe) -> None:
    zone = it.zone()
    it.delete(f"/zones/{zone}")
    it.advance("P29DT12H")
    it.get(f"/zones/{zone}")


def used(until: str, *, since: str | None = None, per_week: bool = False) -> Witness:
    """A use, and what is left of it in a report later on."""

    def witness(it: Probe) -> None:
        if since is not None:
            it.until(since)
        if per_week:
            it.limit("ai_requests", 5, period="week")
        it.translate()
        it.until(until)
        it.billing("usage")

    return witness


def reported(it: Probe) -> None:
    it.billing("usage")


def override_ended(after: str) -> Witness:
    def witness(it: Probe) -> None:
        it.limit("ai_requests", 0, expires_at=TOMORROW)
        it.advance(after)
        it.translate()

    return witness


def degraded(after: str) -> Witness:
    """Two zones where one is allowed, and what becomes of it."""

    def witness(it: Probe) -> None:
        it.zones("a", "b")
        it.limit("zones", 1)
        it.advance(after)
        it.billing("degradation")

    return witness


def recovered(it: Probe) -> None:
    it.buy("pro")
    it.zones("a", "b", "c", "d")
    it.buy("free")
    it.buy("pro")
    it.billing("degradation")


def full(it: Probe) -> None:
    it.zone()
    it.limit("zones", 1)
    it.billing("degradation")


def too_many_users(it: Probe) -> None:
    it.post("/users", {"name": "Una"})
    it.limit("org_users", 1)
    it.advance("P51D")
    it.get("/users")


def door_of_degraded(it: Probe) -> None:
    (door,) = it.doors("Front")
    it.limit("entities", 0)
    it.advance("P20D")
    it.open(door)


WITNESSES: Mapping[str, Witness] = {
    "purged-a-day-early": purged_in_time,
    # windows
    "never-resets": used("2026-04-16T10:00:00Z"),
    "resets-an-hour-late": used("2026-04-16T00:59:00Z"),
    "resets-a-moment-late": used("2026-04-16T00:00:00Z"),
    "month-of-30-days": used("2026-05-01T00:00:00Z"),
    "window-swapped": reported,
    "berlin-time": used("2026-04-15T22:00:00Z"),
    "no-leap-day": used("2028-02-29T12:00:00Z", since="2028-02-28T12:00:00Z"),
    "week-ends-with-year": used("2027-01-01T12:00:00Z", since="2026-12-31T12:00:00Z", per_week=True),
    "week-from-sunday": used("2026-04-19T12:00:00Z", since="2026-04-18T12:00:00Z", per_week=True),
    # overrides
    "override-for-ever": override_ended("P60D"),
    "override-a-second-longer": override_ended("P1D"),
    "override-a-month-longer": override_ended("P20D"),
    "nothing-after-override": override_ended("P1D"),
    # degradation
    "stage-order": degraded("P7D"),
    "stage-a-moment-late": degraded("P7D"),
    "warned-a-day-short": degraded("P6D"),
    "purged-early": degraded("P50D"),
    "never-purged": degraded("P51D"),
    "level-not-linear": degraded("P22D"),
    "upgrade-not-noticed": recovered,
    "policy-reversed": degraded("PT0S"),
    "full-is-over": full,
    "users-purged": too_many_users,
    "admins-slowed": door_of_degraded,
}
