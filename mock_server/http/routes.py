"""The route table: path segments and method to an operation. Literal segments win over parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from .contract import Operation

LONGEST_PATH = 8_192


class Node:
    """A place in the tree of segments. `parameter` is the child that takes any segment, under its name."""

    __slots__ = ("allow", "children", "methods", "parameter", "parameter_name")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.parameter_name = ""
        self.methods: dict[str, Operation] = {}
        self.allow = ""


class Routes:
    """Every spelling of every operation of one API."""

    def __init__(
        self, operations: Iterable[Operation], base_paths: Sequence[str], aliases: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._root = Node()
        self._templates: list[str] = []
        spellings = list(aliases)
        for operation in operations:
            for path in (operation.path, *(alias for alias, path in spellings if path == operation.path)):
                for base in base_paths:
                    self._add(f"{base}{path}", operation)
            self._templates.append(f"{operation.method} {base_paths[0]}{operation.path}")

    def find(self, segments: Sequence[str]) -> tuple[Node | None, dict[str, str]]:
        """The node that the decoded segments lead to, if it has operations, and the parameters on the way."""
        parameters: dict[str, str] = {}
        node = self._walk(self._root, segments, 0, parameters)
        return node, parameters

    def nearest(self, method: str, path: str) -> list[str]:
        """Up to three operations that the caller may have meant."""
        return difflib.get_close_matches(f"{method} {path}"[:200], self._templates, n=3, cutoff=0.5)

    def _walk(self, node: Node, segments: Sequence[str], at: int, parameters: dict[str, str]) -> Node | None:
        if at == len(segments):
            return node if node.methods else None
        child = node.children.get(segments[at])
        if child is not None and (found := self._walk(child, segments, at + 1, parameters)) is not None:
            return found
        if node.parameter is None or not segments[at]:
            return None
        found = self._walk(node.parameter, segments, at + 1, parameters)
        if found is not None:
            parameters[node.parameter_name] = segments[at]
        return found

    def _add(self, path: str, operation: Operation) -> None:
        node = self._root
        for segment in path.strip("/").split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                name = segment[1:-1]
                if node.parameter is None:
                    node.parameter, node.parameter_name = Node(), name
                elif node.parameter_name != name:
                    raise ValueError(f"{path}: the same place is called {node.parameter_name!r} elsewhere")
                node = node.parameter
            else:
                node = node.children.setdefault(segment, Node())
        node.methods[operation.method] = operation
        if operation.method == "GET":
            node.methods.setdefault("HEAD", operation)
        node.allow = ", ".join(sorted({*node.methods, "OPTIONS"}))


def split_path(raw_path: bytes) -> list[str]:
    """The segments of a path as sent, each percent-decoded by itself: `%2F` does not make two of one.

    Bytes that are not UTF-8 become lone surrogates, which no literal segment and no parameter accepts.
    """
    if b"%" not in raw_path and raw_path.isascii():
        return raw_path.decode("ascii").split("/")[1:] or [""]
    return [unquote_to_bytes(segment).decode("utf-8", "surrogateescape") for segment in raw_path.split(b"/")[1:]] or [
        ""
    ]
