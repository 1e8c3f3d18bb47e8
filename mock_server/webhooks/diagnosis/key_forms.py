"""What a secret may have become on its way from the provider's page into the code: each way gives another key.

A key is a text (what was copied, trimmed, quoted) and a reading of it (its UTF-8, its base64, its hexadecimal).
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence

import msgspec

from mock_server.webhooks.schemes.protocol import InvalidSecret, Scheme, utf8

from .key_texts import PREFIXES, TEXTS
from .report import Change

MOST_SECRETS = 8
LONGEST_SECRET = 4096
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class KeyForm(msgspec.Struct, frozen=True):
    """A key, which secret (from 0) it comes from, and what was done to that: nothing if `change` is None."""

    key: bytes
    secret: int
    change: Change | None


def _key(name: str, what: str, meaning: str, advice: str) -> Change:
    return Change("key", f"key:{name}", what, meaning, advice)


def key_words(scheme: Scheme) -> str:
    """What the key of a scheme is, in words."""
    kind = getattr(scheme, "key", "text")
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return ", or ".join(_KINDS[each] for each in kinds)


_KINDS = {
    "text": "the letters of the whole secret, prefix and all",
    "whsec": "what the base64 after whsec_ stands for",
    "base64": "what the secret's base64 stands for",
    "hex": "what the secret's hexadecimal stands for",
}


def key_forms(scheme: Scheme, secrets: Sequence[str], old: Sequence[str] = ()) -> list[KeyForm]:
    """The keys that the scheme makes of the secrets, then the old ones', then all others; each once."""
    found: dict[bytes, KeyForm] = {}
    given = [(number, text[:LONGEST_SECRET]) for number, text in enumerate((*secrets, *old)) if text.strip()]
    now = [each for each in given if each[0] < len(secrets)][:MOST_SECRETS]
    for number, text in now:
        for key in _own(scheme, text):
            found.setdefault(key, KeyForm(key, number, None))
    for number, text in given[len(now) :][:MOST_SECRETS]:
        for key in _own(scheme, text):
            found.setdefault(key, KeyForm(key, number, _old(number - len(secrets) + 1)))
    for number, text in now:
        for change, key in _others(scheme, text):
            if key and key not in found:
                found[key] = KeyForm(key, number, change)
    return list(found.values())


def _others(scheme: Scheme, secret: str) -> Iterator[tuple[Change, bytes]]:
    texts = [("", "the secret", "", "", secret), *_texts(secret)]
    for name, what, meaning, advice, text in texts[1:]:
        for key in _own(scheme, text):
            yield _key(name, what, meaning, f"{advice} The key of {scheme.title} is {key_words(scheme)}."), key
    for name, what, meaning, advice, text in texts:
        for reading, words, key in _readings(text):
            yield (
                _key(
                    f"{name}+{reading}" if name else reading,
                    f"{what} {words}",
                    f"{meaning} The key is made of the secret in another way than {scheme.title} makes it.".strip(),
                    f"{advice} The key of {scheme.title} is {key_words(scheme)}: whoever signs and whoever verifies must "
                    "both take that.".strip(),
                ),
                key,
            )


def _texts(secret: str) -> Iterator[tuple[str, str, str, str, str]]:
    seen = {secret}
    for name, what, meaning, advice, change in TEXTS:
        text = change(secret)
        if text and text not in seen:
            seen.add(text)
            yield name, what, meaning, advice, text
    bare = secret.strip()
    prefix = next((each for each in PREFIXES if bare.startswith(each)), None)
    if prefix is not None:
        meaning = f"One side takes {prefix} off before it uses the secret, the other does not."
        yield "prefix-stripped", f"the secret without {prefix}", meaning, "", bare.removeprefix(prefix)
        if prefix.startswith("pdl") and bare.count("_") > prefix.count("_"):
            meaning = "Only what follows the last _ of the secret was used."
            yield "last-part", "the last part of the secret", meaning, "", bare.rpartition("_")[2]
    else:
        for each in PREFIXES:
            meaning = f"The prefix {each} was left off when the secret was copied, or taken off by the code."
            advice = f"Give the secret with {each} before it."
            yield f"prefix-added-{each.rstrip('_')}", f"the secret with {each} before it", meaning, advice, each + bare


def _own(scheme: Scheme, secret: str) -> tuple[bytes, ...]:
    try:
        return scheme.keys(secret)
    except InvalidSecret:
        return ()


def _readings(text: str) -> Iterator[tuple[str, str, bytes]]:
    yield "as-text", "taken as text (its letters are the key)", utf8(text)
    bare = text.strip()
    if (raw := _unbased(bare)) is not None:
        yield "base64-decoded", "decoded from base64", raw
        if (again := _unbased(raw.decode("ascii", "replace"))) is not None:
            yield "base64-decoded-twice", "decoded from base64 twice", again
    if _HEX.fullmatch(bare):
        yield "hex-decoded", "decoded from hexadecimal", bytes.fromhex(bare)
    yield "base64-encoded", "encoded in base64", b64encode(utf8(text))
    yield "hex-encoded", "encoded in hexadecimal", utf8(text).hex().encode()
    digest = hashlib.sha256(utf8(text))
    yield "sha256", "put through SHA-256", digest.digest()
    yield "sha256-hex", "put through SHA-256, in hexadecimal", digest.hexdigest().encode()


def _unbased(text: str) -> bytes | None:
    """Base64 of either alphabet, with or without padding."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _old(number: int) -> Change:
    return _key(
        "old-secret",
        f"old secret no. {number}",
        "The sender still signs with a secret that was replaced, or this event was signed before it was.",
        "Accept both secrets while they are changed over (the provider's page says until when), then drop the old one. "
        "Events that are sent again are signed anew; captures keep the signature they came with.",
    )
