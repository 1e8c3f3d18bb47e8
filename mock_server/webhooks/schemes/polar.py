"""Polar: Standard Webhooks, but the key is the UTF-8 of the whole secret, `polar_whs_` and all.

Its newer libraries also try the secret as base64, so both are accepted; signatures are made the first way.
"""

from .standard import StandardWebhooks

SCHEME = StandardWebhooks("polar", "Polar", key=("text", "whsec"))
