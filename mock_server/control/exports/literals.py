"""Values as Python source, laid out as the usual formatters would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

WIDTH = 120
_STEP = 4
_PIECES = re.compile(rb".{1,89}[,\n]|.{1,90}", re.DOTALL)
"""How a long body is broken into lines: behind a comma or a line's end if there is one."""
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


class Code(str):
    """An expression that stands for itself."""

    __slots__ = ()


def laid_out(value: Any, column: int, indent: int) -> str:
    """The value on one line if it fits behind `column` with a comma, else with one item on each line.

    `indent` is that of the line which it starts on.
    """
    flat = inline(value)
    if column + len(flat) + 1 <= WIDTH:
        return flat
    if isinstance(value, bytes):
        return _in_pieces(value, indent)
    if isinstance(value, dict) and value:
        heads = [f"{text_literal(name)}: " for name in value]
        return _exploded("{}", heads, list(value.values()), indent)
    if isinstance(value, (list, tuple)) and value:
        return _exploded("[]" if isinstance(value, list) else "()", [""] * len(value), value, indent)
    return flat


def inline(value: Any) -> str:
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, bytes):
        return bytes_literal(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text_literal(name)}: {inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(inline, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value).replace("e+", "e")


def text_literal(text: str) -> str:
    is_plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if is_plain else _quoted(text, _escaped)


def bytes_literal(data: bytes) -> str:
    # Latin-1 gives each byte a character of its own.
    return "b" + _quoted(
        data.decode("latin-1"), lambda each: _escaped(each) if each < "\x7f" else f"\\x{ord(each):02x}"
    )


def _quoted(text: str, escaped: Callable[[str], str]) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join("\\" + each if each == quote else escaped(each) for each in text) + quote


def _escaped(each: str) -> str:
    if each in _NAMED:
        return _NAMED[each]
    if each.isprintable():
        return each
    code = ord(each)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _exploded(brackets: str, heads: Iterable[str], values: Iterable[Any], indent: int) -> str:
    inner = indent + _STEP
    pad = " " * inner
    items = [
        f"{pad}{head}{laid_out(value, inner + len(head), inner)},\n" for head, value in zip(heads, values, strict=True)
    ]
    return f"{brackets[0]}\n{''.join(items)}{' ' * indent}{brackets[1]}"


def _in_pieces(data: bytes, indent: int) -> str:
    pad = " " * (indent + _STEP)
    pieces = map(bytes_literal, _PIECES.findall(data))
    return "(\n" + "".join(f"{pad}{piece}\n" for piece in pieces) + " " * indent + ")"
