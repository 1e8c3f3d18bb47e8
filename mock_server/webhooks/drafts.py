"""A webhook before and after it is signed."""

from __future__ import annotations

import msgspec

from .headers import Headers
from .schemes.protocol import Message, Scheme


class Draft(msgspec.Struct, frozen=True):
    """What is to be sent to `message.url`, and how it is to be signed.

    `headers` are all but the signature's, in the order in which they are sent. `signed_at`: seconds since 1970.
    """

    scheme: Scheme
    message: Message
    secret: str
    signed_at: int
    headers: Headers = ()


class Request(msgspec.Struct, frozen=True):
    """An HTTP request as it goes out. `headers` lack Host and Content-Length, which whoever sends it adds."""

    method: str
    url: str
    headers: Headers
    body: bytes


def signed(draft: Draft) -> Request:
    """Raises InvalidSecret."""
    signature = draft.scheme.sign(draft.message, draft.secret, draft.signed_at)
    return Request("POST", draft.message.url, (*draft.headers, *signature.headers), signature.body)
