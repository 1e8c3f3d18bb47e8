"""Values of steps as Python source: names of earlier answers, credentials and moments become expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contracts.steps import NAME
from mock_server.control.exports.literals import Code, inline, laid_out, text_literal

from .shell import MARK, variable

INDENT = 4


class Names:
    """`given`: what stands for a secret that an earlier step was given -> its expression."""

    def __init__(self, given: Mapping[str, str] | None = None, texts: Mapping[str, str] | None = None) -> None:
        self._given, self._texts = dict(given or {}), dict(texts or {})
        self.variables: set[str] = set()
        """Names in the environment that the source asks for."""

    def value(self, value: Any) -> Any:
        """The value with expressions (`Code`) in the places of names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            pairs = [(self.text(name), self.value(each)) for name, each in value.items()]
            if any(isinstance(name, Code) for name, _ in pairs):
                return Code(f"dict({inline([tuple(pair) for pair in pairs])})")
            return dict(pairs)
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value

    def text(self, text: str) -> str:
        """The text itself, or `Code` if there is a name in it."""
        found = "|".join(re.escape(each) for each in sorted(self._texts, key=len, reverse=True))
        pattern = f"{NAME.pattern}|{MARK.pattern}" + (f"|{found}" if found else "")
        parts: list[str] = []
        end = 0
        for match in re.finditer(pattern, text):
            expression = self.expression(match[0])
            if expression is None:
                continue
            parts += [text_literal(text[end : match.start()])] if match.start() > end else []
            parts.append(expression)
            end = match.end()
        if not parts:
            return text
        parts += [text_literal(text[end:])] if end < len(text) else []
        return Code(" + ".join(parts))

    def expression(self, name: str) -> str | None:
        """What a name means; None if it is no name."""
        if name in self._texts:
            return self._texts[name]
        if name in self._given:
            return self._given[name]
        if MARK.fullmatch(name):
            self.variables.add(variable(name))
            return f'env("{variable(name)}")'
        match = NAME.fullmatch(name)
        return None if match is None else _named(match[1])


def _named(name: str) -> str | None:
    if name == "org":
        return "api.org"
    if name == "try":
        return "api.attempt"
    if name in ("other_org", "portal"):
        return name.upper()
    number, found, pointer = name.partition("#")
    if found and number.isdigit():
        return f"answer_{number}[{keys_of(pointer)}]"
    if name == "now" or name.startswith(("now+", "now-")):
        sign = "-" if name.startswith("now-") else ""
        return f"api.moment({text_literal(sign + (name[4:] or 'PT0S'))})"
    return None


def keys_of(pointer: str) -> str:
    """A JSON pointer as keys, separated by commas."""
    return ", ".join(key_literal(each.replace("~1", "/").replace("~0", "~")) for each in pointer.split("/")[1:])


def key_literal(key: str) -> str:
    return str(int(key)) if key.isascii() and key.isdecimal() and len(key) < 10 else text_literal(key)


def called(head: str, positional: list[Any], named: Mapping[str, Any], indent: int = INDENT) -> str:
    """A call of a function, on one line if it fits."""
    pad = " " * indent
    flat = ", ".join([*map(inline, positional), *(f"{name}={inline(each)}" for name, each in named.items())])
    if len(pad) + len(head) + len(flat) + 2 <= 120 and not any(isinstance(each, bytes) for each in named.values()):
        return f"{pad}{head}({flat})"
    inner = pad + "    "
    lines = [f"{inner}{laid_out(each, len(inner), len(inner))}," for each in positional]
    lines += [
        f"{inner}{name}={laid_out(each, len(inner) + len(name) + 1, len(inner))}," for name, each in named.items()
    ]
    return "\n".join([f"{pad}{head}(", *lines, f"{pad})"])
