"""What a mutant is, and how a fault gets into a server's functions. Around the whole app it gets with `around`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgspec
from starlette.types import ASGIApp

Install = Callable[[ASGIApp], ASGIApp]
"""Puts a fault into a server that has answered nothing yet, in a process of its own. Gives the app to serve."""

Function = Callable[..., Any]
Make = Callable[[Function], Function]
"""The real function -> the faulty one."""


class Mutant(msgspec.Struct, frozen=True):
    """`numbers`: which of the 99 mutants of the benchmark it stands for; none for one that only OpenApp can have."""

    id: str
    family: str
    numbers: tuple[int, ...]
    title: str
    install: Install


def family(name: str) -> Callable[..., Mutant]:
    """How one family writes down its mutants: id, title, fault, numbers."""

    def mutant(mutant_id: str, title: str, install: Install, *numbers: int) -> Mutant:
        return Mutant(mutant_id, name, numbers, title, install)

    return mutant


def replacing(function: Function, make: Make, *, seen_by: ModuleType | None = None) -> Install:
    """A fault in a function of the server, wherever its modules look it up: only in `seen_by`, if that is given."""

    def install(app: ASGIApp) -> ASGIApp:
        tables = [table for module in _modules(seen_by) for table in _tables(module)]
        places = [(table, name) for table in tables for name, value in list(table.items()) if value is function]
        if not places:
            raise LookupError(f"nobody looks up {function.__module__}.{function.__qualname__}")
        faulty = make(function)
        for table, name in places:
            table[name] = faulty
        return app

    return install


def patched(owner: ModuleType | type, name: str, make: Callable[[Any], Any]) -> Install:
    """A fault in what one name of one module or class stands for."""

    def install(app: ASGIApp) -> ASGIApp:
        setattr(owner, name, make(getattr(owner, name)))
        return app

    return install


def in_api(name: str, make: Make) -> Install:
    """A fault in a function that the server knows as a member of OpenApp's `Api`."""
    from mock_server.apis.openapp.api import API

    def install(app: ASGIApp) -> ASGIApp:
        msgspec.structs.force_setattr(API, name, make(getattr(API, name)))
        return app

    return install


def together(*installs: Install) -> Install:
    """One fault that takes changes in several places."""

    def install(app: ASGIApp) -> ASGIApp:
        for each in installs:
            app = each(app)
        return app

    return install


def always(value: Any) -> Make:
    """A function that looks at nothing any more."""
    return lambda _: lambda *__, **___: value


def _modules(only: ModuleType | None) -> list[ModuleType]:
    if only is not None:
        return [only]
    import mock_server.app  # noqa: F401 # so that all that looks functions up is there

    return [module for name, module in sorted(sys.modules.items()) if name.startswith("mock_server.")]


def _tables(module: ModuleType) -> list[dict[Any, Any]]:
    """Where a module looks functions up: its names, and the tables among them."""
    names = vars(module)
    return [names, *(each for name, each in list(names.items()) if isinstance(each, dict) and name.isupper())]
