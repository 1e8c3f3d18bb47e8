"""A request of the journal as it can be sent again, to any world, and what is known of the API's answer to it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from mock_server.http.bodies import InvalidJson, parse_json
from mock_server.http.masking import CREDENTIAL_HEADERS
from mock_server.store.journal import Entry, RawHeaders

REJECTED = "rejected"
NOT_A_KEY = "not-a-key"
"""What stands for a key that was refused: which one it was is not kept."""

_NOT_SENT = frozenset(
    b"host content-length connection accept-encoding user-agent transfer-encoding te trailer upgrade keep-alive "
    b"proxy-connection http2-settings expect x-mock-world".split()
)
"""What every client says for itself, and what names the world, which is another one now."""
_NEVER_A_KEY = frozenset((b"cookie", b"set-cookie", b"proxy-authorization"))
_WITHOUT_KEY = frozenset(("anonymous", "-"))
_SCHEME = re.compile(rb"[A-Za-z]+ +(?=\S)")
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]|#")


class Header(msgspec.Struct, frozen=True):
    """With `has_key` the key follows `value`, which is then "" or a scheme ("Bearer ")."""

    name: str
    value: bytes
    has_key: bool = False


class Request(msgspec.Struct, frozen=True):
    """`target` is path and query below the world's prefix, in ASCII. `caller` is whose key the headers carry."""

    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes
    caller: str

    @property
    def needs_key(self) -> bool:
        return self.caller != REJECTED and any(header.has_key for header in self.headers)


class Known(msgspec.Struct, frozen=True):
    """What the API answered: None is what is not known, and `doubt` is why. `answer` is JSON, as text."""

    status: int | None
    answer: str | None = None
    doubt: str | None = None


def request_of(entry: Entry) -> Request:
    headers = tuple(
        header for name, value in entry.headers if (header := _header(name, value, entry.caller)) is not None
    )
    # No client sends a body with HEAD, and none is read.
    body = b"" if entry.method == "HEAD" else entry.body
    return Request(entry.method, _target(entry, _below_world(entry.path)), headers, body, entry.caller)


def whole_target(entry: Entry) -> str:
    """Path and query as they were sent, world and all."""
    return _target(entry, entry.path)


def hindrance(entry: Entry) -> str | None:
    """Why the request cannot or must not be sent again; completes "not sent again, because ..."."""
    if entry.delivery == "client_gone" and not entry.changed:
        return "the client was gone before it had any effect"
    if not _is_the_apis(entry) and not entry.worked and not entry.changed:
        return f"{by_faults(entry)} kept it from the API"
    if entry.body_is_cut:
        return f"only the first {len(entry.body)} of its {entry.body_size} bytes were kept"
    if entry.status == 413 and not entry.body:
        return "its body was too large to be read"
    coding = value_of(entry.headers, b"transfer-encoding")
    if coding is not None and coding.lower() != b"chunked":
        return "no usual client can send its Transfer-Encoding"
    return None


def known(entry: Entry) -> Known:
    if not _is_the_apis(entry):
        gone = entry.delivery == "client_gone"
        doubt = "the client did not wait for it" if gone else f"{by_faults(entry)} spoilt it"
        return Known(entry.worked or None, None, doubt)
    if entry.status == 401 and entry.caller == REJECTED:
        return Known(401, None, "which key it carried is not kept")
    if entry.method == "HEAD" or not _is_json(entry):
        return Known(entry.status)
    if entry.answer_is_cut:
        return Known(entry.status, None, f"only the first {len(entry.answer)} bytes of the answer were kept")
    try:
        parse_json(entry.answer)
    except InvalidJson:
        return Known(entry.status, None, "the answer is no JSON that can be read")
    return Known(entry.status, entry.answer.decode())


def by_faults(entry: Entry) -> str:
    names = " and ".join(entry.faults)
    return f"the fault {names}" if names else "a fault"


def text_of(data: bytes) -> str:
    """A header's value: UTF-8 if it is, else Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def value_of(headers: RawHeaders, wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def parsed(answer: str) -> Any:
    return parse_json(answer.encode())


def _is_the_apis(entry: Entry) -> bool:
    """Whether the client got the API's own answer."""
    return entry.delivery in ("whole", "late")


def _is_json(entry: Entry) -> bool:
    declared = (value_of(entry.answer_headers, b"content-type") or b"").partition(b";")[0].strip().lower()
    return declared == b"application/json" or declared.endswith(b"+json")


def _header(raw_name: bytes, value: bytes, caller: str) -> Header | None:
    name = raw_name.lower()
    if name in _NOT_SENT or name in _NEVER_A_KEY:
        return None
    if name not in CREDENTIAL_HEADERS or not value:
        return Header(raw_name.decode("latin-1"), value)
    if caller in _WITHOUT_KEY:
        return None
    scheme = _SCHEME.match(value) if name == b"authorization" else None
    return Header(raw_name.decode("latin-1"), scheme[0] if scheme else b"", has_key=True)


def _below_world(path: str) -> str:
    """The path without the /w/<world> in front, however that was spelled."""
    steps = path.split("/", 3)
    if len(steps) > 2 and steps[0] == "" and unquote_to_bytes(steps[1]) == b"w":
        return "/" + steps[3] if len(steps) > 3 else ""
    return path


def _target(entry: Entry, path: str) -> str:
    text = f"{path}?{entry.query}" if entry.query else path
    # Clients refuse to send other bytes, or encode them; to the server it is the same.
    return _NOT_IN_A_TARGET.sub(percent_encoded, text)


def percent_encoded(found: re.Match[str]) -> str:
    coding = "latin-1" if ord(found[0]) < 256 else "utf-8"
    return "".join(f"%{byte:02X}" for byte in found[0].encode(coding, "replace"))
