"""Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>[ v1a,<base64>]`.

Signed are the id, the timestamp's own text and the raw body, with dots between. `v1` is HMAC-SHA256 under the bytes that
the secret is the base64 of (`whsec_` before it or not); `v1a` is Ed25519, `whsk_` the key that signs (seed and public key),
`whpk_` the one that verifies. Both may stand in one list; other versions are passed over. Times are held to the tolerance
on both sides. The id of a message stays when it is sent again, time and signature are new.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from .hmacs import MOST_SIGNATURES, TIME, in_time, opening
from .keys import Key, decoded, key_of
from .protocol import Claim, InvalidSecret, Message, Rejected, Signed, Verified, header_id, utf8

TOLERANCE = 300
VERSIONS = ("v1,", "v1a,")
NAMES = ("id", "timestamp", "signature")


class Ed25519Key(bytes):
    """No key of an HMAC, whatever its bytes are. The last 32 of them are the public half."""

    size = 32


class SigningKey(Ed25519Key):
    size = 64


class VerifyingKey(Ed25519Key):
    """It can say who signed, and sign nothing."""


ASYMMETRIC: dict[str, type[Ed25519Key]] = {"whsk_": SigningKey, "whpk_": VerifyingKey}


class StandardWebhooks(msgspec.Struct, frozen=True):
    """`prefix` begins the three header names; `prefixes` are others that are understood. `key`: how a `v1` secret is read."""

    name: str
    title: str
    prefix: str = "webhook-"
    prefixes: tuple[str, ...] = ()
    key: tuple[Key, ...] = ("whsec",)
    tolerance: int = TOLERANCE

    @property
    def header(self) -> str:
        return f"{self.prefix}signature"

    @property
    def time_header(self) -> str:
        return f"{self.prefix}timestamp"

    @property
    def id_header(self) -> str:
        return f"{self.prefix}id"

    @property
    def also(self) -> tuple[str, ...]:
        return tuple(f"{prefix}signature" for prefix in self.prefixes)

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(f"{prefix}{name}" for prefix in (self.prefix, *self.prefixes) for name in NAMES)

    @property
    def legacy(self) -> None:
        return None

    def under(self, names: Collection[str]) -> StandardWebhooks:
        all_of_them = (self.prefix, *self.prefixes)
        there = next((prefix for prefix in all_of_them if f"{prefix}signature" in names), self.prefix)
        return msgspec.structs.replace(self, prefix=there, prefixes=tuple(p for p in all_of_them if p != there))

    @property
    def uses(self) -> frozenset[str]:
        return frozenset(("time", "id"))

    def sign(self, message: Message, secret: str, now: int) -> Signed:
        claim = Claim((), str(now), header_id(message, self.title))
        key = self.keys(secret)[0]
        if isinstance(key, VerifyingKey):
            raise InvalidSecret("a key whpk_... only verifies; its whsk_... signs")
        signature = self.seal(key, self.material(message, claim))
        version = "v1a" if isinstance(key, Ed25519Key) else "v1"
        values = (message.id, str(now), f"{version},{signature}")
        return Signed(message.body, tuple((f"{self.prefix}{n}", value) for n, value in zip(NAMES, values, strict=True)))

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
        fits = [number for number, key in keys if _fits(claim.signatures, key, material)]
        if not fits:
            return Rejected("mismatch", f"no signature in {self.header} fits the id, the time, the body and the secret")
        assert claim.time is not None
        limit = self.tolerance if tolerance is None else tolerance
        return in_time(int(claim.time), fits[0], now, limit, future=True)

    def claim(self, headers: Mapping[str, str]) -> Claim | Rejected:
        """Signatures with their version before them: it decides how each is checked."""
        prefix = next((each for each in (self.prefix, *self.prefixes) if f"{each}signature" in headers), self.prefix)
        value, message_id, time = (headers.get(f"{prefix}{name}") for name in ("signature", "id", "timestamp"))
        if value is None:
            return Rejected("missing", f"the request has no {prefix}signature header")
        if not message_id:
            return Rejected("missing_id", f"the request has no {prefix}id header")
        if time is None:
            return Rejected("missing_time", f"the request has no {prefix}timestamp header")
        if not TIME.fullmatch(time):
            return Rejected("malformed", f"{prefix}timestamp is not a number of seconds")
        entries = [each for each in value.split(" ") if "," in each]
        trusted = tuple(each for each in entries if each.startswith(VERSIONS) and not each.endswith(","))
        if not trusted:
            form = f"{prefix}signature has no signature that counts; its form is v1,<base64>"
            return Rejected("unsupported" if entries and not value.startswith(VERSIONS) else "malformed", form)
        return Claim(trusted[:MOST_SIGNATURES], time, message_id)

    def material(self, message: Message, claim: Claim) -> bytes:
        return utf8(f"{claim.id or message.id}.{claim.time or ''}.") + message.body

    def keys(self, secret: str) -> tuple[bytes, ...]:
        """A `v1` key as it is; one of Ed25519 as a SigningKey or a VerifyingKey."""
        for prefix, asymmetric in ASYMMETRIC.items():
            if secret.startswith(prefix):
                key = asymmetric(decoded(secret.removeprefix(prefix), "the key"))
                if len(key) != asymmetric.size:
                    raise InvalidSecret(f"a key {prefix}... is {asymmetric.size} bytes in base64")
                if isinstance(key, SigningKey) and _private(key).public_key().public_bytes_raw() != key[-32:]:
                    raise InvalidSecret(f"the two halves of the key {prefix}... do not belong together")
                return (key,)
        found: list[bytes] = []
        complaint: InvalidSecret | None = None
        for kind in self.key:
            try:
                found.append(key_of(secret, kind))
            except InvalidSecret as error:
                complaint = error
        if not found and complaint is not None:
            raise complaint
        return tuple(found)

    def seal(self, key: bytes, material: bytes) -> str:
        if isinstance(key, VerifyingKey):
            return ""
        if isinstance(key, SigningKey):
            return b64encode(_private(key).sign(material)).decode()
        return b64encode(hmac.digest(key, material, "sha256")).decode()


def _fits(entries: Sequence[str], key: bytes, material: bytes) -> bool:
    """Whether one of them is by this key. An entry's version decides who may judge it; all of them are looked at."""
    if isinstance(key, Ed25519Key):
        signatures = [each.removeprefix("v1a,") for each in entries if each.startswith("v1a,")]
        fits = [_is_signed(text, key, material) for text in signatures]
    else:
        expected = b"v1," + b64encode(hmac.digest(key, material, "sha256"))
        fits = [hmac.compare_digest(expected, utf8(each)) for each in entries]
    return any(fits)


def _is_signed(text: str, key: Ed25519Key, material: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key[-32:]).verify(b64decode(text, validate=True), material)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(key: SigningKey) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(key[:32])


SCHEME = StandardWebhooks("standard-webhooks", "Standard Webhooks")
