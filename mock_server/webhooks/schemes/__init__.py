"""Signature schemes, one file per provider. Each signs and verifies raw bytes, and imports nothing else of ours.

A file in this folder with a SCHEME in it is a provider; there is no list to add it to.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .protocol import Scheme


class UnknownScheme(LookupError):
    """There is no scheme of that name; the message says which there are."""


@cache
def schemes() -> Mapping[str, Scheme]:
    """All of them by name, in the order of their names."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    found: list[Scheme] = [module.SCHEME for module in modules if hasattr(module, "SCHEME")]
    return {scheme.name: scheme for scheme in sorted(found, key=lambda each: each.name)}


def scheme_named(name: str) -> Scheme:
    """Raises UnknownScheme."""
    found = schemes().get(name)
    if found is None:
        raise UnknownScheme(f"there is no signature scheme {name!r}; there are: {', '.join(schemes())}")
    return found
