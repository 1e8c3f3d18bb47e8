"""A secret of the form that a provider's have, made from bytes."""

from __future__ import annotations

from base64 import b64encode


def secret_for(scheme: str, drawn: bytes) -> str:
    """`drawn`: at least 24 bytes."""
    if scheme in ("standard-webhooks", "svix"):
        return f"whsec_{b64encode(drawn[:24]).decode()}"
    prefix = {"stripe": "whsec_", "commerce": "whsec_", "billsh": "whsec_", "geopera": "whsec_"}.get(scheme, "")
    prefix = {"polar": "polar_whs_", "paddle": "pdl_ntfset_"}.get(scheme, prefix)
    return f"{prefix}{drawn[:16].hex()}"
