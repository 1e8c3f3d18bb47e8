"""The schemes that are an HMAC over the body: what differs from provider to provider is said in a few words each."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Literal

import msgspec

from .keys import Key, key_of
from .protocol import (
    Claim,
    InvalidMessage,
    InvalidSecret,
    Message,
    Rejected,
    Scheme,
    Signed,
    Verified,
    header_id,
    utf8,
)

MOST_SIGNATURES = 16
TIME = re.compile(r"\d{1,15}", re.ASCII)
_PART = re.compile(r"(\{(?:time|id|url|body)\})")

Digest = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]


class Bare(msgspec.Struct, frozen=True):
    """The header's value is the signature, after a prefix."""

    prefix: str = ""

    def write(self, time: str, signature: str) -> str:
        return f"{self.prefix}{signature}"

    def read(self, value: str) -> tuple[str | None, list[str], bool]:
        return (
            None,
            [value[len(self.prefix) :]] if value.startswith(self.prefix) and value != self.prefix else [],
            False,
        )


class Pairs(msgspec.Struct, frozen=True):
    """`t=<time>,v1=<signature>[,v1=<signature>]`: entries in any order, unknown ones ignored.

    `counts`: which one counts if a time stands there twice, and whether several signatures may be tried.
    """

    signature: str = "v1"
    time: str = "t"
    separator: str = ","
    counts: Literal["first", "last"] = "first"

    def write(self, time: str, signature: str) -> str:
        return f"{self.time}={time}{self.separator}{self.signature}={signature}"

    def read(self, value: str) -> tuple[str | None, list[str], bool]:
        times: list[str] = []
        signatures: list[str] = []
        others = False
        for part in value.split(self.separator):
            key, _, text = part.strip(" \t").partition("=")
            if key == self.time and TIME.fullmatch(text):
                times.append(text)
            elif key == self.signature and text:
                signatures.append(text)
            else:
                others = others or key not in (self.time, self.signature)
        if self.counts == "last":
            return (times[-1] if times else None), signatures[-1:], others
        return (times[0] if times else None), signatures, others


Layout = Bare | Pairs


