"""Signatures that are not what they should be. All work on any scheme, or say why they cannot."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import msgspec

from mock_server.webhooks import headers
from mock_server.webhooks.drafts import Request
from mock_server.webhooks.payloads import Payload
from mock_server.webhooks.schemes.hmacs import Hmac, Pairs
from mock_server.webhooks.schemes.protocol import Claim
from mock_server.webhooks.schemes.standard import StandardWebhooks

from .variant import Inapplicable, Situation

NO_TIME = Inapplicable("the scheme signs no time")
NO_ID = Inapplicable("the scheme signs no message id")
ONE_ONLY = Inapplicable("the scheme's header holds one signature and nothing beside it")


def without(request: Request, *names: str) -> Request:
    return msgspec.structs.replace(request, headers=headers.without(request.headers, *names))


def rewritten(request: Request, name: str, rewrite: Callable[[str], str]) -> Request:
    """With another value of a header."""
    changed = tuple(
        (each, rewrite(value) if each.lower() == name.lower() else value) for each, value in request.headers
    )
    return msgspec.structs.replace(request, headers=changed)


def respelled(here: Situation, payload: Payload, respell: Callable[[str], str]) -> Request:
    """With the letters of the signature changed, and nothing else in its header."""
    request = here.signed(payload)
    signature = bare(here.claim(request).signatures[0])
    return rewritten(request, here.scheme.header, lambda value: value.replace(signature, respell(signature)))


def sealed(here: Situation, payload: Payload, key: bytes, time: str | None = None) -> Request:
    """Signed with any key, and any text in place of the time."""
    request = here.signed(payload)
    claim = here.claim(request)
    material = here.scheme.material(here.message(payload), Claim((), time or claim.time, claim.id))
    signature = here.scheme.seal(key, material)
    forged = rewritten(request, here.scheme.header, lambda value: value.replace(bare(claim.signatures[0]), signature))
    return forged if time is None else retimed(here, forged, claim.time or "", time)


def retimed(here: Situation, request: Request, before: str, after: str) -> Request:
    """With another time, wherever the scheme has it, and the signature as it is."""
    name = time_header(here)
    return rewritten(request, name, lambda value: value.replace(before, after, 1))


def untimed(here: Situation, request: Request) -> Request:
    name = time_header(here)
    if name != here.scheme.header:
        return without(request, name)
    layout = here.scheme.layout if isinstance(here.scheme, Hmac) else None
    assert isinstance(layout, Pairs)

    def cut(value: str) -> str:
        parts = value.split(layout.separator)
        return layout.separator.join(part for part in parts if not part.startswith(f"{layout.time}="))

    return rewritten(request, name, cut)


def time_header(here: Situation) -> str:
    return here.scheme.time_header or here.scheme.header


def id_header(here: Situation) -> str | None:
    """None if no id is signed."""
    return here.scheme.id_header if "id" in here.scheme.uses else None


def beside(here: Situation, request: Request, other: str) -> Request | Inapplicable:
    """With another signature before the one that is there."""
    scheme = here.scheme
    if isinstance(scheme, StandardWebhooks):
        return rewritten(request, scheme.header, lambda value: f"{value.partition(',')[0]},{other} {value}")
    if isinstance(scheme, Hmac) and isinstance(scheme.layout, Pairs):
        name = scheme.layout.signature
        return _with_entries(here, request, lambda key, text: [(key, other), (key, text)] if key == name else None)
    return ONE_ONLY


def with_unknown_version(here: Situation, payload: Payload) -> Request | Inapplicable:
    """A signature under a version that nobody knows, after the one that counts."""
    scheme, request = here.scheme, here.signed(payload)
    if scheme.name == "paddle":
        return Inapplicable("Paddle's own libraries refuse entries that they do not know")
    if isinstance(scheme, StandardWebhooks):
        return rewritten(request, scheme.header, lambda value: f"{value} v0,{'A' * 43}=")
    if isinstance(scheme, Hmac) and isinstance(scheme.layout, Pairs):
        known, unknown = scheme.layout.signature, (_unknown(scheme.layout), "0" * 64)
        return _with_entries(here, request, lambda key, text: [(key, text), unknown] if key == known else None)
    return ONE_ONLY


def of_unknown_version(here: Situation, payload: Payload) -> Request | Inapplicable:
    """Correctly signed, but under a version that nobody knows, or by a weaker digest."""
    scheme, request = here.scheme, here.signed(payload)
    if isinstance(scheme, StandardWebhooks):
        return rewritten(request, scheme.header, lambda value: f"v0,{value.partition(',')[2]}")
    if not isinstance(scheme, Hmac):
        return ONE_ONLY
    if isinstance(scheme.layout, Pairs):
        known, unknown = scheme.layout.signature, _unknown(scheme.layout)
        return _with_entries(here, request, lambda key, text: [(unknown, text)] if key == known else None)
    if not scheme.layout.prefix:
        return ONE_ONLY
    digest = "md5" if scheme.layout.prefix.startswith("sha1") else "sha1"
    claim = here.claim(request)
    weak = hmac.digest(here.key, scheme.material(here.message(payload), claim), digest).hex()
    return rewritten(request, scheme.header, lambda _: f"{digest}={weak}")


def _with_entries(
    here: Situation, request: Request, change: Callable[[str, str], list[tuple[str, str]] | None]
) -> Request:
    """With other entries in place of those for which `change` gives some."""
    assert isinstance(here.scheme, Hmac)
    assert isinstance(here.scheme.layout, Pairs)
    separator = here.scheme.layout.separator

    def rewrite(value: str) -> str:
        found: list[tuple[str, str]] = []
        for part in value.split(separator):
            key, _, text = part.partition("=")
            found += change(key, text) or [(key, text)]
        return separator.join(f"{key}={text}" for key, text in found)

    return rewritten(request, here.scheme.header, rewrite)


def _unknown(layout: Pairs) -> str:
    return "v9" if layout.signature == "v0" else "v0"


def longer(signature: str) -> str:
    """With something more: before the padding where there is one, since what follows that is often passed over."""
    whole = (len(signature) // 4 - 1) * 4
    return f"{signature[:whole]}AAAA{signature[whole:]}" if signature.endswith("=") else f"{signature}00"


def bare(signature: str) -> str:
    """Without the version that some schemes have before it."""
    return signature.rpartition(",")[2]
