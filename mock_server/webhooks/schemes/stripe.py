"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`.

Signed are the timestamp's own text, a dot and the raw body, with HMAC-SHA256 under the UTF-8 bytes of the whole
secret (the `whsec_` prefix included, nothing decoded). Stripe's libraries refuse old timestamps and accept
future ones, and let any of several v1 entries match; so does this.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from .protocol import Message, Rejected, Signed, Verified

name = "stripe"
HEADER = "Stripe-Signature"
_SECONDS = re.compile(r"\d{1,15}", re.ASCII)
MOST_SIGNATURES = 16


def sign(message: Message, secret: str, now: int) -> Signed:
    return Signed(message.body, ((HEADER, f"t={now},v1={_mac(secret, str(now), message.body)}"),))


def verify(
    message: Message, headers: Mapping[str, str], secrets: Sequence[str], now: int, tolerance: int
) -> Verified | Rejected:
    """Reasons: `missing` (no header), `malformed` (no usable t or v1), `mismatch`, `expired`."""
    header = headers.get(HEADER.lower())
    if header is None:
        return Rejected("missing", f"the request has no {HEADER} header")
    timestamp, signatures = _parsed(header)
    if timestamp is None or not signatures:
        return Rejected("malformed", f"{HEADER} needs one t=<seconds> and at least one v1=<hex>")
    expected = [_mac(secret, timestamp, message.body).encode() for secret in secrets]
    # Every pair is compared, so that the time taken does not tell which secret came close.
    matches = [hmac.compare_digest(good, given) for good in expected for given in signatures]
    if not any(matches):
        return Rejected("mismatch", "no v1 signature fits the timestamp, the body and the secret")
    if tolerance and now - int(timestamp) > tolerance:
        return Rejected("expired", f"signed {now - int(timestamp)} s ago; at most {tolerance} s are tolerated")
    return Verified(int(timestamp))


def _parsed(header: str) -> tuple[str | None, list[bytes]]:
    timestamp: str | None = None
    signatures: list[bytes] = []
    for part in header.split(","):
        key, _, value = part.strip().partition("=")
        if key == "t" and timestamp is None and _SECONDS.fullmatch(value):
            timestamp = value
        elif key == "v1" and len(signatures) < MOST_SIGNATURES:
            signatures.append(value.encode("utf-8", "replace"))
    return timestamp, signatures


def _mac(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
