"""Events in the shapes of providers, one file per shape. Pure: the same event gives the same bytes in every process.

A file in this folder with SHAPES in it renders those; there is no list to add it to. A scheme without a shape of its own
gets the plain one. Whatever stands in an event's data is bounded first, so that no body is larger than LARGEST.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .event import Event, Payload
from .parts import LARGEST

__all__ = ["LARGEST", "Event", "Payload", "render", "shapes"]

PLAIN = "generic"


@cache
def shapes() -> Mapping[str, Callable[[Event], Payload]]:
    """All of them by the name of their scheme."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    return {shape: module.render for module in modules for shape in getattr(module, "SHAPES", ())}


def render(event: Event, shape: str) -> Payload:
    """`shape` is a scheme's name. Never raises, whatever the event says."""
    return shapes().get(shape, shapes()[PLAIN])(event)
