"""A JSON body as other programs would have written it: the commonest reason why a signature does not fit.

The text is parsed once. For each order of keys it becomes a list of events (an int is a bracket or comma with its depth, a
string a string, bytes a number or a word), each of which a style turns into text by a look-up: sixty styles take a moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from .bodies import LARGEST_TEXT
from .body_words import RAW
from .json_parts import ESCAPES, Escapes, Numbers, number
from .json_styles import STYLES, Empties, Layout, Order, Style
from .report import Change

OPEN, CLOSE, LIST, END, COMMA, LIST_COMMA, COLON, EMPTY, EMPTY_LIST = range(9)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"')
_WHOLE = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)
MOST_NAMES = 3
AFTERWARDS = (
    "python",
    "python-unicode",
    "python-sorted",
    "python-sorted-unicode",
    "jsonb",
    "json-tool",
    "jq",
    "jq-compact",
)
"""Styles in which hardly a provider writes, but programs that keep and show what they got."""

Event = int | str | bytes


class Number(msgspec.Struct, frozen=True):
    raw: str


class Rewritten(msgspec.Struct, frozen=True):
    """`held`: who would have written just the bytes that we hold, "" if nobody known; `suspicious` if that is nobody who
    sends webhooks; `ordered` if its keys stand in order. `forms`: all others, each once."""

    held: str = ""
    suspicious: bool = False
    ordered: bool = False
    forms: tuple[tuple[Change, bytes], ...] = ()
    skipped: str = ""


def rewritten(body: bytes) -> Rewritten:
    """No forms where the body is no JSON object or array."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return Rewritten()
    if len(body) > LARGEST_TEXT:
        return Rewritten(skipped=f"re-serialised JSON: the body is larger than {LARGEST_TEXT // 1024} KiB")
    try:
        text = body.decode()
        forms = dict(_forms(text))
    except RecursionError:
        return Rewritten(skipped="re-serialised JSON: the body is nested too deeply")
    except ValueError:
        return Rewritten()
    named: dict[bytes, list[Style]] = {}
    for style, form in forms.items():
        named.setdefault(form, []).append(style)
    writers = [style for style in named.pop(body, []) if style.layout is not None]
    held = writers[0].words if writers else ""
    suspicious = bool(writers) and writers[0].name in AFTERWARDS
    ordered = text.count(":") > 4 and any(style.order == "sorted" for style in writers)
    return Rewritten(
        held, suspicious, ordered, tuple((_change(styles, held, suspicious), form) for form, styles in named.items())
    )


def _change(styles: list[Style], held: str, suspicious: bool) -> Change:
    style, *others = styles
    also = f" ({'; '.join(other.words for other in others[: MOST_NAMES - 1])} would write the same)" if others else ""
    start = "One side parsed the body and wrote it again, so its bytes changed."
    if held:
        start = f"The body here is what {held} writes: it was parsed and written again." if suspicious else start
    here = f" Here it is as {held} writes it." if held and not suspicious else ""
    return Change(
        "body",
        f"body:json-{style.name}",
        f"the same JSON as {style.words} writes it" if style.layout is not None else style.words,
        f"{start} The signature is over the text of {style.words}{also}.{here}",
        f"{RAW} If you sign yourself: write the JSON once, sign those bytes and send those same bytes.",
    )


def _forms(text: str) -> Iterator[tuple[Style, bytes]]:
    tree = json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refused)
    gaps, strings = _TOKEN.split(text), [json.loads(found) for found in _TOKEN.findall(text)]
    events: dict[tuple[Order, Empties], list[Event]] = {}
    for style in STYLES:
        if style.layout is None:
            form = _reescaped(gaps, strings, style.escapes)
        else:
            kind = (style.order, style.empties)
            if kind not in events:
                events[kind] = []
                _walk(tree, kind, 0, 0, events[kind])
            form = _text(events[kind], style, style.layout) + style.ending
        # A half of a surrogate pair stays one.
        yield style, form.encode("utf-8", "surrogatepass")


