"""The style of GitHub, which many took over: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the raw body.

Beside it GitHub itself still sends `X-Hub-Signature: sha1=<hex>`.
"""

from .hmacs import Bare, Hmac

SCHEME = Hmac(
    "github",
    "GitHub",
    "X-Hub-Signature-256",
    Bare("sha256="),
    legacy=Hmac("github-sha1", "GitHub", "X-Hub-Signature", Bare("sha1="), digest="sha1"),
)
