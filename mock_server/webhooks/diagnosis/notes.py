"""What is remarkable about a request beside its signature, in a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mock_server.webhooks.schemes.protocol import Claim, InvalidSecret, Message, Rejected, Scheme, Verified
from mock_server.webhooks.schemes.standard import Ed25519Key

from .key_forms import key_words
from .report import Time

MILLISECONDS = 100_000_000_000
"""A time from here on, in seconds, lies after the year 5138: it is in milliseconds."""
ZONE = 900
"""Zones differ from each other by multiples of so many seconds."""


def notes_on(
    scheme: Scheme,
    message: Message,
    headers: Mapping[str, str],
    claim: Claim | Rejected,
    verdict: Verified | Rejected,
    secrets: Sequence[str],
) -> tuple[str, ...]:
    if isinstance(verdict, Verified):
        return (f"It was secret no. {verdict.secret + 1} of {len(secrets)} that fits.",) if len(secrets) > 1 else ()
    found = [*_length(message, headers), *_keys(scheme, claim, secrets)]
    if b"\xef\xbf\xbd" in message.body:
        found.append(
            "The body has replacement characters (U+FFFD) in it: bytes were lost when somebody made text of it, and no "
            "signature can fit any more."
        )
    if not message.body:
        found.append("The body is empty: it may have been read before it was captured.")
    if isinstance(claim, Claim) and len(claim.signatures) > 1:
        found.append(
            f"The header has {len(claim.signatures)} signatures, as during a change of secrets; none of them fits."
        )
    if "authorization" in headers and isinstance(claim, Rejected) and claim.reason == "missing":
        found.append("There is an Authorization header; the provider may use a password instead of a signature.")
    return tuple(found)


def note_time(verdict: Verified | Rejected, time: Time) -> str:
    """What a time says that is out of its bounds, or "" if it is within."""
    if not time.tolerance:
        return ""
    off = abs(time.age)
    if time.signed_at >= MILLISECONDS:
        return (
            f"The time {time.text} is in milliseconds: as seconds it lies after the year 5000. The sender has to write "
            "seconds: Math.floor(Date.now() / 1000)."
        )
    if off <= time.tolerance:
        return ""
    fits = isinstance(verdict, Verified) or verdict.reason in ("expired", "premature")
    start = "The signature fits; only the time does not." if fits else "The time would not do either."
    if off >= ZONE * 4 - 60 and min(off % ZONE, -off % ZONE) <= 60 and off <= 14 * 3600 + 60:
        hours = f"{round(off / ZONE) / 4:g}"
        return (
            f"{start} It is almost exactly {hours} h off, which looks like a time zone: one side takes local time for "
            "UTC; use a datetime made with timezone.utc, Date.now(), time.Now().Unix()."
        )
    if time.age < 0:
        return (
            f"{start} It lies {span(off)} ahead ({time.tolerance} s are tolerated): the sender's clock is fast or yours is "
            "slow. Compare both with `date -u`; let NTP set them."
        )
    return (
        f"{start} It is {span(off)} old ({time.tolerance} s are tolerated): the request was kept, queued or replayed, or the "
        "clocks differ (`date -u` on both). Verify when it comes in, before any queue; judge an old capture --at received, "
        "replay it with --resign."
    )


def span(seconds: int) -> str:
    """Roughly how long: 301 s, 12 min, 5 h, 3 days."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= max(2 * size, 600):
            return f"{seconds / size:,.0f} {unit}" if seconds >= 10 * size else f"{seconds / size:.1f} {unit}"
    return f"{seconds} s"


def _length(message: Message, headers: Mapping[str, str]) -> list[str]:
    text = headers.get("content-length", "")
    if not text.isdecimal() or len(text) > 12 or int(text) == len(message.body):
        return []
    sent, here = int(text), len(message.body)
    packed = headers.get("content-encoding", "")
    if packed and packed != "identity":
        return [f"Content-Length says {sent:,} bytes ({packed}), here are {here:,}: the body was unpacked on the way."]
    cut = " Its end is missing, and no signature can fit." if here < sent - 2 else ""
    return [f"Content-Length says {sent:,} bytes, here are {here:,}: this is not the body as it was sent.{cut}"]


def _keys(scheme: Scheme, claim: Claim | Rejected, secrets: Sequence[str]) -> list[str]:
    keys: list[bytes] = []
    complaint = ""
    for secret in secrets:
        try:
            keys += scheme.keys(secret)
        except InvalidSecret as error:
            complaint = str(error)
    if complaint and not keys:
        return [f"No secret has the form of a key of {scheme.title}: {complaint}. The key is {key_words(scheme)}."]
    if not isinstance(claim, Claim) or not keys:
        return []
    asymmetric = [each.startswith("v1a,") for each in claim.signatures]
    by_public_key = [isinstance(key, Ed25519Key) for key in keys]
    if all(asymmetric) and not any(by_public_key):
        return ["The header has only Ed25519 signatures (v1a): they need the public key whpk_..., not a secret."]
    if all(by_public_key) and not any(asymmetric):
        return ["The header has only HMAC signatures (v1): they need the secret whsec_..., not a key of Ed25519."]
    if all(by_public_key):
        return ["With Ed25519 only the holder of whsk_... can say what would be expected; the changes are still tried."]
    return []
