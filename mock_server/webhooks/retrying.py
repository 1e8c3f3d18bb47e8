"""When a provider tries again, and what it takes for success.

The waits are those that the providers' documentation names, or their common form where it names only a span; where nothing
could be read (bill.sh, Geopera) they are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

MINUTE, HOUR = 60, 3600
LONGEST_WAIT = 7 * 24 * HOUR
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)


class Manner(msgspec.Struct, frozen=True):
    """retries: seconds from each failed attempt to the next one. only_200: no other 2xx counts.
    below_400: a redirect counts as success. heeds: Retry-After is kept to, and 410 disables."""

    retries: tuple[int, ...]
    only_200: bool = False
    below_400: bool = False
    heeds: bool = False

    def is_success(self, status: int) -> bool:
        if self.only_200:
            return status == 200
        return 200 <= status < (400 if self.below_400 else 300)

    def wait(self, retries: tuple[int, ...], tried: int, status: int | None, headers: Mapping[str, str]) -> int | None:
        """Seconds until the next attempt after `tried` of them; None if that was the last one."""
        if tried > len(retries):
            return None
        asked = headers.get("retry-after", "")
        if self.heeds and status in (429, 503) and _SECONDS.fullmatch(asked):
            return max(retries[tried - 1], min(int(asked), LONGEST_WAIT))
        return retries[tried - 1]


_SVIX = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
_STANDARD = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
_OURS = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR)

MANNERS: Mapping[str, Manner] = {
    # Three days, ever further apart.
    "stripe": Manner((5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, *(12 * HOUR,) * 5)),
    "standard-webhooks": Manner(_STANDARD, heeds=True),
    "svix": Manner(_SVIX, heeds=True),
    "polar": Manner(_STANDARD, heeds=True),
    # Of the sandbox: three in a quarter of an hour.
    "paddle": Manner((MINUTE, 4 * MINUTE, 10 * MINUTE)),
    "lemonsqueezy": Manner((5, 25, 125), only_200=True),
    "square": Manner((MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR)),
    "github": Manner(()),
    "commerce": Manner((), below_400=True),
    "billsh": Manner(_OURS),
    "geopera": Manner(_OURS),
}


def manner_of(scheme: str) -> Manner:
    """How the provider of that scheme behaves; like Svix if nothing is known."""
    return MANNERS.get(scheme, Manner(_SVIX, heeds=True))
