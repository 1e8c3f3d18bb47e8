"""Words of a shell command as bash would read them, where they say the same on every machine. Nothing is executed. Pure."""

from __future__ import annotations

import re

from .sources import ImportProblem

_PLAIN = re.compile(rb"[^\s'\"\\$`|&;<>()#*?\[\]{}~!]+")
# Harmless between letters of a word, as in a URL; bash would look for files or names, and find none.
_LOOSE = b"#*?[]{}~!=%"
_SIMPLE = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"a": b"\x07",
    b"b": b"\x08",
    b"e": b"\x1b",
    b"E": b"\x1b",
    b"f": b"\x0c",
    b"v": b"\x0b",
    b"\\": b"\\",
    b"'": b"'",
    b'"': b'"',
    b"?": b"?",
}
_ESCAPE = re.compile(
    rb"\\(?:([ntrabeEfv\\'\"?])|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.))",
    re.DOTALL,
)
_VARIABLE = "a variable or a command in it would have to be executed: put its value there"


def commands(text: bytes) -> list[list[bytes]]:
    """The words of each command. Raises ImportProblem for what only a shell could know."""
    text = text.replace(b"\r\n", b"\n")
    found: list[list[bytes]] = [[]]
    at = 0
    while at < len(text):
        letter = text[at : at + 1]
        if letter == b"\\" and text[at + 1 : at + 2] == b"\n":
            at += 2
        elif letter == b"$" and not found[-1] and text[at + 1 : at + 2].isspace():
            at += 1  # a prompt that was copied too
        elif text[at : at + 2] in (b"&&", b"||"):
            raise ImportProblem("whether a command runs must not hang on another: && and || are not understood")
        elif letter in (b"\n", b";", b"&"):
            found.append([])
            at += 1
        elif letter.isspace():
            at += 1
        elif letter == b"#":
            at = (text.find(b"\n", at) + 1 or len(text) + 1) - 1
        else:
            word, at = _word(text, at)
            found[-1].append(word)
    return [words for words in found if words]


def _word(text: bytes, at: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while at < len(text):
        letter = text[at : at + 1]
        if (plain := _PLAIN.match(text, at)) is not None:
            parts.append(plain[0])
            at = plain.end()
        elif letter == b"'":
            end = _end(text, b"'", at + 1)
            parts.append(text[at + 1 : end])
            at = end + 1
        elif letter == b'"':
            part, at = _double(text, at + 1)
            parts.append(part)
        elif text[at : at + 2] == b"$'":
            part, at = _ansi(text, at + 2)
            parts.append(part)
        elif letter == b"\\":
            if text[at + 1 : at + 2] != b"\n":
                parts.append(text[at + 1 : at + 2])
            at += 2
        elif letter in (b"$", b"`"):
            raise ImportProblem(_VARIABLE)
        elif letter.isspace() or letter in (b";", b"&"):
            break
        elif letter in _LOOSE:
            parts.append(letter)
            at += 1
        else:
            raise ImportProblem(f"a pipe, a redirection or a bracket is no part of a curl command: {letter.decode()}")
    return b"".join(parts), at


def _end(text: bytes, mark: bytes, at: int) -> int:
    end = text.find(mark, at)
    if end < 0:
        raise ImportProblem("a quotation mark is never closed")
    return end


def _double(text: bytes, at: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while (letter := text[at : at + 1]) != b'"':
        if not letter:
            raise ImportProblem("a quotation mark is never closed")
        if letter in (b"$", b"`"):
            raise ImportProblem(_VARIABLE)
        if letter == b"\\" and text[at + 1 : at + 2] in (b"$", b"`", b'"', b"\\", b"\n"):
            parts.append(text[at + 1 : at + 2].strip(b"\n"))
            at += 2
            continue
        run = re.compile(rb'[^"$`\\]+|\\').match(text, at)
        assert run is not None
        parts.append(run[0])
        at = run.end()
    return b"".join(parts), at + 1


def _ansi(text: bytes, at: int) -> tuple[bytes, int]:
    r"""The inside of $'...'. Half surrogate pairs, which browsers write as two \u, become the letter that they are."""
    found = re.compile(rb"(?:[^'\\]++|\\.)*+'", re.DOTALL).match(text, at)
    if found is None:
        raise ImportProblem("a quotation mark is never closed")
    # In text that is no UTF-8 a byte stands for itself, so the letters of an escape are kept apart from it till the end.
    inside = found[0][:-1].decode("utf-8", "surrogateescape")
    parts: list[bytes] = []
    units: list[int] = []

    def flush() -> None:
        raw = b"".join(unit.to_bytes(2, "big") for unit in units)
        parts.append(raw.decode("utf-16-be", "replace").encode())
        units.clear()

    end = 0
    source = inside.encode("utf-8", "surrogateescape")
    for match in _ESCAPE.finditer(source):
        if match.start() > end or not match[3]:
            flush()
        parts.append(source[end : match.start()])
        end = match.end()
        if match[3]:
            units.append(int(match[3], 16))
        else:
            parts.append(_escaped(match))
    flush()
    parts.append(source[end:])
    return b"".join(parts), found.end()


def _escaped(match: re.Match[bytes]) -> bytes:
    simple, byte, _, letter, octal, control = match.groups()
    if simple:
        return _SIMPLE[simple]
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8) & 255])
    if letter:
        number = int(letter, 16)
        return chr(number).encode("utf-8", "replace") if number < 0x110000 else b"?"
    return bytes([ord(control) & 31])
