"""Geopera, outgoing: `X-Geopera-Signature: sha256=<hex>`, HMAC-SHA256 over the raw body.

No time is signed; receivers tell repeats by `X-Geopera-Event-ID` (facts: e).
"""

from .hmacs import Bare, Hmac

SCHEME = Hmac("geopera", "Geopera", "X-Geopera-Signature", Bare("sha256="))
