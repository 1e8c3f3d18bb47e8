"""A law: one checkable statement of a contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from .target import Need

if TYPE_CHECKING:
    from .bench import Bench

FAMILIES = ("wire", "access", "model", "effects", "idempotency", "metamorphic", "ingress", "races")


def writing(*more: Need) -> frozenset[Need]:
    """The needs of a law that makes something."""
    return frozenset(("writes", *more))


class Law(msgspec.Struct, frozen=True):
    """`clause`: what it rests on, a JSON pointer into the bundle or `docs/...#section`. `check` tries to break it on a
    bench, which keeps what it finds; it returns when it has tried enough.
    """

    id: str
    title: str
    clause: str
    needs: frozenset[Need]
    check: Callable[[Bench], None]

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]
