"""Secrets in what the journal keeps are masked by value: wherever they stand, not only where they are expected."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from mock_server.store.journal import Entry, RawHeaders

MASK, MASKED = b"***", "***"
SHORTEST = 6
"""A shorter secret is masked only in the headers that carry credentials: it would be found in innocent words too."""
CREDENTIAL_HEADERS = frozenset((b"authorization", b"x-api-key", b"proxy-authorization", b"cookie", b"set-cookie"))
_WITH_SCHEME = frozenset((b"authorization", b"proxy-authorization"))
_IN_WORDS = {"\n": b"n", "\r": b"r", "\t": b"t", "\b": b"b", "\f": b"f"}
_MOST_SPELLED, _LONGEST_SPELLED = 50, 2_000
"""Of so many secrets, and of those that are no longer, every spelling is found; of others only the usual ones."""


def mask(entry: Entry, shown: Collection[str], others: Iterable[str] = ()) -> None:
    """Mask in an entry the secrets that its request has shown, and what else is known to be secret.

    They are noted in it, for what is told of the entry later: see `masked_texts`.
    """
    found = {each for each in (*shown, *others) if len(each) >= SHORTEST}
    secrets = entry.secrets = tuple(sorted(found, key=lambda each: (-len(each), each)))
    credentials = [each.encode("latin-1", "replace") for each in sorted(shown, key=len, reverse=True) if each]
    entry.headers = _headers(entry.headers, credentials, secrets)
    if not secrets:
        return
    entry.answer_headers = _headers(entry.answer_headers, credentials, secrets)
    entry.body, entry.answer = _masked(entry.body, secrets), _masked(entry.answer, secrets)
    # As bytes became letters in them.
    entry.path = _masked(entry.path.encode("latin-1"), secrets).decode("latin-1")
    entry.query = _masked(entry.query.encode("latin-1"), secrets).decode("latin-1")


def masked_texts(entry: Entry, value: Any) -> Any:
    """A JSON value about an entry, with its secrets masked in every text; the names of members stay."""
    return _in_texts(value, entry.secrets) if entry.secrets else value


def last_words(headers: RawHeaders) -> list[str]:
    """What stands in headers for credentials where a secret belongs, whether the API can read it or not."""
    values = [
        value.decode("latin-1").split() for name, value in headers if name in _WITH_SCHEME or name == b"x-api-key"
    ]
    return [words[-1] for words in values if words]


def _in_texts(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _masked(value.encode("utf-8", "surrogatepass"), secrets).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {name: _in_texts(each, secrets) for name, each in value.items()}
    return [_in_texts(each, secrets) for each in value] if isinstance(value, list | tuple) else value


def _masked(data: bytes, secrets: tuple[str, ...]) -> bytes:
    if not data:
        return data
    is_plain = not any(sign in data for sign in (b"\\", b"%", b"+"))
    for n, secret in enumerate(secrets):
        if is_plain and secret.isascii():
            # Nothing is escaped there, so there is no other spelling to look for, and no pattern to be made.
            data = data.replace(secret.encode(), MASK)
        elif n < _MOST_SPELLED and len(secret) <= _LONGEST_SPELLED:
            data = _spellings(secret).sub(MASK, data)
        else:
            for form in _usual_forms(secret):
                data = data.replace(form, MASK)
    return data


def _usual_forms(secret: str) -> list[bytes]:
    raw, ascii_json, any_json = secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    forms = {each.encode("utf-8", "surrogatepass") for each in (raw, ascii_json, any_json)}
    return sorted(forms | {quote(secret.encode("utf-8", "surrogatepass"), safe="").encode()}, key=len, reverse=True)


@lru_cache(maxsize=512)
def _spellings(secret: str) -> re.Pattern[bytes]:
    """The secret as it may stand in a body, a header, a path, or a sentence: each letter as it is or escaped."""
    return re.compile(b"".join(_spelled(part[0], len(part)) for part in re.findall(r"\\+|[^\\]", secret)))


def _spelled(letter: str, times: int) -> bytes:
    """More than once only of backslashes. Atomic, and every repetition has a bound: no data takes long to search."""
    raw = letter.encode("utf-8", "surrogatepass")
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    # Backslashes are doubled once more where one text stands in another, as a body in a message about it.
    ways = [
        b"".join(rb"\\{1,4}u(?i:%s)" % units[n : n + 4].encode() for n in range(0, len(units), 4)) * times,
        b"".join(b"%%(?i:%02x)" % each for each in raw) * times,
    ]
    if letter == "\\":
        ways.append(rb"\\{%d,%d}" % (times, 4 * times))
    elif letter in "\"'/":
        ways.append(rb"\\{0,4}" + raw)
    else:
        ways.append(re.escape(raw))
    if "\x80" <= letter <= "\xff":
        ways.append(re.escape(letter.encode("latin-1")))
    if letter == " ":
        ways.append(rb"\+")
    if letter in _IN_WORDS:
        ways.append(rb"\\{1,4}" + _IN_WORDS[letter])
    return b"(?>%s)" % b"|".join(ways)


def _headers(headers: RawHeaders, credentials: list[bytes], secrets: tuple[str, ...]) -> RawHeaders:
    return [
        (name, _credential(name, value, credentials) if name in CREDENTIAL_HEADERS else _masked(value, secrets))
        for name, value in headers
    ]


def _credential(name: bytes, value: bytes, secrets: list[bytes]) -> bytes:
    """What stands around the secret stays: the scheme, an origin in front of it, the world behind it."""
    for secret in secrets:
        before, found, after = value.rpartition(secret)
        if found and secret not in before and (not after or after.startswith(b"@")):
            return before + MASK + after
    scheme, space, rest = value.partition(b" ")
    return scheme + b" " + MASK if name in _WITH_SCHEME and space and rest and scheme.isalpha() else MASK
