"""What every signature scheme takes and gives."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

Reason = Literal[
    "missing",  # no signature header
    "missing_time",  # no timestamp where the scheme signs one
    "missing_id",  # no message id where the scheme signs one
    "missing_url",  # the scheme signs the receiver's URL, and nobody said which that is
    "malformed",  # a header that cannot be read
    "unsupported",  # only signatures of versions that nobody trusts
    "mismatch",  # readable, and not by any of the secrets over these bytes
    "expired",  # signed too long ago
    "premature",  # signed too far in the future
    "invalid_secret",  # no given secret has the form that the scheme's keys have
]


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
    """The signature holds. `signed_at`: the time that it carries in seconds since 1970, where the scheme has one;
    `secret`: which of the secrets it was, counted from 0."""

    signed_at: int | None = None
    secret: int = 0


class Rejected(msgspec.Struct, frozen=True):
    """`explanation` says what was found, without any secret."""

    reason: Reason
    explanation: str


_ID = re.compile(r"[!-~]{1,256}")


def header_id(message: Message, title: str) -> str:
    """The message's id, where it has one that can stand in a header. Raises InvalidMessage."""
    if not message.id:
        raise InvalidMessage(f"{title} signs a message id: say which")
    if not _ID.fullmatch(message.id):
        raise InvalidMessage("a message id is 1 to 256 visible ASCII characters, without spaces")
    return message.id


def utf8(text: str) -> bytes:
    """Bytes for any text: what was read with `surrogateescape` becomes what it was."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


class Claim(msgspec.Struct, frozen=True):
    """What a request's headers say of its signature, before any of it is believed: the very texts that stand there."""

    signatures: tuple[str, ...]
    time: str | None = None
    id: str | None = None


class InvalidMessage(ValueError):
    """A message lacks what the scheme signs beside the body, or has it in a form that no header can carry."""


class InvalidSecret(ValueError):
    """A secret that is no key of this scheme. The message says what form it should have, and does not repeat it."""


class Scheme(Protocol):
    """`name` is what files and commands call it; `title` is the provider's own name.

    `header` carries the signature. `tolerance` is how many seconds old a signature may be unless somebody says otherwise;
    0 if the scheme signs no time. `uses`: what is signed beside the body ("time", "id", "url").

    time_header, id_header   where those stand in headers of their own
    also                     other names under which `header` is understood
    headers                  all that may belong to a signature, under all their names
    legacy                   an older one, by the same secret, that the provider sends beside it
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def header(self) -> str: ...
    @property
    def tolerance(self) -> int: ...
    @property
    def uses(self) -> frozenset[str]: ...
    @property
    def time_header(self) -> str | None: ...
    @property
    def id_header(self) -> str | None: ...
    @property
    def also(self) -> tuple[str, ...]: ...
    @property
    def headers(self) -> tuple[str, ...]: ...
    @property
    def legacy(self) -> Scheme | None: ...

    def under(self, names: Collection[str]) -> Scheme:
        """The scheme, writing those of its names that are among `names` (in lower case)."""

    def sign(self, message: Message, secret: str, now: int) -> Signed:
        """`now` is seconds since 1970. Raises InvalidSecret, InvalidMessage."""

    def verify(
        self,
        message: Message,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        now: int,
        tolerance: int | None = None,
    ) -> Verified | Rejected:
        """Header names in lower case. `secrets`: any may match, as during a rotation. `tolerance` in seconds: 0 is off,
        None the scheme's own."""

    def claim(self, headers: Mapping[str, str]) -> Claim | Rejected:
        """What the headers say."""

    def material(self, message: Message, claim: Claim) -> bytes:
        """The bytes that were signed, if the claim is true. Any texts make some."""

    def keys(self, secret: str) -> tuple[bytes, ...]:
        """The key that a secret stands for; several where a provider's own libraries take several. Raises InvalidSecret."""

    def seal(self, key: bytes, material: bytes) -> str:
        """The signature of `material` as it is written in the header. For a key that can only verify: nothing, ""."""
