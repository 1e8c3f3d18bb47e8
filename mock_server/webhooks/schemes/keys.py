"""How the text of a secret becomes the bytes of a key."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Literal

from .protocol import InvalidSecret

Key = Literal["text", "base64", "hex", "whsec"]
"""text: its UTF-8, prefix and all; whsec: base64 after an optional `whsec_`."""


def key_of(secret: str, kind: Key) -> bytes:
    """Raises InvalidSecret, also for a blank one: everybody knows the key that it would be."""
    if not secret.strip():
        raise InvalidSecret("the secret is empty")
    if kind == "text":
        try:
            return secret.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise InvalidSecret("the secret is no text") from None
    if kind == "hex":
        try:
            return bytes.fromhex(secret)
        except ValueError:
            raise InvalidSecret("the secret is not hexadecimal") from None
    return decoded(secret.removeprefix("whsec_") if kind == "whsec" else secret, "the secret")


def decoded(text: str, what: str) -> bytes:
    """Base64, with or without padding. Raises InvalidSecret."""
    try:
        raw = b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret(f"{what} is not base64") from None
    if not raw:
        raise InvalidSecret(f"{what} is empty")
    return raw
