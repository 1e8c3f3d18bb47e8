"""Hanzo Commerce, outgoing: Stripe's computation under `Commerce-Signature`.

Its own verifier tolerates any age, and of several `t` or `v1` the last one counts (facts: f.2).
"""

from .hmacs import Hmac, Pairs

SCHEME = Hmac("commerce", "Hanzo Commerce", "Commerce-Signature", Pairs(counts="last"), "{time}.{body}")
