"""What `tomllib` leaves out: where each member of a TOML document stands, and how a text is written in one."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:\\.|[^"\\\n])*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}", re.DOTALL)
_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*")
_PLAIN = re.compile(r"[^\s,\]}#]+")


def lines(text: str) -> Mapping[Path, int]:
    """The line of every member, counted from 1, by its path (`("ports", "clock", "url")`, elements of arrays by number).

    `text` must be valid TOML: what comes of any other is undefined.
    """
    return _Scan(text.replace("\r\n", "\n")).document()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._found: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        """How many elements each array of tables has so far."""

    def document(self) -> Mapping[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._found
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text[self._at] == "[":
                table = self._header(1)
            else:
                self._member(table)

    def _header(self, brackets: int) -> Path:
        line = self._line()
        self._at += brackets
        parts = self._key()
        self._skip(_SPACE)
        self._at += brackets
        table: Path = ()
        for n, part in enumerate(parts, 1):
            table = (*table, part)
            self._found.setdefault(table, line)
            if brackets == 2 and n == len(parts):
                self._tables[table] = self._tables.get(table, 0) + 1
            if table in self._tables:
                table = (*table, self._tables[table] - 1)
        self._found[table] = line
        return table

    def _member(self, table: Path) -> None:
        line = self._line()
        for part in self._key():
            table = (*table, part)
            self._found.setdefault(table, line)
        self._skip(_SPACE)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(table)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            for pattern in (_BASIC, _LITERAL, _BARE_KEY):
                if (match := pattern.match(self._text, self._at)) is not None:
                    self._at = match.end()
                    parts.append(match[0] if pattern is _BARE_KEY else tomllib.loads(f"x={match[0]}")["x"])
                    break
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        first = self._text[self._at]
        if first == "[":
            self._elements(path)
        elif first == "{":
            self._inline(path)
        else:
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _DATE_AND_TIME, _PLAIN):
                if (match := pattern.match(self._text, self._at)) is not None:
                    self._at = match.end()
                    return

    def _elements(self, path: Path) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                break
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._found[(*path, number)] = self._line()
            self._value((*path, number))
            number += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                break
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._member(path)
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)


def quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = "".join(
        f"\\{each}" if each in '"\\' else each if each.isprintable() else f"\\U{ord(each):08x}" for each in text
    )
    return f'"{escaped}"'
