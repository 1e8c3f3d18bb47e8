"""Comparing secrets in constant time, whatever their lengths."""

from __future__ import annotations

import hmac
from hashlib import sha256


def matches(wanted: str, given: str) -> bool:
    digests = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (wanted, given))
    return hmac.compare_digest(*digests)
