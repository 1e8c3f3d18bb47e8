"""Answers for people: a table on a terminal, aligned text in a pipe, and the mock's own JSON on demand."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
import typer

from .client import Answer

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
Cell = str | int | float | bool | None

# All that moves a cursor, starts a command of the terminal, breaks a line or turns the direction of writing.
CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\\ud800-\\udfff"
ANY_CONTROL = re.compile(f"[{CONTROLS}]")
CONTROL_IN_TEXT = re.compile(f"(?![\\n\\t])[{CONTROLS}]")
NOTHING = "-"
GAP = "  "
# A column narrower than this is no pleasure to read.
LEAST_ROOM = 16


def clean(text: str) -> str:
    """`text` in one line, harmless to a terminal."""
    return ANY_CONTROL.sub(_spelled, text)


def clean_text(text: str) -> str:
    """The same for text of many lines."""
    return CONTROL_IN_TEXT.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def complain(message: str) -> None:
    typer.echo(f"mockbill: {clean(message)}", err=True)


def fail(message: str, code: int) -> NoReturn:
    complain(message)
    raise typer.Exit(code)


def say(line: str) -> None:
    typer.echo(clean(line))


def say_json(raw: bytes) -> None:
    """JSON as the mock sent it, in one line."""
    text = msgspec.json.format(raw, indent=-1).decode()
    if sys.stdout.isatty():
        # In JSON they can only stand in strings, where this says the same.
        text = ANY_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    typer.echo(text)


def say_nothing(as_json: bool, line: str) -> None:
    """For what is answered without a body."""
    typer.echo("null") if as_json else say(line)


def say_file(content: bytes) -> None:
    """A file's content: byte for byte in a pipe, harmless on a terminal."""
    if sys.stdout.isatty():
        typer.echo(clean_text(content.decode(errors="backslashreplace")), nl=False)
    else:
        typer.echo(content, nl=False)


def show(answer: Answer[T], as_json: bool, shown: Callable[[T], None]) -> None:
    if as_json:
        say_json(answer.raw)
    else:
        shown(answer.value)


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    lines = [[clean(_text(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich(heads, lines)
    else:
        _plain([list(heads), *lines])


def pairs(rows: Iterable[tuple[str, Cell]]) -> None:
    """A name and a value in each line."""
    lines = [[name, clean(_text(value))] for name, value in rows]
    if sys.stdout.isatty():
        from rich.console import Console

        _draw(Console(markup=False, emoji=False, highlight=False), None, lines, 1)
    else:
        _plain(lines)


def compact(value: Any) -> str:
    """A value of any kind in one cell: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(cell: Cell) -> str:
    if cell is None or cell == "":
        return NOTHING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell)


def _plain(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        typer.echo(GAP.join(cells).rstrip())


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def _rich(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    widths = [max(map(_width, column)) for column in zip(heads, *lines, strict=True)]
    widest = widths.index(max(widths))
    room = console.width - len(GAP) * (len(widths) - 1) - sum(widths) + widths[widest]
    if room >= min(widths[widest], LEAST_ROOM):
        _draw(console, heads, lines, widest)
        return
    # Too narrow for a table: one thing after the other.
    for line in lines:
        _draw(console, None, list(zip(heads, line, strict=True)), 1)
        console.print()


def _draw(console: Console, heads: Sequence[str] | None, lines: Sequence[Sequence[str]], widest: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # The box has a divider of its own, so that both have a gap of two.
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)) if heads else Table.grid(padding=(0, 2, 0, 0))
    drawn.show_edge = drawn.pad_edge = False
    for n, head in enumerate(heads or ("name", "value")):
        # What does not fit goes on below instead of being cut off.
        style = "bold" if heads is None and n == 0 else None
        drawn.add_column(head, overflow="fold", no_wrap=n != widest, style=style)
    for line in lines:
        drawn.add_row(*map(Text, line))
    console.print(drawn)
