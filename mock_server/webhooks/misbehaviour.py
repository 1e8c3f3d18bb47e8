"""What goes wrong on demand: damage to one request, and disorder among many. Pure; `bits` choose, the same ones the same way.

tamper              one bit of one byte of the body is flipped after signing (an empty body gets a byte)
wrong_secret        signed with another secret of the same form
old, future         signed ten minutes ago or an hour ahead, and in any case beyond twice the tolerance; where no time is
                    signed this changes nothing
missing_header      the header with the signature is left out
truncate            the body is cut after signing; Content-Length is that of what is left
wrong_content_type  a Content-Type that is not JSON's

duplicate           each goes out twice, one after the other
delay               each goes out DELAY_S seconds late
reorder             another order: of two and more at least two have changed places
drop                every other one is not sent; of one alone, that one
burst               each goes out BURST times, and nothing waits for an answer
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Literal, get_args

import msgspec

from mock_server.engine.ids import draw

from .drafts import Draft, Request, signed
from .headers import Headers, put, without
from .schemes.protocol import InvalidSecret, Scheme

Misbehaviour = Literal[
    "duplicate",
    "delay",
    "reorder",
    "drop",
    "tamper",
    "wrong_secret",
    "old",
    "future",
    "missing_header",
    "truncate",
    "wrong_content_type",
    "burst",
]
KINDS: tuple[Misbehaviour, ...] = get_args(Misbehaviour)
DISORDER: tuple[Misbehaviour, ...] = ("duplicate", "delay", "reorder", "drop", "burst")
DAMAGE: tuple[Misbehaviour, ...] = tuple(each for each in KINDS if each not in DISORDER)
"""In the order in which several are done: those before signing first, so that none undoes another."""

DELAY_S = 5.0
BURST = 5
OLD_S, FUTURE_S = 600, 3_600
CONTENT_TYPES = ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "text/html")
_PREFIX = re.compile(r"(?:[a-z]+_)+")


class Send(msgspec.Struct, frozen=True):
    """One request that goes out.

    index      which event, counted from 0
    delay_s    so many seconds after it would have gone out otherwise
    damages    what is done to it
    together   goes out without waiting for the answer to the one before
    """

    index: int
    delay_s: float = 0.0
    damages: tuple[Misbehaviour, ...] = ()
    together: bool = False


def scheduled(kinds: Collection[str], count: int, bits: int) -> list[Send]:
    """What becomes of `count` events, in the order in which the requests go out.

    Several kinds add up: some are dropped, the rest is put into another order, each is multiplied, late and damaged.
    """
    order = list(range(count))
    if "drop" in kinds:
        first = bits % 2 if count > 1 else 0
        order = [each for each in order if each % 2 != first]
    if "reorder" in kinds:
        order = _shuffled(order, bits)
    delay = DELAY_S if "delay" in kinds else 0.0
    damages = tuple(each for each in DAMAGE if each in kinds)
    return [Send(each, delay, damages, "burst" in kinds) for each in order for _ in range(times(kinds))]


def times(kinds: Collection[str]) -> int:
    """How often each event goes out at most."""
    return (2 if "duplicate" in kinds else 1) * (BURST if "burst" in kinds else 1)


def damaged(kind: str, draft: Draft, bits: int) -> Request:
    """The request with one damage; a kind of disorder does nothing to it. Raises InvalidSecret."""
    return sent(draft, (kind,), bits)


def sent(draft: Draft, kinds: Collection[str], bits: int) -> Request:
    """The request as it goes out, with all of these damages or with none. Raises InvalidSecret."""
    if "wrong_secret" in kinds:
        draft = msgspec.structs.replace(draft, secret=other_secret(draft.scheme, draft.secret))
    draft = msgspec.structs.replace(draft, signed_at=signed_at(draft.scheme, draft.signed_at, kinds))
    request = signed(draft)
    return msgspec.structs.replace(
        request,
        headers=damaged_headers(request.headers, (draft.scheme.header,), kinds, bits),
        body=damaged_body(request.body, kinds, bits),
    )


def signed_at(scheme: Scheme, at: int, kinds: Collection[str]) -> int:
    """When it is signed that would be signed at `at`, in seconds since 1970."""
    if "old" in kinds:
        at = max(at - max(OLD_S, 2 * scheme.tolerance), 0)
    if "future" in kinds:
        at += max(FUTURE_S, 2 * scheme.tolerance)
    return at


def damaged_body(body: bytes, kinds: Collection[str], bits: int) -> bytes:
    if "tamper" in kinds:
        body = tampered(body, bits)
    if "truncate" in kinds:
        body = body[: bits % max(len(body), 1)]
    return body


def damaged_headers(headers: Headers, signatures: Collection[str], kinds: Collection[str], bits: int) -> Headers:
    """`signatures`: the names of the headers that carry one. A Content-Type changes in place."""
    if "missing_header" in kinds:
        headers = without(headers, *signatures)
    if "wrong_content_type" in kinds:
        headers = put(headers, "Content-Type", CONTENT_TYPES[bits % len(CONTENT_TYPES)])
    return headers


def tampered(body: bytes, bits: int) -> bytes:
    """`body` with one bit flipped; an empty one gets a byte."""
    if not body:
        return b" "
    place, bit = divmod(bits % (8 * len(body)), 8)
    return body[:place] + bytes((body[place] ^ 1 << bit,)) + body[place + 1 :]


def other_secret(scheme: Scheme, secret: str) -> str:
    """One of the same form and length that signs differently. Raises InvalidSecret if `secret` is no key of the scheme."""
    prefix = found[0] if (found := _PREFIX.match(secret)) is not None else ""
    before = scheme.seal(scheme.keys(secret)[0], b"")
    drawn = draw(0, "wrong secret", size=32)
    if prefix == "whsk_":
        return prefix + b64encode(drawn + _public_half(drawn)).decode()
    turned = prefix + _turned(secret[len(prefix) :])
    candidates = [turned, _turned(secret), f"{secret}x", prefix + b64encode(drawn).decode()]
    for candidate in candidates:
        try:
            if scheme.seal(scheme.keys(candidate)[0], b"") != before:
                return candidate
        except InvalidSecret:
            continue
    return secret


def _turned(text: str) -> str:
    """Each letter and digit becomes the next one of its kind: what was hexadecimal or base64 still is."""
    return "".join(_next(letter) for letter in text)


def _next(letter: str) -> str:
    for first, last in ("09", "af", "gz", "AF", "GZ"):
        if first <= letter <= last:
            return first if letter == last else chr(ord(letter) + 1)
    return letter


def _public_half(seed: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _shuffled(order: Sequence[int], bits: int) -> list[int]:
    found = sorted(order, key=lambda each: (draw(bits, "reorder", each), each))
    return found[1:] + found[:1] if found == list(order) else found
