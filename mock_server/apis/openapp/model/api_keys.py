"""POST and GET /api-keys, DELETE /api-keys/{id}, .../restore, .../purge: credentials that callers make themselves.

The token is shown once; what is kept is the digest of its secret. A revoked key can be restored until it is purged.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import isodate

from mock_server.engine.callers import OPERATOR, Caller
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import DAY, SECOND, Instant, InvalidTime, checked, parse_instant

from .access import no_such, org_in_question
from .capacity import no_room
from .credentials import digest
from .lifetimes import common, placed
from .problems import INVALID_EXPIRY, ROLE_NOT_HELD, UNKNOWN_ROLE
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
    """The new key as listed, and its secret. It may do what its maker may, less whatever `scoped_roles` leaves out."""
    expires_at = _expiry(body, context.now)
    if isinstance(expires_at, Refused):
        return expires_at
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    permissions = _granted(caller, body.get("scoped_roles"))
    if isinstance(permissions, Refused):
        return permissions
    for entity_id in body.get("scoped_entity_ids") or ():
        if entity_id not in state.held_by(org.id).entities.live:
            return Refused(no_such("entities", entity_id))
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
        scoped_roles=_tuple(body.get("scoped_roles")),
        scoped_entity_ids=_tuple(body.get("scoped_entity_ids")),
    )
    state = placed(state, "api_keys", row, api_keys=state.api_keys.insert(row.digest, row.id))
    return Accepted(state, (view(row), secret))


def _granted(caller: Caller, scoped: list[str] | None) -> tuple[str, ...] | Refused:
    """What the key may do. Nobody can make an operator's key, and none can do more than its maker."""
    if scoped is None:
        return tuple(sorted(caller.permissions - {OPERATOR}))
    for role in scoped:
        if role not in RESOURCE_ROLES:
            return Refused(UNKNOWN_ROLE(role=role, known_roles=list(RESOURCE_ROLES)))
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
