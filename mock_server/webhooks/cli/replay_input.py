"""What somebody says to `mockbill webhook replay`, understood or refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NoReturn

from mock_server.commands.client import WrongUse
from mock_server.commands.groups import WRONG_USE
from mock_server.commands.tables import complain, fail
from mock_server.webhooks.outgoing import parted
from mock_server.webhooks.replaying.dressing import DAMAGES, SIGNING_DAMAGES, Dress, Signing, outgoing
from mock_server.webhooks.replaying.loading import MOST_COMPLAINTS, NamedCapture, UnusableCaptures, captures
from mock_server.webhooks.replaying.planning import Planned
from mock_server.webhooks.schemes import UnknownScheme, scheme_named
from mock_server.webhooks.schemes.protocol import InvalidMessage, InvalidSecret
from mock_server.webhooks.targets import InvalidTarget

from .scheme_options import scheme_of

SLOWEST, FASTEST = 1e-3, 1e6
_SPEED = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)x?", re.ASCII)
_SHARE = re.compile(r"\d{1,9}(?:\.\d{1,18})?", re.ASCII)


def speed_of(text: str) -> float | None:
    """`10x` is 10, `max` is None."""
    if text == "max":
        return None
    found = _SPEED.fullmatch(text)
    if found is None or not SLOWEST <= float(found[1]) <= FASTEST:
        raise WrongUse("--speed is such as 1x, 10x or 0.5x, or max")
    return float(found[1])


def damages_of(texts: Sequence[str] | None, *, resigns: bool) -> Mapping[str, float]:
    """What is damaged, and in which share of the requests."""
    found: dict[str, float] = {}
    for text in (part.strip() for each in texts or () for part in each.split(",")):
        kind, equals, share = text.partition("=")
        if kind not in DAMAGES:
            raise WrongUse(f"--damage: there is no {kind[:60]!r}; there are: {', '.join(DAMAGES)}")
        if kind in SIGNING_DAMAGES and not resigns:
            raise WrongUse(f"--damage {kind} needs --resign: it says how the request is signed")
        if equals and (not _SHARE.fullmatch(share) or float(share) > 1):
            raise WrongUse(f"--damage {kind}: the share is a number from 0 to 1")
        found[kind] = float(share) if equals else 1.0
    return found


def checked_target(to: str, *, keep_path: bool) -> str:
    try:
        parted(to)
    except InvalidTarget as error:
        raise WrongUse(f"--to is no URL to send to: {error}") from None
    if "#" in to:
        raise WrongUse("--to has a fragment (#...), which is never sent")
    if keep_path and "?" in to:
        raise WrongUse("--to has a query, and with --keep-path the captures' paths would stand behind it")
    return to


def signing_of(
    resign: bool,
    secret: str | None,
    provider: str | None,
    options: Sequence[str] | None,
    at: Literal["original", "now"] | None,
    sign_url: str,
) -> Signing | None:
    """How new signatures are made; None if there are none."""
    if not resign:
        said = {"--provider": provider, "--option": options, "--at": at}
        useless = next((name for name, value in said.items() if value), None)
        if useless is not None:
            raise WrongUse(f"{useless} needs --resign: without it all is sent as it was captured")
        return None
    if not secret:
        raise WrongUse("--resign needs a secret: give --secret or MOCKBILL_WEBHOOK_SECRET")
    if sign_url not in ("target", "captured") and not re.match(r"https?://", sign_url):
        raise WrongUse("--sign-url is target, captured, or a URL")
    if options and provider is None:
        raise WrongUse("--option says what --provider generic is like")
    return Signing(secret, None if provider is None else scheme_of(provider, options), at or "now", sign_url)


def loaded(paths: Sequence[Path]) -> list[NamedCapture]:
    """Ends with all complaints if one of them cannot be replayed."""
    try:
        return captures(paths)
    except UnusableCaptures as error:
        _nothing_sent(error.complaints, error.count)


def check_signing(found: Sequence[NamedCapture], dress: Dress) -> None:
    """Ends with all complaints if one of them cannot be signed."""
    complaints = []
    for index, each in enumerate(found):
        try:
            outgoing(each.capture, Planned(1, index, 0.0), dress, 0, scheme_named)
        except UnknownScheme as error:
            complaints.append(f"{each.name}: {error}. Say which with --provider")
        except (InvalidSecret, InvalidMessage) as error:
            complaints.append(f"{each.name}: cannot be signed: {error}")
    if complaints:
        _nothing_sent(complaints, len(complaints))


def _nothing_sent(complaints: Sequence[str], count: int) -> NoReturn:
    if count == 1:
        fail(complaints[0], WRONG_USE)
    for each in complaints[:MOST_COMPLAINTS]:
        complain(each)
    more = f", the first {MOST_COMPLAINTS} of which are named" if count > MOST_COMPLAINTS else ""
    fail(f"nothing was sent: {count} captures cannot be replayed{more}", WRONG_USE)
