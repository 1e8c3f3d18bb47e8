"""Secrets in what the journal keeps are masked by value: wherever they stand, not only where they are expected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mock_server.store.journal import Entry, RawHeaders

MASK, MASKED = b"***", "***"
SHORTEST = 6
"""A shorter secret is masked only in the headers that carry credentials: it would be found in innocent words too."""
CREDENTIAL_HEADERS = frozenset((b"authorization", b"x-api-key", b"proxy-authorization", b"cookie", b"set-cookie"))


def mask(entry: Entry, shown: str | None, others: Iterable[str] = ()) -> None:
    """Mask in an entry the secret that its request has shown, and what else is known to be secret.

    The forms are noted in it, for what is told of the entry later: see `masked_texts`.
    """
    forms = sorted({form for secret in (shown, *others) if secret for form in _forms(secret)}, key=len, reverse=True)
    credential = b"" if shown is None else shown.encode("latin-1", "replace")
    entry.headers = _headers(entry.headers, credential, forms)
    if not forms:
        return
    entry.secrets = tuple(form.decode() for form in forms)
    entry.answer_headers = _headers(entry.answer_headers, credential, forms)
    entry.body = _masked(entry.body, forms)
    entry.answer = _masked(entry.answer, forms)
    for form in forms:
        text = form.decode("latin-1")  # as bytes became letters in them
        entry.path, entry.query = entry.path.replace(text, MASKED), entry.query.replace(text, MASKED)


def masked_texts(entry: Entry, value: Any) -> Any:
    """A JSON value about an entry, with its secrets masked in every text; the names of members stay."""
    return _in_texts(value, entry.secrets) if entry.secrets else value


def _in_texts(value: Any, forms: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, MASKED)
        return value
    if isinstance(value, dict):
        return {name: _in_texts(each, forms) for name, each in value.items()}
    return [_in_texts(each, forms) for each in value] if isinstance(value, list | tuple) else value


def _forms(secret: str) -> set[bytes]:
    """The secret as it may stand in a body, a header, or a path."""
    if len(secret) < SHORTEST:
        return set()
    raw = secret.encode("utf-8", "replace")
    return {raw, json.dumps(secret)[1:-1].encode(), quote(secret, safe="").encode()}


def _masked(data: bytes, forms: list[bytes]) -> bytes:
    for form in forms:
        if form in data:
            data = data.replace(form, MASK)
    return data


def _headers(headers: RawHeaders, credential: bytes, forms: list[bytes]) -> RawHeaders:
    return [
        (name, _credential(value, credential) if name in CREDENTIAL_HEADERS else _masked(value, forms))
        for name, value in headers
    ]


def _credential(value: bytes, secret: bytes) -> bytes:
    """What stands around the secret stays: the scheme, an origin in front of it, the world behind it."""
    before, found, after = value.rpartition(secret) if secret else (b"", b"", b"")
    if found and secret not in before and (not after or after.startswith(b"@")):
        return before + MASK + after
    scheme, space, rest = value.partition(b" ")
    return scheme + b" " + MASK if space and rest and scheme.isalpha() else MASK
