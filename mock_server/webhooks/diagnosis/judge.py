"""Whether a signature is by a key over some bytes, and what it costs to find that out. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from mock_server.webhooks.schemes.standard import Ed25519Key

from .evidence import Token

MOST_BYTES = 384 * 1024 * 1024
"""How many bytes are hashed at most: about a second's work."""
HMAC_BYTES, VERIFY_BYTES = 2048, 128 * 1024
"""What an HMAC and an Ed25519 verification cost beside their bytes, counted in bytes that could be hashed meanwhile."""


class Spent(Exception):
    """No bytes are left to hash."""


class Judge:
    """Says whether one of the signatures is by a key over some bytes, and counts what that costs."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._by_digest: dict[str, list[Token]] = {}
        for token in tokens:
            self._by_digest.setdefault(token.digest, []).append(token)
        self._left = MOST_BYTES
        self.attempts = 0

    def fits(self, key: bytes, material: bytes) -> Token | None:
        if isinstance(key, Ed25519Key):
            return self._verified(key, material)
        for digest, tokens in self._by_digest.items():
            self.pay(len(material) + HMAC_BYTES)
            if (token := _equal(tokens, hmac.digest(key, material, digest))) is not None:
                return token
        return None

    def hashed(self, material: bytes) -> Token | None:
        """The same for a digest without a key."""
        for digest, tokens in self._by_digest.items():
            self.pay(len(material) + HMAC_BYTES)
            if (token := _equal(tokens, hashlib.new(digest, material).digest())) is not None:
                return token
        return None

    def _verified(self, key: Ed25519Key, material: bytes) -> Token | None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        for token in self._by_digest.get("sha512", []):
            self.pay(len(material) + VERIFY_BYTES)
            try:
                Ed25519PublicKey.from_public_bytes(key[-32:]).verify(token.raw, material)
            except (InvalidSignature, ValueError):
                continue
            return token
        return None

    def pay(self, size: int) -> None:
        if size > self._left:
            raise Spent
        self._left -= size
        self.attempts += 1


def _equal(tokens: Iterable[Token], mac: bytes) -> Token | None:
    return next((token for token in tokens if hmac.compare_digest(token.raw, mac)), None)