class Hmac(msgspec.Struct, frozen=True):
    """A scheme in words.

    header, layout           where the signature stands, and how
    signed                   what is signed, in the order in which it is strung together: "{time}.{body}"
    digest, encoding, key    the rest of the computation
    tolerance                seconds into the past, where a time is signed
    future                   whether the same holds for the future; most libraries accept any time that is ahead
    per_second               in how small a unit the time is written: 1 seconds, 1000 milliseconds
    time_header, id_header   where those stand if not beside the signature
    legacy                   an older one, by the same secret, that the provider sends beside it
    """

    name: str
    title: str
    header: str
    layout: Layout = Bare()
    signed: str = "{body}"
    digest: Digest = "sha256"
    encoding: Encoding = "hex"
    key: Key = "text"
    tolerance: int = 0
    future: bool = False
    per_second: Literal[1, 1000] = 1
    time_header: str | None = None
    id_header: str | None = None
    legacy: Hmac | None = None

    @property
    def also(self) -> tuple[str, ...]:
        return ()

    @property
    def headers(self) -> tuple[str, ...]:
        own = tuple(filter(None, (self.header, self.time_header, self.id_header)))
        return own if self.legacy is None else own + self.legacy.headers

    def under(self, names: Collection[str]) -> Hmac:
        return self

    @property
    def uses(self) -> frozenset[str]:
        return frozenset(part[1:-1] for part in _parts(self.signed) if part in ("{time}", "{id}", "{url}"))

    def sign(self, message: Message, secret: str, now: int) -> Signed:
        if "{url}" in self.signed and not message.url:
            raise InvalidMessage(f"{self.title} signs the URL that it calls: say which")
        time = str(now * self.per_second)
        claim = Claim((), time, None if self.id_header is None else header_id(message, self.title))
        signature = self.seal(self.keys(secret)[0], self.material(message, claim))
        headers = [(self.header, self.layout.write(time, signature))]
        if self.time_header is not None:
            headers.insert(0, (self.time_header, time))
        if self.id_header is not None:
            headers.insert(0, (self.id_header, message.id))
        return Signed(message.body, tuple(headers))

    def verify(
        self,
        message: Message,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        now: int,
        tolerance: int | None = None,
    ) -> Verified | Rejected:
        opened = opening(self, message, headers, secrets)
        if isinstance(opened, Rejected):
            return opened
        claim, keys = opened
        material = self.material(message, claim)
        given = [utf8(signature) for signature in claim.signatures]
        sealed = [(number, self.seal(key, material).encode()) for number, key in keys]
        # Every pair is compared, so that the time taken does not tell which secret came close.
        fits = [number for number, seal in sealed for text in given if hmac.compare_digest(seal, text)]
        if not fits:
            return Rejected("mismatch", f"no signature in {self.header} fits the {self._signed_parts()} and the secret")
        # A time that is not signed says nothing.
        signed_at = int(claim.time) // self.per_second if claim.time and "{time}" in self.signed else None
        return in_time(signed_at, fits[0], now, self.tolerance if tolerance is None else tolerance, future=self.future)

    def claim(self, headers: Mapping[str, str]) -> Claim | Rejected:
        value = headers.get(self.header.lower())
        if value is None:
            return Rejected("missing", f"the request has no {self.header} header")
        time, signatures, others = self.layout.read(value)
        if self.time_header is not None:
            time = headers.get(self.time_header.lower())
            if time is None:
                return Rejected("missing_time", f"the request has no {self.time_header} header")
            if not TIME.fullmatch(time):
                return Rejected("malformed", f"{self.time_header} is not a number of seconds")
        message_id = None
        if self.id_header is not None:
            message_id = headers.get(self.id_header.lower())
            if not message_id:
                return Rejected("missing_id", f"the request has no {self.id_header} header")
        form = self.layout.write("<time>", f"<{self.encoding}>")
        if "{time}" in self.signed and time is None:
            return Rejected("malformed", f"{self.header} has no usable time; its form is {form}")
        if not signatures:
            reason: Literal["unsupported", "malformed"] = "unsupported" if others else "malformed"
            return Rejected(reason, f"{self.header} has no signature that counts; its form is {form}")
        return Claim(tuple(signatures[:MOST_SIGNATURES]), time, message_id)

    def material(self, message: Message, claim: Claim) -> bytes:
        values = {"{time}": claim.time or "", "{id}": claim.id or message.id, "{url}": message.url}
        return b"".join(
            message.body if part == "{body}" else utf8(values.get(part, part)) for part in _parts(self.signed)
        )

    def keys(self, secret: str) -> tuple[bytes, ...]:
        return (key_of(secret, self.key),)

    def seal(self, key: bytes, material: bytes) -> str:
        mac = hmac.digest(key, material, self.digest)
        return mac.hex() if self.encoding == "hex" else b64encode(mac).decode()

    def _signed_parts(self) -> str:
        return ", the ".join([*sorted(self.uses), "body"])


@cache
def _parts(template: str) -> tuple[str, ...]:
    return tuple(part for part in _PART.split(template) if part)


def opening(
    scheme: Scheme, message: Message, headers: Mapping[str, str], secrets: Sequence[str]
) -> tuple[Claim, list[tuple[int, bytes]]] | Rejected:
    """What is claimed, and the keys that may prove it: how each verification begins."""
    claim = scheme.claim(headers)
    if isinstance(claim, Rejected):
        return claim
    if "url" in scheme.uses and not message.url:
        return Rejected("missing_url", f"{scheme.title} signs the URL that it was told to call: say which that is")
    keys = keyring(scheme.keys, secrets)
    return keys if isinstance(keys, Rejected) else (claim, keys)


def keyring(keys_of: Callable[[str], Sequence[bytes]], secrets: Sequence[str]) -> list[tuple[int, bytes]] | Rejected:
    """Each key and the number of the secret that it comes from. Secrets that are no keys are passed over, not all."""
    found: list[tuple[int, bytes]] = []
    complaint = "no secret was given"
    for number, secret in enumerate(secrets):
        try:
            found += [(number, key) for key in keys_of(secret)]
        except InvalidSecret as error:
            complaint = str(error)
    return found or Rejected("invalid_secret", complaint)


def in_time(signed_at: int | None, secret: int, now: int, tolerance: int, *, future: bool) -> Verified | Rejected:
    """A signature that fits, if it is neither too old nor, where that matters, too far ahead."""
    if signed_at is None or not tolerance:
        return Verified(signed_at, secret)
    if now - signed_at > tolerance:
        return Rejected("expired", f"signed {now - signed_at} s ago; at most {tolerance} s are tolerated")
    if future and signed_at - now > tolerance:
        return Rejected("premature", f"signed {signed_at - now} s in the future; at most {tolerance} s are tolerated")
    return Verified(signed_at, secret)
