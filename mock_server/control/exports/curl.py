"""A POSIX shell script that asks the same again with curl, byte for byte."""

from __future__ import annotations

import base64
import shlex

from mock_server.engine.instants import format_instant
from mock_server.store.journal import Entry

from .again import NOT_A_KEY, Header, Request, hindrance, known, request_of
from .slices import Slice, extent, shown, title
from .words import as_text, word

_OF_CURL = ("accept", "content-type")
"""What curl would say without being asked."""

_TOP = """#!/bin/sh
# What the world {name} was asked: {extent} of its journal, oldest first. Needs curl.
# BASE is where a mock runs, WORLD the world to ask. It has to exist, and its clock is not moved.
set -eu
BASE=${{BASE:-{origin}}}
WORLD=${{WORLD:-{world}}}
"""
_ASK = """
# Prints the answer, and its status behind the request's number.
ask() {
  number=$1
  shift
  curl -q --silent --show-error --globoff --path-as-is --write-out "\\n= $number: %{http_code}\\n" "$@"
}
"""


def script(part: Slice) -> str:
    keys: dict[tuple[str, str], str] = {}
    blocks = [_block(entry, keys) for entry in part.entries]
    top = _TOP.format(
        name=shown(part.world), extent=extent(part), origin=shlex.quote(part.origin), world=shlex.quote(part.world)
    )
    for (api, caller), variable in keys.items():
        who = f"the key of {shown(caller)} ({shown(api)})"
        top += f"{variable}=${{{variable}:?{shlex.quote(who)}}}\n"
    return top + _ASK + "".join(blocks)


def _block(entry: Entry, keys: dict[tuple[str, str], str]) -> str:
    """A comment and a command. Gives `keys` a variable for each caller whose key is needed."""
    lines = ["", f"# Request {entry.number} at {format_instant(entry.at)}: {title(entry)}"]
    if (reason := hindrance(entry)) is not None:
        return "\n".join([*lines, f"# It is not sent again, because {shown(reason)}.", ""])
    lines.append(f"# {_answered(entry)}")
    request = request_of(entry)
    variable = NOT_A_KEY
    if request.needs_key:
        variable = "$" + keys.setdefault((entry.api, request.caller), f"KEY_{len(keys) + 1}")
    return "\n".join([*lines, _command(entry.number, request, variable), ""])


def _answered(entry: Entry) -> str:
    then = known(entry)
    status = "It is not known what the API answered" if then.status is None else f"It was answered {then.status}"
    problem = "" if entry.problem is None or then.status != entry.status else f" {shown(entry.problem)}"
    return f"{status}{problem}" + (f" ({shown(then.doubt)})." if then.doubt else ".")


def _command(number: int, request: Request, key: str) -> str:
    verb = "--head" if request.method == "HEAD" else f"-X {shlex.quote(request.method)}"
    target = shlex.quote(request.target) if request.target else ""
    parts = [f'ask {number} {verb} "$BASE/w/$WORLD"{target}']
    parts += [f"-H {_header(header, key)}" for header in request.headers]
    named = {header.name.lower() for header in request.headers}
    parts += [f"-H '{name}:'" for name in _OF_CURL if name not in named and (name == "accept" or request.body)]
    before = ""
    if request.body:
        text = as_text(request.body)
        if text is None:
            before = f"printf %s {base64.b64encode(request.body).decode()} | base64 -d | "
            parts.append("--data-binary @-")
        else:
            # --data-binary would take what follows an @ for the name of a file.
            parts.append(f"--data-raw {shlex.quote(text)}")
    return before + " \\\n  ".join(parts)


def _header(header: Header, key: str) -> str:
    if header.has_key:
        return f'"{header.name}: {header.value.decode()}{key}"'
    if not header.value:
        return shlex.quote(f"{header.name};")
    return word(header.name.encode("latin-1") + b": " + header.value)
