"""TOML documents of every shape, in which each value is a text that stands nowhere else."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from hypothesis import strategies as st

BARE = st.text("abcdefgz_-019", min_size=1, max_size=4)
QUOTED = st.text("a.b #=[]{}\"'\\\t\u00e9", min_size=0, max_size=5)
FILLING = ("", "# a = [1\n", "\n", '# """\n', "  \n\t# '''\n")


@st.composite
def documents(draw: Any) -> str:
    return _Writer(draw).document()


class _Writer:
    def __init__(self, draw: Any) -> None:
        self.draw, self.numbers = draw, count(1)

    def document(self) -> str:
        body = self.table((), 0)
        return body.replace("\n", "\r\n") if self.draw(st.booleans()) else body

    def table(self, path: tuple[str, ...], depth: int) -> str:
        """Plain members first, then tables with headers of their own."""
        text = ""
        used: set[str] = set()
        for _ in range(self.draw(st.integers(0, 3))):
            text += self.filling() + self.member(used, depth) + self.end()
        for _ in range(self.draw(st.integers(0, 2)) if depth < 3 else 0):
            name, key = self.key(used)
            below = (*path, key)
            if self.draw(st.booleans()):
                text += f"{self.filling()}[{self.dotted(below)}]{self.end()}" + self.table(below, depth + 1)
            else:
                for _ in range(self.draw(st.integers(1, 3))):
                    text += f"{self.filling()}[[{self.dotted(below)}]]{self.end()}" + self.table(below, depth + 1)
            used.add(name)
        return text

    def member(self, used: set[str], depth: int, is_inline: bool = False) -> str:
        name, key = self.key(used)
        used.add(name)
        if self.draw(st.booleans()) and depth < 3:
            inner: set[str] = set()
            key += self.draw(st.sampled_from((".", " . ", "\t."))) + self.key(inner)[1]
        return f"{key}{self.draw(st.sampled_from(('=', ' = ', '=  ')))}{self.value(depth, is_inline)}"

    def key(self, used: set[str]) -> tuple[str, str]:
        """A name that is free, and one way to write it."""
        while True:
            if self.draw(st.booleans()):
                name = self.draw(BARE)
                written = name
            else:
                name = self.draw(QUOTED)
                can_be_literal = "'" not in name and self.draw(st.booleans())
                written = f"'{name}'" if can_be_literal else json.dumps(name, ensure_ascii=self.draw(st.booleans()))
            if name not in used:
                return name, written
            used = {*used, name}
            if self.draw(st.integers(0, 3)) == 0:
                return (fresh := f"k{next(self.numbers)}"), fresh

    def value(self, depth: int, is_inline: bool) -> str:
        kind = self.draw(st.sampled_from(("plain",) * 4 + ("array", "inline") * (depth < 3)))
        if kind == "array":
            gap = (lambda: self.draw(st.sampled_from(("", " ", "\n", " # ], }\n", "\n\n\t")))) if not is_inline else str
            elements = [gap() + self.value(depth + 1, is_inline) + gap() for _ in range(self.draw(st.integers(0, 3)))]
            trailing = "," if elements and self.draw(st.booleans()) else ""
            return "[" + ",".join(elements) + trailing + gap() + "]"
        if kind == "inline":
            used: set[str] = set()
            members = [self.member(used, depth + 1, True) for _ in range(self.draw(st.integers(0, 3)))]
            return "{ " + " , ".join(members) + " }"
        return self.scalar(is_inline)

    def scalar(self, is_inline: bool) -> str:
        mark = f"mark{next(self.numbers)}!"
        forms = [f'"{mark} # \\" = ["', f"'{mark} # \" \\'"]
        if not is_inline:
            forms += [
                f'"""{mark}\n a = "x" # \\""" ]\n""two"""',
                f'"""{mark}"""""',
                f"'''{mark}\n[a]\nb = 1 '' \n'''",
                f"'''{mark}''''",
            ]
        return str(self.draw(st.sampled_from(forms)))

    def dotted(self, path: tuple[str, ...]) -> str:
        return self.draw(st.sampled_from((".", " . "))).join(path)

    def filling(self) -> str:
        return str(self.draw(st.sampled_from(FILLING)))

    def end(self) -> str:
        return str(self.draw(st.sampled_from(("\n", " # [x]\n", "\t\n"))))
