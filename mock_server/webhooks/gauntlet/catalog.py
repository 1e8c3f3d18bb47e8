"""All variants there are, in the order in which they are sent."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from . import claims, forged, hardened, legitimate
from .variant import Variant

VARIANTS: tuple[Variant, ...] = (*legitimate.VARIANTS, *forged.VARIANTS, *claims.VARIANTS, *hardened.VARIANTS)


class UnknownVariant(LookupError):
    """No variant has that name; the message says which there are."""


def chosen(only: Collection[str] = (), skip: Collection[str] = ()) -> tuple[Variant, ...]:
    """Those that `only` names, all if it names none, without those that `skip` names; `*` stands for any letters.

    Raises UnknownVariant for a name that fits none.
    """
    for pattern in (*only, *skip):
        if not any(fnmatchcase(each.name, pattern) for each in VARIANTS):
            names = ", ".join(each.name for each in VARIANTS)
            raise UnknownVariant(f"there is no variant {pattern!r}; there are: {names}")
    wanted = [each for each in VARIANTS if not only or any(fnmatchcase(each.name, pattern) for pattern in only)]
    return tuple(each for each in wanted if not any(fnmatchcase(each.name, pattern) for pattern in skip))
