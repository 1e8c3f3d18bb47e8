"""Requests that no provider has sent, and that have to be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.webhooks.drafts import Request
from mock_server.webhooks.json_tokens import parsed
from mock_server.webhooks.misbehaviour import other_secret, tampered

from .forging import longer, of_unknown_version, respelled, rewritten, sealed, without
from .variant import Expected, Inapplicable, Shot, Situation, Variant

MOST_TRIES = 500
Built = tuple[Shot, ...] | Inapplicable
STYLES: tuple[Callable[[object], str], ...] = (
    lambda thing: json.dumps(thing, ensure_ascii=False, separators=(",", ":")),
    lambda thing: json.dumps(thing, ensure_ascii=False),
)


def refused(request: Request | Inapplicable, expected: Expected = "refused") -> Built:
    return request if isinstance(request, Inapplicable) else (Shot(request, expected),)


def _with_body(here: Situation, name: str, change: Callable[[bytes], bytes]) -> Built:
    """Changed after it was signed."""
    request = here.signed(here.payload(name))
    return refused(msgspec.structs.replace(request, body=change(request.body)))


def _one_bit_off(body: bytes, seed: int) -> bytes:
    """In a value of the JSON if it is some: it shall not be refused for anything but its signature."""
    shape = _shape(parsed(body))
    for bits in range(seed, seed + MOST_TRIES):
        found = tampered(body, bits)
        if _shape(parsed(found)) == shape:
            return found
    return tampered(body, seed)


def _shape(thing: Any) -> Any:
    """A JSON value without its texts and numbers."""
    if isinstance(thing, dict):
        return {name: _shape(value) for name, value in thing.items()}
    return [_shape(each) for each in thing] if isinstance(thing, list) else type(thing)


def _reserialised(here: Situation) -> Built:
    payload = here.payload("re-serialised")
    thing = parsed(payload.body)
    written = [style(thing).encode() for style in STYLES]
    body = next((each for each in written if each != payload.body), None)
    if thing is None or body is None:
        return Inapplicable("the event that was given is no JSON that could be written otherwise")
    return refused(msgspec.structs.replace(here.signed(payload), body=body))


def _of_another_event(here: Situation) -> Built:
    body = here.payload("lent-signature", "subscription.created").body
    if here.body is not None:
        payload = here.changed("lent-signature", lambda thing: thing.update({"mockbill_gauntlet": True}))
        body = body + b"\n0" if payload is None else payload.body
    return _with_body(here, "lending-signature", lambda _: body)


def _wrong_secret(here: Situation) -> Built:
    return refused(here.signed(here.payload("wrong-secret"), secret=other_secret(here.scheme, here.secret)))


def _header(name: str, value: str | None) -> Callable[[Situation], Built]:
    def build(here: Situation) -> Built:
        request = here.signed(here.payload(name))
        if value is None:
            return refused(without(request, here.scheme.header))
        return refused(rewritten(request, here.scheme.header, lambda _: value))

    return build


def _respelled(name: str, respell: Callable[[str], str]) -> Callable[[Situation], Built]:
    return lambda here: refused(respelled(here, here.payload(name), respell))


FORGE = "Anybody who knows the URL can make up events: "
RAW = "verify the raw bytes of the body, not what a parser made of them."
CONSTANT = "compare whole signatures, with a function made for that (`hmac.compare_digest`)."

VARIANTS = (
    Variant(
        "tampered",
        "one bit of the body flipped after signing",
        "refused",
        "the signature covers every byte",
        f"{FORGE}refuse whatever the signature does not fit.",
        lambda here: _with_body(here, "tampered", lambda body: _one_bit_off(body, here.seed)),
    ),
    Variant(
        "whitespace-added",
        "a line break after the body, added after signing",
        "refused",
        "the signature covers every byte",
        f"You do not verify what came but something like it, which opens gaps between what is signed and what is read: {RAW}",
        lambda here: _with_body(here, "whitespace-added", lambda body: body + b"\n"),
    ),
    Variant(
        "re-serialised",
        "the same JSON laid out otherwise, with the signature of the original",
        "refused",
        "the signature covers the bytes, not their meaning",
        f"You verify JSON that you have written yourself, which breaks with every other layout: {RAW}",
        _reserialised,
    ),
    Variant(
        "lent-signature",
        "one event with the signature of another",
        "refused",
        "a signature holds for one body",
        f"{FORGE}one valid signature is enough for any number of them. Compute it over the body that came.",
        _of_another_event,
    ),
    Variant(
        "wrong-secret",
        "signed by another secret of the same form",
        "refused",
        "only the provider knows the secret",
        f"{FORGE}verify the signature with your endpoint's own secret.",
        _wrong_secret,
    ),
    Variant(
        "empty-secret",
        "signed by an empty key",
        "refused",
        "that key is known to everybody",
        f"{FORGE}a setting that is missing must not become an empty secret; refuse to start without one.",
        lambda here: refused(sealed(here, here.payload("empty-secret"), b"")),
    ),
    Variant(
        "no-signature",
        "no signature header",
        "refused",
        "what is not signed comes from anybody",
        f"{FORGE}a request without the header has to be refused, not let through.",
        _header("no-signature", None),
    ),
    Variant(
        "empty-signature",
        "an empty signature header",
        "refused",
        "what is not signed comes from anybody",
        f"{FORGE}an empty header counts as none.",
        _header("empty-signature", ""),
    ),
    Variant(
        "garbage-signature",
        "a signature header that cannot be read",
        "refused",
        "refused with 4xx, because nothing on the server is wrong",
        "Anybody can raise your alarms, or worse, get through: catch what your parser of the header raises, and answer 400.",
        _header("garbage-signature", "=,;=;t=,v1=,h1 v1,,v1a,%00 \\u0000 ,sha256=,==="),
    ),
    Variant(
        "unknown-version",
        "a valid signature under a version that nobody trusts",
        "refused",
        "a version that is unknown or weak proves nothing",
        f"{FORGE}accept only the versions that you mean to (a downgrade is an old trick).",
        lambda here: refused(of_unknown_version(here, here.payload("unknown-version"))),
    ),
    Variant(
        "signature-cut",
        "the first half of the signature",
        "refused",
        "a signature fits as a whole or not at all",
        f"Signatures can be guessed piece by piece: {CONSTANT}",
        _respelled("signature-cut", lambda signature: signature[: len(signature) // 2]),
    ),
    Variant(
        "signature-half-right",
        "a signature whose second half is wrong",
        "refused",
        "a signature fits as a whole or not at all",
        f"Signatures can be guessed piece by piece: {CONSTANT}",
        _respelled(
            "signature-half-right", lambda text: text[: len(text) // 2] + text[len(text) // 2 :][::-1].swapcase()
        ),
    ),
    Variant(
        "signature-longer",
        "the signature and some more",
        "refused",
        "a signature fits as a whole or not at all",
        f"You compare only the beginning: {CONSTANT}",
        _respelled("signature-longer", longer),
    ),
)
