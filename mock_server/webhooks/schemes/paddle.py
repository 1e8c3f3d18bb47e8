"""Paddle Billing: `Paddle-Signature: ts=<seconds>;h1=<hex>[;h1=<hex>]`.

Signed are the timestamp, a colon and the raw body, with HMAC-SHA256 under the UTF-8 bytes of the whole `pdl_ntfset_...`.
Paddle's libraries tolerate 5 seconds on either side; several h1 stand there while a secret is changed.
"""

from .hmacs import Hmac, Pairs

SCHEME = Hmac("paddle", "Paddle", "Paddle-Signature", Pairs("h1", "ts", ";"), "{time}:{body}", tolerance=5, future=True)
