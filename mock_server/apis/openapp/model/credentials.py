"""Credentials are found by digest: how long a look-up takes then tells nothing about a secret."""

from __future__ import annotations

from hashlib import sha256


def digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
