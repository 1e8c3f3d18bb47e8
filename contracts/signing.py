"""How a law's webhook is signed, and in which ways wrongly.

`signing` of a call is {} for a right signature, or has some of these:

age      seconds since it was signed, negative for the future
secret   `wrong`: another one; `empty`: none
header   `missing`, `empty`, `malformed`; `no time`, `no signature`: a part of it is not there; `two`: a wrong signature
         before the right one; `two wrong`
time     `changed`: another moment is claimed than was signed
body     what happens after signing: `changed`, `cut`, `longer` (a line end), `spaced` (the same JSON written otherwise),
         `reordered`, `another` (one that was never signed)
scheme   `v0`: the right signature under a version that nobody trusts
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mock_server.engine.instants import SECOND
from mock_server.webhooks.schemes import stripe
from mock_server.webhooks.schemes.protocol import Claim, Message

from .http import Headers

WRONG_SECRET = "whsec_another"  # noqa: S105


def signed(event: Any, signing: Mapping[str, Any], secret: str, now: int) -> tuple[bytes, Headers]:
    """The bytes to send and the headers that carry the signature. `event`: a JSON value, or a text as it is."""
    body = event.encode() if isinstance(event, str) else json.dumps(event, separators=(",", ":")).encode()
    key = {"wrong": WRONG_SECRET, "empty": ""}.get(signing.get("secret", ""), secret)
    at = now // SECOND - int(signing.get("age", 0))
    name, value, other = stripe.SCHEME.header, _header(body, key, at), _header(body, WRONG_SECRET, at)
    time, _, mac = value.partition(",")
    if signing.get("time") == "changed":
        time = f"t={at + 1}"
    if signing.get("scheme") == "v0":
        mac = mac.replace("v1=", "v0=")
    values = {
        "empty": "",
        "malformed": "v1",
        "no time": mac,
        "no signature": time,
        "two": f"{other},{mac}",
        "two wrong": f"{other},{other.partition(',')[2]}",
    }
    how = signing.get("header", "")
    headers: Headers = () if how == "missing" else ((name, values.get(how, f"{time},{mac}")),)
    return _after_signing(body, signing.get("body")), headers


def _header(body: bytes, secret: str, at: int) -> str:
    """The scheme itself signs with no empty secret."""
    scheme = stripe.SCHEME
    time = str(at)
    return scheme.layout.write(time, scheme.seal(secret.encode(), scheme.material(Message(body), Claim((), time))))


def _after_signing(body: bytes, how: str | None) -> bytes:
    if how == "changed":
        return body.replace(b"pro", b"business", 1) if b'"pro"' in body else body[:-1] + b',"x":1}'
    if how == "cut":
        return body[:-1]
    if how == "longer":
        return body + b"\n"
    if how == "spaced":
        return json.dumps(json.loads(body), indent=1).encode()
    if how == "reordered":
        return json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")).encode()
    if how == "another":
        return body.replace(b"evt_", b"evt_another_", 1)
    return body
