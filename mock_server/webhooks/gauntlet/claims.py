"""Signatures that hold for another time, another message or another place, and have to be refused here."""

from __future__ import annotations

import msgspec

from mock_server.webhooks.misbehaviour import FUTURE_S, OLD_S
from mock_server.webhooks.schemes.protocol import Verified

from .forged import Built, refused
from .forging import NO_ID, NO_TIME, id_header, retimed, rewritten, sealed, untimed, without
from .variant import Inapplicable, Situation, Variant


def _no_time(here: Situation) -> Built:
    return refused(untimed(here, here.signed(here.payload("no-time")))) if "time" in here.scheme.uses else NO_TIME


def _time_altered(here: Situation) -> Built:
    if "time" not in here.scheme.uses:
        return NO_TIME
    payload = here.payload("time-altered")
    request = here.signed(payload, at=here.now - 1)
    before = here.claim(request).time or ""
    return refused(retimed(here, request, before, str(int(before) + 1)))


def _no_number(here: Situation) -> Built:
    if "time" not in here.scheme.uses:
        return NO_TIME
    return refused(sealed(here, here.payload("time-no-number"), here.key, "yesterday"))


def _stale(here: Situation) -> Built:
    if not here.scheme.tolerance:
        return Inapplicable("the scheme holds a signature to no time")
    return refused(here.signed(here.payload("stale"), at=here.now - max(OLD_S, 2 * here.scheme.tolerance)))


def _far_ahead(here: Situation) -> Built:
    """Some libraries refuse it and some do not; what the scheme itself does decides."""
    if not here.scheme.tolerance:
        return Inapplicable("the scheme holds a signature to no time")
    payload = here.payload("far-ahead")
    request = here.signed(payload, at=here.now + max(FUTURE_S, 2 * here.scheme.tolerance))
    headers = {name.lower(): value for name, value in request.headers}
    verdict = here.scheme.verify(here.message(payload), headers, here.secrets, here.now)
    if isinstance(verdict, Verified):
        return Inapplicable(f"{here.scheme.title}'s own libraries accept times that are ahead")
    return refused(request)


def _no_id(here: Situation) -> Built:
    name = id_header(here)
    return NO_ID if name is None else refused(without(here.signed(here.payload("no-id")), name))


def _id_altered(here: Situation) -> Built:
    name = id_header(here)
    return NO_ID if name is None else refused(rewritten(here.signed(here.payload("id")), name, lambda v: f"{v}x"))


def _other_url(here: Situation) -> Built:
    if "url" not in here.scheme.uses:
        return Inapplicable("the scheme signs no URL")
    other = msgspec.structs.replace(here, signed_url=f"{here.signed_url}/elsewhere")
    return refused(other.signed(other.payload("other-url")))


VARIANTS = (
    Variant(
        "no-time",
        "a signature without the time that it covers",
        "refused",
        "without it nobody can tell how old the request is",
        "An old request can be sent again for ever: a missing time is a reason to refuse.",
        _no_time,
    ),
    Variant(
        "time-altered",
        "the time moved by a second, the signature as it was",
        "refused",
        "the time is signed too",
        "An old request can be sent again for ever with a new time: sign what the scheme signs, the time included.",
        _time_altered,
    ),
    Variant(
        "time-no-number",
        "correctly signed, with a word where the time should be",
        "refused",
        "refused with 4xx: only the provider could have signed it, but nobody can tell its age",
        "A time that cannot be read must not count as now: catch what reading it raises, and answer 400.",
        _no_number,
    ),
    Variant(
        "stale",
        "correctly signed, but long ago",
        "refused",
        "it may have been recorded and sent again by somebody else",
        "A recorded webhook can be sent again for ever: hold the signed time to the tolerance of the provider's library.",
        _stale,
    ),
    Variant(
        "far-ahead",
        "correctly signed, for a time that is yet to come",
        "refused",
        "the scheme tolerates no more into the future than into the past",
        "A webhook that is recorded now stays good for long: hold the time to the tolerance on both sides.",
        _far_ahead,
    ),
    Variant(
        "no-id",
        "no message id, which is signed",
        "refused",
        "without it nobody can tell repetitions",
        "Repetitions cannot be told: a missing id is a reason to refuse.",
        _no_id,
    ),
    Variant(
        "id-altered",
        "another message id, with the signature as it was",
        "refused",
        "the id is signed too",
        "A recorded webhook passes for a new one: sign what the scheme signs, the id included.",
        _id_altered,
    ),
    Variant(
        "other-url",
        "signed for another URL",
        "refused",
        "the URL is signed too",
        "A webhook for another of your endpoints passes here: sign the URL that this endpoint is subscribed with.",
        _other_url,
    ),
)
