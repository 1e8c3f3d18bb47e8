"""What commands about signatures are told alike: a provider, its options, a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mock_server.commands.client import WrongUse
from mock_server.commands.options import values

if TYPE_CHECKING:
    from mock_server.webhooks.schemes.protocol import Scheme


def scheme_of(provider: str, options: Sequence[str] | None) -> Scheme:
    """Raises WrongUse, which says which providers and options there are."""
    from mock_server.webhooks.schemes import UnknownScheme, generic, scheme_named

    if options and provider != generic.SCHEME.name:
        raise WrongUse("--option is for --provider generic: the others are what they are")
    given = values(options)
    try:
        return generic.scheme_of(given) if given else scheme_named(provider)
    except (UnknownScheme, generic.InvalidOptions) as error:
        raise WrongUse(str(error.args[0])) from None


def seconds_of(text: str, now: int) -> int:
    """`now`, seconds since 1970, or RFC 3339. Raises WrongUse."""
    from mock_server.engine.instants import LATEST, SECOND, InvalidTime, parse_instant

    if text == "now":
        return now
    if text.isascii() and text.isdecimal() and len(text) <= 12 and int(text) <= LATEST // SECOND:
        return int(text)
    try:
        return parse_instant(text) // SECOND
    except InvalidTime:
        raise WrongUse(f"--at {text[:60]!r} is no moment: 2026-03-01T12:00:00Z, seconds since 1970, or now") from None


def header_of(text: str) -> tuple[str, str]:
    """`Name: value`, as in a request. Raises WrongUse."""
    from mock_server.webhooks.captures import LONGEST_NAME, LONGEST_VALUE

    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    token = name.replace("-", "").replace("_", "").replace(".", "")
    if not colon or not (token.isascii() and token.isalnum()) or any(letter in value for letter in "\r\n\0"):
        raise WrongUse("--header is 'Name: value', in one line")
    if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
        raise WrongUse(f"--header: a name has at most {LONGEST_NAME} letters, a value {LONGEST_VALUE}")
    return name, value
