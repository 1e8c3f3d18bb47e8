"""Reading a TOML file strictly: every complaint names file, line and member, and none repeats a secret."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from . import toml_lines
from .hosts import wrong_with
from .target import TargetError

T = TypeVar("T")
LARGEST_FILE = 1024 * 1024
_AT_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)$", re.DOTALL)
_TOKEN = re.compile(r"[!-~]+(?: [!-~]+)*")
KINDS: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Document:
    """A TOML file, and where everything in it stands."""

    def __init__(self, name: str, text: str) -> None:
        """Raises TargetError if it is not TOML."""
        self.name = name
        try:
            self.value: Mapping[str, Any] = tomllib.loads(text)
            self._lines = toml_lines.lines(text)
        except RecursionError:
            raise TargetError(f"{name}: is nested too deeply") from None
        except ValueError as error:
            match = _AT_LINE.match(str(error))
            line = f", line {match[2]}" if match else ""
            reason = match[1] if match else str(error)
            raise TargetError(f"{name}{line}: is no TOML: {reason[:1].lower()}{reason[1:]}") from None

    def error(self, path: toml_lines.Path, reason: str) -> TargetError:
        """`path` may lead to what is not there: then it is the line of what it would belong to."""
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self._lines), None)
        line = "" if known is None else f", line {self._lines[known]}"
        where = "" if not path else f", {_spelled(path)}"
        return TargetError(f"{self.name}{line}{where}: {reason}")

    @property
    def root(self) -> Table:
        return Table(self, (), self.value)


def read(path: Path) -> Document:
    """Raises TargetError for a file that is missing, too large, not UTF-8 or not TOML."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise TargetError(f"{path}: the file is larger than {LARGEST_FILE} bytes")
        return Document(str(path), raw.decode("utf-8-sig"))
    except FileNotFoundError:
        raise TargetError(f"{path}: there is no such file; `mockbill contract init` writes one") from None
    except (OSError, ValueError) as error:
        if isinstance(error, TargetError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise TargetError(f"{path}: {'cannot be read: ' if isinstance(error, OSError) else ''}{reason}") from None


class Table:
    """A table of the document, and what may stand in it."""

    def __init__(self, document: Document, path: toml_lines.Path, value: Mapping[str, Any]) -> None:
        self.document, self.path, self._value = document, path, value

    def error(self, name: str | None, reason: str) -> TargetError:
        return self.document.error(self.path if name is None else (*self.path, name), reason)

    def only(self, *names: str) -> Table:
        """Raises TargetError for any other member."""
        for name in self._value:
            if name not in names:
                close = get_close_matches(name, names, 1, 0.6)
                hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
                raise self.error(name, f"there is no such setting; {hint}")
        return self

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def __iter__(self) -> Any:
        return iter(self._value)

    def raw(self, name: str) -> Any:
        return self._value[name]

    def value(self, name: str, kind: type[T], default: T) -> T:
        """A member of one type; `bool` is no number, and a whole number is a `float` too."""
        if name not in self._value:
            return default
        return self._checked(name, self._value[name], kind)

    def _checked(self, name: str, value: Any, kind: type[T]) -> T:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            came = next((text for each, text in KINDS.items() if type(value) is each), f"a {type(value).__name__}")
            raise self.error(name, f"this must be {KINDS[kind]}, not {came}")
        return value

    def number(self, name: str, kind: type[T], default: T, least: float, most: float) -> T:
        found = self.value(name, kind, default)
        if found is not default and not least <= found <= most:  # type: ignore[operator]
            raise self.error(name, f"this must lie between {least:g} and {most:g}")
        return found

    def choice(self, name: str, among: Sequence[str], default: str) -> str:
        found = self.value(name, str, default)
        if found not in among:
            close = get_close_matches(found, among, 1, 0.6)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(among)}"
            raise self.error(name, f"{found[:40]!r} is none of them; {hint}")
        return found

    def texts(self, name: str, wrong: Callable[[str], str | None]) -> tuple[str, ...]:
        """A list of texts. `wrong` says why one of them cannot stand there."""
        found = self.value(name, list, [])
        for n, each in enumerate(found):
            place = (*self.path, name, n)
            if not isinstance(each, str):
                raise self.document.error(place, "this must be a text")
            if (reason := wrong(each)) is not None:
                raise self.document.error(place, reason)
        return tuple(found)

    def url(self, name: str, allowed: Sequence[str]) -> str | None:
        """A URL that may be called. Raises TargetError without repeating it: it could hold a password."""
        if name not in self._value:
            return None
        found = self.value(name, str, "")
        if (reason := wrong_with(found, allowed)) is not None:
            raise self.error(name, reason)
        return found.rstrip("/")

    def secret(self, name: str) -> str | None:
        """A text, or `{env = "NAME"}`: what the environment has under that name."""
        if name not in self._value:
            return None
        value = self._value[name]
        if isinstance(value, dict):
            variable = self.table(name).only("env").value("env", str, "")
            if not variable:
                raise self.error(name, 'write a text, or {env = "NAME"} with the name of an environment variable')
            value = os.environ.get(variable, "").strip()
            if not value:
                # What does not look like a name may be the secret itself.
                named = variable if re.fullmatch(r"[A-Z_][A-Z0-9_]{0,80}", variable) else "of this name"
                raise self.error(name, f"the environment variable {named} is not set")
        elif not isinstance(value, str):
            raise self.error(name, 'this must be a text, or {env = "NAME"} with the name of an environment variable')
        if not _TOKEN.fullmatch(value):
            raise self.error(name, "it is empty or has letters that no header can carry")
        return value

    def secrets(self, name: str) -> dict[str, str]:
        """A table of header fields and their values."""
        headers = self.table(name)
        for each in headers:
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", each):
                raise headers.error(each, "this is no name of a header")
        return {each: headers.secret(each) or "" for each in headers}

    def table(self, name: str) -> Table:
        """The table `name`; an empty one if it is not there."""
        return Table(self.document, (*self.path, name), self.value(name, dict, {}))


def _spelled(path: toml_lines.Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", part) is not None
            text += ("." if text else "") + (part if plain else repr(part[:60]))
    return text
