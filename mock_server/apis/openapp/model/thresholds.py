"""What the outside hears when a quota fills up: `quota.warning` at 80 % of a limit, `quota.reached` at all of it.

Told is the crossing, not the level: once for each window (or, of what exists, for each time it grows that far), by the
use or the creation that goes past the threshold. A limit that is lowered below what is used tells nothing by itself.
"""

from __future__ import annotations

from typing import Any

from mock_server.engine.decisions import Emit

WARNING = 80
"""Percent of a limit."""
_TOPICS = (("quota.warning", WARNING), ("quota.reached", 100))


def filled(
    org_id: str, key: str, period: str, label: str, before: int, after: int, limit: int | None, **more: Any
) -> tuple[Emit, ...]:
    """The thresholds that lie between two counts, the lower one first. A limit of 0 is never filled, nor is none."""
    if not limit:
        return ()
    data = {
        "org_id": org_id,
        "key": key,
        "period": period,
        "period_label": label,
        "current": after,
        "limit": limit,
        "percent": after * 100 // limit,
        **more,
    }
    return tuple(
        Emit(topic, org_id, data) for topic, percent in _TOPICS if before * 100 < limit * percent <= after * 100
    )
