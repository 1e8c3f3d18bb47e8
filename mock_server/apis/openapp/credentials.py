"""How OpenApp reads credentials: `X-API-Key: <token>` or `Authorization: Bearer <token>`.

A token is the bare secret or `<anything>_openapp_<secret>`, as older and newer client libraries send it; a secret may
name its world with `@<world>`. With both headers X-API-Key decides.
"""

from __future__ import annotations

from starlette.datastructures import Headers

from mock_server.api import ShownCredential, Token
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.instants import Instant, format_instant

from .model.credentials import digest
from .model.state import OpenApp

SEPARATOR = "_openapp_"
CHALLENGE = 'Bearer realm="openapp"'


def token(headers: Headers, strict: bool) -> Token | Rejected | None:
    keys = headers.getlist("x-api-key")
    if keys:
        return _token(keys[0]) if len(keys) == 1 else Rejected("it carries X-API-Key more than once")
    credentials = headers.getlist("authorization")
    if not credentials:
        return None
    if strict:
        return Rejected("API keys belong in X-API-Key; Authorization is for other tokens (strict mode)")
    if len(credentials) > 1:
        return Rejected("it carries Authorization more than once")
    scheme, _, text = credentials[0].partition(" ")
    if scheme.lower() != "bearer":
        return Rejected("Authorization holds something else than a Bearer token")
    return _token(text.strip())


def _token(text: str) -> Token | Rejected:
    # The last one: no secret contains it, but what stands before may.
    secret = text.rpartition(SEPARATOR)[2]
    name, at, world = secret.rpartition("@")
    if not (name if at else secret):
        return Rejected("its credential is empty")
    return Token(name, world) if at else Token(secret)


def identify(state: OpenApp, secret: str, now: Instant) -> Caller | Rejected:
    hashed = digest(secret)
    credential = state.credentials.get(hashed)
    if credential is None:
        key_id = state.api_keys.get(hashed)
        return Rejected("its credential is not known") if key_id is None else _api_key(state, key_id, now)
    if credential.revoked:
        return Rejected("its credential has been revoked")
    return credential.caller


def _api_key(state: OpenApp, key_id: str, now: Instant) -> Caller | Rejected:
    row = state.held_by(state.homes[key_id]).api_keys.live.get(key_id)
    if row is None:
        return Rejected("its credential has been revoked")
    if row.expires_at <= now:
        return Rejected(f"its credential expired at {format_instant(row.expires_at)}")
    caller: Caller = row.caller
    return caller


def shown(state: OpenApp) -> list[ShownCredential]:
    """The scenario's credentials by organization, strongest first."""
    credentials = sorted(state.credentials.values(), key=lambda each: (each.position, each.secret))
    return [
        ShownCredential(each.secret, each.name, each.role, each.permissions, each.org, each.revoked)
        for each in credentials
    ]


def token_form(origin: str, secret: str, world: str | None = None) -> str:
    """`world` at its end leads every client there; the default world needs no name."""
    return f"{origin}{SEPARATOR}{secret}{'' if world is None else f'@{world}'}"
