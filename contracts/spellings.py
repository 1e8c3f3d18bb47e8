"""How a text may be written in another: escaped as in JSON, Python, URLs and HTML, once or several times, or in base64."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterator

Spans = list[tuple[int, int]]
"""For each character, where it came from: start and end in the text as it stands."""
Escape = tuple[re.Pattern[str], Callable[[str], str]]

DEEPEST = 3
LONGEST = 100_000
"""Longer texts are not looked through for escapes inside of escapes."""
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _of_units(text: str) -> str:
    units = b"".join(bytes.fromhex(unit) for unit in re.findall(r"u([0-9a-fA-F]{4})", text))
    return units.decode("utf-16-be", "surrogatepass")


def _of_bytes(text: str) -> str:
    data = bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", text))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _of_backslash(text: str) -> str:
    if text[1] == "u":
        return _of_units(text)
    return _of_bytes(text.replace("\\x", "")) if text[1] == "x" else _NAMED.get(text[1], text[1])


_HEX = "[0-9a-fA-F]"
_PERCENT = rf"(?:%{_HEX}{{2}})+"
ESCAPES: tuple[Escape, ...] = (
    (re.compile(rf"(?:\\u{_HEX}{{4}})+|(?:\\x{_HEX}{{2}})+|\\[\"'\\/nrtbf]"), _of_backslash),
    (re.compile(_PERCENT), _of_bytes),
    (re.compile(rf"{_PERCENT}|\+"), lambda text: " " if text == "+" else _of_bytes(text)),
    (re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"), html.unescape),
)


def decoded(text: str) -> Iterator[tuple[str, Spans]]:
    """What the text may stand for, other than for itself, and where each character of that is written."""
    if len(text) > LONGEST or not any(sign in text for sign in "\\%+&"):
        return
    yield from _below(text, [(n, n + 1) for n in range(len(text))], {text}, DEEPEST)


def _below(text: str, at: Spans, seen: set[str], depth: int) -> Iterator[tuple[str, Spans]]:
    for pattern, meaning in ESCAPES:
        plain, where = _unescaped(text, at, pattern, meaning)
        if plain in seen:
            continue
        seen.add(plain)
        yield plain, where
        if depth > 1:
            yield from _below(plain, where, seen, depth - 1)


def _unescaped(text: str, at: Spans, pattern: re.Pattern[str], meaning: Callable[[str], str]) -> tuple[str, Spans]:
    parts: list[str] = []
    where: Spans = []
    end = 0
    for match in pattern.finditer(text):
        start, stop = match.span()
        letters = meaning(match[0])
        parts += [text[end:start], letters]
        where += at[end:start]
        # Of several escapes in a row each is a letter's own; where that cannot be told, any letter stands for all.
        size = (stop - start) // len(letters) if letters and (stop - start) % len(letters) == 0 else 0
        for n in range(len(letters)):
            first, last = (start + n * size, start + (n + 1) * size) if size else (start, stop)
            where.append((at[first][0], at[last - 1][1]))
        end = stop
    return "".join([*parts, text[end:]]), [*where, *at[end:]]


def in_base64(text: str) -> Iterator[str]:
    """The parts of base64 that are the same whatever stands before and behind the text, for each way it may lie."""
    data = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        # Letters that hold bits of what stands beside it are left out.
        core = whole[(0, 2, 3)[before] : len(whole) - (1 if (before + len(data)) % 3 else 0)]
        if len(core) >= 8:
            yield core
            yield core.replace("+", "-").replace("/", "_")
