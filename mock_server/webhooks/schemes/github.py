"""The style of GitHub, which many took over: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the raw body."""

from .hmacs import Bare, Hmac

SCHEME = Hmac("github", "GitHub", "X-Hub-Signature-256", Bare("sha256="))
