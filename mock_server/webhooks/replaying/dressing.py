"""A capture made into the request that goes out again. Pure.

Byte for byte it stays what it was: method, headers in their order and case, body. What has to change does so in place:
the target of the request, Host (unless it is to stay), and a Content-Length that is not the body's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from mock_server.engine.ids import draw
from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture
from mock_server.webhooks.headers import Headers, put, values
from mock_server.webhooks.misbehaviour import damaged_body, damaged_headers, other_secret, signed_at
from mock_server.webhooks.outgoing import Outgoing, chunked, parted
from mock_server.webhooks.schemes.protocol import Message, Scheme

from .planning import Planned

UNSIGNED_DAMAGES = ("tamper", "truncate", "wrong_content_type")
SIGNING_DAMAGES = ("wrong_secret", "old", "future", "missing_header")
DAMAGES = (*UNSIGNED_DAMAGES, *SIGNING_DAMAGES)
"""The second ones need `Signing`."""


class Signing(Struct, frozen=True):
    """How new signatures are made.

    scheme  None: that of the capture, by `scheme_named`
    at      "now", or "original": when the capture was received
    url     what is signed where a scheme signs the receiver's URL: "target", "captured", or one that is said
    """

    secret: str
    scheme: Scheme | None = None
    at: Literal["original", "now"] = "now"
    url: str = "target"


class Dress(Struct, frozen=True):
    """`to`: the URL that all goes to; with `keep_path` the captures' own paths go below its path."""

    to: str
    keep_path: bool = False
    keep_host: bool = False
    signing: Signing | None = None
    seed: int = 0


def outgoing(
    capture: Capture, send: Planned, dress: Dress, now: int, scheme_named: Callable[[str], Scheme]
) -> Outgoing:
    """The request. `now`: seconds since 1970. Raises InvalidSecret, InvalidMessage, InvalidTarget, UnknownScheme."""
    url = dress.to.rstrip("/") + capture.path if dress.keep_path else dress.to
    headers, body = _for_target(capture.headers, url, keep_host=dress.keep_host), capture.body
    signatures: tuple[str, ...] = ()
    if dress.signing is not None:
        scheme = dress.signing.scheme or scheme_named(capture.provider)
        forms = _forms(scheme, headers)
        headers = _resigned(capture, headers, forms, dress.signing, send, url, now, dress.seed)
        signatures = tuple(each.header for each in forms)
    headers = damaged_headers(headers, signatures, send.damages, send.bits)
    headers, body = framed(headers, damaged_body(body, send.damages, send.bits))
    return Outgoing(capture.method, url, headers, body)


def framed(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """Headers and bytes that say the same about where the body ends, changed as little as that takes.

    What came in chunks goes out as one chunk. An empty body needs no Content-Length.
    """
    codings = [token.strip().lower() for value in values(headers, "transfer-encoding") for token in value.split(",")]
    if codings[-1:] == ["chunked"]:
        return headers, chunked(body)
    given = values(headers, "content-length")
    if not given and not body:
        return headers, body
    if given and all(each.isdecimal() and len(each) < 16 and int(each) == len(body) for each in given):
        return headers, body
    return put(headers, "Content-Length", str(len(body))), body


def _forms(scheme: Scheme, headers: Headers) -> list[Scheme]:
    """The scheme under each of its names that the capture has, or its own; then what it sends beside it, if that is there."""
    found = [scheme.under([name.lower()]) for name in (scheme.header, *scheme.also) if values(headers, name)]
    found = found or [scheme]
    if scheme.legacy is not None and values(headers, scheme.legacy.header):
        found.append(scheme.legacy)
    return found


def _resigned(
    capture: Capture,
    headers: Headers,
    forms: Sequence[Scheme],
    signing: Signing,
    send: Planned,
    url: str,
    now: int,
    seed: int,
) -> Headers:
    scheme = forms[0]
    secret = other_secret(scheme, signing.secret) if "wrong_secret" in send.damages else signing.secret
    at = signed_at(scheme, now if signing.at == "now" else capture.received_at // SECOND, send.damages)
    known = {"target": url, "captured": capture.url}.get(signing.url, signing.url)
    # The id stays when a message is sent again.
    named = next(filter(None, values(headers, scheme.id_header or "")), "")
    fallback = f"msg_{draw(seed, 'replay id', send.index, size=12).hex()}" if scheme.id_header else ""
    message = Message(capture.body, known, named or fallback)
    for each in forms:
        for name, value in each.sign(message, secret, at).headers:
            headers = put(headers, name, value)
    return headers


def _for_target(headers: Headers, url: str, *, keep_host: bool) -> Headers:
    authority = parted(url)[0].authority
    if not values(headers, "host"):
        return (("Host", authority), *headers)
    return headers if keep_host else put(headers, "Host", authority)
