"""A capture made into the request that goes out again. Pure.

Byte for byte it stays what it was: method, headers in their order and case, body. What has to change does so in place:
the target of the request, Host (unless it is to stay), and a Content-Length that is not the body's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from mock_server.engine.ids import draw
from mock_server.engine.instants import SECOND
from mock_server.webhooks.captures import Capture
from mock_server.webhooks.misbehaviour import CONTENT_TYPES, FUTURE_S, OLD_S, other_secret, tampered
from mock_server.webhooks.outgoing import Outgoing, parted
from mock_server.webhooks.schemes.hmacs import Bare, Hmac
from mock_server.webhooks.schemes.protocol import Message, Scheme
from mock_server.webhooks.schemes.standard import StandardWebhooks

from .planning import Planned

Headers = tuple[tuple[str, str], ...]

UNSIGNED_DAMAGES = ("tamper", "truncate", "wrong_content_type")
SIGNING_DAMAGES = ("wrong_secret", "old", "future", "missing_header")
DAMAGES = (*UNSIGNED_DAMAGES, *SIGNING_DAMAGES)
"""The second ones need `Signing`."""

# Beside its present signature GitHub sends the one of before, by the same secret.
_BESIDE = {
    "github": Hmac("github-sha1", "GitHub", "X-Hub-Signature", Bare("sha1="), digest="sha1"),
}
_PROBE = "mockbill-probe"


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
    if dress.signing is not None:
        scheme = as_captured(dress.signing.scheme or scheme_named(capture.provider), headers)
        headers = _resigned(capture, headers, scheme, dress.signing, send, url, now, dress.seed)
        if "missing_header" in send.damages:
            headers = tuple(each for each in headers if each[0].lower() != scheme.header.lower())
    if "tamper" in send.damages:
        body = tampered(body, send.bits)
    if "truncate" in send.damages:
        body = body[: send.bits % max(len(body), 1)]
    if "wrong_content_type" in send.damages:
        headers = put(headers, "Content-Type", CONTENT_TYPES[send.bits % len(CONTENT_TYPES)])
    headers, body = framed(headers, body)
    return Outgoing(capture.method, url, headers, body)


def framed(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """Headers and bytes that say the same about where the body ends, changed as little as that takes.

    What came in chunks goes out as one chunk. An empty body needs no Content-Length.
    """
    codings = [token.strip().lower() for value in values(headers, "transfer-encoding") for token in value.split(",")]
    if codings[-1:] == ["chunked"]:
        return headers, (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    given = values(headers, "content-length")
    if not given and not body:
        return headers, body
    if given and all(each.isdecimal() and len(each) < 16 and int(each) == len(body) for each in given):
        return headers, body
    return put(headers, "Content-Length", str(len(body))), body


def values(headers: Headers, name: str) -> list[str]:
    """All that stands under a name, given in lower case."""
    return [value for each, value in headers if each.lower() == name]


def put(headers: Headers, name: str, value: str) -> Headers:
    """`headers` with one of that name: where the first one stood and in its case, or else at the end."""
    found: list[tuple[str, str]] = []
    is_put = False
    for each in headers:
        if each[0].lower() != name.lower():
            found.append(each)
        elif not is_put:
            found.append((each[0], value))
            is_put = True
    return tuple(found) if is_put else (*found, (name, value))


def as_captured(scheme: Scheme, headers: Headers) -> Scheme:
    """The same scheme under those of its header names that the capture has."""
    if isinstance(scheme, StandardWebhooks) and not values(headers, scheme.header.lower()):
        for prefix in scheme.also:
            if values(headers, f"{prefix}signature"):
                return replace(scheme, prefix=prefix)
    return scheme


def message_id(scheme: Scheme, headers: Headers, body: bytes, secret: str, fallback: str) -> str:
    """The id that stays when a message is sent again; `fallback` where the capture has none."""
    if "id" not in scheme.uses:
        return ""
    # Whichever header carries it, a signature shows.
    signed = scheme.sign(Message(body, "http://localhost/", _PROBE), secret, 0)
    name = next(name for name, value in signed.headers if value == _PROBE)
    return next(iter(values(headers, name.lower())), "") or fallback


def _resigned(
    capture: Capture,
    headers: Headers,
    scheme: Scheme,
    signing: Signing,
    send: Planned,
    url: str,
    now: int,
    seed: int,
) -> Headers:
    secret = other_secret(scheme, signing.secret) if "wrong_secret" in send.damages else signing.secret
    signed_at = now if signing.at == "now" else capture.received_at // SECOND
    if "old" in send.damages:
        signed_at = max(signed_at - max(OLD_S, 2 * scheme.tolerance), 0)
    if "future" in send.damages:
        signed_at += max(FUTURE_S, 2 * scheme.tolerance)
    known = {"target": url, "captured": capture.url}.get(signing.url, signing.url)
    fallback = f"msg_{draw(seed, 'replay id', send.index, size=12).hex()}"
    message = Message(capture.body, known, message_id(scheme, headers, b"", secret, fallback))
    for name, value in scheme.sign(message, secret, signed_at).headers:
        headers = put(headers, name, value)
    beside = _BESIDE.get(scheme.name)
    if beside is not None and values(headers, beside.header.lower()):
        headers = put(headers, beside.header, beside.sign(message, secret, signed_at).headers[0][1])
    return headers


def _for_target(headers: Headers, url: str, *, keep_host: bool) -> Headers:
    authority = parted(url)[0].authority
    if not values(headers, "host"):
        return (("Host", authority), *headers)
    return headers if keep_host else put(headers, "Host", authority)
