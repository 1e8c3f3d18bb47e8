"""Bytes as words of a POSIX shell."""

from __future__ import annotations

import re
import shlex

_LITERAL_IN_PRINTF = re.compile(rb"[ -$&(-[\]-~]")


def word(data: bytes) -> str:
    """A word of the shell that stands for exactly these bytes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\n"
    if text.isprintable():
        return shlex.quote(text)
    octal = b"".join(in_printf(data[n : n + 1]) for n in range(len(data))).decode()
    return f"\"$(printf -- '{octal}')\""


def in_printf(byte: bytes) -> bytes:
    """A byte in a format of printf that stands between single quotes."""
    return byte if _LITERAL_IN_PRINTF.match(byte) else b"\\%03o" % byte[0]


def as_text(body: bytes) -> str | None:
    """The body, if a script can hold it so that neither an editor nor a terminal spoils it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if all(each.isprintable() or each in "\n\t" for each in text) else None
