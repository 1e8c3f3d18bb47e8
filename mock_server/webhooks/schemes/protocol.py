"""What every signature scheme takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Message(msgspec.Struct, frozen=True):
    """What is signed: the exact bytes, and for the schemes that sign them too, the receiver's URL and a message id."""

    body: bytes
    url: str = ""
    id: str = ""


class Signed(msgspec.Struct, frozen=True):
    """What to send: the bytes and the headers that carry the signature."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


class Verified(msgspec.Struct, frozen=True):
    """The signature holds; `signed_at` is the time it carries in seconds since 1970, where the scheme has one."""

    signed_at: int | None = None


class Rejected(msgspec.Struct, frozen=True):
    """`reason` is one of the scheme's named reasons; `explanation` says what was found, without any secret."""

    reason: str
    explanation: str


class Scheme(Protocol):
    name: str

    def sign(self, message: Message, secret: str, now: int) -> Signed:
        """`now` is seconds since 1970."""

    def verify(
        self, message: Message, headers: Mapping[str, str], secrets: Sequence[str], now: int, tolerance: int
    ) -> Verified | Rejected:
        """Header names in lower case. `secrets`: any one may match, as during a rotation. `tolerance` in seconds, 0: off."""