def _reescaped(gaps: list[str], strings: list[str], escapes: Escapes) -> str:
    """The text with the white space it has, which stands in the gaps between its strings."""
    write = ESCAPES[escapes]
    table = {text: write(text) for text in set(strings)}
    written = (part for gap, text in zip(gaps, strings, strict=False) for part in (gap, table[text]))
    return "".join(written) + gaps[-1]


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _walk(node: Any, kind: tuple[Order, Empties], depth: int, objects: int, out: list[Event]) -> None:
    """A structural event has its kind in the lowest four bits, then its depth, then its depth in objects alone."""
    order, empties = kind
    here = depth << 4 | objects << 20
    if isinstance(node, dict):
        if not node:
            out.append((EMPTY_LIST if empties == "arrays" else EMPTY) | here)
            return
        out.append(OPEN | here)
        for n, key in enumerate(_ordered(node, order)):
            if n:
                out.append(COMMA | here)
            out += (key, COLON)
            _walk(node[key], kind, depth + 1, objects + 1, out)
        out.append(CLOSE | here)
    elif isinstance(node, list):
        if not node:
            out.append((EMPTY if empties == "objects" else EMPTY_LIST) | here)
            return
        out.append(LIST | here)
        for n, each in enumerate(node):
            if n:
                out.append(LIST_COMMA | here)
            _walk(each, kind, depth + 1, objects, out)
        out.append(END | here)
    elif isinstance(node, str):
        out.append(node)
    elif isinstance(node, Number):
        out.append(node.raw.encode())
    else:
        out.append(b"null" if node is None else b"true" if node else b"false")


def _ordered(node: dict[str, Any], order: Order) -> list[str]:
    keys = list(node)
    if order == "sorted":
        return sorted(keys)
    if order == "length":
        return sorted(keys, key=lambda key: (len(key.encode("utf-8", "surrogatepass")), key))
    if order == "js":
        whole = [key for key in keys if _WHOLE.fullmatch(key) and int(key) < 2**32 - 1]
        if whole:
            first = sorted(whole, key=int)
            return first + [key for key in keys if key not in set(first)]
    return keys


def _text(events: list[Event], style: Style, layout: Layout) -> str:
    escape = ESCAPES[style.escapes]
    table: dict[Event, str] = {}
    for event in set(events):
        if isinstance(event, int):
            table[event] = _structure(event, layout)
        else:
            table[event] = escape(event) if isinstance(event, str) else _plain(event.decode(), style.numbers)
    return "".join([table[event] for event in events])


def _plain(text: str, numbers: Numbers) -> str:
    return text if text in ("null", "true", "false") else number(text, numbers)


def _structure(event: int, layout: Layout) -> str:
    kind, depth = event & 15, event >> 4 & 0xFFFF
    if layout.jackson:
        return _jackson(kind, event >> 20, layout)
    if kind == COLON:
        return layout.colon
    if kind in (EMPTY, EMPTY_LIST):
        return "{}" if kind == EMPTY else "[]"
    line = (lambda n: layout.newline + layout.indent * n) if layout.indent else lambda _: ""
    if kind in (OPEN, LIST):
        return ("{" if kind == OPEN else "[") + line(depth + 1)
    if kind in (CLOSE, END):
        return line(depth) + ("}" if kind == CLOSE else "]")
    return layout.comma + line(depth + 1)


def _jackson(kind: int, objects: int, layout: Layout) -> str:
    """Objects over several lines, arrays in one, with spaces inside the brackets."""
    fixed = {COLON: layout.colon, EMPTY: "{ }", EMPTY_LIST: "[ ]", LIST: "[ ", END: " ]", LIST_COMMA: ", "}
    if kind in fixed:
        return fixed[kind]
    inner = layout.newline + layout.indent * (objects + 1)
    return {OPEN: "{" + inner, COMMA: "," + inner, CLOSE: layout.newline + layout.indent * objects + "}"}[kind]
