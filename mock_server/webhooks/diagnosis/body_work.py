"""What can be done to the bytes of a body: each function gives the bytes that may have been signed, or None where it makes
no sense."""

from __future__ import annotations

import binascii
import json
import re
import unicodedata
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qsl, unquote_to_bytes

LARGEST_UNPACKED = 10 * 1024 * 1024
BOM = b"\xef\xbb\xbf"

_FORM = re.compile(rb"[\w.\[\]-]{1,64}=[^\s]*", re.ASCII)


def utf8_to(codec: str) -> Callable[[bytes], bytes | None]:
    def work(body: bytes) -> bytes | None:
        try:
            return body.decode().encode(codec)
        except UnicodeError:
            return None

    return work


def to_utf8(codec: str) -> Callable[[bytes], bytes | None]:
    def work(body: bytes) -> bytes | None:
        try:
            return body.decode(codec).encode()
        except UnicodeError:
            return None

    return work


def undoubled(body: bytes) -> bytes | None:
    """UTF-8 that was read as Latin-1 (or Windows-1252, which differs in 27 letters) and written as UTF-8 again."""
    try:
        result = body.decode().translate(_CP1252).encode("latin-1")
        result.decode()
    except ValueError:
        return None
    return result


_CP1252 = {ord(letter): number for number in range(128, 160) if (letter := bytes([number]).decode("cp1252", "ignore"))}


def normalized(form: Literal["NFC", "NFD"]) -> Callable[[bytes], bytes | None]:
    def work(body: bytes) -> bytes | None:
        try:
            return None if body.isascii() else unicodedata.normalize(form, body.decode()).encode()
        except UnicodeError:
            return None

    return work


def unzipped(body: bytes) -> bytes | None:
    if not body.startswith((b"\x1f\x8b", b"\x78")):
        return None
    try:
        machine = zlib.decompressobj(47)
        plain = machine.decompress(body, LARGEST_UNPACKED)
        return plain if machine.eof else None
    except zlib.error:
        return None


def zipped(level: int, system: int) -> Callable[[bytes], bytes]:
    """Gzip without a time, as libraries write it; the rest of the header tells level and system."""

    def work(body: bytes) -> bytes:
        machine = zlib.compressobj(level, zlib.DEFLATED, -15)
        extra = 2 if level == 9 else 0
        head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00" + bytes([extra, system])
        tail = zlib.crc32(body).to_bytes(4, "little") + (len(body) & 0xFFFFFFFF).to_bytes(4, "little")
        return head + machine.compress(body) + machine.flush() + tail

    return work


def unbased(body: bytes) -> bytes | None:
    text = body.strip().strip(b'"')
    if len(text) < 4:
        return None
    try:
        return b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def unquoted(body: bytes) -> bytes | None:
    return unquote_to_bytes(body.replace(b"+", b" ")) if b"%" in body else None


def form_value(body: bytes) -> bytes | None:
    """The value of a form that has one field, as GitHub's `payload=...`."""
    if b"&" in body or not _FORM.fullmatch(body):
        return None
    fields = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=2)
    return fields[0][1].encode() if len(fields) == 1 else None


def inner(body: bytes) -> bytes | None:
    if body.lstrip()[:1] != b'"':
        return None
    try:
        text = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else None


def text_of(make: Callable[[str], str]) -> Callable[[bytes], bytes | None]:
    def work(body: bytes) -> bytes | None:
        try:
            return make(body.decode()).encode("utf-8", "surrogatepass")
        except UnicodeError:
            return None

    return work


def python_value(body: bytes) -> bytes | None:
    try:
        return str(json.loads(body)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def one_newline_less(body: bytes) -> bytes | None:
    return body[:-2] if body.endswith(b"\r\n") else body[:-1] if body.endswith(b"\n") else None


def crlf(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def always(text: bytes) -> Callable[[bytes], bytes | None]:
    return lambda _: text
