"""What a diagnosis says. Nothing in it is a secret or a whole signature: it may be put into a ticket.

A signature is an authentication of its message, also one that was only computed to compare with, so both the given and
the expected ones are cut to their first SHOWN characters: enough to recognise them, not to send them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from mock_server.webhooks.schemes.protocol import Rejected, Verified

SHOWN = 8
LONGEST_PREVIEW = 60
LONGEST_HEADER = 200
LEAST_SECRET = 6
_LONG = re.compile(r"[0-9A-Za-z+/_-]{20,}={0,2}")

Axis = Literal["body", "key", "url", "time", "id", "parts", "encoding", "digest", "header", "scheme"]


class Change(msgspec.Struct, frozen=True):
    """One thing that differs from what the provider's scheme says, and with which the signature fits.

    `name` is stable ("body:newline-added"). `what` completes the sentence "the signature fits ...". `meaning` says what it
    tells about the code, `advice` what to change there.
    """

    axis: Axis
    name: str
    what: str
    meaning: str
    advice: str


class NearMiss(msgspec.Struct, frozen=True):
    """What the signature fits instead: one change, or two together. `signature` is cut."""

    changes: tuple[Change, ...]
    signature: str

    @property
    def name(self) -> str:
        return " + ".join(change.name for change in self.changes)


class Carried(msgspec.Struct, frozen=True):
    """A header that says something about the signature; long texts in `value` are cut."""

    header: str
    value: str
    says: tuple[str, ...]


class Time(msgspec.Struct, frozen=True):
    """`text` as it stands in the header; the rest in seconds. A negative `age` is a time that is still to come."""

    text: str
    signed_at: int
    judged_at: int
    age: int
    tolerance: int


class Material(msgspec.Struct, frozen=True):
    """The bytes that a signature is made over. `first` and `last` are printable; `last` is "" if `first` is all."""

    parts: tuple[str, ...]
    body_length: int
    body_sha256: str
    length: int
    sha256: str
    first: str
    last: str


class Compared(msgspec.Struct, frozen=True):
    """Cut signatures: those in the header, and the one that each secret makes ("" where it can make none)."""

    given: tuple[str, ...]
    expected: tuple[str, ...]


class Diagnosis(msgspec.Struct, frozen=True):
    """`near_misses`: the likeliest first. `notes`: what else is remarkable. `skipped`: what was not tried, and why."""

    provider: str
    title: str
    verdict: Verified | Rejected
    carried: tuple[Carried, ...] = ()
    time: Time | None = None
    material: Material | None = None
    compared: Compared | None = None
    near_misses: tuple[NearMiss, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    attempts: int = 0


def hiding(secrets: Sequence[str]) -> Callable[[bytes], bytes]:
    """What replaces secrets (of 6 letters and more) by ***, also where they stand without the space or quotes around them."""
    texts = {form for secret in secrets for form in (secret, secret.strip(), secret.strip().strip("\"'`"))}
    found = sorted((text.encode("utf-8", "surrogatepass") for text in texts if len(text) >= LEAST_SECRET), key=len)

    def hide(raw: bytes) -> bytes:
        for secret in reversed(found):
            raw = raw.replace(secret, b"***")
        return raw

    return hide


def cut(signature: str) -> str:
    """Its beginning, and how long it is."""
    return f"{signature[:SHOWN]}... ({len(signature)} characters)" if len(signature) > 2 * SHOWN else "..."


def cut_header(value: str) -> str:
    """A header's value whose shape can be seen, and no signature in it."""
    short = _LONG.sub(lambda found: f"{found[0][:SHOWN]}...({len(found[0])})", value)
    return short if len(short) <= LONGEST_HEADER else f"{short[:LONGEST_HEADER]}..."


def printable(raw: bytes) -> str:
    """UTF-8 as text, other bytes as escapes."""
    return raw.decode("utf-8", "backslashreplace")
