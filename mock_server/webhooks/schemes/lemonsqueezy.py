"""Lemon Squeezy: `X-Signature: <hex>`, HMAC-SHA256 over the raw body under the UTF-8 of a secret of 6 to 40 letters.

No time is signed: only the event itself can tell that it came before.
"""

from .hmacs import Hmac

SCHEME = Hmac("lemonsqueezy", "Lemon Squeezy", "X-Signature")
