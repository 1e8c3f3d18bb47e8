"""How a law's webhook is signed, and in which ways wrongly.

`signing` of a call: `age` (seconds since it was signed, negative for the future), `secret` (`wrong`), `header`
(`missing`, `malformed`, `two`), `body` (`changed` after signing, `spaced`: the same JSON written otherwise after signing,
`reordered`), `scheme` (`v0`: the right signature under a version that nobody trusts).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mock_server.engine.instants import SECOND
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Message

from .http import Headers


def signed(event: Any, signing: Mapping[str, Any], secret: str, now: int) -> tuple[bytes, Headers]:
    """The bytes to send and the headers that carry the signature."""
    body = event.encode() if isinstance(event, str) else json.dumps(event, separators=(",", ":")).encode()
    key = "whsec_another" if signing.get("secret") == "wrong" else secret
    at = now // SECOND - int(signing.get("age", 0))
    ((name, value),) = stripe.sign(Message(body), key, at).headers
    how = signing.get("header")
    if how == "two":
        ((_, other),) = stripe.sign(Message(body), "whsec_another", at).headers
        value = f"{other},{value.split(',', 1)[1]}"
    if signing.get("scheme") == "v0":
        value = value.replace("v1=", "v0=")
    headers: Headers = () if how == "missing" else ((name, "v1" if how == "malformed" else value),)
    return _after_signing(body, signing.get("body")), headers


def _after_signing(body: bytes, how: str | None) -> bytes:
    if how == "changed":
        return body.replace(b"pro", b"business", 1) if b'"pro"' in body else body[:-1] + b',"x":1}'
    if how == "spaced":
        return json.dumps(json.loads(body), indent=1).encode()
    if how == "reordered":
        return json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")).encode()
    return body
