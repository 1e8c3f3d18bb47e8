"""How a token is sent along: as the contract says, and in ways that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .http import Headers

KEY, AUTHORIZATION = "X-API-Key", "Authorization"
SEPARATOR = "_openapp_"
NOBODY = "nobody-knows-this-one"
USUAL = "key"


WAYS: Mapping[str, Callable[[str], Headers]] = {
    USUAL: lambda token: ((KEY, token),),
    "bearer": lambda token: ((AUTHORIZATION, f"Bearer {token}"),),
    "secret part": lambda token: ((KEY, token.rpartition(SEPARATOR)[2]),),
    "key beside a bad bearer": lambda token: ((KEY, token), (AUTHORIZATION, f"Bearer {NOBODY}")),
    "bad key beside a bearer": lambda token: ((KEY, NOBODY), (AUTHORIZATION, f"Bearer {token}")),
    "basic": lambda token: ((AUTHORIZATION, f"Basic {token}"),),
    "no scheme": lambda token: ((AUTHORIZATION, token),),
    "key, then another": lambda token: ((KEY, token), (KEY, NOBODY)),
    "another, then key": lambda token: ((KEY, NOBODY), (KEY, token)),
    "bearer, then another": lambda token: ((AUTHORIZATION, f"Bearer {token}"), (AUTHORIZATION, f"Bearer {NOBODY}")),
    "cookie": lambda token: (("Cookie", f"{KEY}={token}; Authorization={token}"),),
    "cut": lambda token: ((KEY, token[:-1]),),
    "longer": lambda token: ((KEY, f"{token}x"),),
    "other case": lambda token: ((KEY, token.swapcase() if token.swapcase() != token else f"x{token}"),),
}


def carried(token: str, way: str = USUAL) -> Headers:
    """The headers that carry a token in one of the `WAYS`."""
    return WAYS[way](token)
