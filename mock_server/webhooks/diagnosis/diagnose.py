"""From a request and a secret to what is to be said about its signature."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Claim, InvalidSecret, Message, Scheme, Verified, utf8

from .evidence import carriers, read, token_of
from .frames import claim_of, signed_form
from .json_forms import Rewritten
from .notes import note_time, notes_on
from .report import (
    LONGEST_PREVIEW,
    Carried,
    Change,
    Compared,
    Diagnosis,
    Material,
    NearMiss,
    Time,
    cut,
    cut_header,
    hiding,
    printable,
)
from .search import Asked, around, precision, search

MOST_SHOWN = 8
SAME = "The computed signature is the one that is expected: your code computes it right."
Hide = Callable[[bytes], bytes]
_PLACE = re.compile(r"(\{\w+\})")


def diagnose(
    scheme: Scheme,
    message: Message,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    now: int,
    tolerance: int | None = None,
    *,
    old: Sequence[str] = (),
    urls: Sequence[str] = (),
    computed: str = "",
) -> Diagnosis:
    """The scheme's verdict, what it is made of, and what the signature fits instead where it does not fit.

    Header names in lower case. `now` and `tolerance` in seconds, as in `Scheme.verify`. `old`: secrets that are not used any
    more; `urls`: others that may be the one that was called. `computed`: a signature that other code makes of this request;
    then it is that one whose near misses are looked for. Raises nothing.
    """
    hide = hiding((*secrets, *old))
    verdict = scheme.verify(message, headers, secrets, now, tolerance)
    evidence = read(headers, scheme)
    if computed:
        evidence = msgspec.structs.replace(evidence, tokens=token_of(computed))
    all_urls = tuple(dict.fromkeys((message.url, *urls)))
    asked = Asked(scheme, message.body, headers, secrets, evidence, old, all_urls, message.id)
    claim = scheme.claim(headers)
    used = claim if isinstance(claim, Claim) else claim_of(around(asked, scheme))
    material = scheme.material(message, used)
    limit = scheme.tolerance if tolerance is None else tolerance
    time = _time(scheme, used, now, limit)
    expected = _expected(scheme, secrets, material)
    given = (computed,) if computed else claim.signatures if isinstance(claim, Claim) else ()
    result = Diagnosis(
        scheme.name,
        scheme.title,
        verdict,
        _carried(scheme, headers, hide),
        time,
        _material(scheme, message, used, material, hide),
        Compared(tuple(map(_cut_entry, given[:MOST_SHOWN])), tuple(map(_cut_entry, expected[:MOST_SHOWN]))),
        notes=notes_on(scheme, message, headers, claim, verdict, secrets),
    )
    fits = isinstance(verdict, Verified) or verdict.reason in ("expired", "premature")
    if time is not None and (note := note_time(verdict, time)):
        result = msgspec.structs.replace(result, notes=(*result.notes, note))
    if (fits and not computed) or not any(secret.strip() for secret in secrets):
        return result
    if computed and computed.strip() in expected:
        return msgspec.structs.replace(result, notes=(SAME, *result.notes))
    if (
        cut_off := _cut_off(headers if not computed else {scheme.header.lower(): computed}, scheme, expected)
    ) is not None:
        return msgspec.structs.replace(result, near_misses=(cut_off,))
    found = search(asked)
    notes = result.notes
    if not found.near_misses:
        notes = (*notes, *_lost(found.forms))
    near = tuple(_hidden(each, hide) for each in found.near_misses)
    return msgspec.structs.replace(
        result, near_misses=near, skipped=found.skipped, attempts=found.attempts, notes=notes
    )


def _lost(forms: Rewritten) -> list[str]:
    """Where nothing fits: whether the body looks as if it could not."""
    if forms.ordered:
        return [
            f"The body is what {forms.held} writes, its keys in alphabetical order. If it was parsed and written again, the "
            "order that was signed is lost, and nothing can show it: capture the raw bytes."
        ]
    if forms.suspicious:
        return [f"The body is just what {forms.held} writes: it may not be the bytes that came. Capture the raw bytes."]
    return []


def detected(headers: Mapping[str, str]) -> list[Scheme]:
    """The schemes whose header a request has: those whose own it is first."""
    found = [scheme for scheme in schemes().values() if _has(scheme, headers)]
    return sorted(found, key=lambda scheme: (scheme.header.lower() not in headers, precision(scheme)))


def _has(scheme: Scheme, headers: Mapping[str, str]) -> bool:
    claim = scheme.claim(headers)
    return isinstance(claim, Claim) or claim.reason != "missing"


def _carried(scheme: Scheme, headers: Mapping[str, str], hide: Hide) -> tuple[Carried, ...]:
    claim = scheme.claim(headers)
    told: dict[str, list[str]] = {name: ["signature"] for name in carriers(headers, scheme)}
    for name, value in headers.items():
        if isinstance(claim, Claim):
            if claim.time is not None and claim.time in value and (name in told or value == claim.time):
                told.setdefault(name, []).append("time")
            if claim.id is not None and value == claim.id:
                told.setdefault(name, []).append("id")
    return tuple(Carried(name, cut_header(_text(headers[name], hide)), tuple(says)) for name, says in told.items())[
        :MOST_SHOWN
    ]


def _time(scheme: Scheme, claim: Claim, now: int, tolerance: int) -> Time | None:
    if "time" not in scheme.uses or claim.time is None or not claim.time.isdecimal():
        return None
    signed_at = int(claim.time) // int(getattr(scheme, "per_second", 1))
    return Time(claim.time, signed_at, now, now - signed_at, tolerance)


def _material(scheme: Scheme, message: Message, claim: Claim, material: bytes, hide: Hide) -> Material:
    values = {
        "{time}": f"the time {_text(claim.time, hide)!r}" if claim.time else "the time (there is none)",
        "{id}": f"the id {_text(claim.id or message.id, hide)!r}",
        "{url}": f"the URL {_text(message.url, hide)!r}" if message.url else "the URL (not known)",
        "{body}": f"the body ({len(message.body):,} bytes)",
    }
    parts = [values.get(part, repr(part)) for part in _PLACE.split(signed_form(scheme)) if part]
    shown = hide(material)
    short = len(shown) <= 2 * LONGEST_PREVIEW
    return Material(
        tuple(parts),
        len(message.body),
        hashlib.sha256(message.body).hexdigest(),
        len(material),
        hashlib.sha256(material).hexdigest(),
        printable(shown if short else shown[:LONGEST_PREVIEW]),
        "" if short else printable(shown[-LONGEST_PREVIEW:]),
    )


def _hidden(near: NearMiss, hide: Hide) -> NearMiss:
    """URLs are what a near miss repeats of a request."""
    changes = (
        msgspec.structs.replace(each, meaning=_text(each.meaning, hide), advice=_text(each.advice, hide))
        if each.axis == "url"
        else each
        for each in near.changes
    )
    return msgspec.structs.replace(near, changes=tuple(changes))


def _text(text: str, hide: Hide) -> str:
    return printable(hide(utf8(text)))


def _expected(scheme: Scheme, secrets: Sequence[str], material: bytes) -> tuple[str, ...]:
    """One for each key that the scheme makes of the secrets; whole, so never to be shown."""
    found = []
    for secret in secrets:
        try:
            found += [scheme.seal(key, material) for key in scheme.keys(secret)]
        except InvalidSecret:
            continue
    return tuple(found)


def _cut_entry(signature: str) -> str:
    version, comma, text = signature.rpartition(",")
    return f"{version}{comma}{cut(text)}" if text else ""


def _cut_off(headers: Mapping[str, str], scheme: Scheme, expected: Sequence[str]) -> NearMiss | None:
    """A signature whose end is missing: half of one is more than chance can give."""
    for part in re.split(r"[\s,;=\"']+", headers.get(scheme.header.lower(), "")):
        for whole in expected:
            if len(whole) // 2 <= len(part) < len(whole.rstrip("=")) and whole.startswith(part):
                change = Change(
                    "encoding",
                    "encoding:cut-off",
                    f"the first {len(part)} of its {len(whole)} characters",
                    "The signature is right as far as it goes: its end was cut off on the way.",
                    "Look for what keeps the header and is too short for it: a database column, a log, a copied line.",
                )
                return NearMiss((change,), cut(part))
    return None
