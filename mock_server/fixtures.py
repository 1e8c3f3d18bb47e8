"""Reading the files of `fixtures/`, YAML as a rule: safely, strictly, and with errors that name file, line and member."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import yaml

from mock_server.paths import FIXTURES

T = TypeVar("T")
V = TypeVar("V")

LARGEST_FILE = 4 * 1024 * 1024
LARGEST_SAVE = 64 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_PATH_AT_END = re.compile(r" - at `(?:key in )?(\$[^`]*)`$")
_UNKNOWN_MEMBER = re.compile(r"unknown field `([^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class FixtureError(ValueError):
    """A file cannot be used. `place` is "file", "file, line 3" or "file, line 3, $.orgs[0]"; the message says why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of plain words (`off` is a word, a date is text), and no aliases: they can grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping, if its keys are words and no key stands twice."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise yaml.MarkedYAMLError(None, None, "a key must be a word", key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        if not node.value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in node.value):
            raise yaml.MarkedYAMLError(None, None, "half of a surrogate pair is no text", node.start_mark)
        return node


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


class Located(Generic[T]):
    """A parsed document that remembers where its parts stand."""

    def __init__(self, file: str, value: T, node: yaml.Node | None, path: str = "$") -> None:
        self.file, self.value, self.node, self.path = file, value, node, path

    def convert(self, to: type[V]) -> V:
        """The value as `to`; FixtureError names the line and the member that does not fit."""
        try:
            return msgspec.convert(self.value, to)
        except msgspec.ValidationError as error:
            match = _PATH_AT_END.search(str(error))
            reason, path = (str(error)[: match.start()], match[1]) if match else (str(error), "$")
            if (unknown := _UNKNOWN_MEMBER.search(reason)) is not None:
                path = f"{path}.{unknown[1]}"
            raise FixtureError(self.place(path), reason) from None

    def part(self, *keys: str) -> Located[Any]:
        """The part of a document under `keys`, still knowing its place."""
        value: Any = self.value
        for key in keys:
            value = value[key]
        below = "".join(f".{key}" for key in keys)
        return Located(self.file, value, self._node(f"${below}")[0], self.path + below)

    def place(self, path: str) -> str:
        """ "file, line n, path" of a member; `path` like `$.orgs[0].tier`."""
        node, _ = self._node(path)
        line = f", line {node.start_mark.line + 1}" if node is not None else ""
        full = self.path + path[1:]
        return f"{self.file}{line}{'' if full == '$' else f', {full}'}"

    def _node(self, path: str) -> tuple[yaml.Node | None, bool]:
        node = self.node
        for key, index in _STEP.findall(path):
            if isinstance(node, yaml.MappingNode) and key:
                below = next((value for name, value in node.value if name.value == key), None)
            elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
                below = node.value[int(index)]
            else:
                below = None
            if below is None:
                return node, False
            node = below
        return node, True


def read_yaml(path: Path) -> Located[Any]:
    """One YAML document. Raises FixtureError for a file that is missing, too large, not UTF-8 or not YAML."""
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise FixtureError(name, f"the file is larger than {LARGEST_FILE} bytes")
        loader = _Loader(raw.decode())
        try:
            node = loader.get_single_node()
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except OSError as error:
        raise FixtureError(name, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FixtureError(name, "is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise FixtureError(f"{name}{line}", f"is not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, FixtureError):
            raise
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise FixtureError(name, f"is not valid YAML: {reason}") from None
    return Located(name, value, node)


def read_json(path: Path) -> Located[Any]:
    """One JSON document, such as a saved world. Raises FixtureError for a file that is missing, too large or no JSON."""
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_SAVE + 1)
        if len(raw) > LARGEST_SAVE:
            raise FixtureError(name, f"the file is larger than {LARGEST_SAVE} bytes")
        return Located(name, json.loads(raw.decode()), None)
    except OSError as error:
        raise FixtureError(name, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FixtureError(name, "is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise FixtureError(f"{name}, line {error.lineno}", f"is not valid JSON: {error.msg}") from None
    except RecursionError:
        raise FixtureError(name, "is not valid JSON: it is nested too deeply") from None


def find(kind: str, name: str, beside: str = "") -> Path:
    """The file of a named fixture (`kind` is a folder: worlds, catalogs), or the path that `name` already is.

    A relative path starts at the folder of the file `beside`. Raises FixtureError with the names that exist.
    """
    folder = FIXTURES / kind
    if "/" in name or name.endswith((".yaml", ".yml", ".json")):
        return Path(beside).parent / name
    if _NAME.fullmatch(name) and (folder / f"{name}.yaml").is_file():
        return folder / f"{name}.yaml"
    raise FixtureError(f"{kind}/{name}"[:120], f"there is no such file; there are: {', '.join(names(kind))}")


def names(kind: str) -> list[str]:
    return sorted(path.stem for path in (FIXTURES / kind).glob("*.yaml"))
