"""GET and POST /admin/quota_overrides: an operator lifts or lowers one limit of one organization, perhaps for a time.

One override per (organization, key, period); posting again replaces it and keeps its id. An expired one no longer
counts but stays in the listing with `active: false`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rpds import HashTrieMap

from mock_server.engine.decisions import Accepted, Context, Effect, Emit, Job, Refused, Schedule, Unschedule
from mock_server.engine.instants import Instant, InvalidTime, format_instant, parse_instant

from .lifecycle import after
from .limits import row
from .problems import INVALID_TIME, ORG_NOT_FOUND, UNKNOWN_QUOTA_KEY, UNSUPPORTED_PERIOD, UNSUPPORTED_SUBJECT_TYPE
from .quotas import QUOTAS
from .state import OpenApp, Override

API = "openapp"
EXPIRY_JOB = "override_expires"


def list_overrides(state: OpenApp, context: Context) -> dict[str, Any]:
    """Oldest first (then by id), expired ones included."""
    overrides = [override for kept in state.overrides.values() for override in kept.values()]
    overrides.sort(key=lambda override: (override.created_at, override.id))
    return {"overrides": [override_view(override, context.now) for override in overrides]}


def upsert_override(
    state: OpenApp, context: Context, body: Mapping[str, Any]
) -> Accepted[OpenApp, dict[str, Any]] | Refused:
    """`body` is a QuotaOverrideRequest. A limit of 0 blocks; an `expires_at` that has passed makes it inactive at once."""
    if body["subject_type"] != "org":
        return Refused(UNSUPPORTED_SUBJECT_TYPE(subject_type=body["subject_type"]))
    key = body["quota_key"]
    quota = QUOTAS.get(key)
    if quota is None:
        return Refused(UNKNOWN_QUOTA_KEY(quota_key=key, known_keys=list(QUOTAS)))
    period = body.get("period") or quota.default_period
    if period not in quota.allowed:
        return Refused(UNSUPPORTED_PERIOD(quota_key=key, period=period, periods=", ".join(quota.allowed)))
    expires_at: Instant | None = None
    if (text := body.get("expires_at")) is not None:
        try:
            expires_at = parse_instant(text)
        except InvalidTime as error:
            return Refused(INVALID_TIME(field="expires_at", reason=str(error)))
    org_id = body["subject_id"]
    if org_id not in state.orgs:
        return Refused(ORG_NOT_FOUND(org_id=org_id))

    kept: HashTrieMap[str, Override] = state.overrides.get(org_id) or HashTrieMap()
    before = kept.get(row(key, period))
    override = Override(
        id=before.id if before else context.id(),
        org_id=org_id,
        quota_key=key,
        period=period,
        limit_value=body["limit_value"],
        created_at=before.created_at if before else context.now,
        updated_at=context.now,
        expires_at=expires_at,
        reason=body.get("reason"),
    )
    changed = msgspec.structs.replace(
        state, overrides=state.overrides.insert(org_id, kept.insert(row(key, period), override))
    )
    upserted = Accepted(changed, override_view(override, context.now), (expiry(override, context.now),))
    return after(upserted, org_id, context.now)


def expiry(override: Override, now: Instant) -> Effect:
    """What the agenda has to know of an override's end."""
    key = f"{API}/override:{override.id}"
    if override.expires_at is None or override.expires_at <= now:
        return Unschedule(key)
    job = Job(API, EXPIRY_JOB, {"org_id": override.org_id, "row": row(override.quota_key, override.period)})
    return Schedule(key, override.expires_at, job)


def override_expires(state: OpenApp, args: Mapping[str, Any], context: Context) -> Accepted[OpenApp, str]:
    """Job: the limit has fallen back by itself (limits look at the clock); the outside is told."""
    kept: Mapping[str, Override] = state.overrides.get(str(args.get("org_id")), {})
    override = kept.get(str(args.get("row")))
    if override is None:
        return Accepted(state, "the override is gone")
    facts = {
        "org_id": override.org_id,
        "override_id": override.id,
        "quota_key": override.quota_key,
        "period": override.period,
        "limit_value": override.limit_value,
        "expires_at": None if override.expires_at is None else format_instant(override.expires_at),
        "reason": override.reason,
    }
    org = state.orgs[override.org_id]
    text = f"override of {override.quota_key} per {override.period} for {org.label} expired"
    return after(Accepted(state, text, (Emit("override.expired", override.org_id, facts),)), org.id, context.now)


def override_view(override: Override, now: Instant) -> dict[str, Any]:
    """QuotaOverride."""
    return {
        "id": override.id,
        "subject_type": "org",
        "subject_id": override.org_id,
        "quota_key": override.quota_key,
        "period": override.period,
        "limit_value": override.limit_value,
        "expires_at": None if override.expires_at is None else format_instant(override.expires_at),
        "reason": override.reason,
        "active": override.is_active(now),
        "created_at": format_instant(override.created_at),
        "updated_at": format_instant(override.updated_at),
    }
