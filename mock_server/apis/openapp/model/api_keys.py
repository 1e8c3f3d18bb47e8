"""POST and GET /api-keys, DELETE /api-keys/{id}, .../restore, .../purge: credentials that callers make themselves.

The token is shown once; what is kept is the digest of its secret. A revoked key can be restored until it is purged.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import isodate

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import DAY, SECOND, Instant, InvalidTime, checked, format_instant, parse_instant

from .access import no_such, org_in_question
from .capacity import filling, no_room
from .credentials import digest
from .lifetimes import common, placed
from .problems import (
    ENTITY_OUT_OF_SCOPE,
    INVALID_EXPIRY,
    OUTLIVES_ITS_MAKER,
    ROLE_NOT_HELD,
    SCOPE_NEEDED,
    UNKNOWN_ROLE,
)
from .resources import ApiKey
from .roles import RESOURCE_ROLES
from .state import OpenApp
from .views import api_key as view

LIFE = 365 * DAY
LONGEST_LIFE = 3650 * DAY
_COMPACT = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY, "w": 7 * DAY}
_ISO = re.compile(r"P(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII)


def create_api_key(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Mapping[str, Any], base_url: str
) -> Accepted[OpenApp, tuple[dict[str, Any], str]] | Refused:
    """The new key as listed, and its secret. It may do no more than its maker, for no longer and to no other entities."""
    expires_at = _expiry(body, context.now)
    if isinstance(expires_at, Refused):
        return expires_at
    scoped_roles = body.get("scoped_roles")
    if (unclear := _unclear(caller, scoped_roles)) is not None:
        return unclear
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    permissions = _granted(caller, scoped_roles)
    if isinstance(permissions, Refused):
        return permissions
    bounds = _within_maker(state, caller, body, expires_at)
    if isinstance(bounds, Refused):
        return bounds
    expires_at, scoped_entity_ids = bounds
    for entity_id in scoped_entity_ids or ():
        if entity_id not in state.held_by(org.id).entities.live:
            return Refused(no_such("entities", entity_id, org.id))
    full = no_room(state, org, "api_keys", context.now)
    if full is not None:
        return full
    secret = _secret(context)
    row = ApiKey(
        **common(state, context, org),
        name=body["name"],
        digest=digest(secret),
        token_suffix=secret[-4:],
        base_url=base_url,
        expires_at=expires_at,
        permissions=permissions,  # type: ignore[arg-type]
        scoped_roles=_tuple(scoped_roles),
        scoped_entity_ids=_tuple(scoped_entity_ids),
    )
    news = filling(state, org, "api_keys", context.now)
    state = placed(state, "api_keys", row, api_keys=state.api_keys.insert(row.digest, row.id))
    return Accepted(state, (view(row), secret), news)


def _within_maker(
    state: OpenApp, caller: Caller, body: Mapping[str, Any], expires_at: Instant
) -> tuple[Instant, list[str] | None] | Refused:
    """Expiry and scope: a key that is made with another key neither outlives it nor reaches other entities."""
    scope = body.get("scoped_entity_ids")
    maker = state.held_by(caller.org or "").api_keys.live.get(caller.key or "")
    if maker is None:
        return expires_at, scope
    if expires_at > maker.expires_at and ("expires_at" in body or "expires_in" in body):
        return Refused(OUTLIVES_ITS_MAKER(expires_at=format_instant(maker.expires_at)))
    if maker.scoped_entity_ids is not None:
        scope = list(maker.scoped_entity_ids) if scope is None else scope
        for entity_id in scope:
            if entity_id not in maker.scoped_entity_ids:
                return Refused(ENTITY_OUT_OF_SCOPE(id=entity_id))
    return min(expires_at, maker.expires_at), scope


def _unclear(caller: Caller, scoped: list[str] | None) -> Refused | None:
    if scoped is None and caller.is_operator:
        return Refused(SCOPE_NEEDED(place="body", pointer="/scoped_roles"))
    for role in scoped or ():
        if role not in RESOURCE_ROLES:
            return Refused(UNKNOWN_ROLE(role=role, known_roles=list(RESOURCE_ROLES)))
    return None


def _granted(caller: Caller, scoped: list[str] | None) -> tuple[str, ...] | Refused:
    """What the key may do: no more than its maker."""
    if scoped is None:
        return tuple(sorted(caller.permissions))
    for role in scoped:
        if not caller.may(role):
            return Refused(ROLE_NOT_HELD(role=role))
    return tuple(sorted(set(scoped)))


def _expiry(body: Mapping[str, Any], now: Instant) -> Instant | Refused:
    at, within = body.get("expires_at"), body.get("expires_in")
    field = "expires_at" if at is not None else "expires_in"
    if at is not None and within is not None:
        return _bad("expires_in", "give either expires_at or expires_in, not both")
    try:
        life = LIFE if within is None else _duration(within)
        expires_at = parse_instant(at) if at is not None else checked(now + life)
    except InvalidTime as error:
        return _bad(field, str(error))
    if expires_at <= now:
        return _bad(field, "the key would have expired already")
    if expires_at - now > LONGEST_LIFE:
        return _bad(field, "a key lives for 3650 days at most")
    return expires_at


def _duration(text: str) -> int:
    if (compact := _COMPACT.fullmatch(text)) is not None:
        return int(compact[1]) * _UNITS[compact[2]]
    if _ISO.fullmatch(text) is None or len(text) > 30 or not any(letter.isdigit() for letter in text):
        raise InvalidTime(
            f"{text[:60]!r} is neither an ISO 8601 duration without years and months (P30D, PT12H) nor of the form 30d"
        )
    try:
        seconds: float = isodate.parse_duration(text).total_seconds()
    except (isodate.ISO8601Error, OverflowError, ValueError, ArithmeticError):
        raise InvalidTime(f"{text[:60]!r} is not a duration that can be added here") from None
    return round(seconds * SECOND)


def _bad(field: str, reason: str) -> Refused:
    return Refused(INVALID_EXPIRY(field=field, reason=reason))


def _secret(context: Context) -> str:
    """256 bits in 43 letters that are safe in URLs and never contain the token's separator."""
    raw = b"".join(context.random(n).to_bytes(8, "big") for n in range(4))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=").replace("_", "-")


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
