"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`.

Signed are the timestamp's own text, a dot and the raw body, with HMAC-SHA256 under the UTF-8 bytes of the whole
secret (the `whsec_` prefix included, nothing decoded). Stripe's libraries refuse old timestamps and accept
future ones, and let any of several v1 entries match; so does this.
"""

from .hmacs import Hmac, Pairs

SCHEME = Hmac("stripe", "Stripe", "Stripe-Signature", Pairs(), "{time}.{body}", tolerance=300)
